import { describe, it } from "vitest";
import { type OldText, REWRAPS_PER_RUN, type RewrapDeps, rewrap } from "../../src/vault/rewrap.ts";
import type { Vault } from "../../src/vault/vault.ts";
import type { Wrapping } from "../../src/vault/wrap-key.ts";
import { aVault, FakeTenantKeys, rootKey, sealedV1 } from "../support/vault.ts";

const binding = { tenantId: "ten_1", recordId: "siem_1", purpose: "destination-secrets" };

/** The job over memory. */
function aJob(
  keys: FakeTenantKeys,
  { wrapping, vault }: { wrapping: Wrapping; vault: Vault },
  about: Partial<RewrapDeps> = {},
) {
  const log: [string, Readonly<Record<string, unknown>>][] = [];
  const texts: OldText[] = [];
  const others = (id: string) => keys.rows.filter(({ wrappedBy }) => wrappedBy !== id);
  const deps: RewrapDeps = {
    wrapping,
    vault,
    tenantKeysNotBy: async (id, limit) => others(id).slice(0, limit),
    relayKeysNotBy: async () => [],
    rewrapTenantKey: (key, fresh) => keys.rewrap(key, fresh),
    rewrapRelayKey: async () => undefined,
    oldTexts: async (limit) => texts.slice(0, limit),
    countLeft: async (id) => others(id).length + texts.length,
    log: (what, facts) => log.push([what, facts]),
    ...about,
  };
  return { log, texts, deps };
}

async function tenantsUnder(fill: number, count: number): Promise<FakeTenantKeys> {
  const { keys, keyring } = aVault({ roots: [fill] });
  for (let n = 0; n < count; n += 1) await keyring.newest(`ten_${n}`, "ML-KEM-768");
  return keys;
}

describe("changing the root key", () => {
  it("leaves everything readable before, during and after, and then the old key can go", async ({
    expect,
  }) => {
    const old = aVault({ roots: [1] });
    const sealed = await old.vault.seal(binding, "secret");
    if (!sealed.ok) throw new Error(sealed.error.reason);
    const { keys } = old;
    const both = aVault({ keys, roots: [2, 1] });
    expect(await both.vault.open(binding, sealed.value)).toEqual({ ok: true, value: "secret" });
    expect(await rewrap(aJob(keys, both).deps)).toBe(0);
    const alone = aVault({ keys, roots: [2] });
    expect(await alone.vault.open(binding, sealed.value)).toEqual({ ok: true, value: "secret" });
    const gone = aVault({ keys, roots: [1] });
    expect(await gone.vault.open(binding, sealed.value)).toMatchObject({ error: { reason: "unknown_key" } });
  });

  it("goes on where it was cut off, some of it in each run", async ({ expect }) => {
    const keys = await tenantsUnder(1, REWRAPS_PER_RUN + 5);
    const both = aVault({ keys, roots: [2, 1] });
    const { deps, log } = aJob(keys, both);
    expect(await rewrap(deps)).toBe(5);
    expect(log.at(-1)).toEqual([
      "vault.rewrapped",
      expect.objectContaining({ done: REWRAPS_PER_RUN, left: 5 }),
    ]);
    expect(await rewrap(deps)).toBe(0);
    log.length = 0;
    expect(await rewrap(deps)).toBe(0);
    expect(log).toEqual([]); // nothing to do is nothing to say
  });

  it("says which key does not open, and does the rest", async ({ expect }) => {
    const keys = await tenantsUnder(1, 3);
    const both = aVault({ keys, roots: [2, 1] });
    const [first] = keys.rows;
    if (first === undefined) throw new Error("no key");
    keys.rows[0] = { ...first, wrapped: "w1.AAAA.AAAA" };
    const { deps, log } = aJob(keys, both);
    expect(await rewrap(deps)).toBe(1);
    expect(log[0]).toEqual(["vault.rewrap_failed", expect.objectContaining({ key_id: first.id })]);
  });

  it("stops when the key service is out of reach, instead of waiting for each key", async ({ expect }) => {
    const keys = await tenantsUnder(1, 3);
    const both = aVault({ keys, roots: [2, 1] });
    let calls = 0;
    const wrapping: Wrapping = {
      ...both.wrapping,
      unwrap: async () => {
        calls += 1;
        return { ok: false, error: { reason: "unavailable", message: "timed out" } };
      },
    };
    const { deps } = aJob(keys, { ...both, wrapping });
    expect(await rewrap(deps)).toBe(3);
    expect(calls).toBe(1);
  });

  it("seals texts of the first format anew, so that they need no root key any more", async ({ expect }) => {
    const keys = new FakeTenantKeys();
    const both = aVault({ keys, roots: [2, 1] });
    const { deps, texts } = aJob(keys, both);
    let fresh = "";
    texts.push({
      binding,
      sealed: sealedV1(rootKey(1), binding, "secret"),
      replace: async (sealed) => {
        fresh = sealed;
        texts.length = 0;
      },
    });
    expect(await rewrap(deps)).toBe(0);
    expect(fresh.startsWith("v2.")).toBe(true);
    const alone = aVault({ keys, roots: [2] });
    expect(await alone.vault.open(binding, fresh)).toEqual({ ok: true, value: "secret" });
  });
});
