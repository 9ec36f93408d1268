import { type EpochMs, isoTime } from "../../base/clock.ts";
import { canonicalJson } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { sha256HexMany } from "../../base/sha256-many.ts";
import type { RelayEvent } from "../../model/event.ts";
import type { Refusal, RejectedEvent } from "../../model/ingest.ts";
import {
  type Found,
  faultAt,
  faultsOf,
  isObject,
  type JsonObject,
  notAnObject,
  unrepresentable,
} from "./checks.ts";
import type { Item } from "./slice.ts";

export interface EventsContext {
  readonly tenantId: string;
  /** Time of receipt, for events that name no time. */
  readonly now: EpochMs;
  readonly onInvalid: "refuse" | "skip";
  /** The id of the event at an index of the input; `at` is its own time or null. */
  eventId(index: number, at: EpochMs | null): string;
}

export interface Events {
  /** At least one, in the order of the input; `toLine` gives the form in which they travel. */
  readonly events: readonly RelayEvent[];
  /** Empty with `refuse`. */
  readonly rejected: readonly RejectedEvent[];
}

/** An event that lacks nothing but its hash, if that. */
interface Draft {
  readonly id: string;
  readonly at: EpochMs;
  readonly action: string;
  /** As sent. */
  readonly text: string;
  /** Members to append. */
  readonly filled: string;
  /** What is to be hashed; null where the sender gave a hash. */
  readonly canonical: string | null;
}

type Made = { readonly draft: Draft } | { readonly faults: readonly Found[] };

/** Checks every item and completes the valid ones. Every fault of every event is reported, not the first. */
export function eventsOf(items: readonly Item[], context: EventsContext): Result<Events, Refusal> {
  const writer = eventWriter(context);
  const drafts: Draft[] = [];
  const rejected: RejectedEvent[] = [];
  let onlyOversize = true;
  items.forEach((item, index) => {
    const made = make(item, index, writer);
    if ("draft" in made) {
      drafts.push(made.draft);
      return;
    }
    rejected.push({ index, errors: made.faults.map((found) => faultAt(index, found)) });
    onlyOversize &&= made.faults.every((found) => found.oversize === true);
  });
  if (rejected.length === 0 || (context.onInvalid === "skip" && drafts.length > 0)) {
    return ok({ events: hashed(drafts), rejected });
  }
  return err(refusal({ items, rejected, onlyOversize, onInvalid: context.onInvalid }));
}

function refusal(outcome: {
  readonly items: readonly Item[];
  readonly rejected: readonly RejectedEvent[];
  readonly onlyOversize: boolean;
  readonly onInvalid: "refuse" | "skip";
}): Refusal {
  const { items, rejected, onlyOversize, onInvalid } = outcome;
  const isMalformed = ({ index }: RejectedEvent): boolean => "malformed" in (items[index] ?? {});
  if (onInvalid === "refuse" && rejected.some(isMalformed)) {
    const errors = rejected.filter(isMalformed).flatMap((event) => event.errors);
    const detail = `${errors.length} of ${items.length} lines are not valid JSON; nothing was stored`;
    return { code: "malformed_json", detail, errors };
  }
  const who = items.length === 1 ? "The event was" : `${rejected.length} of ${items.length} events were`;
  return {
    code: onlyOversize ? "payload_too_large" : "invalid_event",
    detail: `${who} refused; nothing was stored`,
    errors: rejected.flatMap((event) => event.errors),
  };
}

function make(item: Item, index: number, writer: EventWriter): Made {
  if ("malformed" in item) return { faults: [{ path: "", message: item.malformed }] };
  const { value, slice } = item;
  if (!isObject(value)) return { faults: [notAnObject(value)] };
  const faults = faultsOf(value, slice, writer.tenantId);
  if (faults.length > 0) {
    const hidden = slice.depth <= MAX_WALK_DEPTH ? unrepresentable(value) : null;
    return { faults: hidden === null ? faults : [...faults, hidden] };
  }
  const draft = writer.complete(value, slice.text, index);
  return draft === null ? { faults: [unrepresentable(value) ?? UNSAID] } : { draft };
}

/** All at once, because hashing many together takes a fifth of hashing each by itself. */
function hashed(drafts: readonly Draft[]): readonly RelayEvent[] {
  const hashes = sha256HexMany(drafts.flatMap(({ canonical }) => canonical ?? []));
  let next = 0;
  return drafts.map(({ id, at, action, text, filled, canonical }) => {
    const hash = canonical === null ? "" : `,"integrity_hash":"sha256:${hashes[next++]}"`;
    // An event that passed has an action, so what is appended always follows another member.
    const json = filled === "" && hash === "" ? text : `${text.slice(0, -1)}${filled}${hash}}`;
    return { id, at, action, json };
  });
}

/** Levels that can be walked by recursion with room to spare on any stack. */
const MAX_WALK_DEPTH = 1_000;

/** Cannot happen while `unrepresentable` knows what the canonical form knows. */
const UNSAID: Found = { path: "", message: "Expected an event that has an RFC 8785 canonical form" };

interface EventWriter {
  readonly tenantId: string;
  /** @returns null when the event has no canonical form */
  complete(event: JsonObject, text: string, index: number): Draft | null;
}

/**
 * Completes events of one batch: what is absent is appended to the event's own text, which is otherwise
 * left as it was sent. `integrity_hash` covers the completed event, so it comes last.
 */
function eventWriter(context: EventsContext): EventWriter {
  const { tenantId, now } = context;
  const receivedAt = isoTime(now);
  const tenantJson = JSON.stringify(tenantId);
  return {
    tenantId,
    complete(event, text, index) {
      const { id: ownId, timestamp, action } = event as { id?: string; timestamp?: string; action: string }; // checked by the schema
      const ownTime = timestamp === undefined ? null : Date.parse(timestamp);
      const id = ownId ?? context.eventId(index, ownTime);
      let filled = "";
      if (ownId === undefined) {
        event["id"] = id;
        filled += `,"id":"${id}"`;
      }
      if (ownTime === null) {
        event["timestamp"] = receivedAt;
        filled += `,"timestamp":"${receivedAt}"`;
      }
      if (event["tenant_id"] === undefined) {
        event["tenant_id"] = tenantId;
        filled += `,"tenant_id":${tenantJson}`;
      }
      if (event["actor_type"] === undefined) {
        event["actor_type"] = "USER";
        filled += ',"actor_type":"USER"';
      }
      if (event["outcome"] === undefined) {
        event["outcome"] = "SUCCESS";
        filled += ',"outcome":"SUCCESS"';
      }
      const canonical = canonicalJson(event, !text.includes("\\")); // what is filled in needs no escape either
      if (canonical === null) return null;
      const hasHash = event["integrity_hash"] !== undefined;
      return { id, at: ownTime ?? now, action, text, filled, canonical: hasHash ? null : canonical };
    },
  };
}
