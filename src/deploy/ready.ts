/** Waits until the deployed Worker itself says that it is ready. */

/** A new workers.dev name or custom domain needs DNS and a certificate, which is usually a matter of seconds. */
const PATIENCE_MS = 120_000;
const INTERVAL_MS = 2_000;
const REQUEST_TIMEOUT_MS = 10_000;

export interface ReadyDeps {
  now(): number;
  sleep(ms: number): Promise<void>;
  /** The status of one GET, or what prevented it. */
  get(url: string): Promise<number | string>;
}

export type Readiness = { readonly ready: true } | { readonly ready: false; readonly last: number | string };

export async function waitUntilReady(url: string, deps: ReadyDeps): Promise<Readiness> {
  const until = deps.now() + PATIENCE_MS;
  for (;;) {
    const last = await deps.get(url);
    if (last === 200) {
      return { ready: true };
    }
    if (deps.now() + INTERVAL_MS > until) {
      return { ready: false, last };
    }
    await deps.sleep(INTERVAL_MS);
  }
}

export const realReadyDeps: ReadyDeps = {
  now: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  async get(url) {
    try {
      const response = await fetch(url, {
        redirect: "manual",
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      await response.body?.cancel();
      return response.status;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
};
