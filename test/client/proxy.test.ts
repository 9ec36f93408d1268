import { describe, it } from "vitest";
import { createClient } from "../../src/client/client.ts";
import type { ProxyCall } from "../../src/client/proxy.ts";
import type { ProxyRequest } from "../../src/model/envelope-bytes.ts";
import { RECIPIENT, seal, VERIFICATION_KEY } from "../vectors/envelope/seal.ts";
import { PLAIN } from "../vectors/envelope/vectors.ts";
import { type Asked, fakeServer, problem, type Said } from "./fake-server.ts";

const call: ProxyCall = {
  integrationId: PLAIN.request.integration_id,
  operation: PLAIN.request.operation,
  payload: PLAIN.request.payload,
};
const answer: Said = { status: 200, body: (await seal(PLAIN)).envelope };
const pinned = {
  privateKey: RECIPIENT.private_key,
  keyId: RECIPIENT.key_id,
  verificationKeys: VERIFICATION_KEY,
};
const published: Said = { status: 200, body: { data: [], verification_key: VERIFICATION_KEY } };
const unpinned = { privateKey: RECIPIENT.private_key };

const paths = (asked: readonly Asked[]) =>
  asked.map(({ method, url }) => `${method} ${new URL(url).pathname}`);

describe("a call through the proxy", () => {
  it("is one request, and gives the provider's answer with its envelope", async ({ expect }) => {
    const server = fakeServer([answer], { encryption: pinned });
    const { result, envelope } = await createClient(server.options).proxy.call(call);
    expect(result).toEqual(JSON.parse(PLAIN.plaintext));
    expect(envelope).toEqual((await seal(PLAIN)).envelope);
    expect(paths(server.asked)).toEqual(["POST /api/v2/proxy/outbound"]);
    expect(JSON.parse(String(server.asked[0]?.body))).toEqual(PLAIN.request);
  });

  it("does not believe the answer to another call", async ({ expect }) => {
    const server = fakeServer([answer], { encryption: pinned });
    const other = createClient(server.options).proxy.call({ ...call, payload: { other: 1 } });
    await expect(other).rejects.toMatchObject({ name: "EnvelopeError", code: "other_request" });
  });

  it("compares what was sent, not what was written: dates are texts, undefined is absent", async ({
    expect,
  }) => {
    const payload = { at: new Date(0), gone: undefined, list: [undefined] };
    const sent: ProxyRequest = {
      ...PLAIN.request,
      payload: { at: "1970-01-01T00:00:00.000Z", list: [null] },
    };
    const { envelope } = await seal({ ...PLAIN, request: sent });
    const server = fakeServer([{ status: 200, body: envelope }], { encryption: pinned });
    expect((await createClient(server.options).proxy.call({ ...call, payload })).result.ok).toBe(true);
  });

  it("is made again when the relay is too busy to have done anything", async ({ expect }) => {
    const server = fakeServer([problem(429, "rate_limited"), answer], { encryption: pinned });
    expect((await createClient(server.options).proxy.call(call)).result.ok).toBe(true);
    expect(server.asked).toHaveLength(2);
  });

  const uncertain: readonly (readonly [string, Said, string])[] = [
    ["lost", new TypeError("fetch failed"), "network"],
    ["late", new DOMException("late", "TimeoutError"), "timeout"],
    ["a server error", problem(500, "internal_error"), "internal_error"],
    ["unavailable", problem(503, "unavailable"), "unavailable"],
    ["refused", problem(403, "operation_not_allowed"), "operation_not_allowed"],
  ];

  it.for(uncertain)(
    "is never repeated by itself when its answer is %s",
    async ([, said, code], { expect }) => {
      const server = fakeServer([said, answer], { encryption: pinned });
      await expect(createClient(server.options).proxy.call(call)).rejects.toMatchObject({ code });
      expect(server.asked).toHaveLength(1);
    },
  );

  it("is not made by who could not read the answer, and registers nothing", async ({ expect }) => {
    const server = fakeServer([answer]);
    await expect(createClient(server.options).proxy.call(call)).rejects.toThrow("encryption.privateKey");
    expect(server.asked).toEqual([]);
  });

  it("is not made with a payload that no answer could be bound to", async ({ expect }) => {
    const server = fakeServer([answer], { encryption: pinned });
    const half = createClient(server.options).proxy.call({ ...call, payload: { text: "\ud800" } });
    await expect(half).rejects.toThrow(TypeError);
    expect(server.asked).toEqual([]);
  });
});

