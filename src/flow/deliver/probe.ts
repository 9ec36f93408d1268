import type { Clock } from "../../base/clock.ts";
import type { RelayEvent } from "../../model/event.ts";
import type { Send } from "../../model/http.ts";
import type { TestReport } from "../../model/probe.ts";
import type { Check, Connector } from "../../model/provider.ts";

export interface ProbeDeps {
  readonly now: Clock;
  readonly send: Send;
}

/**
 * Tests a connection in stages, past the queue and the outbox: each step of the provider asks one question, and the
 * first that decides ends it. The last step sends the event, so a good report means that one has really arrived.
 */
export async function diagnose(
  connector: Connector,
  event: RelayEvent,
  { now, send }: ProbeDeps,
): Promise<TestReport> {
  const checks: Check[] = [];
  let latencyMs = 0;
  for (const { request, read } of connector.probe(event, { now: now(), indexFor: () => null })) {
    const answer = await send(await request);
    latencyMs = answer.latency;
    const { checks: found, verdict } = read(answer);
    checks.push(...found);
    if (verdict === null) continue;
    const { ok, words, hint, acknowledgement } = verdict;
    const { httpStatus, code, message } = words;
    return { ok, latencyMs, httpStatus, providerCode: code, message, hint, acknowledgement, checks };
  }
  throw new Error("The last step of a diagnosis always decides");
}
