import { describe, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { createClient } from "../../src/client/client.ts";
import { WebhookError } from "../../src/client/errors.ts";
import { verifyWebhook } from "../../src/client/webhooks.ts";
import { signingKey, standardHeaders } from "../../src/providers/shared/standard-webhooks.ts";
import { plainSignature } from "../../src/providers/shared/webhook-signature.ts";
import { fakeServer, NOW, receipt } from "./fake-server.ts";

/** @see https://www.standardwebhooks.com/verify, which all libraries of the specification use (read 2026-11) */
const PUBLISHED = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  body: '{"test": 2432232314}',
  at: 1_614_265_330_000,
  headers: {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
};
const SECRET = "whsec_bm90IGEgc2VjcmV0IGF0IGFsbA==";
const OTHER = "another secret";
const body = '{"events":[{"id":"evt_1","action":"user.login"}]}';
const now = () => NOW;

/** Signed as the relay signs its webhooks. */
function signed(...secrets: readonly string[]): Record<string, string> {
  const keys = secrets.map((secret) => signingKey(secret) ?? new Uint8Array());
  return { ...standardHeaders({ id: "msg_1", at: NOW, body: utf8(body) }, keys) };
}

function plain(...secrets: readonly string[]): Record<string, string> {
  const keys = secrets.map((secret) => signingKey(secret) ?? new Uint8Array());
  return { "x-sluice-signature": plainSignature(utf8(body), keys) };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const failure = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (failure instanceof WebhookError) return failure.code;
  throw failure ?? new Error("it was believed");
}

describe("a webhook in the form of the Standard Webhooks", () => {
  it("is believed as published", async ({ expect }) => {
    const verified = verifyWebhook(PUBLISHED.body, PUBLISHED.headers, PUBLISHED.secret, {
      now: () => PUBLISHED.at,
    });
    expect(await verified).toEqual({
      id: PUBLISHED.headers["webhook-id"],
      events: [],
      payload: { test: 2432232314 },
    });
  });

  it("is believed as the relay signs it, with its events", async ({ expect }) => {
    const verified = await verifyWebhook(body, signed(SECRET), SECRET, { now });
    expect(verified).toMatchObject({ id: "msg_1", events: [{ id: "evt_1", action: "user.login" }] });
    const one = '{"id":"evt_1","action":"user.login"}';
    const headers = {
      ...standardHeaders({ id: "m", at: NOW, body: utf8(one) }, [signingKey(OTHER) ?? utf8("")]),
    };
    expect((await verifyWebhook(utf8(one), headers, OTHER, { now })).events).toEqual([JSON.parse(one)]);
  });

  it("is believed from any kind of headers", async ({ expect }) => {
    const upper = Object.fromEntries(
      Object.entries(signed(SECRET)).map(([name, value]) => [name.toUpperCase(), value]),
    );
    for (const headers of [new Headers(signed(SECRET)), upper])
      expect((await verifyWebhook(body, headers, SECRET, { now })).id).toBe("msg_1");
  });

  it("is believed while either side rotates its secret", async ({ expect }) => {
    expect((await verifyWebhook(body, signed(OTHER, SECRET), SECRET, { now })).id).toBe("msg_1");
    expect((await verifyWebhook(body, signed(SECRET), [OTHER, SECRET], { now })).id).toBe("msg_1");
  });

  it("is not believed with another secret, body, id or time", async ({ expect }) => {
    const headers = signed(SECRET);
    expect(await codeOf(verifyWebhook(body, headers, OTHER, { now }))).toBe("bad_signature");
    expect(await codeOf(verifyWebhook(`${body} `, headers, SECRET, { now }))).toBe("bad_signature");
    for (const change of [
      { "webhook-id": "msg_2" },
      { "webhook-timestamp": String(NOW / 1_000 + 1) },
      { "webhook-timestamp": "soon" },
      { "webhook-signature": "v1,AAAA" },
      { "webhook-signature": "v1," },
      { "webhook-signature": String(headers["webhook-signature"]).replace("v1,", "v1a,") },
    ])
      expect(await codeOf(verifyWebhook(body, { ...headers, ...change }, SECRET, { now }))).toBe(
        "bad_signature",
      );
  });

  it("is not believed without one of its headers", async ({ expect }) => {
    for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
      const headers = { ...signed(SECRET), [name]: undefined };
      expect(await codeOf(verifyWebhook(body, headers, SECRET, { now }))).toBe("missing_signature");
    }
  });

  it("is stale after five minutes either way, or as you say", async ({ expect }) => {
    const at = (seconds: number, toleranceSeconds?: number) =>
      verifyWebhook(body, signed(SECRET), SECRET, {
        now: () => NOW + seconds * 1_000,
        ...(toleranceSeconds === undefined ? {} : { toleranceSeconds }),
      });
    expect((await at(300)).id).toBe("msg_1");
    expect((await at(-300)).id).toBe("msg_1");
    expect(await codeOf(at(301))).toBe("stale");
    expect(await codeOf(at(-301))).toBe("stale");
    expect((await at(900, 900)).id).toBe("msg_1");
    expect(await codeOf(at(1, 0))).toBe("stale");
  });

  it("that is signed but no JSON is told apart", async ({ expect }) => {
    const headers = {
      ...standardHeaders({ id: "m", at: NOW, body: utf8("no") }, [signingKey(SECRET) ?? utf8("")]),
    };
    expect(await codeOf(verifyWebhook("no", headers, SECRET, { now }))).toBe("malformed");
  });

  it("cannot make the receiver compute for long", async ({ expect }) => {
    const many = { ...signed(SECRET), "webhook-signature": `${"v1,AAAA ".repeat(10_000)}` };
    expect(await codeOf(verifyWebhook(body, many, SECRET, { now }))).toBe("bad_signature");
  });

  it("cannot be verified with a secret that is none: that is the receiver's mistake", async ({ expect }) => {
    await expect(verifyWebhook(body, signed(SECRET), "", { now })).rejects.toThrow(TypeError);
    await expect(verifyWebhook(body, signed(SECRET), "whsec_???", { now })).rejects.toThrow(TypeError);
  });
});

