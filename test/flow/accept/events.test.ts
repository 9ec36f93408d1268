import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, it } from "vitest";
import { type EventsContext, eventsOf } from "../../../src/flow/accept/events.ts";
import { itemsOf } from "../../../src/flow/accept/items.ts";
import { fromLine, MAX_EVENT_BYTES, MAX_EVENT_DEPTH, toLine } from "../../../src/model/event.ts";

const NOW = Date.parse("2026-11-20T10:00:00.123Z");
const context: EventsContext = {
  tenantId: "ten_1",
  now: NOW,
  onInvalid: "refuse",
  eventId: (index, at) => `evt_${index}_${at ?? "none"}`,
};
const login = { action: "user.login", actor_id: "u1" };

function accept(body: unknown, over: Partial<EventsContext> & { format?: "json" | "ndjson" } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const items = itemsOf(text, over.format ?? "json");
  return items.ok ? eventsOf(items.value, { ...context, ...over }) : items;
}

/** The one event's final JSON; an accepted request is the point of the test that asks. */
function jsonOf(body: unknown): string {
  const made = accept(body);
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  return made.value.events.map((event) => event.json).join("\n");
}

/** `index path` of each fault, after the code. */
function faultsOf(body: unknown, over: Parameters<typeof accept>[1] = {}): string[] {
  const made = accept(body, over);
  if (made.ok) return ["accepted"];
  return [
    made.error.code,
    ...(made.error.errors ?? []).map((fault) => `${fault.index ?? "-"} ${fault.path}`),
  ];
}

/** Recomputes the hash as a stranger would, from the JSON alone and with another implementation. */
function hashOf(json: string): string {
  const { integrity_hash: _, ...rest } = JSON.parse(json);
  return `sha256:${createHash("sha256")
    .update(canonicalize(rest) ?? "")
    .digest("hex")}`;
}

describe("an accepted event", () => {
  it("is its own text, followed by what was absent", ({ expect }) => {
    const sent = '{"action":"user.login","actor_id":"u1","n":12345678901234567890,"x":1.0}';
    const json = jsonOf(sent);
    expect(json.startsWith(`${sent.slice(0, -1)},`)).toBe(true);
    expect(JSON.parse(json)).toEqual({
      ...JSON.parse(sent),
      id: "evt_0_none",
      timestamp: "2026-11-20T10:00:00.123Z",
      tenant_id: "ten_1",
      actor_type: "USER",
      outcome: "SUCCESS",
      integrity_hash: hashOf(json),
    });
  });

  it("with everything in it is left exactly as it was sent", ({ expect }) => {
    const whole = {
      ...login,
      id: "evt_abc123",
      timestamp: "2026-06-30T12:34:56.789+02:00",
      tenant_id: "ten_1",
      actor_type: "SERVICE",
      outcome: "DENIED",
      integrity_hash: "sha256:theirs",
    };
    expect(jsonOf(whole)).toBe(JSON.stringify(whole));
  });

  it("has a hash that anyone can recompute from what the SIEM shows", ({ expect }) => {
    const more = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ stringUnit: "grapheme" }));
    fc.assert(
      fc.property(more, (metadata) => {
        const json = jsonOf({ ...login, metadata, 'é\n"': [metadata] });
        expect(JSON.parse(json).integrity_hash).toBe(hashOf(json));
      }),
    );
  });

  it("travels as a line and comes back", ({ expect }) => {
    const made = accept('[{"action":"a.b",\n\t"actor_id":"u\\t\\n1", "id":"x!"}]');
    const [event] = made.ok ? made.value.events : [];
    if (event === undefined) throw new Error("refused");
    expect(toLine(event).split("\t")).toHaveLength(4);
    expect(fromLine(toLine(event))).toEqual(event);
  });

  it("tells when it happened, by its own time or else by the time of receipt", ({ expect }) => {
    const timed = { ...login, timestamp: "2024-02-29T23:59:59.5+01:00" };
    const made = accept([timed, login]);
    expect(made.ok && made.value.events.map((event) => [event.id, event.at])).toEqual([
      [`evt_0_${Date.parse("2024-02-29T22:59:59.500Z")}`, Date.parse("2024-02-29T22:59:59.500Z")],
      ["evt_1_none", NOW],
    ]);
  });

  it("keeps fields that nobody knows, such as __proto__ and toJSON", ({ expect }) => {
    const sent = '{"action":"a.b","actor_id":"u","__proto__":{"action":"x"},"toJSON":"y","constructor":1}';
    const json = jsonOf(sent);
    expect(json.startsWith(sent.slice(0, -1))).toBe(true);
    expect(JSON.parse(json).integrity_hash).toBe(hashOf(json));
  });

  it("needs no actor id from the system, and may have nulls where they mean absent", ({ expect }) => {
    expect(faultsOf({ action: "a.b", actor_type: "SYSTEM" })).toEqual(["accepted"]);
    expect(faultsOf({ ...login, service: null, metadata: null, resource_id: null })).toEqual(["accepted"]);
  });
});

