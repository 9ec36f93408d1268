import { type Clock, type DurationMs, seconds } from "../base/clock.ts";

/** A part that takes longer than this is not ready. */
export const CHECK_TIMEOUT: DurationMs = seconds(3);

export interface HealthDeps {
  readonly now: Clock;
  /** One cheap question per part, by the part's name. It rejects when the part does not answer. */
  readonly checks: Readonly<Record<string, () => Promise<unknown>>>;
  sleep(duration: DurationMs): Promise<void>;
  /** Hears why a part is not ready; the answer to strangers only says that it is not. */
  complain(check: string, error: unknown): void;
}

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly latencyMs: DurationMs;
}

/** Asks every part at once. Never rejects, and never takes much longer than one timeout. */
export async function checkReadiness(
  deps: HealthDeps,
): Promise<{ readonly ready: boolean; readonly checks: readonly CheckResult[] }> {
  const checks = await Promise.all(Object.entries(deps.checks).map((check) => runCheck(check, deps)));
  return { ready: checks.every(({ ok }) => ok), checks };
}

async function runCheck(
  [name, ask]: readonly [string, () => Promise<unknown>],
  deps: HealthDeps,
): Promise<CheckResult> {
  const startedAt = deps.now();
  const tooLate = deps.sleep(CHECK_TIMEOUT).then(() => Promise.reject(new Error("timed out")));
  try {
    // The async wrapper turns a check that throws at once into one that rejects.
    await Promise.race([(async () => ask())(), tooLate]);
    return { name, ok: true, latencyMs: deps.now() - startedAt };
  } catch (error) {
    deps.complain(name, error);
    return { name, ok: false, latencyMs: deps.now() - startedAt };
  } finally {
    tooLate.catch(() => undefined); // it loses the race when the check was quick
  }
}
