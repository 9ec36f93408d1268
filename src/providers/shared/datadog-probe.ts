import type { HttpAnswer, HttpRequestSpec } from "../../model/http.ts";
import type { Check, ProbeReading, ProbeStep } from "../../model/provider.ts";
import { readAnswer } from "./datadog-answer.ts";
import type { Place } from "./datadog-place.ts";
import { reach } from "./reach.ts";
import { jsonObject } from "./reply.ts";

const FIX_KEY =
  "Create an API key under Organization Settings, API Keys, on the same site as this destination";

interface Probe {
  readonly place: Place;
  readonly headers: Readonly<Record<string, string>>;
  /** The test log. */
  readonly log: HttpRequestSpec;
  readonly secrets: readonly string[];
}

/** At Datadog the key is checked first; elsewhere nothing is asked but what the logs intake makes of a log. */
export function datadogProbe({ place, headers, log, secrets }: Probe): readonly ProbeStep[] {
  const step: ProbeStep = { request: log, read: (answer) => readLog(answer, place, secrets) };
  if (!place.isDatadog) return [step];
  const url = `${place.api}/api/v1/validate`;
  return [
    {
      request: { method: "GET", url, headers },
      read: (answer) => readKey(answer, { ...place, url }, secrets),
    },
    step,
  ];
}

/**
 * Whether the key is one of this site. Only a plain no decides: without an answer, or with one that says something
 * else, the intake is asked all the same.
 * @see https://docs.datadoghq.com/api/latest/authentication/#validate-api-key (read 2026-11)
 */
function readKey(answer: HttpAnswer, { url, site }: Place, secrets: readonly string[]): ProbeReading {
  if (answer.kind === "failure") return { checks: [], verdict: null };
  const isKnown = answer.status === 200 && jsonObject(answer)?.["valid"] === true;
  if (isKnown)
    return { checks: [{ name: "site", ok: true, detail: `The API key belongs to ${site}.` }], verdict: null };
  if (answer.status !== 403) return { checks: [], verdict: null };
  const { words } = readAnswer(answer, secrets);
  const hint = `${FIX_KEY} (${site}).`;
  const failed: Check = { name: "token", ok: false, detail: hint };
  return {
    checks: [...reach(answer, url).checks, failed],
    verdict: { ok: false, words, hint, acknowledgement: null },
  };
}

/** The intake checks the key on the log itself. */
function readLog(answer: HttpAnswer, { url, site }: Place, secrets: readonly string[]): ProbeReading {
  const { checks, verdict } = reach(answer, url);
  if (verdict !== null) return { checks, verdict };
  const { kind, words, ...rest } = readAnswer(answer, secrets);
  const token = { name: "token", ok: true, detail: "The API key is accepted." };
  const decide = (ok: boolean, detail: string, name: string): ProbeReading => ({
    checks: [
      ...checks,
      ...(name === "intake" && kind !== "hold" && kind !== "retry" ? [token] : []),
      { name, ok, detail },
    ],
    verdict: { ok, words, hint: ok ? null : detail, acknowledgement: null },
  });
  if (kind === "delivered") return decide(true, "The logs intake took the test log.", "intake");
  if ("trouble" in rest && rest.trouble === "credentials_rejected")
    return decide(false, `${FIX_KEY}${site === null ? "." : ` (${site}).`}`, "token");
  if (kind === "hold" || (words.httpStatus ?? 0) < 300)
    return decide(false, "This is no logs intake: leave the endpoint out and set config.site.", "intake");
  if (kind === "retry")
    return decide(false, "Datadog takes nothing at the moment; events are kept and tried again.", "intake");
  return decide(false, "The intake refuses the log: its message says why.", "intake");
}
