import fc from "fast-check";
import { describe, it } from "vitest";
import { toBase64 } from "../../src/base/bytes.ts";
import { parseRootKey, type RootKey } from "../../src/vault/root-key.ts";
import { openSecrets, type SealBinding, sealSecrets } from "../../src/vault/seal.ts";

function rootKey(fill: number): RootKey {
  const parsed = parseRootKey(toBase64(new Uint8Array(32).fill(fill)));
  if (!parsed.ok) throw new Error(parsed.error.reason);
  return parsed.value;
}

const key = rootKey(1);
const binding: SealBinding = { tenantId: "ten_1", recordId: "siem_1", purpose: "destination-secrets" };
const sealed = sealSecrets(key, binding, '{"token":"t0ps3cret"}');
const reason = (result: ReturnType<typeof openSecrets>) => (result.ok ? "opened" : result.error.reason);

describe("a sealed text", () => {
  it("opens for the binding it was sealed for, whatever is in it", ({ expect }) => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (plain) => {
        expect(openSecrets(key, binding, sealSecrets(key, binding, plain))).toEqual({
          ok: true,
          value: plain,
        });
      }),
    );
  });

  it("shows its version and key, and nothing of the secret", ({ expect }) => {
    expect(sealed).toMatch(new RegExp(`^v1\\.${key.id}\\.[A-Za-z0-9_-]{16}\\.[A-Za-z0-9_-]+$`));
    expect(Buffer.from(sealed.split(".")[3] ?? "", "base64url").toString("latin1")).not.toContain(
      "t0ps3cret",
    );
  });

  it("is never the same twice", ({ expect }) => {
    const all = Array.from({ length: 100 }, () => sealSecrets(key, binding, "same"));
    expect(new Set(all.map((text) => text.split(".")[2])).size).toBe(100);
  });

  it("does not open for another tenant, record or purpose", ({ expect }) => {
    const others: SealBinding[] = [
      { ...binding, tenantId: "ten_2" },
      { ...binding, recordId: "siem_2" },
      { ...binding, purpose: "signing-secret" },
      { tenantId: "siem_1", recordId: "ten_1", purpose: binding.purpose },
      { ...binding, recordId: 'siem_1","destination-secrets', purpose: "" },
    ];
    for (const other of others) expect(reason(openSecrets(key, other, sealed))).toBe("does_not_open");
  });

  it("does not open once any character of nonce or ciphertext was changed", ({ expect }) => {
    const start = sealed.indexOf(".", 3) + 1;
    for (let at = start; at < sealed.length - 1; at++) {
      if (sealed[at] === ".") continue;
      const other = sealed[at] === "A" ? "B" : "A";
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
      expect(openSecrets(key, binding, changed).ok).toBe(false);
    }
  });

  it("says so when it is of another key or of a version to come", ({ expect }) => {
    expect(openSecrets(rootKey(2), binding, sealed)).toEqual({
      ok: false,
      error: { reason: "unknown_key", keyId: key.id },
    });
    expect(openSecrets(key, binding, sealed.replace("v1", "v2"))).toEqual({
      ok: false,
      error: { reason: "unknown_version", version: "v2" },
    });
    const [, , nonce, body] = sealed.split(".");
    const renamed = `v1.${rootKey(2).id}.${nonce}.${body}`;
    expect(reason(openSecrets(rootKey(2), binding, renamed))).toBe("does_not_open");
  });

  it("that is none is a value, not an exception", ({ expect }) => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(reason(openSecrets(key, binding, text))).toBe("malformed");
      }),
    );
    for (const text of [
      `${sealed}.x`,
      `v1.${key.id}..`,
      `v1.${key.id}.AAAA.AAAA`,
      "v1",
      "v.a.b.c",
      `${sealed}=`,
    ]) {
      expect(reason(openSecrets(key, binding, text))).toBe("malformed");
    }
  });
});