describe("the shape of a body", () => {
  it("is one object, an array, an envelope or lines", ({ expect }) => {
    const count = (body: unknown, format?: "ndjson") => {
      const made = accept(body, format ? { format } : {});
      return made.ok ? made.value.events.length : made.error.code;
    };
    expect(count(login)).toBe(1);
    expect(count([login, login])).toBe(2);
    expect(count({ events: [login, login] })).toBe(2);
    expect(count(`{"source":"x", "\\u0065vents" : [ ${JSON.stringify(login)} ]}`)).toBe(1);
    expect(count(`${JSON.stringify(login)}\n\n${JSON.stringify(login)}\n`, "ndjson")).toBe(2);
  });

  it("is one event when it has an action, even beside a list of events", ({ expect }) => {
    expect(JSON.parse(jsonOf({ ...login, events: [1, 2] })).events).toEqual([1, 2]);
  });

  it("with no event in it is refused", ({ expect }) => {
    expect(faultsOf([])).toEqual(["invalid_event"]);
    expect(faultsOf({ events: [] })).toEqual(["invalid_event"]);
    expect(faultsOf("\n \n", { format: "ndjson" })).toEqual(["invalid_event"]);
  });

  it("that gives the list twice is refused, because readers differ on which counts", ({ expect }) => {
    expect(faultsOf('{"events":[{"action":"a.b","actor_id":"u"}],"events":[]}')).toEqual([
      "invalid_event",
      "- events",
    ]);
  });

  it("holds a thousand events and not one more", ({ expect }) => {
    const many = Array.from({ length: 1_000 }, () => login);
    expect(faultsOf(many)).toEqual(["accepted"]);
    expect(faultsOf([...many, login])).toEqual(["payload_too_large"]);
    expect(faultsOf(`[${"{},".repeat(1_000_000)}{}]`)).toEqual(["payload_too_large"]);
    const lines = `${JSON.stringify(login)}\n`.repeat(1_001);
    expect(faultsOf(lines, { format: "ndjson" })).toEqual(["payload_too_large"]);
  });

  it("that is no JSON is refused, with a hint when it looks like lines", ({ expect }) => {
    expect(faultsOf("{oops")).toEqual(["malformed_json"]);
    expect(faultsOf(" \n ")).toEqual(["malformed_json"]);
    const lines = accept('{"a":1}\n{"a":2}');
    expect(!lines.ok && lines.error.detail).toContain("application/x-ndjson");
  });
});