describe("a webhook in the plain form", () => {
  const options = { now, signatureHeader: "X-Sluice-Signature" };

  it("is believed, also while the secret rotates", async ({ expect }) => {
    expect(await verifyWebhook(body, plain(SECRET), SECRET, options)).toMatchObject({ id: null });
    expect(await verifyWebhook(body, plain(OTHER, SECRET), SECRET, options)).toMatchObject({ id: null });
  });

  it("is not believed with another secret, another body or no signature", async ({ expect }) => {
    expect(await codeOf(verifyWebhook(body, plain(OTHER), SECRET, options))).toBe("bad_signature");
    expect(await codeOf(verifyWebhook(`${body}\n`, plain(SECRET), SECRET, options))).toBe("bad_signature");
    expect(await codeOf(verifyWebhook(body, { "x-sluice-signature": "sha256=00" }, SECRET, options))).toBe(
      "bad_signature",
    );
    expect(await codeOf(verifyWebhook(body, signed(SECRET), SECRET, options))).toBe("missing_signature");
  });
});

describe("a request to the relay", () => {
  it("is signed anew at each attempt, under one id", async ({ expect }) => {
    let time = NOW;
    const sleep = async (): Promise<void> => {
      time += 60_000;
    };
    const options = { signingSecret: SECRET, now: () => time, sleep };
    const server = fakeServer([new TypeError("lost"), receipt("evt_1")], options);
    await createClient(server.options).send({ action: "user.login", actor_id: "u" });
    const [first, second] = server.asked;
    for (const [asked, at] of [[first, NOW] as const, [second, NOW + 60_000] as const]) {
      const verified = await verifyWebhook(String(asked?.body), asked?.headers ?? {}, SECRET, {
        now: () => at,
        toleranceSeconds: 0,
      });
      expect(verified.id).toBe("key-1");
    }
    expect(first?.headers["webhook-signature"]).not.toBe(second?.headers["webhook-signature"]);
  });
});