describe("verification keys that are not pinned", () => {
  it("are asked for once, before the first call", async ({ expect }) => {
    const server = fakeServer(({ method }) => (method === "GET" ? published : answer), {
      encryption: unpinned,
    });
    const client = createClient(server.options);
    await client.proxy.call(call);
    await client.proxy.call(call);
    expect(paths(server.asked)).toEqual([
      "GET /api/v2/keys",
      "POST /api/v2/proxy/outbound",
      "POST /api/v2/proxy/outbound",
    ]);
  });

  it("are asked for again when an envelope names another", async ({ expect }) => {
    const old: Said = { status: 200, body: { verification_key: { ...VERIFICATION_KEY, key_id: "sk_old" } } };
    const all: Said = {
      status: 200,
      body: {
        verification_key: { ...VERIFICATION_KEY, key_id: "sk_new" },
        verification_keys: [{ ...VERIFICATION_KEY, key_id: "sk_new" }, VERIFICATION_KEY],
      },
    };
    const server = fakeServer([old, answer, all], { encryption: unpinned });
    expect((await createClient(server.options).proxy.call(call)).result.ok).toBe(true);
    expect(paths(server.asked)).toEqual([
      "GET /api/v2/keys",
      "POST /api/v2/proxy/outbound",
      "GET /api/v2/keys",
    ]);
  });

  it("are needed before anything is done", async ({ expect }) => {
    const server = fakeServer([{ status: 200, body: {} }], { encryption: unpinned });
    await expect(createClient(server.options).proxy.call(call)).rejects.toMatchObject({
      code: "unexpected_answer",
    });
    expect(paths(server.asked)).toEqual(["GET /api/v2/keys"]);
  });
});

it("pinned verification keys are believed alone: none is ever asked for", async ({ expect }) => {
  const other = { ...pinned, verificationKeys: [{ ...VERIFICATION_KEY, key_id: "sk_pinned" }] };
  const server = fakeServer(({ method }) => (method === "GET" ? published : answer), { encryption: other });
  const refusal = createClient(server.options).proxy.call(call);
  await expect(refusal).rejects.toMatchObject({ name: "EnvelopeError", code: "refused" });
  expect(paths(server.asked)).toEqual(["POST /api/v2/proxy/outbound"]);
});

it("a public key is registered under its algorithm", async ({ expect }) => {
  const server = fakeServer([{ status: 201, body: { key_id: "pk_1", algorithm: "ML-KEM-768" } }]);
  expect(await createClient(server.options).keys.register(RECIPIENT.public_key)).toEqual({ keyId: "pk_1" });
  const [asked] = server.asked;
  expect(asked?.url).toBe("https://relay.example.com/api/v2/keys");
  expect(JSON.parse(String(asked?.body))).toEqual({
    algorithm: "ML-KEM-768",
    public_key: RECIPIENT.public_key,
  });
});

it("an envelope that came another way opens with the client's keys, or with others", async ({ expect }) => {
  const { envelope } = await seal(PLAIN);
  const server = fakeServer([published], { encryption: pinned });
  const own = createClient(server.options).encryption;
  expect(await own.decrypt(envelope)).toMatchObject({ ok: true });
  await expect(own.decrypt(envelope, { keyId: "pk_x" })).rejects.toMatchObject({ code: "other_key" });
  const keyless = createClient(fakeServer([published]).options).encryption;
  expect(await keyless.decrypt(envelope, { privateKey: RECIPIENT.private_key })).toMatchObject({ ok: true });
  await expect(keyless.decrypt(envelope)).rejects.toThrow(TypeError);
});
