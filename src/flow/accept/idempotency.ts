import { createHash, createHmac } from "node:crypto";
import { constantTimeEqual, toHex, utf8 } from "../../base/bytes.ts";
import type { EpochMs } from "../../base/clock.ts";
import { ID_PREFIX } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Refusal } from "../../model/ingest.ts";

/** Hex characters of a batch id: 24 that say which batch, 8 that prove who issued it. */
const BODY_HEX = 24;
const TAG_HEX = 8;
/** Events that one batch can number within the 12 bits that UUIDv7 leaves between version and variant. */
const MAX_INDEX = 0xfff;
const MAX_UUID_TIME = 0xffff_ffff_ffff;

export interface BatchInput {
  readonly tenantId: string;
  /** `Idempotency-Key`, or the `webhook-id` of a signed request; null when the sender gave none. */
  readonly idempotencyKey: string | null;
  /** The decompressed body: a retry may be compressed differently and is the same all the same. */
  readonly bodyBytes: Uint8Array;
  readonly now: EpochMs;
  /** Random bytes, injected so that tests can pin them. */
  readonly random: (count: number) => Uint8Array;
  /** From a secret of this relay; never one that tenants know. */
  readonly tagKey: Uint8Array;
}

export interface BatchIdentity {
  /** `bat_` + 32 hex. */
  readonly batchId: string;
  readonly eventIds: EventIds;
}

/** What the ids of a batch's events are made of, beside their positions; `eventIdsOf` puts it together. */
export interface EventIds {
  /** The time that an id carries, in ms. */
  readonly time: EpochMs;
  /** An event with a time of its own carries that. */
  readonly prefersOwnTime: boolean;
  /** The last 18 characters, which all of the batch share. */
  readonly tail: string;
}

/**
 * Names a batch and its events.
 *
 * With an idempotency key everything is a function of tenant, key and body: the same in any isolate on any day,
 * so that a retry costs no storage to recognise. An event without a time of its own then takes the time bits from
 * the digest too, since the time of receipt differs from try to try. Without a key ids are random and sort by
 * time of receipt, and within a batch by position.
 */
export function batchIdentity(input: BatchInput): BatchIdentity {
  return input.idempotencyKey === null ? freshIdentity(input) : derivedIdentity(input, input.idempotencyKey);
}

/**
 * Whether this relay issued the batch id to this tenant, told from the id alone. A made-up one passes with a chance
 * of 1 in 2^32, and gains nothing by it but the answer that its fate is not known yet.
 */
export function ownsBatchId(tenantId: string, batchId: string, tagKey: Uint8Array): boolean {
  if (!/^bat_[0-9a-f]{32}$/.test(batchId)) return false;
  const body = batchId.slice(ID_PREFIX.batch.length, ID_PREFIX.batch.length + BODY_HEX);
  return constantTimeEqual(batchId, taggedId(tenantId, body, tagKey));
}

/** @returns the `Idempotency-Key`, or null where there is none; a refusal when it is not 1 to 255 printable ASCII characters */
export function idempotencyKeyOf(headers: Headers): Result<string | null, Refusal> {
  const given = headers.get("idempotency-key");
  if (given === null || /^[ -~]{1,255}$/.test(given)) return ok(given);
  const message = "Expected 1 to 255 printable ASCII characters";
  return err({
    code: "invalid_input",
    detail: "The Idempotency-Key header is not acceptable; nothing was stored",
    errors: [{ path: "Idempotency-Key", message }],
  });
}

function derivedIdentity(input: BatchInput, key: string): BatchIdentity {
  const digest = createHash("sha256")
    // Neither a tenant id nor a header can contain a zero byte, so no two inputs run together.
    .update(`sluice/batch/v1\0${input.tenantId}\0${key}\0`)
    .update(input.bodyBytes)
    .digest();
  const half = BODY_HEX / 2; // bytes
  return {
    batchId: taggedId(input.tenantId, toHex(digest.subarray(0, half)), input.tagKey),
    eventIds: {
      time: digest.readUIntBE(half + 8, 6),
      prefersOwnTime: true,
      tail: tailOf(digest.subarray(half, half + 8)),
    },
  };
}

function freshIdentity(input: BatchInput): BatchIdentity {
  const drawn = input.random(14);
  // 48 bits of milliseconds and 48 random ones: the lanes ignore a batch id that they have taken, so two
  // batches of a tenant must not share one. At 10,000 requests a second that is once in 100 years.
  const body = timeHex(input.now) + toHex(drawn.subarray(0, 6));
  return {
    batchId: taggedId(input.tenantId, body, input.tagKey),
    eventIds: { time: input.now, prefersOwnTime: false, tail: tailOf(drawn.subarray(6, 14)) },
  };
}

function taggedId(tenantId: string, body: string, tagKey: Uint8Array): string {
  const mac = createHmac("sha256", tagKey).update(utf8(`sluice/batch-id/v1\0${tenantId}\0${body}`));
  return ID_PREFIX.batch + body + mac.digest("hex").slice(0, TAG_HEX);
}

/** @param random 8 bytes; the variant bits are overwritten */
function tailOf(random: Uint8Array): string {
  const variant = (((random[0] ?? 0) & 0x3f) | 0x80).toString(16);
  const hex = variant + toHex(random.subarray(1));
  return `-${hex.slice(0, 4)}-${hex.slice(4)}`;
}

/**
 * The id of the event at an index of the input, 0 to 4,095, given its own time where it has one: `evt_` + UUIDv7 (RFC 9562,
 * 5.7) with the position as `rand_a` and one `rand_b` for the batch: unique within the batch by counting, across batches by
 * 62 bits, and sorted by position within a millisecond.
 */
export function eventIdsOf(ids: EventIds): (index: number, at: EpochMs | null) => string {
  let last: EpochMs | null = null;
  let hex = "";
  return (index, at) => {
    if (index > MAX_INDEX) throw new RangeError("A batch has more events than its ids can count");
    const time = ids.prefersOwnTime ? (at ?? ids.time) : ids.time;
    if (time !== last) hex = timeHex(time); // the same for all events of most batches
    last = time;
    const position = index.toString(16).padStart(3, "0");
    return `${ID_PREFIX.event}${hex.slice(0, 8)}-${hex.slice(8)}-7${position}${ids.tail}`;
  };
}

/** 12 hex characters; times before 1970 and after the year 10889 are clamped. */
function timeHex(at: EpochMs): string {
  return Math.min(Math.max(at, 0), MAX_UUID_TIME).toString(16).padStart(12, "0");
}
