import type { RelayEvent } from "../../src/model/event.ts";
import type { BatchPart } from "../../src/model/lane.ts";
import { packEvents, unpackLines } from "../../src/model/lines.ts";

/** A complete event of about 100 bytes; override what the test is about. */
export function anEvent(id: string, more: Readonly<Record<string, unknown>> = {}): RelayEvent {
  const action = String(more["action"] ?? "user.login");
  const timestamp = "2026-06-30T12:34:56.789Z";
  return { id, at: Date.parse(timestamp), action, json: JSON.stringify({ id, timestamp, ...more, action }) };
}

/** A part of a batch with exactly these events. */
export function aPartOf(
  batchId: string,
  events: readonly RelayEvent[],
  more: Partial<Omit<BatchPart, "lines">> = {},
): BatchPart {
  return { batchId, part: 0, acceptedAt: 1_000_000, lines: packEvents(events), ...more };
}

/** A part of a batch with events `<batch>-<n>`. */
export function aPart(
  batchId: string,
  count: number,
  more: Partial<Omit<BatchPart, "lines">> & { from?: number } = {},
): BatchPart {
  const { from = 0, ...rest } = more;
  const events = Array.from({ length: count }, (_, index) => anEvent(`${batchId}-${from + index}`));
  return aPartOf(batchId, events, rest);
}

/** The lines of parts or rows, unpacked and in order. */
export function linesOf(all: readonly (BatchPart | { readonly packed: Uint8Array })[]): readonly string[] {
  return all.flatMap((one) => unpackLines("packed" in one ? one.packed : one.lines.packed));
}
