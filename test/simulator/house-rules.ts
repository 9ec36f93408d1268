/**
 * Rules that vendors tolerate to be broken and that we do not: recorded, never refused.
 *
 * The sizes are those that common forwarders settled on (Vector: 1,000,000 bytes a HEC batch) and that
 * every Splunk release accepts: `max_content_length` was 1,000,000 before it grew.
 */
import { isUtf8 } from "node:buffer";
import type { Ledger } from "./ledger.ts";

const MAX_PLAIN_BYTES = 1_000_000;
const MAX_EVENTS = 1000;
/** Above one network packet compression pays. */
const MAX_UNCOMPRESSED_BYTES = 1500;

export interface TakenBody {
  readonly at: number;
  readonly wireBytes: number;
  readonly plain: { readonly body: Buffer; readonly compressed: boolean };
  readonly events: number;
  /** Bytes of a body before it counts as too big. */
  readonly maxPlainBytes?: number;
}

export function checkHouseRules(ledger: Ledger, taken: TakenBody): void {
  const { at, wireBytes, plain, events, maxPlainBytes = MAX_PLAIN_BYTES } = taken;
  const bytes = plain.body.length;
  if (bytes > maxPlainBytes) ledger.violate("body_too_big", at, `${bytes} bytes uncompressed`);
  if (events > MAX_EVENTS) ledger.violate("too_many_events", at, `${events} events in one request`);
  if (!plain.compressed && wireBytes > MAX_UNCOMPRESSED_BYTES)
    ledger.violate("not_compressed", at, `${wireBytes} bytes without gzip`);
  if (!isUtf8(plain.body)) ledger.violate("not_utf8", at, "the body is not valid UTF-8");
}
