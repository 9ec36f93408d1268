import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, it, vi } from "vitest";
import { createClient } from "../../src/client/client.ts";
import type { AuditEvent } from "../../src/client/event.ts";
import type { ClientOptions, Fetch } from "../../src/client/options.ts";
import worker from "../../src/index.ts";

/** The client library and the relay itself, in one runtime: what one writes, the other reads. */

const baseUrl = "https://relay.example.net";
const login: AuditEvent = { action: "user.login", actor_id: "user-7" };

const toWorker: Fetch = async (url, init) => {
  const request = new Request<unknown, IncomingRequestCfProperties>(url, init);
  return await worker.fetch(request, env, createExecutionContext());
};

async function post(token: string, path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  const request = new Request<unknown, IncomingRequestCfProperties>(`${baseUrl}${path}`, init);
  return await (await worker.fetch(request, env, createExecutionContext())).json();
}

let apiKey: string;
beforeAll(async () => {
  vi.spyOn(console, "info").mockImplementation(() => undefined);
  const tenant = await post(env.ADMIN_TOKEN ?? "", "/v1/tenants", { name: "Acme" });
  const keys = `/v1/tenants/${tenant["id"]}/keys`;
  const made = await post(env.ADMIN_TOKEN ?? "", keys, { name: "all", scopes: ["*"] });
  apiKey = String(made["key"]);
});

afterAll(() => {
  vi.restoreAllMocks();
});

const clientFor = (options: Partial<ClientOptions> = {}) =>
  createClient({ baseUrl, apiKey, fetch: toWorker, retry: { maxAttempts: 1 }, ...options });

describe("the relay", () => {
  it("takes an event, and the same again under the same key as the same", async ({ expect }) => {
    const first = await clientFor().send(login, { idempotencyKey: "job-1" });
    expect(first.id).toMatch(/^evt_/);
    expect(await clientFor().send(login, { idempotencyKey: "job-1" })).toEqual(first);
    expect((await clientFor().send(login)).id).not.toBe(first.id);
  });

  it("takes many events in their order", async ({ expect }) => {
    const events = Array.from({ length: 1_001 }, (_, n) => ({ ...login, id: `evt-${n}` }));
    const sent = await clientFor().sendBatch(events);
    expect(sent.ids).toEqual(events.map(({ id }) => id));
    expect(sent.batchIds).toHaveLength(2);
  });

  it("says which event is wrong, or leaves it out", async ({ expect }) => {
    const events = [login, { action: "No Good", actor_id: "u" }, login];
    await expect(clientFor().sendBatch(events)).rejects.toMatchObject({
      code: "invalid_event",
      status: 422,
      errors: [{ index: 1, path: "action" }],
    });
    const sent = await clientFor().sendBatch(events, { onInvalid: "skip" });
    expect(sent).toMatchObject({ accepted: 2, rejected: [{ index: 1, errors: [{ path: "action" }] }] });
  });

  it("takes what the batcher collects", async ({ expect }) => {
    const failed: unknown[] = [];
    const batcher = clientFor().batcher({ maxEvents: 2, onError: (error) => failed.push(error) });
    for (let n = 0; n < 5; n++) batcher.add({ ...login, n });
    await batcher.close();
    expect(failed).toEqual([]);
  });

  it("takes signed requests where a key demands them, and no others", async ({ expect }) => {
    const wanted = { name: "signing", scopes: ["events:write"], require_signature: true };
    const made = await post(apiKey, "/v1/keys", wanted);
    const key = { apiKey: String(made["key"]) };
    const signing = clientFor({ ...key, signingSecret: String(made["signing_secret"]) });
    expect((await signing.send(login)).id).toMatch(/^evt_/);
    await expect(clientFor(key).send(login)).rejects.toMatchObject({ code: "bad_signature", status: 401 });
    const wrong = clientFor({ ...key, signingSecret: "whsec_bm90IGEgc2VjcmV0IGF0IGFsbA==" });
    await expect(wrong.send(login)).rejects.toMatchObject({ code: "bad_signature" });
  });

  it("refuses an unknown key", async ({ expect }) => {
    const unknown = clientFor({ apiKey: "sl_live_unknown" }).send(login);
    await expect(unknown).rejects.toMatchObject({ code: "unauthenticated", status: 401 });
  });

  it("registers a public key", async ({ expect }) => {
    const client = clientFor();
    const { keyId } = await client.keys.register(client.encryption.generateKeyPair().publicKey);
    expect(keyId).toMatch(/^pk_/);
    await expect(client.keys.register("AAAA")).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("has nothing of another tenant's to call", async ({ expect }) => {
    const { privateKey } = clientFor().encryption.generateKeyPair();
    const call = { integrationId: "int_1", operation: "send_event", payload: { event: {} } };
    const refused = clientFor({ encryption: { privateKey } }).proxy.call(call);
    await expect(refused).rejects.toMatchObject({ code: "not_found", status: 404 });
  });
});
