import { err, ok, type Result } from "../../base/result.ts";
import { MAX_EVENTS_PER_REQUEST } from "../../model/event.ts";
import type { Refusal } from "../../model/ingest.ts";
import { parseBounded } from "./bounded.ts";
import type { Media } from "./media.ts";
import { parseLine, splitLines } from "./ndjson.ts";
import { type Item, members, sliceElements, sliceValue } from "./slice.ts";

/** A body taken apart into at least one and at most 1,000 items, in the order they were sent. */
export function itemsOf(text: string, format: Media["format"]): Result<readonly Item[], Refusal> {
  const items = format === "ndjson" ? linesOf(text) : elementsOf(text);
  if (!items.ok) return items;
  if (items.value.length > 0) return items;
  return err({ code: "invalid_event", detail: "There is no event in the body; expected at least one" });
}

function linesOf(text: string): Result<readonly Item[], Refusal> {
  const lines = splitLines(text, MAX_EVENTS_PER_REQUEST + 1);
  return lines.length > MAX_EVENTS_PER_REQUEST ? tooMany() : ok(lines.map(parseLine));
}

function elementsOf(text: string): Result<readonly Item[], Refusal> {
  const parsed = parseBounded(text);
  if (!parsed.ok) {
    const detail = `${parsed.error.message}; nothing was stored`;
    if (parsed.error.isTooLarge) return err({ code: "payload_too_large", detail });
    const hint = looksLikeLines(text) ? ". One event a line is application/x-ndjson" : "";
    return err({ code: "malformed_json", detail: detail + hint });
  }
  const value = parsed.value;
  if (Array.isArray(value)) return paired(value, text);
  if (!isEnvelope(value)) return ok([{ value, slice: sliceValue(text) }]);
  const [list, ...more] = members(text).filter((member) => member.name === "events");
  if (more.length === 0) return paired(value.events, text, list?.at);
  // The parser has taken the last of them; a reader may mean the first.
  const errors = [{ path: "events", message: "The field is given twice" }];
  return err({ code: "invalid_event", detail: "The body is ambiguous; nothing was stored", errors });
}

function looksLikeLines(text: string): boolean {
  const [first, second] = splitLines(text, 2);
  return first !== undefined && second !== undefined && parseBounded(first.text).ok;
}

/** `{"events": [...]}`; an object that has an `action` is an event, whatever else is in it. */
function isEnvelope(value: unknown): value is { readonly events: readonly unknown[] } {
  if (typeof value !== "object" || value === null || Object.hasOwn(value, "action")) return false;
  return Object.hasOwn(value, "events") && "events" in value && Array.isArray(value.events);
}

function paired(values: readonly unknown[], text: string, open?: number): Result<readonly Item[], Refusal> {
  if (values.length > MAX_EVENTS_PER_REQUEST) return tooMany(values.length);
  const slices = sliceElements(text, open);
  return ok(slices.map((slice, index) => ({ value: values[index], slice })));
}

function tooMany(count?: number): Result<never, Refusal> {
  const given = count === undefined ? "there are more" : `there are ${count}`;
  const detail = `A request holds at most ${MAX_EVENTS_PER_REQUEST} events and ${given}; nothing was stored`;
  return err({ code: "payload_too_large", detail });
}
