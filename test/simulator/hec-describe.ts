/** A stored HEC envelope or raw line, made readable. Done when asked for, so that storing stays cheap. */
import type { StoredEvent } from "./control.ts";
import { ObjectScan } from "./json-scan.ts";
import type { Copy } from "./ledger.ts";
import { isRecord } from "./shape.ts";

export function describeCopy(id: string | null, copy: Copy): StoredEvent {
  const { text, line, index, receivedAt, indexer } = copy;
  const stored = { id, envelope: text, index, received_at: receivedAt, indexer };
  if (line !== null)
    return { ...stored, ...line, raw: text, parsed: parsedOrNull(text), time: null, fields: null };
  const body = Buffer.from(text);
  const scan = new ObjectScan();
  scan.read(body, 0);
  const event = scan.find(body, "event");
  const envelope = parsedOrNull(text);
  const { sourcetype, source, host, time, fields, event: parsed } = isRecord(envelope) ? envelope : {};
  return {
    ...stored,
    raw: body.toString("utf8", scan.valueStart(event), scan.valueEnd(event)),
    parsed: parsed ?? null,
    sourcetype: textOrNull(sourcetype),
    source: textOrNull(source),
    host: textOrNull(host),
    time: typeof time === "number" || typeof time === "string" ? time : null,
    fields: isRecord(fields) ? fields : null,
  };
}

export function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
