/** Rules of the webhook receiver, with deliveries signed here by hand. */
import { createHmac, randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, it } from "vitest";
import { ok } from "../../src/base/result.ts";
import { createSend } from "../../src/egress/send.ts";
import { webhook } from "../../src/providers/webhook.ts";
import type { WebhookConfig } from "./client.ts";
import { useSimulator } from "./harness.ts";

const simulated = useSimulator();
const WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TEXT = "It's a Secret to Everybody";

const hmac = (secret: string, text: string, form: "hex" | "base64"): string => {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
  return createHmac("sha256", key).update(text).digest(form);
};

interface Signing {
  readonly secret?: string;
  readonly id?: string;
  readonly at?: number;
  /** Headers that replace what is right, or with null take it away. */
  readonly but?: Readonly<Record<string, string | null>>;
}

function signed(
  body: string,
  { secret = WHSEC, id = "msg_1", at = Date.now(), but = {} }: Signing = {},
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const headers: Record<string, string | null> = {
    "content-type": "application/json",
    "x-sluice-signature": `sha256=${hmac(secret, body, "hex")}`,
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${hmac(secret, `${id}.${timestamp}.${body}`, "base64")}`,
    ...but,
  };
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}

async function receiver(config: Partial<WebhookConfig> = {}) {
  const client = simulated.client();
  const name = `webhook-${randomUUID()}`;
  const url = await client.webhook(name, { secrets: [WHSEC], ...config });
  const send = async (body: string | Uint8Array, headers: Record<string, string>, path = "/in?x=1") => {
    try {
      const init = { method: "POST", body: Buffer.from(body), headers, redirect: "manual" } as const;
      const response = await fetch(`${url}${path}`, init);
      await response.text();
      return response.status;
    } catch {
      return null; // no whole answer
    }
  };
  return {
    client,
    name,
    url,
    send,
    post: (body: string, signing: Signing = {}, path?: string) => send(body, signed(body, signing), path),
    rules: async () => (await client.summary(name)).violations.map(({ rule }) => rule),
    ids: async () => (await client.events(name)).order,
  };
}

const batch = (...ids: readonly string[]): string =>
  `{"events":[${ids.map((id) => `{"id":"${id}"}`).join(",")}]}`;

describe("signatures", () => {
  it.for([WHSEC, TEXT])("made with %s are accepted", async (secret, { expect }) => {
    const hook = await receiver({ secrets: ["another-secret", secret] });
    expect(await hook.post(batch("a", "b"), { secret })).toBe(200);
    expect([await hook.ids(), await hook.rules()]).toEqual([["a", "b"], []]);
  });

  it.for<[string, Readonly<Record<string, string | null>>, readonly string[]]>([
    ["no plain header", { "x-sluice-signature": null }, ["plain_signature"]],
    ["a wrong plain header", { "x-sluice-signature": `sha256=${"0".repeat(64)}` }, ["plain_signature"]],
    [
      "a plain header without its prefix",
      { "x-sluice-signature": hmac(WHSEC, batch("a"), "hex") },
      ["plain_signature"],
    ],
    ["no standard signature", { "webhook-signature": null }, ["standard_signature"]],
    ["a wrong standard signature", { "webhook-signature": "v1,AAAA" }, ["standard_signature"]],
    ["another id than was signed", { "webhook-id": "msg_2" }, ["standard_signature"]],
    ["no id", { "webhook-id": null }, ["webhook_id", "standard_signature"]],
    [
      "another time than was signed",
      { "webhook-timestamp": "1" },
      ["webhook_timestamp", "standard_signature"],
    ],
  ])("with %s are refused, each for itself", async ([, but, rules], { expect }) => {
    const hook = await receiver();
    expect(await hook.post(batch("a"), { but })).toBe(401);
    expect([await hook.ids(), await hook.rules()]).toEqual([[], rules]);
  });

  it("over another body, or with the text of the secret as the key, are refused", async ({ expect }) => {
    const hook = await receiver();
    expect(await hook.send(batch("a"), signed(`${batch("a")} `))).toBe(401);
    const wrongKey = signed(batch("a"), { secret: WHSEC.slice(6) });
    expect(await hook.send(batch("a"), wrongKey)).toBe(401);
    expect(await hook.rules()).toEqual(["plain_signature", "standard_signature"]);
  });

  it("may be among others, as while a secret rotates", async ({ expect }) => {
    const [one, two] = [signed(batch("a"), { secret: TEXT }), signed(batch("a"))];
    const name = "x-acme";
    const both = {
      ...one,
      [name]: `${one["x-sluice-signature"]},${two["x-sluice-signature"]}`,
      "webhook-signature": `${one["webhook-signature"]} ${two["webhook-signature"]}`,
    };
    for (const secret of [TEXT, WHSEC]) {
      const hook = await receiver({ secrets: [secret], signature_header: "X-Acme" });
      expect(await hook.send(batch("a"), both)).toBe(200);
    }
  });

  it("with an id that has a dot are refused", async ({ expect }) => {
    const hook = await receiver();
    expect(await hook.post(batch("a"), { id: "msg.1" })).toBe(401);
    expect(await hook.rules()).toEqual(["webhook_id"]);
  });

  it.for<[number, number]>([
    [-295, 200],
    [295, 200],
    [-310, 401],
    [310, 401],
  ])("of %d s from now are answered %d", async ([offset, status], { expect }) => {
    const hook = await receiver();
    expect(await hook.post(batch("a"), { at: Date.now() + offset * 1000 })).toBe(status);
    const moved = await receiver({ now_offset_ms: offset * 1000 });
    expect(await moved.post(batch("a"))).toBe(status);
  });

  it("stop counting when their secret is taken away", async ({ expect }) => {
    const hook = await receiver({ secrets: [WHSEC, TEXT] });
    expect(await hook.post(batch("a"), { secret: TEXT })).toBe(200);
    await hook.client.configure(hook.name, { secrets: [WHSEC] });
    expect(await hook.post(batch("b"), { secret: TEXT, id: "msg_2" })).toBe(401);
  });
});

describe("bodies", () => {
  it("are shown byte for byte, at any path", async ({ expect }) => {
    const hook = await receiver();
    const odd = String.raw`{ "x":1.50, "é":"\u00e9 ]}", "timestamp":"2026-11-20T10:00:00Z","id" : "b"}`;
    expect(await hook.post(`{"events": [{"id":"a"} , ${odd}] }`, {}, "/")).toBe(200);
    expect(await hook.post(odd, { id: "msg_2" }, "")).toBe(200);
    const copies = await hook.client.event(hook.name, "b");
    expect(copies.map(({ raw }) => raw)).toEqual([odd, odd]);
    expect(copies[0]).toMatchObject({ time: "2026-11-20T10:00:00Z", parsed: { x: 1.5 } });
  });

  it.for<[string, Partial<WebhookConfig>]>([
    ["", {}],
    ["nonsense", {}],
    ["[]", {}],
    ['{"events":[]}', {}],
    ['{"events":[1]}', {}],
    ['{"events":{}}', {}],
    ['{"events":[{"id":"a"}', {}],
    [batch("a"), { mode: "event" }],
    ['{"id":"a"}', { mode: "batch" }],
  ])("%s with %j is refused", async ([body, config], { expect }) => {
    const hook = await receiver(config);
    expect(await hook.post(body)).toBe(400);
    expect([await hook.ids(), await hook.rules()]).toEqual([[], ["webhook_400"]]);
  });

  it("are neither compressed nor something else than JSON, nor fetched", async ({ expect }) => {
    const hook = await receiver();
    const gzip = { ...signed(batch("a")), "content-encoding": "gzip" };
    expect(await hook.send(gzipSync(batch("a")), gzip)).toBe(415);
    expect(await hook.post(batch("a"), { but: { "content-type": "text/plain" } })).toBe(415);
    expect((await fetch(hook.url)).status).toBe(405);
    expect(await hook.rules()).toEqual(["webhook_415", "webhook_405"]);
  });

  it("over what was promised are taken, and recorded; over 1 MB they are refused", async ({ expect }) => {
    const hook = await receiver({ count_only: true });
    const ids = Array.from({ length: 251 }, (_, n) => `e${n}`);
    expect(await hook.post(batch(...ids))).toBe(200);
    const large = JSON.stringify({ events: [{ id: "a", x: "x".repeat(250_000) }, { id: "b" }] });
    expect(await hook.post(large, { id: "msg_2" })).toBe(200);
    expect(await hook.post(JSON.stringify({ id: "c", x: "x".repeat(1_000_000) }), { id: "msg_3" })).toBe(413);
    expect(await hook.rules()).toEqual(["too_many_events", "body_too_big", "webhook_413"]);
    expect((await hook.client.counts(hook.name)).distinct).toBe(253);
  });
});

describe("webhook-id", () => {
  it("may come again with the same events, and is logged with them", async ({ expect }) => {
    const hook = await receiver();
    for (const _ of [1, 2]) await hook.post(batch("a", "b"));
    await hook.post(batch("b"), { id: "msg_2" });
    expect((await hook.client.requests(hook.name)).map(({ webhook }) => webhook)).toEqual([
      { id: "msg_1", event_ids: ["a", "b"] },
      { id: "msg_1", event_ids: ["a", "b"] },
      { id: "msg_2", event_ids: ["b"] },
    ]);
    expect(await hook.rules()).toEqual([]);
  });

  it("must not come again with other events", async ({ expect }) => {
    const hook = await receiver();
    await hook.post(batch("a", "b"));
    expect(await hook.post(batch("a"))).toBe(200);
    expect(await hook.rules()).toEqual(["webhook_id_reused"]);
  });

  it("must not change for the same events at one address", async ({ expect }) => {
    const hook = await receiver();
    await hook.post(batch("a", "b"));
    await hook.post(batch("a", "b"), { id: "msg_2" }, "/another/receiver");
    expect(await hook.rules()).toEqual([]);
    await hook.post(batch("a", "b"), { id: "msg_3" });
    expect(await hook.rules()).toEqual(["webhook_id_changed"]);
  });

  it.for([
    { mode: "status", status: 503 },
    { mode: "reset" },
    { mode: "reset_after" },
    { mode: "half_answer" },
    { mode: "redirect" },
    { mode: "poison", pattern: "a" },
  ] as const)("is watched through the fault %j as well", async (fault, { expect }) => {
    const hook = await receiver();
    await hook.client.fault(hook.name, { ...fault, times: 1 });
    expect(await hook.post(batch("a"))).not.toBe(200);
    expect(await hook.post(batch("a"), { id: "msg_2" })).toBe(200);
    expect(await hook.rules()).toEqual(["webhook_id_changed"]);
  });

  it("is forgotten at a reset", async ({ expect }) => {
    const hook = await receiver();
    await hook.post(batch("a"));
    await hook.client.reset(hook.name);
    await hook.post(batch("a"), { id: "msg_2" });
    expect(await hook.rules()).toEqual([]);
  });
});

describe("faults", () => {
  it("answer any status, with the wish to wait", async ({ expect }) => {
    const hook = await receiver();
    await hook.client.fault(hook.name, { mode: "status", status: 410, retry_after: 7 });
    const response = await fetch(hook.url, { method: "POST" });
    expect([response.status, response.headers.get("retry-after")]).toEqual([410, "7"]);
  });

  it("refuse a poisoned delivery as a whole", async ({ expect }) => {
    const hook = await receiver();
    await hook.client.fault(hook.name, { mode: "poison", pattern: "bad" });
    expect(await hook.post(batch("a", "bad"))).toBe(400);
    expect(await hook.post(batch("a"), { id: "msg_2" })).toBe(200);
    expect([await hook.ids(), await hook.rules()]).toEqual([["a"], []]);
  });

  it("have no result codes", async ({ expect }) => {
    const hook = await receiver();
    await expect(hook.client.fault(hook.name, { mode: "code", code: 9 })).rejects.toThrow(/splunk/);
  });
});

describe("the relay", () => {
  const event = (n: number) => {
    const id = `evt.${n}`;
    return { id, at: Date.now(), action: "user.login", json: `{"id":"${id}","é":"日本 \u2028"}` };
  };
  const deliver = async (endpoint: string, given: { config?: object; secrets: object }, count = 1) => {
    const connected = webhook.connect({ destinationId: "siem_1", endpoint, config: {}, ...given });
    if (!connected.ok) throw new Error(JSON.stringify(connected.error));
    const { encode, interpret } = connected.value;
    const send = createSend({ fetch, guard: (url) => ok(new URL(url)), now: Date.now });
    const events = Array.from({ length: count }, (_, n) => event(n));
    const answer = await send(await encode(events, { now: Date.now(), indexFor: () => null }));
    return interpret(answer, { events: count, bytes: 0 });
  };

  it.for(["batch", "event"] as const)("keeps every rule: %s", async (mode, { expect }) => {
    const hook = await receiver({ mode, signature_header: "X-Acme" });
    const config = { mode, signature_header: "X-Acme", headers: { "X-Audit-Source": "sluice" } };
    for (const _ of [1, 2]) {
      const outcome = await deliver(
        hook.url,
        { config, secrets: { secret: WHSEC } },
        mode === "batch" ? 250 : 1,
      );
      expect(outcome.kind).toBe("delivered");
    }
    expect(await hook.client.summary(hook.name)).toMatchObject({ refused: 0, violations: [] });
    expect((await hook.client.event(hook.name, "evt.0"))[0]?.raw).toBe(event(0).json);
  });

  it("is accepted by who knows the old secret or the new, until the old one ends", async ({ expect }) => {
    const [before, after] = [await receiver({ secrets: [TEXT] }), await receiver()];
    const rotating = {
      secret: WHSEC,
      previous_secret: TEXT,
      previous_secret_expires_at: Date.now() + 60_000,
    };
    for (const { url } of [before, after])
      expect((await deliver(url, { secrets: rotating })).kind).toBe("delivered");
    const ended = { ...rotating, previous_secret_expires_at: Date.now() };
    expect((await deliver(after.url, { secrets: ended })).kind).toBe("delivered");
    expect(await deliver(before.url, { secrets: ended })).toMatchObject({
      kind: "hold",
      trouble: "credentials_rejected",
    });
  });

  it("sends the same id after an outage, and does as the receiver says", async ({ expect }) => {
    const hook = await receiver();
    const secrets = { secret: WHSEC };
    const kinds = [];
    for (const status of [503, 429, 410, 302, 400]) {
      await hook.client.fault(hook.name, { mode: "status", status, times: 1 });
      kinds.push((await deliver(hook.url, { secrets }, 3)).kind);
    }
    kinds.push((await deliver(hook.url, { secrets }, 3)).kind);
    expect(kinds).toEqual(["retry", "retry", "hold", "hold", "isolate", "delivered"]);
    expect(new Set((await hook.client.requests(hook.name)).map((one) => one.webhook?.id)).size).toBe(1);
    expect(await hook.rules()).toEqual([]);
  });
});

describe("settings", () => {
  it("that are misspelt or missing are refused", async ({ expect }) => {
    const client = simulated.client();
    await expect(client.webhook("bad", {} as WebhookConfig)).rejects.toThrow(/secrets/);
    await expect(client.webhook("bad", { secrets: [], secret: "x" } as WebhookConfig)).rejects.toThrow(
      /secret/,
    );
  });
});
