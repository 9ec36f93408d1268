import { describe, it } from "vitest";
import { toBase64 } from "../../src/base/bytes.ts";
import { parseRootKey, parseRootKeys, rootWrapKey } from "../../src/vault/root-key.ts";
import { createWrapping } from "../../src/vault/wrap-key.ts";
import { rootKey, rootKeyText } from "../support/vault.ts";

const context = { purpose: "test", tenant_id: "ten_1" };
const secret = Uint8Array.from({ length: 64 }, (_, at) => at);

async function wrapped(fill: number): Promise<string> {
  const made = await rootWrapKey(rootKey(fill)).wrap(secret, context);
  if (!made.ok) throw new Error(made.error.reason);
  return made.value;
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

it("several root keys stand in one setting, separated by commas", ({ expect }) => {
  const two = parseRootKeys(`${rootKeyText(1)}, ${rootKeyText(2)},`);
  expect(two.ok && two.value.map(({ id }) => id)).toEqual([rootKey(1).id, rootKey(2).id]);
  expect(parseRootKeys("")).toEqual({ ok: true, value: [] });
  expect(parseRootKeys(`${rootKeyText(1)},nonsense`)).toMatchObject({ ok: false });
});

it("a root key keeps the name that it has had from the beginning, and prints as nothing", ({ expect }) => {
  expect(rootKey(1).id).toBe("073aa7e6"); // what sealed texts of the first format carry
  expect(rootKey(1).id).not.toBe(rootKey(2).id);
  expect(JSON.stringify(rootKey(1))).toBe(`{"id":"${rootKey(1).id}","key":"[redacted]"}`);
});

describe("what a root key has wrapped", () => {
  it("opens for its key and its context, whatever the order of the context", async ({ expect }) => {
    const text = await wrapped(1);
    const key = rootWrapKey(rootKey(1));
    expect(await key.unwrap(text, context)).toEqual({ ok: true, value: secret });
    const turned = { tenant_id: "ten_1", purpose: "test" };
    expect(await key.unwrap(text, turned)).toMatchObject({ ok: true });
  });

  it("is never the same twice", async ({ expect }) => {
    expect(await wrapped(1)).not.toBe(await wrapped(1));
  });

  it("opens for no other key and no other context", async ({ expect }) => {
    const text = await wrapped(1);
    const closed = { ok: false, error: { reason: "does_not_open" } };
    expect(await rootWrapKey(rootKey(2)).unwrap(text, context)).toEqual(closed);
    for (const other of [{ ...context, tenant_id: "ten_2" }, { purpose: "test" }, {}]) {
      expect(await rootWrapKey(rootKey(1)).unwrap(text, other)).toEqual(closed);
    }
  });

  it("does not open when any character of it differs", async ({ expect }) => {
    const text = await wrapped(1);
    const key = rootWrapKey(rootKey(1));
    for (let at = 0; at < text.length - 1; at += 1) {
      const other = text[at] === "A" ? "B" : "A";
      const changed = text.slice(0, at) + other + text.slice(at + 1);
      expect((await key.unwrap(changed, context)).ok, `character ${at}`).toBe(false);
    }
    expect((await key.unwrap(`${text}.AAAA`, context)).ok).toBe(false);
    expect((await key.unwrap("", context)).ok).toBe(false);
  });
});

describe("several keys of the operator", () => {
  it("open what each has wrapped, and only the present one wraps", async ({ expect }) => {
    const wrapping = createWrapping(rootWrapKey(rootKey(2)), [rootWrapKey(rootKey(1))]);
    expect(wrapping.present.id).toBe(`root:${rootKey(2).id}`);
    const old = { wrapped: await wrapped(1), wrappedBy: `root:${rootKey(1).id}` };
    expect(await wrapping.unwrap(old, context)).toEqual({ ok: true, value: secret });
  });

  it("say whose key is missing when it is gone", async ({ expect }) => {
    const wrapping = createWrapping(rootWrapKey(rootKey(2)), []);
    const old = { wrapped: await wrapped(1), wrappedBy: `root:${rootKey(1).id}` };
    expect(await wrapping.unwrap(old, context)).toEqual({
      ok: false,
      error: { reason: "unknown_key", keyId: old.wrappedBy },
    });
  });
});
