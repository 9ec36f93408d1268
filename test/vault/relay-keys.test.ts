import { it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { createRelayKeys } from "../../src/vault/relay-keys.ts";
import { rootWrapKey } from "../../src/vault/root-key.ts";
import { createWrapping } from "../../src/vault/wrap-key.ts";
import { FakeRelayKeys, rootKey } from "../support/vault.ts";

const under = (present: number, ...previous: readonly number[]) =>
  createWrapping(
    rootWrapKey(rootKey(present)),
    previous.map((fill) => rootWrapKey(rootKey(fill))),
  );
const relay = (keys: FakeRelayKeys, wrapping = under(1)) =>
  createRelayKeys({ now: () => 1_000, keys, wrapping });

it("each purpose has a key of its own, the same in every isolate", async ({ expect }) => {
  const keys = new FakeRelayKeys();
  const made = await relay(keys).derive("batch-tag/v1");
  expect(made.byteLength).toBe(32);
  expect(await relay(keys).derive("batch-tag/v1")).toEqual(made);
  expect(await relay(keys).derive("batch-tag/v2")).not.toEqual(made);
  expect(await relay(new FakeRelayKeys()).derive("batch-tag/v1")).not.toEqual(made);
  expect(JSON.stringify([...keys.rows.values()])).not.toContain(toHex(made).slice(0, 20));
});

it("isolates that make the secret at the same time derive the same keys", async ({ expect }) => {
  const keys = new FakeRelayKeys();
  const [one, two] = await Promise.all([relay(keys).derive("p"), relay(keys).derive("p")]);
  expect(one).toEqual(two);
  expect(keys.rows.size).toBe(1);
});

it("the database is asked once for each isolate and purpose", async ({ expect }) => {
  const keys = new FakeRelayKeys();
  const own = relay(keys);
  await own.derive("p");
  const { reads } = keys;
  for (let n = 0; n < 10; n += 1) await own.derive("p");
  expect(keys.reads).toBe(reads);
});

it("the keys stay the same when the root key changes", async ({ expect }) => {
  const keys = new FakeRelayKeys();
  const before = await relay(keys).derive("batch-tag/v1");
  expect(await relay(keys, under(2, 1)).derive("batch-tag/v1")).toEqual(before);
});

it("without the root key that wrapped the secret nothing is derived, and nothing new made", async ({
  expect,
}) => {
  const keys = new FakeRelayKeys();
  await relay(keys).derive("p");
  await expect(relay(keys, under(2)).derive("p")).rejects.toThrow(/nothing is set that opens/);
  expect(keys.rows.size).toBe(1);
});
