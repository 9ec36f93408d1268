import { type RelayEvent, toLine } from "../../src/model/event.ts";
import type { BatchPart } from "../../src/model/lane.ts";

/** A complete event of about 100 bytes; override what the test is about. */
export function anEvent(id: string, more: Readonly<Record<string, unknown>> = {}): RelayEvent {
  const action = String(more["action"] ?? "user.login");
  const timestamp = "2026-06-30T12:34:56.789Z";
  return { id, at: Date.parse(timestamp), action, json: JSON.stringify({ id, timestamp, ...more, action }) };
}

/** A part of a batch with events `<batch>-<n>`. */
export function aPart(
  batchId: string,
  count: number,
  more: Partial<BatchPart> & { from?: number } = {},
): BatchPart {
  const { from = 0, ...rest } = more;
  const lines = Array.from({ length: count }, (_, index) => toLine(anEvent(`${batchId}-${from + index}`)));
  return { batchId, part: 0, acceptedAt: 1_000_000, lines, ...rest };
}
