import type { Clock } from "../../base/clock.ts";
import type { Send } from "../../model/http.ts";
import type { Acknowledgement, Session } from "../../model/provider.ts";
import type { Pending, PendingAcks } from "./pending.ts";

/** Questions at once: with a channel for each request, every request is a question of its own. */
const MAX_QUESTIONS = 50;
/** Ids in one question; a balancer's limits on bodies are far away, and an answer stays below its cap. */
const MAX_IDS = 1_000;

export interface PollDeps {
  readonly now: Clock;
  readonly send: Send;
  readonly pending: PendingAcks;
  /** "Yes" for an ackId: stored, and acted upon, in one transaction. */
  told(session: Session, ackId: number): void;
  /** Acknowledgement was switched off: what was accepted stays accepted. One transaction. */
  confirmed(requests: readonly Pending[], as: "accepted"): void;
  /** Nobody ever confirmed them: their events wait again. One transaction. */
  lost(requests: readonly Pending[]): void;
}

/**
 * Asks about everything that is due, and gives up on what was sent too long ago.
 *
 * "Yes" is told once only, so it is stored in the same transaction that acts on it. Whatever else comes back changes
 * nothing but the time of the next question.
 */
export async function pollDue(rules: Acknowledgement, deps: PollDeps): Promise<void> {
  const { now, pending } = deps;
  await Promise.all(
    pending
      .due(now())
      .slice(0, MAX_QUESTIONS)
      .flatMap(({ requests }) => {
        const groups: Promise<void>[] = [];
        for (let at = 0; at < requests.length; at += MAX_IDS) {
          groups.push(ask(requests.slice(at, at + MAX_IDS), rules, deps));
        }
        return groups;
      }),
  );
  // A "yes" for one of several with the same ackId could have been another's, so they are lost together.
  const lost = new Map<number, Pending>();
  for (const request of pending.sentUntil(now() - rules.timeout)) {
    for (const one of [request, ...pending.twinsOf(request)]) lost.set(one.id, one);
  }
  if (lost.size > 0) deps.lost([...lost.values()]);
}

async function ask(requests: readonly Pending[], rules: Acknowledgement, deps: PollDeps): Promise<void> {
  const [first] = requests;
  if (first === undefined) return;
  // Moved on before asking: a second poll that starts meanwhile must not ask about the same ids.
  deps.pending.postpone(requests, deps.now());
  // Each id once: the second mention of one that has just been told would read "no".
  const ackIds = [...new Set(requests.map(({ ackId }) => ackId))];
  const answer = rules.read(await deps.send(rules.query(first.session, ackIds)), ackIds);
  if (answer === null) return;
  if (answer.kind === "off") {
    const pending = new Set(deps.pending.all().map(({ id }) => id));
    for (const request of requests) if (pending.has(request.id)) deps.confirmed([request], "accepted");
    return;
  }
  for (const ackId of answer.indexed) deps.told(first.session, ackId);
}
