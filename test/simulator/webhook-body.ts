/** Reads the body of a delivery: `{"events":[…]}`, or one event's JSON alone. */
import { ObjectReader, ObjectScan, scalarMember, skipSpace } from "./json-scan.ts";

export interface DeliveredEvent {
  readonly id: string | null;
  /** Byte for byte as received. */
  readonly text: string;
}

export interface Delivery {
  readonly mode: "batch" | "event";
  readonly events: readonly DeliveredEvent[];
}

/** @returns the events, or a sentence saying why it is no delivery */
export function readDelivery(body: Buffer): Delivery | string {
  if (!isJson(body)) return "the body is not JSON";
  const scan = new ObjectScan();
  if (!scan.read(body, skipSpace(body, 0))) return "the body is not a JSON object";
  const list = scan.find(body, "events");
  if (list < 0 || scan.count > 1)
    return {
      mode: "event",
      events: [{ id: scalarMember(body, scan.start, "id"), text: body.toString("utf8") }],
    };
  return readList(body.subarray(scan.valueStart(list), scan.valueEnd(list)));
}

function readList(list: Buffer): Delivery | string {
  const reader = new ObjectReader(list);
  if (!reader.isArray) return '"events" is not a list';
  const events: DeliveredEvent[] = [];
  for (let step = reader.next(); step !== "end"; step = reader.next()) {
    if (step === "bad") return `event ${events.length} is not a JSON object`;
    const { start, end } = reader.scan;
    events.push({ id: scalarMember(list, start, "id"), text: list.toString("utf8", start, end) });
  }
  return events.length === 0 ? '"events" is empty' : { mode: "batch", events };
}

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString("utf8"));
    return true;
  } catch {
    return false;
  }
}
