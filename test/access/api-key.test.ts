import { describe, it } from "vitest";
import { bearerToken, hashKey, mintKey, mintSigningSecret, presentedKey } from "../../src/access/api-key.ts";
import { sha256Hex } from "../../src/base/bytes.ts";

describe("a minted key", () => {
  it("is long, random, and stored as its SHA-256 alone", ({ expect }) => {
    const minted = mintKey();
    expect(minted.key).toMatch(/^sl_live_[A-Za-z0-9]{40}$/);
    expect(minted.hash).toBe(sha256Hex(minted.key));
    expect(minted.hash).toBe(hashKey(minted.key));
    expect(minted.key.startsWith(minted.prefix)).toBe(true);
    expect(minted.prefix).toHaveLength(12);
    expect(new Set(Array.from({ length: 100 }, () => mintKey().key)).size).toBe(100);
  });

  it("draws bytes again that would make some characters likelier", ({ expect }) => {
    const draws = [new Uint8Array(40).fill(248), new Uint8Array(40).fill(255), new Uint8Array(40).fill(247)];
    const { key } = mintKey(() => draws.shift() ?? new Uint8Array(0));
    expect(key).toBe(`sl_live_${"9".repeat(40)}`);
    expect(draws).toEqual([]);
  });
});

it("a signing secret is 32 random bytes in Standard Webhooks form", ({ expect }) => {
  expect(mintSigningSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(mintSigningSecret(() => new Uint8Array(32))).toBe(`whsec_${"A".repeat(43)}=`);
  expect(mintSigningSecret()).not.toBe(mintSigningSecret());
});

describe("the presented key", () => {
  const { key } = mintKey();
  const from = (headers: Record<string, string>) => presentedKey(new Headers(headers));

  it("comes in X-API-Key or as a bearer token", ({ expect }) => {
    expect(from({ "x-api-key": key })).toBe(key);
    expect(from({ authorization: `Bearer ${key}` })).toBe(key);
    expect(from({ authorization: `bearer  ${key} ` })).toBe(key);
    expect(from({ authorization: `Bearer ${key}`, "x-api-key": key })).toBe(key);
    expect(from({ authorization: "Bearer operator-token", "x-api-key": key })).toBe(key);
  });

  it("is none when it has not the form of a key, or two are shown", ({ expect }) => {
    expect(from({})).toBeNull();
    for (const bad of [
      "",
      "sl_live_",
      "sl_live_short",
      `x${key}`,
      `${key} x`,
      `${key}é`,
      `sl_live_${"a".repeat(500)}`,
    ]) {
      expect(from({ "x-api-key": encodeURI(bad).replaceAll("%20", " ") })).toBeNull();
    }
    expect(from({ authorization: `Basic ${key}` })).toBeNull();
    expect(from({ "x-api-key": key, authorization: `Bearer ${mintKey().key}` })).toBeNull();
  });
});

it("a bearer token is one word", ({ expect }) => {
  const token = (value: string) => bearerToken(new Headers({ authorization: value }));
  expect(token("Bearer abc")).toBe("abc");
  expect(token("Bearer")).toBeNull();
  expect(token("Bearer a b")).toBeNull();
  expect(token("Basic abc")).toBeNull();
});
