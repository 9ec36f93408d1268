/** Lines of HEC `/raw`. Real line breaking depends on the source type; one line is one event here. */
import { scalarMember } from "./json-scan.ts";

export interface RawLine {
  readonly text: string;
  /** `id` of a line that is a JSON object. */
  readonly id: string | null;
}

export function readLines(body: Buffer): readonly RawLine[] {
  return body
    .toString("utf8")
    .split(/\r?\n/)
    .filter((text) => text.trim() !== "")
    .map((text) => ({ text, id: scalarMember(Buffer.from(text), 0, "id") }));
}
