import fc from "fast-check";
import { describe, it } from "vitest";
import { mlKemKeyPair } from "../../src/base/ml-kem.ts";
import { openText, parseSealed, type SealBinding, sealText } from "../../src/vault/seal.ts";
import { aVault, rootKey, sealedV1 } from "../support/vault.ts";

const pair = mlKemKeyPair(new Uint8Array(64).fill(1));
const key = { version: 1, publicKey: pair.publicKey };
const binding: SealBinding = { tenantId: "ten_1", recordId: "siem_1", purpose: "destination-secrets" };
const others: readonly SealBinding[] = [
  { ...binding, tenantId: "ten_2" },
  { ...binding, recordId: "siem_2" },
  { ...binding, purpose: "signing-secret" },
  // The same characters, cut elsewhere.
  { tenantId: "ten_1siem_1", recordId: "", purpose: "destination-secrets" },
];

async function opened(text: string, secretKey = pair.secretKey, to = binding): Promise<string> {
  const parsed = parseSealed(text);
  const result = parsed.ok ? await openText(secretKey, to, parsed.value) : parsed;
  return result.ok ? `opened: ${result.value}` : result.error.reason;
}

describe("a sealed text", () => {
  it("opens for the binding it was sealed for, whatever is in it", async ({ expect }) => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (plain) => {
        expect(await opened(await sealText(key, binding, plain))).toBe(`opened: ${plain}`);
      }),
      { numRuns: 30 },
    );
  });

  it("shows its version and which key of the tenant's it is for, and nothing of the secret", async ({
    expect,
  }) => {
    const text = await sealText({ ...key, version: 7 }, binding, "t0ps3cret");
    expect(text).toMatch(
      /^v2\.7\.[\w-]{1451}\.[\w-]{16}\.[\w-]{64}\.[\w-]{16}\.[\w-]+$/, // KEM, nonce, data key, nonce, text
    );
    expect(Buffer.from(text.replaceAll(".", ""), "base64url").toString("latin1")).not.toContain("t0ps3cret");
  });

  it("is never the same twice, in any of its parts", async ({ expect }) => {
    const [one, two] = [await sealText(key, binding, "same"), await sealText(key, binding, "same")];
    const parts = two.split(".").slice(2);
    for (const [index, part] of one.split(".").slice(2).entries()) expect(part).not.toBe(parts[index]);
  });

  it("does not open for another tenant, record or purpose", async ({ expect }) => {
    const text = await sealText(key, binding, "secret");
    for (const other of others) expect(await opened(text, pair.secretKey, other)).toBe("does_not_open");
  });

  it("does not open with another key, although the key exchange never complains", async ({ expect }) => {
    const text = await sealText(key, binding, "secret");
    const stranger = mlKemKeyPair(new Uint8Array(64).fill(2));
    expect(await opened(text, stranger.secretKey)).toBe("does_not_open");
  });

  it("does not open when it claims another key version", async ({ expect }) => {
    const text = await sealText(key, binding, "secret");
    expect(await opened(text.replace("v2.1.", "v2.2."))).toBe("does_not_open");
  });

  it("does not open when one bit of any byte of it is flipped", async ({ expect }) => {
    const text = await sealText(key, binding, "secret");
    const parts = text.split(".");
    for (const [index, part] of parts.entries()) {
      if (index < 2) continue;
      const bytes = Buffer.from(part, "base64url");
      // Every byte of the short parts; of the KEM ciphertext every 16th, since each costs a decapsulation.
      for (let at = 0; at < bytes.length; at += index === 2 ? 16 : 1) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        const changed = parts.with(index, flipped.toString("base64url")).join(".");
        expect(await opened(changed), `part ${index}, byte ${at}`).toBe("does_not_open");
      }
    }
  });

  it("is malformed when a part is missing, too many, too short or not base64url", async ({ expect }) => {
    const text = await sealText(key, binding, "secret");
    const parts = text.split(".");
    const bad = [
      "",
      "v2",
      parts.slice(0, -1).join("."),
      `${text}.AAAA`,
      parts.with(1, "0").join("."),
      parts.with(1, "1e3").join("."),
      ...[2, 3, 4, 5].map((index) => parts.with(index, parts[index]?.slice(4) ?? "").join(".")),
      parts.with(6, "AAAA").join("."),
      parts.with(6, "!").join("."),
    ];
    for (const each of bad) expect(await opened(each), each.slice(0, 40)).toBe("malformed");
  });
});

describe("the vault", () => {
  it("opens what it sealed, for its tenant alone", async ({ expect }) => {
    const { vault } = aVault();
    const sealed = await vault.seal(binding, "secret");
    if (!sealed.ok) throw new Error(sealed.error.reason);
    expect(await vault.open(binding, sealed.value)).toEqual({ ok: true, value: "secret" });
    for (const other of others.slice(1, 3)) {
      expect(await vault.open(other, sealed.value)).toMatchObject({ error: { reason: "does_not_open" } });
    }
    expect(await vault.open({ ...binding, tenantId: "ten_2" }, sealed.value)).toMatchObject({
      error: { reason: "unknown_key" }, // that tenant has no key at all
    });
  });

  it("still opens what was sealed in the first format, under any root key that is set", async ({
    expect,
  }) => {
    const { vault } = aVault({ roots: [2, 1] });
    const old = sealedV1(rootKey(1), binding, "secret");
    expect(await vault.open(binding, old)).toEqual({ ok: true, value: "secret" });
    for (const other of others) {
      expect(await vault.open(other, old)).toMatchObject({ error: { reason: "does_not_open" } });
    }
    const { vault: without } = aVault({ roots: [2] });
    expect(await without.open(binding, old)).toMatchObject({ error: { reason: "unknown_key" } });
  });

  it("opens nothing of a version that it does not know", async ({ expect }) => {
    const { vault } = aVault();
    expect(await vault.open(binding, "v3.whatever")).toEqual({
      ok: false,
      error: { reason: "unknown_version", version: "v3" },
    });
    for (const text of ["", "v2", "plain text", "2.a.b"]) {
      expect(await vault.open(binding, text)).toMatchObject({ error: { reason: "malformed" } });
    }
  });
});
