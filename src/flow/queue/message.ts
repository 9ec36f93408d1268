/**
 * Stage 3, queue: the durable hand-over between accepting and delivering. It knows the form of a message and the
 * platform's limits; what the events mean and who wants them is not its business.
 */

import { z } from "zod";
import { parseJson } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { isLine } from "../../model/event.ts";
import type { BatchPart } from "../../model/lane.ts";

/** A part of a batch on its way to the fan-out. */
export interface QueuedPart {
  readonly tenantId: string;
  readonly part: BatchPart;
}

const VERSION = 1;

/** First line of a message. Versioned: a message can wait for days, and be read by a newer relay. */
const Header = z.object({
  v: z.literal(VERSION),
  tenant: z.string().min(1),
  batch: z.string().min(1),
  part: z.number().int().min(0),
  at: z.number().int(),
});

/** Text: a header line, then one event line each. A string of lines costs nothing to take apart and is splice-ready. */
export function encodeMessage({ tenantId, part }: QueuedPart): string {
  return `${headerLine(tenantId, part)}\n${part.lines.join("\n")}`;
}

/** The header alone, for counting bytes before the lines are chosen. */
export function headerLine(tenantId: string, part: Omit<BatchPart, "lines">): string {
  return JSON.stringify({
    v: VERSION,
    tenant: tenantId,
    batch: part.batchId,
    part: part.part,
    at: part.acceptedAt,
  });
}

/** @returns why it cannot be read: it is then kept for a person, never dropped */
export function decodeMessage(body: unknown): Result<QueuedPart, string> {
  if (typeof body !== "string") return err("not text");
  const end = body.indexOf("\n");
  if (end < 0) return err("no events");
  const json = parseJson(body.slice(0, end));
  if (!json.ok) return err("unreadable header");
  const header = Header.safeParse(json.value);
  if (!header.success) return err("unknown version or header");
  const { tenant, batch, part, at } = header.data;
  const lines = body.slice(end + 1).split("\n");
  // One unreadable line in an outbox would stop its lane, so it must not get there.
  if (!lines.every(isLine)) return err("unreadable events");
  return ok({
    tenantId: tenant,
    part: { batchId: batch, part, acceptedAt: at, lines },
  });
}
