import { describe, it } from "vitest";
import { toBase64 } from "../../src/base/bytes.ts";
import { mlDsaVerify } from "../../src/base/ml-dsa.ts";
import { mlKemKeyPair } from "../../src/base/ml-kem.ts";
import { KEY_TTL, MAX_OPEN_KEYS } from "../../src/vault/keyring.ts";
import { makeTenantKey } from "../../src/vault/tenant-keys.ts";
import { aVault, FakeTenantKeys } from "../support/vault.ts";

const binding = { tenantId: "ten_1", recordId: "cred_1", purpose: "credential" };

describe("a tenant's key pair", () => {
  it("is made when it is first needed, one for sealing and one for signing", async ({ expect }) => {
    const { keys, vault } = aVault();
    await vault.seal(binding, "secret");
    expect(keys.rows.map(({ algorithm, version }) => [algorithm, version])).toEqual([["ML-KEM-768", 1]]);
    await vault.signer("ten_1");
    await vault.seal(binding, "another");
    expect(keys.rows.map(({ algorithm }) => algorithm)).toEqual(["ML-KEM-768", "ML-DSA-65"]);
  });

  it("is the same for two isolates that make it at the same time", async ({ expect }) => {
    const keys = new FakeTenantKeys();
    const [one, two] = [aVault({ keys }), aVault({ keys })];
    const sealed = await Promise.all([one.vault.seal(binding, "1"), two.vault.seal(binding, "2")]);
    expect(keys.rows).toHaveLength(1);
    for (const [index, text] of sealed.entries()) {
      if (!text.ok) throw new Error(text.error.reason);
      expect(await one.vault.open(binding, text.value)).toEqual({ ok: true, value: String(index + 1) });
    }
  });

  it("is stored with its private half wrapped only", async ({ expect }) => {
    const { keys, keyring, wrapping } = aVault();
    const pair = await keyring.newest("ten_1", "ML-KEM-768");
    if (!pair.ok) throw new Error(pair.error.reason);
    const [row] = keys.rows;
    if (row === undefined) throw new Error("no row");
    const seed = await wrapping.unwrap(row, {
      purpose: "sluice/tenant-key/v1",
      tenant_id: "ten_1",
      algorithm: "ML-KEM-768",
      version: "1",
    });
    if (!seed.ok) throw new Error(seed.error.reason);
    expect(mlKemKeyPair(seed.value).publicKey).toEqual(pair.value.publicKey);
    const stored = JSON.stringify(row);
    for (const secret of [seed.value, pair.value.secretKey.reveal()]) {
      expect(stored).not.toContain(toBase64(secret).slice(0, 40));
      expect(stored).not.toContain(Buffer.from(secret).toString("hex").slice(0, 60));
    }
    expect(JSON.stringify(pair.value)).toContain("[redacted]");
  });

  it("is not believed in another tenant's row, nor with another public half", async ({ expect }) => {
    const { keys, keyring } = aVault();
    await keyring.newest("ten_1", "ML-KEM-768");
    await keyring.newest("ten_3", "ML-KEM-768");
    const [row, third] = keys.rows;
    if (row === undefined || third === undefined) throw new Error("no row");
    keys.rows.push({ ...row, tenantId: "ten_2" });
    const fresh = aVault({ keys }).keyring;
    expect(await fresh.newest("ten_2", "ML-KEM-768")).toMatchObject({ error: { reason: "does_not_open" } });
    keys.rows[0] = { ...row, publicKey: third.publicKey };
    expect(await fresh.newest("ten_1", "ML-KEM-768")).toMatchObject({ error: { reason: "does_not_open" } });
  });

  it("of an old version opens what was sealed to it, and only the newest seals", async ({ expect }) => {
    const { keys, vault, wrapping } = aVault();
    const old = await vault.seal(binding, "old");
    const second = await makeTenantKey(
      { tenantId: "ten_1", algorithm: "ML-KEM-768", version: 2 },
      5,
      wrapping,
    );
    if (!second.ok || !old.ok) throw new Error("not made");
    keys.rows.push(second.value);
    const later = aVault({ keys }).vault;
    const fresh = await later.seal(binding, "new");
    expect(fresh.ok && fresh.value.startsWith("v2.2.")).toBe(true);
    expect(await later.open(binding, old.value)).toEqual({ ok: true, value: "old" });
    expect(await later.open(binding, fresh.ok ? fresh.value : "")).toEqual({ ok: true, value: "new" });
  });

  it("signs so that its public half verifies, for that purpose alone", async ({ expect }) => {
    const signer = await aVault().vault.signer("ten_1");
    if (!signer.ok) throw new Error(signer.error.reason);
    const [message, context] = [new Uint8Array([1, 2]), new Uint8Array([3])];
    const signature = signer.value.sign(message, context);
    const { publicKey } = signer.value;
    expect(mlDsaVerify(publicKey, signature, { message, context })).toBe(true);
    expect(mlDsaVerify(publicKey, signature, { message, context: new Uint8Array([4]) })).toBe(false);
  });
});

describe("unwrapped keys", () => {
  it("are remembered for ten minutes, so that a delivery costs no query and no call", async ({ expect }) => {
    let at = 0;
    const { keys, keyring } = aVault({ now: () => at });
    await keyring.newest("ten_1", "ML-KEM-768");
    const reads = keys.reads;
    at = KEY_TTL - 1;
    await keyring.newest("ten_1", "ML-KEM-768");
    expect(keys.reads).toBe(reads);
    at = KEY_TTL;
    await keyring.newest("ten_1", "ML-KEM-768");
    expect(keys.reads).toBe(reads + 1);
  });

  it("are bounded in number, and the one longest unused goes first", async ({ expect }) => {
    const { keys, keyring } = aVault();
    for (let n = 0; n < MAX_OPEN_KEYS; n += 1) await keyring.newest(`ten_${n}`, "ML-KEM-768");
    await keyring.newest("ten_0", "ML-KEM-768");
    await keyring.newest("ten_more", "ML-KEM-768");
    const reads = keys.reads;
    await keyring.newest("ten_0", "ML-KEM-768");
    expect(keys.reads).toBe(reads);
    await keyring.newest("ten_1", "ML-KEM-768");
    expect(keys.reads).toBe(reads + 1);
  });

  it("say that it passes when the database is out of reach", async ({ expect }) => {
    const { keys, vault } = aVault();
    keys.isDown = true;
    expect(await vault.seal(binding, "secret")).toMatchObject({ error: { reason: "unavailable" } });
  });
});
