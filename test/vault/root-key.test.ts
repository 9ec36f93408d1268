import { it } from "vitest";
import { toBase64, toHex } from "../../src/base/bytes.ts";
import { deriveKey, parseRootKey, type RootKey } from "../../src/vault/root-key.ts";

function rootKey(fill: number): RootKey {
  const parsed = parseRootKey(toBase64(new Uint8Array(32).fill(fill)));
  if (!parsed.ok) throw new Error(parsed.error.reason);
  return parsed.value;
}

it("a root key is 32 bytes in base64, and anything else says what it is", ({ expect }) => {
  const fault = (text: string | null | undefined) => {
    const parsed = parseRootKey(text);
    return parsed.ok ? "ok" : parsed.error;
  };
  expect(fault(`${toBase64(new Uint8Array(32))}\n`)).toBe("ok");
  for (const none of [undefined, null, "", "  "]) expect(fault(none)).toEqual({ reason: "missing" });
  expect(fault("not base64!")).toEqual({ reason: "not_base64" });
  expect(fault(toBase64(new Uint8Array(16)))).toEqual({ reason: "wrong_length", bytes: 16 });
  expect(fault(toBase64(new Uint8Array(33)))).toEqual({ reason: "wrong_length", bytes: 33 });
});

it("a root key has a name of its own and prints as nothing", ({ expect }) => {
  expect(rootKey(1).id).toMatch(/^[0-9a-f]{8}$/);
  expect(rootKey(1).id).toBe(rootKey(1).id);
  expect(rootKey(1).id).not.toBe(rootKey(2).id);
  expect(JSON.stringify(rootKey(1))).toBe(`{"id":"${rootKey(1).id}","key":"[redacted]"}`);
});

it("each purpose and each root key gives a key of its own, always the same", ({ expect }) => {
  const keys = [
    deriveKey(rootKey(1), "batch-tag/v1"),
    deriveKey(rootKey(1), "batch-tag/v2"),
    deriveKey(rootKey(2), "batch-tag/v1"),
  ];
  expect(new Set(keys.map(toHex)).size).toBe(3);
  expect(keys.every((key) => key.byteLength === 32)).toBe(true);
  expect(deriveKey(rootKey(1), "batch-tag/v1")).toEqual(keys[0]);
});
