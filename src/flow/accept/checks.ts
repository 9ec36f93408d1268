import { byteLength } from "../../base/bytes.ts";
import type { Fault } from "../../base/errors.ts";
import { AuditEvent, MAX_EVENT_BYTES, MAX_EVENT_DEPTH } from "../../model/event.ts";
import { repeatedNames, type Slice } from "./slice.ts";

/** An event as parsed, before anything is filled in. */
export type JsonObject = Record<string, unknown>;

/** A fault of one event, without its index, which the event itself does not know. */
export interface Found {
  readonly path: string;
  readonly message: string;
  /** Too large rather than wrong: a request with nothing worse is 413, not 422. */
  readonly oversize?: true;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Everything that is wrong with one event, as far as it can be said without walking it.
 * What the parser hides is looked for in the slice: size, depth, and a key given twice.
 */
export function faultsOf(event: JsonObject, slice: Slice, tenantId: string): readonly Found[] {
  const found: Found[] = [];
  // A UTF-16 unit is at most 3 bytes, so most events need no counting.
  if (slice.text.length * 3 > MAX_EVENT_BYTES) {
    const bytes = byteLength(slice.text);
    if (bytes > MAX_EVENT_BYTES) {
      const message = `Expected at most ${MAX_EVENT_BYTES} bytes an event, got ${bytes}`;
      found.push({ path: "", message, oversize: true });
    }
  }
  if (slice.depth > MAX_EVENT_DEPTH) {
    const message = `Expected at most ${MAX_EVENT_DEPTH} levels of nesting, got ${slice.depth}`;
    found.push({ path: "", message });
  }
  if (slice.keys !== Object.keys(event).length) {
    for (const path of repeatedNames(slice.text)) found.push({ path, message: "The field is given twice" });
  }
  const checked = AuditEvent.safeParse(event);
  const issues = checked.success ? [] : checked.error.issues;
  for (const { path, message } of issues) found.push({ path: path.join("."), message });
  if ((event["actor_id"] ?? null) === null && event["actor_type"] !== "SYSTEM") {
    found.push({ path: "actor_id", message: "Expected an actor id, unless actor_type is SYSTEM" });
  }
  const tenant = event["tenant_id"];
  if (typeof tenant === "string" && tenant !== tenantId) {
    found.push({ path: "tenant_id", message: "Expected the key's own tenant, or no tenant_id" });
  }
  return found;
}

/**
 * Finds what RFC 8785 has no form for: a number beyond a double, or half of a surrogate pair.
 * Recurses, so call it only on an event whose depth is within the limit.
 */
export function unrepresentable(value: unknown, path = ""): Found | null {
  if (typeof value === "number" && !Number.isFinite(value)) {
    return { path, message: "Expected a number that fits a double, up to about 1.8e308" };
  }
  if (typeof value === "string" && !value.isWellFormed()) {
    return { path, message: "Expected well-formed Unicode; half of a surrogate pair stands alone" };
  }
  if (typeof value !== "object" || value === null) return null;
  for (const [name, member] of Object.entries(value)) {
    const inner = path === "" ? name : `${path}.${name}`;
    const found = unrepresentable(member, inner);
    if (found !== null) return found;
    if (!name.isWellFormed()) return { path, message: "Expected well-formed Unicode in a field's name" };
  }
  return null;
}

/** The fault of an item that is no JSON object. */
export function notAnObject(value: unknown): Found {
  const what = Array.isArray(value) ? "an array" : value === null ? "null" : `a ${typeof value}`;
  return { path: "", message: `Expected an event as a JSON object, got ${what}` };
}

/** A fault as callers see it. */
export function faultAt(index: number, found: Found): Fault {
  return { index, path: found.path, message: found.message };
}
