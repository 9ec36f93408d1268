// Stage 1: is it genuine, well formed, new? Takes a request and gives complete events, or says what was wrong with
// it. It touches no storage, no queue and no destination; whoever calls it hands the events on.
import type { Clock, EpochMs } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { IngestRequest, Refusal } from "../../model/ingest.ts";
import { inflateBody, readRaw } from "./body.ts";
import { batchIdentity, idempotencyKeyOf } from "./idempotency.ts";
import { type TakenWithRejected, takeTheLongWay } from "./long-way.ts";
import { mediaOf } from "./media.ts";
import { takeInOnePass } from "./one-pass.ts";
import { publicCode, verifySignature } from "./signature.ts";

export interface AcceptDeps {
  readonly now: Clock;
  /** Cryptographically random bytes. */
  readonly random: (count: number) => Uint8Array;
  /** Marks the batch ids of this relay; derived from a secret, the same in every isolate. */
  readonly batchTagKey: Uint8Array;
}

/** Events that may be stored. Nothing is promised to the producer until they are. */
export interface AcceptedBatch extends TakenWithRejected {
  readonly batchId: string;
  readonly acceptedAt: EpochMs;
}

/**
 * Accepts a request whose API key has been checked.
 *
 * The signature comes before anything is inflated or parsed, so that a stranger can make the relay do no
 * more than read and hash. Never throws for anything that a sender can cause.
 */
export async function acceptRequest(
  request: IngestRequest,
  deps: AcceptDeps,
): Promise<Result<AcceptedBatch, Refusal>> {
  const media = mediaOf(request.headers);
  if (!media.ok) {
    await request.body?.cancel().catch(() => undefined); // nobody will read it
    return media;
  }
  const raw = await readRaw(request.body, request.headers);
  if (!raw.ok) return raw;
  const now = deps.now();
  const idempotencyKey = messageKey(request, raw.value, now);
  if (!idempotencyKey.ok) return idempotencyKey;
  const body = inflateBody(raw.value, media.value.gzip);
  if (!body.ok) return body;

  const { tenantId, onInvalid } = request;
  const { format } = media.value;
  const { batchId, eventIds } = batchIdentity({
    tenantId,
    idempotencyKey: idempotencyKey.value,
    bodyBytes: body.value,
    now,
    random: deps.random,
    tagKey: deps.batchTagKey,
  });
  const taken = takeInOnePass(body.value, { tenantId, format, now, eventIds });
  if (taken !== null) return ok({ batchId, acceptedAt: now, ...taken, rejected: [] });
  const made = takeTheLongWay(body.value, { tenantId, format, now, eventIds, onInvalid });
  return made.ok ? ok({ batchId, acceptedAt: now, ...made.value }) : made;
}

/**
 * What makes a repeat of this request recognisable. For a signed request it is the `webhook-id` alone: the
 * `Idempotency-Key` is not signed, so whoever replays a captured request could change it.
 */
function messageKey(request: IngestRequest, body: Uint8Array, now: EpochMs): Result<string | null, Refusal> {
  const { headers, signingSecret } = request;
  if (signingSecret === null) return idempotencyKeyOf(headers);
  const verified = verifySignature({ headers, body, secrets: [signingSecret], now });
  if (verified.ok) return ok(verified.value.id);
  const code = publicCode(verified.error);
  const detail =
    code === "stale_signature"
      ? "webhook-timestamp is more than 5 minutes from the relay's clock; nothing was stored"
      : "This key needs webhook-id, webhook-timestamp and a matching v1 webhook-signature over the bytes sent; nothing was stored";
  return err({ code, detail });
}