describe("faults", () => {
  it("are all listed, by index and dotted path", ({ expect }) => {
    const bad = [
      login,
      { action: "Login" },
      7,
      { ...login, metadata: [], timestamp: "yesterday" },
      null,
      [login],
    ];
    expect(faultsOf(bad)).toEqual([
      "invalid_event",
      "1 action",
      "1 actor_id",
      "2 ",
      "3 timestamp",
      "3 metadata",
      "4 ",
      "5 ",
    ]);
  });

  it("say how many events were refused and that nothing was stored", ({ expect }) => {
    const made = accept([login, {}, {}]);
    expect(!made.ok && made.error.detail).toBe("2 of 3 events were refused; nothing was stored");
  });

  it("include another tenant's id, without a word on whether it exists", ({ expect }) => {
    const made = accept({ ...login, tenant_id: "ten_2" });
    expect(made.ok || made.error.errors).toEqual([
      { index: 0, path: "tenant_id", message: "Expected the key's own tenant, or no tenant_id" },
    ]);
  });

  it("include days that are in no calendar", ({ expect }) => {
    for (const day of ["2026-02-30", "2025-02-29", "2026-04-31", "2026-13-01"]) {
      expect(faultsOf({ ...login, timestamp: `${day}T00:00:00Z` })).toEqual(["invalid_event", "0 timestamp"]);
    }
  });

  it("include a field that is given twice", ({ expect }) => {
    expect(faultsOf('{"action":"a.b","actor_id":"u","actor_id":"v"}')).toEqual([
      "invalid_event",
      "0 actor_id",
    ]);
  });

  it("include numbers and strings that have no canonical form, where they are", ({ expect }) => {
    expect(faultsOf('{"action":"a.b","actor_id":"u","metadata":{"list":[1,1e400]}}')).toEqual([
      "invalid_event",
      "0 metadata.list.1",
    ]);
    const lone = String.raw`{"action":"a.b","actor_id":"u","note":"\ud800","integrity_hash":"theirs"}`;
    expect(faultsOf(lone)).toEqual(["invalid_event", "0 note"]);
    expect(faultsOf(String.raw`{"action":"a.b","actor_id":"u","\udc00":1}`)).toEqual(["invalid_event", "0 "]);
    expect(faultsOf(String.raw`{"action":"A","actor_id":"\ud800"}`)).toEqual([
      "invalid_event",
      "0 action",
      "0 actor_id",
    ]);
  });

  it("include nesting beyond the limit, however deep", ({ expect }) => {
    const nested = (levels: number) =>
      `{"action":"a.b","actor_id":"u","x":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
    expect(faultsOf(nested(MAX_EVENT_DEPTH))).toEqual(["accepted"]);
    expect(faultsOf(nested(MAX_EVENT_DEPTH + 1))).toEqual(["invalid_event", "0 "]);
    expect(faultsOf(nested(100_000))).toEqual(["invalid_event", "0 ", "0 "]);
    expect(faultsOf(nested(500_000))).toEqual(["payload_too_large"]);
  });
});

describe("the size of an event", () => {
  const sized = (bytes: number, unit = "x") => {
    const empty = JSON.stringify({ ...login, note: "" }).length;
    const fill = unit.repeat(Math.floor((bytes - empty) / new TextEncoder().encode(unit).length));
    const left = bytes - empty - new TextEncoder().encode(fill).length;
    return JSON.stringify({ ...login, note: fill + "x".repeat(left) });
  };

  it("is counted in UTF-8 bytes, without white space, up to the limit and no further", ({ expect }) => {
    for (const unit of ["x", "é", "日", "🙂"]) {
      expect(faultsOf(sized(MAX_EVENT_BYTES, unit))).toEqual(["accepted"]);
      expect(faultsOf(sized(MAX_EVENT_BYTES + 1, unit))).toEqual(["payload_too_large", "0 "]);
    }
    expect(faultsOf(sized(MAX_EVENT_BYTES).replace(",", `,${" ".repeat(1_000)}`))).toEqual(["accepted"]);
  });

  it("says the limit", ({ expect }) => {
    const made = accept(sized(MAX_EVENT_BYTES + 1));
    expect(!made.ok && made.error.errors?.[0]?.message).toContain("100000 bytes");
  });

  it("is the code only when nothing worse is wrong", ({ expect }) => {
    const large = sized(MAX_EVENT_BYTES + 1);
    expect(faultsOf(`[${large},${large}]`)).toEqual(["payload_too_large", "0 ", "1 "]);
    expect(faultsOf(`[${large},{"action":"a.b"}]`)).toEqual(["invalid_event", "0 ", "1 actor_id"]);
  });
});

describe("with skip", () => {
  it("the valid events are accepted and the others listed by their place in the input", ({ expect }) => {
    const made = accept([{}, login, 7, login], { onInvalid: "skip" });
    if (!made.ok) throw new Error(made.error.detail);
    expect(made.value.events.map((event) => event.id)).toEqual(["evt_1_none", "evt_3_none"]);
    expect(made.value.rejected.map((event) => event.index)).toEqual([0, 2]);
    expect(made.value.rejected[0]?.errors.map((fault) => [fault.index, fault.path])).toEqual([
      [0, "action"],
      [0, "actor_id"],
    ]);
  });

  it("a request without one valid event is refused all the same", ({ expect }) => {
    expect(faultsOf([{ action: "a.b" }], { onInvalid: "skip" })).toEqual(["invalid_event", "0 actor_id"]);
  });

  it("a malformed line is one of the rejected", ({ expect }) => {
    const made = accept(`{oops\n${JSON.stringify(login)}`, { onInvalid: "skip", format: "ndjson" });
    expect(made.ok && [made.value.events.length, made.value.rejected[0]?.index]).toEqual([1, 0]);
  });
});

it("every malformed line is listed, by index and line number, when nothing is skipped", ({ expect }) => {
  const made = accept(`${JSON.stringify(login)}\n\n{oops\n{}\n}`, { format: "ndjson" });
  if (made.ok) throw new Error("accepted");
  expect(made.error.code).toBe("malformed_json");
  expect(made.error.errors?.map((fault) => [fault.index, fault.message.split(" is ")[0]])).toEqual([
    [1, "Line 3"],
    [3, "Line 5"],
  ]);
});
