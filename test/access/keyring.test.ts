import { describe, it } from "vitest";
import { hashKey } from "../../src/access/api-key.ts";
import {
  createKeyring,
  HIT_TTL,
  type KeyringDeps,
  MAX_HITS,
  MISS_TTL,
  type StoredKey,
} from "../../src/access/keyring.ts";
import { err, ok } from "../../src/base/result.ts";

const stored: StoredKey = {
  id: "key_1",
  tenantId: "ten_1",
  name: "producer",
  scopes: ["events:write"],
  prefix: "sl_live_abcd",
  requireSignature: false,
  sealedSigningSecret: null,
  createdAt: 0,
  expiresAt: null,
  revokedAt: null,
};

/** A keyring over a store that can be changed, on a clock that can be set. */
function ring(keys: Record<string, StoredKey>, open: KeyringDeps["open"] = async () => err("never")) {
  const world = { now: 1_000_000, lookups: 0, keys: new Map(Object.entries(keys)) };
  const keyring = createKeyring({
    now: () => world.now,
    async find(hash) {
      world.lookups++;
      for (const [key, found] of world.keys) if (hashKey(key) === hash) return found;
      return null;
    },
    open,
  });
  const ask = async (key: string) => {
    const answer = await keyring.authenticate(key);
    return answer.ok ? answer.value.keyId : answer.error.reason;
  };
  return { world, keyring, ask };
}

describe("a key", () => {
  it("becomes a principal of its tenant", async ({ expect }) => {
    const { keyring } = ring({ k: stored });
    expect(await keyring.authenticate("k")).toEqual({
      ok: true,
      value: {
        kind: "key",
        keyId: "key_1",
        tenantId: "ten_1",
        scopes: ["events:write"],
        signingSecret: null,
      },
    });
  });

  it("is asked for once in ten seconds", async ({ expect }) => {
    const { world, ask } = ring({ k: stored });
    for (let i = 0; i < 5; i++) await ask("k");
    world.now += HIT_TTL - 1;
    await ask("k");
    expect(world.lookups).toBe(1);
    world.now += 1;
    await ask("k");
    expect(world.lookups).toBe(2);
  });

  it("that was revoked works for ten more seconds at most", async ({ expect }) => {
    const { world, ask } = ring({ k: stored });
    await ask("k");
    world.keys.set("k", { ...stored, revokedAt: world.now });
    world.now += HIT_TTL;
    expect(await ask("k")).toBe("revoked");
    world.keys.delete("k");
    world.now += HIT_TTL;
    expect(await ask("k")).toBe("unknown");
  });

  it("stops the moment it expires, remembered or not", async ({ expect }) => {
    const { world, ask } = ring({ k: { ...stored, expiresAt: 1_000_500 } });
    expect(await ask("k")).toBe("key_1");
    world.now = 1_000_499;
    expect(await ask("k")).toBe("key_1");
    world.now = 1_000_500;
    expect(await ask("k")).toBe("expired");
    expect(world.lookups).toBe(1);
  });

  it("that nobody knew works a second after it was made", async ({ expect }) => {
    const { world, ask } = ring({});
    expect(await ask("k")).toBe("unknown");
    world.keys.set("k", stored);
    world.now += MISS_TTL - 1;
    expect(await ask("k")).toBe("unknown");
    expect(world.lookups).toBe(1);
    world.now += 1;
    expect(await ask("k")).toBe("key_1");
  });

  it("is looked up anew once everything was forgotten", async ({ expect }) => {
    const { world, keyring, ask } = ring({ k: stored });
    await ask("k");
    keyring.forget();
    world.keys.clear();
    expect(await ask("k")).toBe("unknown");
  });

  it("is not pushed out of memory by guesses", async ({ expect }) => {
    const { world, ask } = ring({ k: stored });
    await ask("k");
    for (let i = 0; i < MAX_HITS; i++) await ask(`guess ${i}`);
    const before = world.lookups;
    expect(await ask("k")).toBe("key_1");
    expect(world.lookups).toBe(before);
  });

  it("gives way to younger ones when too many are remembered", async ({ expect }) => {
    const many = Object.fromEntries(Array.from({ length: MAX_HITS + 1 }, (_, i) => [`k${i}`, stored]));
    const { world, keyring } = ring({});
    world.keys = new Map(Object.entries(many));
    const direct = createKeyring({
      now: () => world.now,
      find: async () => {
        world.lookups++;
        return stored;
      },
      open: async () => err("never"),
    });
    for (const key of Object.keys(many)) await direct.authenticate(key);
    await direct.authenticate(`k${MAX_HITS}`);
    expect(world.lookups).toBe(MAX_HITS + 1);
    await direct.authenticate("k0");
    expect(world.lookups).toBe(MAX_HITS + 2);
    expect((await keyring.authenticate("nobody")).ok).toBe(false);
  });
});

describe("a key that demands signatures", () => {
  const signing = { ...stored, requireSignature: true, sealedSigningSecret: "sealed" };

  it("comes with its opened secret, which does not print", async ({ expect }) => {
    const { keyring } = ring({ k: signing }, async (key, sealed) => ok(`${sealed} of ${key.id}`));
    const answer = await keyring.authenticate("k");
    if (!answer.ok) throw new Error(answer.error.reason);
    expect(answer.value.signingSecret?.reveal()).toBe("sealed of key_1");
    expect(JSON.stringify(answer.value)).not.toContain("of key_1");
  });

  it("is never believed unsigned because its secret is missing or does not open", async ({ expect }) => {
    expect(await ring({ k: signing }).ask("k")).toBe("secret_unavailable");
    const bare = { ...signing, sealedSigningSecret: null };
    expect(await ring({ k: bare }, async () => ok("x")).ask("k")).toBe("secret_unavailable");
  });
});

it("a store that cannot be reached is an exception, and nothing is remembered of it", async ({ expect }) => {
  let isDown = true;
  const keyring = createKeyring({
    now: () => 0,
    find: async () => {
      if (isDown) throw new Error("down");
      return stored;
    },
    open: async () => err("never"),
  });
  await expect(keyring.authenticate("k")).rejects.toThrow("down");
  isDown = false;
  expect((await keyring.authenticate("k")).ok).toBe(true);
});
