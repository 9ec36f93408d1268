import { encodeUtf8 } from "../base/encoding.ts";
import { SluiceError } from "./errors.ts";
import { type AuditEvent, MAX_BODY_BYTES, MAX_EVENT_BYTES, MAX_EVENTS } from "./event.ts";
import { type Receipt, type RejectedEvent, readReceipt } from "./receipt.ts";
import type { Transport } from "./transport.ts";

export interface SendOptions {
  /**
   * At most 240 visible ASCII characters. The same key and events again within 24 hours are delivered once: give one of
   * your own, such as the id of your job, where your program may start again between two tries. Default: a fresh one.
   */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

export interface SendBatchOptions extends SendOptions {
  /** `refuse` (default): one invalid event refuses its whole request. `skip`: the valid ones are accepted. */
  readonly onInvalid?: "refuse" | "skip";
}

export interface SendReceipt {
  readonly id: string;
  readonly batchId: string;
}

/** Of all requests together. */
export interface BatchReceipt {
  readonly accepted: number;
  /** In the order of the input, without those that were rejected. */
  readonly ids: readonly string[];
  /** One for each request: up to 1,000 events or 5 MB. */
  readonly batchIds: readonly string[];
  readonly rejected: readonly RejectedEvent[];
}

/** Events as JSON texts, in one request. */
export interface Parcel {
  readonly texts: readonly string[];
  readonly idempotencyKey: string;
  readonly onInvalid: "refuse" | "skip";
  readonly signal?: AbortSignal | undefined;
}

export type Post = (parcel: Parcel) => Promise<Receipt>;

/** Within the relay's 255 characters, with room for the number of a request. */
const MAX_KEY_CHARACTERS = 240;

export function createPost(transport: Transport): Post {
  return async ({ texts, idempotencyKey, onInvalid, signal }) => {
    if (!/^[!-~]{1,255}$/.test(idempotencyKey)) throw keyFault();
    const path = onInvalid === "skip" ? "/v1/audit/events?on_invalid=skip" : "/v1/audit/events";
    const body = `[${texts.join(",")}]`;
    const answer = await transport({ method: "POST", path, body, idempotencyKey, again: "safe", signal });
    const receipt = readReceipt(answer);
    if (receipt !== null) return receipt;
    const fields = { code: "unexpected_answer", status: null, idempotencyKey } as const;
    throw new SluiceError("Expected a receipt for the events: check baseUrl", fields);
  };
}

/**
 * Sends events in as many requests as they need, one after the other. The same events and key give the same requests,
 * so the whole call may be repeated after a failure in the middle.
 *
 * @throws SluiceError; its `accepted` are the receipts of the requests before
 */
export async function sendInParcels(
  post: Post,
  events: readonly AuditEvent[],
  options: SendBatchOptions & { readonly idempotencyKey: string },
): Promise<BatchReceipt> {
  if (options.idempotencyKey.length > MAX_KEY_CHARACTERS) throw keyFault();
  const parcels = inParcels(events.map(writeEvent));
  const receipts: Receipt[] = [];
  let start = 0;
  for (const [at, texts] of parcels.entries()) {
    const key = at === 0 ? options.idempotencyKey : `${options.idempotencyKey}.${at}`;
    const parcel = { texts, idempotencyKey: key, onInvalid: options.onInvalid ?? "refuse" } as const;
    try {
      receipts.push(moved(await post({ ...parcel, signal: options.signal }), start));
    } catch (failure) {
      throw failure instanceof SluiceError ? explained(failure, { start, receipts, options }) : failure;
    }
    start += texts.length;
  }
  return {
    accepted: receipts.reduce((sum, receipt) => sum + receipt.accepted, 0),
    ids: receipts.flatMap(({ ids }) => ids),
    batchIds: receipts.map(({ batchId }) => batchId),
    rejected: receipts.flatMap(({ rejected }) => rejected),
  };
}

function keyFault(): TypeError {
  return new TypeError(`idempotencyKey: expected 1 to ${MAX_KEY_CHARACTERS} visible ASCII characters`);
}

/** Indexes count in the list that the caller gave, not in one request. */
function moved(receipt: Receipt, start: number): Receipt {
  const rejected = receipt.rejected.map(({ index, errors }) => ({ index: index + start, errors }));
  return { ...receipt, rejected };
}

function explained(
  failure: SluiceError,
  context: {
    readonly start: number;
    readonly receipts: readonly Receipt[];
    readonly options: { readonly idempotencyKey: string };
  },
): SluiceError {
  const errors = failure.errors.map((fault) =>
    fault.index === undefined ? fault : { ...fault, index: fault.index + context.start },
  );
  return failure.with({
    errors,
    accepted: context.receipts,
    idempotencyKey: context.options.idempotencyKey,
  });
}

/** Greedy and in order, so that the same events always make the same parcels. */
function inParcels(texts: readonly string[]): readonly (readonly string[])[] {
  const parcels: string[][] = [];
  let bytes = 0;
  for (const text of texts) {
    const size = byteLength(text) + 1; // with its comma
    const last = parcels.at(-1);
    if (last === undefined || last.length >= MAX_EVENTS || bytes + size > MAX_BODY_BYTES - 1) {
      parcels.push([text]);
      bytes = size;
    } else {
      last.push(text);
      bytes += size;
    }
  }
  return parcels;
}

/**
 * One event as JSON.
 *
 * @throws TypeError for what is no JSON object
 * @throws SluiceError `payload_too_large` beyond 100,000 bytes
 */
export function writeEvent(event: AuditEvent): string {
  const text = JSON.stringify(event) as string | undefined; // undefined for a function or for undefined
  if (text === undefined || !text.startsWith("{"))
    throw new TypeError("Expected an event, which is an object");
  if (byteLength(text) > MAX_EVENT_BYTES)
    throw new SluiceError(`An event has more than ${MAX_EVENT_BYTES} bytes`, {
      code: "payload_too_large",
      status: null,
    });
  return text;
}

export function byteLength(text: string): number {
  return encodeUtf8(text).byteLength;
}
