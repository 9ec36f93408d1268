import { describe, it } from "vitest";
import type { PublicKey } from "../../src/model/public-key.ts";
import { authorize, type Denial, type Question } from "../../src/proxy/authorize.ts";
import { refusalOf } from "../../src/proxy/refusal.ts";
import { destination } from "../support/builders.ts";

const recipient: PublicKey = {
  id: "pk_1",
  tenantId: "ten_a",
  apiKeyId: "key_a",
  name: "",
  publicKey: "AAAA",
  createdAt: 1,
};
const operation = { description: "Sends.", payload: {} as never, check: () => [] };
const provider: Question["provider"] = { operations: { send_event: operation, send_batch: operation } };
const integration = destination({ allowedOperations: ["send_event"] });

const question = (about: Partial<Question> = {}): Question => ({
  operation: "send_event",
  integration,
  provider,
  recipient,
  ...about,
});

const allows = (...allowedOperations: readonly string[]) => destination({ allowedOperations });

describe("a call", () => {
  it("is allowed where the integration lists the operation, its provider has it, and the caller has a key", ({
    expect,
  }) => {
    expect(authorize(question())).toEqual({ ok: true, value: { integration, recipient } });
  });

  const table: readonly (readonly [why: string, about: Partial<Question>, reason: Denial["reason"]])[] = [
    ["there is no such integration", { integration: null, provider: null }, "no_such_integration"],
    ["its provider is not known", { provider: null }, "no_such_integration"],
    ["it was deleted", { integration: destination({ deletedAt: 5 }) }, "no_such_integration"],
    ["the list is empty", { integration: allows() }, "operation_not_allowed"],
    ["the list has others", { integration: allows("send_batch") }, "operation_not_allowed"],
    ["the case differs", { operation: "SEND_EVENT" }, "operation_not_allowed"],
    ["only the beginning is the same", { operation: "send_event2" }, "operation_not_allowed"],
    ["spaces surround it", { operation: " send_event" }, "operation_not_allowed"],
    ["it is empty", { operation: "" }, "operation_not_allowed"],
    ["a star is listed, which means nothing", { integration: allows("*") }, "operation_not_allowed"],
    [
      "the provider has it no more",
      { operation: "gone", integration: allows("gone") },
      "operation_not_allowed",
    ],
    [
      "it is what every object has",
      { operation: "constructor", integration: allows("constructor") },
      "operation_not_allowed",
    ],
    [
      "it is what every object is",
      { operation: "__proto__", integration: allows("__proto__") },
      "operation_not_allowed",
    ],
    ["the integration is switched off", { integration: destination({ enabled: false }) }, "switched_off"],
    ["the caller has no key", { recipient: null }, "no_registered_key"],
  ];

  it.for(table)("is refused when %s", ([, about, reason], { expect }) => {
    expect(authorize(question(about))).toMatchObject({ ok: false, error: { reason } });
  });

  const order: readonly (readonly [about: Partial<Question>, reason: Denial["reason"]])[] = [
    [{ recipient: null, integration: null, operation: "gone" }, "no_such_integration"],
    [
      { recipient: null, integration: destination({ enabled: false }), operation: "gone" },
      "operation_not_allowed",
    ],
    [{ recipient: null, integration: destination({ enabled: false }) }, "switched_off"],
  ];

  it.for(order)("that is wrong in several ways hears of the first: %#", ([about, reason], { expect }) => {
    expect(authorize(question(about))).toMatchObject({ ok: false, error: { reason } });
  });
});

describe("a refusal", () => {
  const faults = [{ path: "payload.event", message: "Expected an event" }];
  const denials: readonly (readonly [denial: Denial, code: string, words: RegExp])[] = [
    [{ reason: "no_such_integration" }, "not_found", /no such integration/],
    [
      { reason: "operation_not_allowed", allowed: [] },
      "operation_not_allowed",
      /Nothing is in its allowed_operations/,
    ],
    [
      { reason: "operation_not_allowed", allowed: ["send_log"] },
      "operation_not_allowed",
      /It allows send_log/,
    ],
    [{ reason: "switched_off" }, "conflict", /switched off/],
    [{ reason: "no_registered_key" }, "conflict", /POST \/api\/v2\/keys/],
    [{ reason: "invalid_payload", faults }, "invalid_input", /payload/],
    [{ reason: "settings_unusable", faults }, "conflict", /settings/],
    [{ reason: "vault_unavailable" }, "unavailable", /at the moment/],
  ];

  it.for(denials)("says what it is and what to do: %j", ([denial, code, words], { expect }) => {
    const refusal = refusalOf(denial, "send_event");
    expect(refusal.code).toBe(code);
    expect(refusal.detail).toMatch(words);
    if (code !== "not_found") expect(refusal.detail).toContain("Nothing was sent.");
    expect(refusal.errors).toEqual("faults" in denial ? faults : undefined);
  });
});
