/** Reads the body of `_bulk`: an action line and a source line for each document, each ended by a line break. */
import { parsedOrNull } from "./hec-describe.ts";
import { isRecord } from "./shape.ts";

/** One document and what is to be done with it. */
export interface BulkPair {
  readonly operation: "create" | "index";
  /** Of the action line; null where the path names it. */
  readonly index: string | null;
  readonly id: string | null;
  /** Exactly as received. */
  readonly source: string;
}

/** Why the whole request is a 400. */
export interface BulkRefusal {
  readonly type: string;
  readonly reason: string;
}

const METADATA = [
  "_index",
  "_id",
  "routing",
  "pipeline",
  "require_alias",
  "require_data_stream",
  "dynamic_templates",
];

export function readPairs(body: string): readonly BulkPair[] | BulkRefusal {
  if (body === "") return { type: "parse_exception", reason: "request body is required" };
  if (!body.endsWith("\n")) return illegal("The bulk request must be terminated by a newline [\\n]");
  const lines = body.slice(0, -1).split("\n");
  const pairs: BulkPair[] = [];
  for (let at = 0; at < lines.length; at += 2) {
    const action = readAction(lines[at] ?? "", at + 1);
    if ("reason" in action) return action;
    const source = lines[at + 1];
    if (source === undefined)
      return illegal(`Malformed action/metadata line [${at + 1}], no source line follows it`);
    pairs.push({ ...action, source });
  }
  return pairs;
}

function readAction(line: string, number: number): Omit<BulkPair, "source"> | BulkRefusal {
  const action = parsedOrNull(line);
  const [entry, ...more] = isRecord(action) ? Object.entries(action) : [];
  if (entry === undefined || more.length > 0 || !isRecord(entry[1]))
    return illegal(`Malformed action/metadata line [${number}], expected START_OBJECT with one action`);
  const [operation, metadata] = entry;
  if (operation !== "create" && operation !== "index")
    return illegal(
      `Malformed action/metadata line [${number}], expected field [create] or [index] but found [${operation}]`,
    );
  for (const [name, value] of Object.entries(metadata)) {
    if (!METADATA.includes(name))
      return illegal(`Action/metadata line [${number}] contains an unknown parameter [${name}]`);
    if ((name === "_index" || name === "_id") && typeof value !== "string")
      return illegal(`Malformed action/metadata line [${number}], expected a string for [${name}]`);
  }
  return { operation, index: textOrNull(metadata["_index"]), id: textOrNull(metadata["_id"]) };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function illegal(reason: string): BulkRefusal {
  return { type: "illegal_argument_exception", reason };
}
