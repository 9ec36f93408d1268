import fc from "fast-check";
import { describe, it } from "vitest";
import { draftAlert, parseAlert } from "../../../src/flow/accept/splunk-alert.ts";
import { MAX_ALERT_BYTES, MAX_SHORT_DESCRIPTION_CHARACTERS } from "../../../src/model/incident.ts";
import { source } from "../../support/fake-sources.ts";

const NOW = Date.parse("2026-06-30T12:00:00Z");
const facts = { now: NOW, proof: null, isBodyUnique: false };

/** Names that mean something to the parser, with whatever in them. */
const NAMES = [
  "sid",
  "search_name",
  "search_uri",
  "result",
  "host",
  "source",
  "severity",
  "priority",
  "timestamp",
  "message",
  "__proto__",
  "constructor",
];
const anything = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("$result.host$", "", " ", "P1", "high", 1, -0, true, null),
  fc.array(fc.string(), { maxLength: 3 }),
);
const body = fc
  .dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), anything)
  .map((entries) => JSON.stringify(entries));

describe("an alert's body", () => {
  it("becomes a draft that fits, or is refused, whatever it is", ({ expect }) => {
    fc.assert(
      fc.property(fc.oneof(body, fc.json(), fc.string()), (text) => {
        const record = parseAlert(text);
        if (!record.ok) {
          expect(["malformed_json", "invalid_input"]).toContain(record.error.code);
          return;
        }
        const draft = draftAlert(record.value, source(), facts);
        expect(draft.shortDescription.length).toBeGreaterThan(0);
        expect(draft.shortDescription.length).toBeLessThanOrEqual(MAX_SHORT_DESCRIPTION_CHARACTERS);
        expect(Buffer.byteLength(JSON.stringify(draft.alert))).toBeLessThanOrEqual(MAX_ALERT_BYTES);
        expect(JSON.stringify(draft)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
        expect(draft.dedupKey).toMatch(/^[0-9a-f]{64}$/);
        expect(draft.at).toBeLessThanOrEqual(NOW + 300_000);
      }),
    );
  });

  it("has the same keys whatever the order of its fields", ({ expect }) => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...NAMES), anything, { minKeys: 1 }), (entries) => {
        const turned = Object.fromEntries(Object.entries(entries).toReversed());
        const keys = [entries, turned].map((each) => {
          const record = parseAlert(JSON.stringify(each));
          if (!record.ok) throw new Error("An object is a record");
          const { alertKey, dedupKey } = draftAlert(record.value, source(), facts);
          return { alertKey, dedupKey };
        });
        expect(keys[0]).toEqual(keys[1]);
      }),
    );
  });

  it("never has a token as a value", ({ expect }) => {
    const token = fc.constantFrom(
      "$name$",
      "$result.host$",
      "$job.searchId$",
      "$trigger_time$",
      "$result.a b$",
    );
    const entries = fc.record({
      host: token,
      severity: token,
      message: token,
      priority: token,
      source: token,
    });
    fc.assert(
      fc.property(entries, (record) => {
        const draft = draftAlert({ ...record, search_name: "x" }, source(), facts);
        expect(draft).toMatchObject({ ciIdentifier: null, severity: null, message: null, priority: "P3" });
      }),
    );
  });

  it("is not the same trouble as another only because both lack the fields that would tell", ({ expect }) => {
    const key = (record: Readonly<Record<string, unknown>>) => draftAlert(record, source(), facts).dedupKey;
    expect(key({ message: "disk full" })).not.toBe(key({ message: "disk failed" }));
    expect(key({ message: "disk full", timestamp: "1" })).toBe(key({ message: "disk full", timestamp: "2" }));
    expect(key({ search_name: "a", host: "b c" })).not.toBe(key({ search_name: "a b", host: "c" }));
  });

  it("that is signed without a time is known by its content", ({ expect }) => {
    const alertKey = (record: Readonly<Record<string, unknown>>) =>
      draftAlert(record, source(), { ...facts, isBodyUnique: true }).alertKey;
    expect(alertKey({ a: "1" })).toBe(alertKey({ a: "1" }));
    expect(alertKey({ a: "1" })).not.toBe(alertKey({ a: "2" }));
    expect(draftAlert({ a: "1" }, source(), facts).alertKey).toBeNull();
  });
});
