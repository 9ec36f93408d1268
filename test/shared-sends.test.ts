import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, it, vi } from "vitest";
import { decodeMessage } from "../src/flow/queue/message.ts";
import worker from "../src/index.ts";
import { eventually, type Json, Outside } from "./support/whole-relay.ts";

const REQUESTS = 40;

/** The deployment's queue; what passes is written down. */
const bodies: unknown[] = [];
const EVENTS = {
  async sendBatch(messages: MessageSendRequest[]) {
    await scheduler.wait(5); // as far away as the hosted one
    bodies.push(...messages.map(({ body }) => body));
    return env.EVENTS.sendBatch(messages);
  },
} as unknown as Queue; // what the relay uses of one

async function ask(
  key: string | undefined,
  path: string,
  body: Json,
): Promise<{ status: number; body: Json }> {
  const request = new Request<unknown, IncomingRequestCfProperties>(`https://relay.example.net${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const response = await worker.fetch(request, { ...env, EVENTS }, createExecutionContext());
  return { status: response.status, body: await response.json<Json>() };
}

/** A tenant with a destination. @returns its key */
async function aTenant(host: string): Promise<string> {
  const tenant = await ask(env.ADMIN_TOKEN, "/v1/tenants", { name: "Acme" });
  const made = await ask(env.ADMIN_TOKEN, `/v1/tenants/${tenant.body["id"]}/keys`, {
    ...{ name: "all", scopes: ["*"] },
  });
  const key = String(made.body["key"]);
  const settings = { provider: "splunk", endpoint: `https://${host}`, token: "your-hec-token" };
  const { status } = await ask(key, "/v1/audit/siem", { ...settings, routes: [{ match: "user.*" }] });
  if (status !== 201) throw new Error(`${status}`);
  return key;
}

afterEach(() => {
  vi.unstubAllGlobals();
  bodies.length = 0;
});

describe("requests that come together", () => {
  it("are all accepted, share messages whosever they are, and every event arrives once and where it belongs", async ({
    expect,
  }) => {
    const outside = new Outside();
    vi.stubGlobal("fetch", outside.fetch);
    const hosts = ["one.example.com", "two.example.com"];
    const calls = hosts.map((host) => outside.host(host, () => Response.json({ text: "Success", code: 0 })));
    const keys = await Promise.all(hosts.map(aTenant));
    bodies.length = 0;
    const sent = Array.from({ length: REQUESTS }, (_, n) => ({ id: `evt-${n}`, tenant: n % 2 }));
    const answers = await Promise.all(
      sent.map(({ id, tenant }) =>
        ask(keys[tenant], "/v1/audit/events", { id, action: "user.login", actor_id: "u" }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(sent.map(() => 202));
    expect(new Set(answers.map(({ body }) => body["batch_id"])).size).toBe(REQUESTS);
    for (const tenant of [0, 1]) {
      const own = sent.filter((one) => one.tenant === tenant).map(({ id }) => id);
      const arrived = () => calls[tenant]?.flatMap(({ ids }) => ids) ?? [];
      await eventually(() => arrived().length >= own.length);
      expect(arrived().sort()).toEqual(own.sort());
    }
    const parts = bodies.flatMap((body) => {
      const decoded = decodeMessage(body);
      return decoded.ok ? [decoded.value.map(({ tenantId }) => tenantId)] : [];
    });
    expect(parts.flat()).toHaveLength(REQUESTS);
    expect(parts.length).toBeLessThan(REQUESTS / 4);
    expect(parts.some((tenants) => new Set(tenants).size === 2)).toBe(true);
  });
});
