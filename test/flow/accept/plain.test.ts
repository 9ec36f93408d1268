import fc from "fast-check";
import { it } from "vitest";
import { isPlainlyValid } from "../../../src/flow/accept/plain.ts";
import { AuditEvent } from "../../../src/model/event.ts";

const login = { action: "user.login", actor_id: "u1" };

/** Values near every border of the schema, and far from it. */
const odd = fc.oneof(
  fc.constantFrom(null, "", "x", "a.b", "A.b", "a..b", "a.b\n", "é.b", "-a.b", "a b", 0, true, [], {}),
  fc.integer({ min: 254, max: 258 }).map((length) => "x".repeat(length)),
  fc.integer({ min: 196, max: 203 }).map((length) => `a.${"b".repeat(length - 2)}`),
  fc.integer({ min: 126, max: 130 }).map((length) => "i".repeat(length)),
  fc
    .tuple(
      fc.constantFrom("2024", "2025", "0000", "9999", "1900"),
      fc.nat(13),
      fc.nat(32),
      fc.nat(25),
      fc.nat(61),
    )
    .map(([year, month, day, hour, minute]) => {
      const two = (count: number) => String(count).padStart(2, "0");
      return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(minute)}.5Z`;
    }),
  fc.constantFrom(
    "2026-06-30T12:34:56Z",
    "2026-06-30T12:34Z",
    "2026-06-30T12:34:56+02:00",
    "2026-06-30",
    "now",
  ),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.dictionary(fc.string(), fc.jsonValue()),
);
const event = fc.record(
  {
    action: fc.oneof(fc.constant("a.b"), odd),
    id: odd,
    timestamp: odd,
    tenant_id: odd,
    actor_type: odd,
    actor_id: odd,
    resource_type: odd,
    resource_id: odd,
    service: odd,
    outcome: odd,
    metadata: odd,
    integrity_hash: odd,
    more: odd,
  },
  { requiredKeys: ["action"] },
);

it("what passes at a glance is valid by the schema", ({ expect }) => {
  let passed = 0;
  fc.assert(
    fc.property(
      event,
      fc.subarray(Object.keys({ ...login, id: 0, timestamp: 0, metadata: 0, service: 0 })),
      (all, kept) => {
        const few = Object.fromEntries(Object.entries(all).filter(([name]) => kept.includes(name)));
        for (const one of [all, few, { ...login, ...few }]) {
          if (!isPlainlyValid(one)) continue;
          passed++;
          expect(AuditEvent.safeParse(one).success).toBe(true);
        }
      },
    ),
    { numRuns: 3_000 },
  );
  expect(passed).toBeGreaterThan(300);
});

it("the traffic of every day passes at a glance", ({ expect }) => {
  expect(isPlainlyValid(login)).toBe(true);
  const whole = {
    ...login,
    id: "evt_01980000-0000-7000-8000-000000000000",
    timestamp: "2026-06-28T12:34:56.789Z",
    actor_type: "SERVICE",
    resource_type: "attestation",
    resource_id: "attestation-uuid",
    service: "trust-registry",
    outcome: "SUCCESS",
    metadata: { issuer_id: "issuer-uuid", claim: "email_verified" },
    integrity_hash: "sha256:00",
  };
  expect(isPlainlyValid(whole)).toBe(true);
});
