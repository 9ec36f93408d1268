/** Whether receivers that know nothing of us can verify what we send: with the public libraries, and by hand. */
import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, it, vi } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { minutes, seconds } from "../../src/base/clock.ts";
import type { RelayEvent } from "../../src/model/event.ts";
import type { HttpRequestSpec } from "../../src/model/http.ts";
import { signingKey, standardHeaders } from "../../src/providers/shared/standard-webhooks.ts";
import { plainSignature } from "../../src/providers/shared/webhook-signature.ts";
import { webhook } from "../../src/providers/webhook.ts";
import { connect, context, event } from "./answers.ts";

const NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD = "whsec_QSBzZWNyZXQgdGhhdCBub2JvZHkgZ3Vlc3Nlcw==";
const TEXT = "It's a Secret to Everybody";
const NOW = context.now;

const EVENTS: readonly RelayEvent[] = [
  event(),
  event({ id: "evt_2", json: '{"id":"evt_2","b":"\\u00e9 é 日本 🙂 \u2028","big":12345678901234567890}' }),
];

function sign(secrets: object, { events = EVENTS, now = NOW, config = {} } = {}): HttpRequestSpec {
  const connector = connect(webhook, { endpoint: "https://hooks.example.com", config, secrets });
  return connector.encode(events, { ...context, now }) as HttpRequestSpec; // signing here needs no promise
}

/** As a receiver's few lines of code have it: it knows one key and looks for its own value among the parts. */
function verifiesPlain({ headers, body = "" }: HttpRequestSpec, key: Uint8Array | string): boolean {
  const expected = `sha256=${createHmac("sha256", key).update(body, "utf8").digest("hex")}`;
  return (headers["x-sluice-signature"] ?? "").split(",").includes(expected);
}

const keyOf = (secret: string): Uint8Array => Buffer.from(secret.replace("whsec_", ""), "base64");

/** The libraries read the machine's clock. */
function verifiesStandard({ headers, body = "" }: HttpRequestSpec, secret: string, now = NOW): boolean[] {
  vi.useFakeTimers({ now, toFake: ["Date"] });
  try {
    return [new Webhook(secret), new SvixWebhook(secret)].map((library) => {
      try {
        library.verify(body, { ...headers });
        return true;
      } catch {
        return false;
      }
    });
  } finally {
    vi.useRealTimers();
  }
}

describe("published vectors", () => {
  it("GitHub's, for the plain header", ({ expect }) => {
    const key = signingKey(TEXT);
    expect(key).toEqual(utf8(TEXT));
    expect(plainSignature(utf8("Hello, World!"), key === null ? [] : [key])).toBe(
      "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    );
  });

  // The example of the Standard Webhooks documentation and of the Svix libraries' test suites (read 2026-11).
  it("the Standard Webhooks' own", ({ expect }) => {
    const message = {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      at: 1_614_265_330_999,
      body: utf8('{"test": 2432232314}'),
    };
    expect(standardHeaders(message, [keyOf(NEW)])).toEqual({
      "webhook-id": message.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });
});

describe("a delivery", () => {
  it.for(["batch", "event"])("is verified by both public libraries: %s", (mode, { expect }) => {
    const request = sign({ secret: NEW }, { config: { mode }, events: EVENTS.slice(1) });
    expect(verifiesStandard(request, NEW)).toEqual([true, true]);
    expect(verifiesStandard(request, OLD)).toEqual([false, false]);
    expect(verifiesStandard({ ...request, body: `${request.body} ` }, NEW)).toEqual([false, false]);
  });

  it("signs with the decoded bytes of a whsec_ secret, and never with its text", ({ expect }) => {
    const request = sign({ secret: NEW });
    expect([verifiesPlain(request, keyOf(NEW)), verifiesPlain(request, NEW)]).toEqual([true, false]);
  });

  it("signs with any other secret as it is written, in both headers", ({ expect }) => {
    for (const secret of [TEXT, "pässword-日本", "QSBzZWNyZXQ="]) {
      const request = sign({ secret });
      expect(verifiesPlain(request, secret)).toBe(true);
      const bytes = Buffer.from(secret).toString("base64");
      expect(verifiesStandard(request, bytes)).toEqual([true, true]);
    }
  });

  it("carries the time of the attempt, so that a late retry is no replay", ({ expect }) => {
    const later = NOW + minutes(60);
    const request = sign({ secret: NEW }, { now: later });
    expect(request.headers["webhook-timestamp"]).toBe(String(later / seconds(1)));
    expect(verifiesStandard(request, NEW, later)).toEqual([true, true]);
    expect(verifiesStandard(request, NEW, NOW)).toEqual([false, false]);
  });

  it("has the plain signature under another name where one is set", ({ expect }) => {
    const { headers } = sign({ secret: TEXT }, { config: { signature_header: "X-Hub-Signature-256" } });
    expect(headers["x-hub-signature-256"]).toMatch(/^sha256=[0-9a-f]{64}$/);
    expect(headers["x-sluice-signature"]).toBeUndefined();
  });
});

describe("while a secret rotates", () => {
  const secrets = { secret: NEW, previous_secret: OLD, previous_secret_expires_at: NOW + minutes(10) };

  it("a receiver that knows either is content", ({ expect }) => {
    const request = sign(secrets);
    for (const secret of [NEW, OLD]) {
      expect(verifiesStandard(request, secret)).toEqual([true, true]);
      expect(verifiesPlain(request, keyOf(secret))).toBe(true);
    }
    expect(verifiesPlain(request, TEXT)).toBe(false);
  });

  it("shows the current signature first in both headers", ({ expect }) => {
    const [both, alone] = [sign(secrets).headers, sign({ secret: NEW }).headers];
    expect(both["x-sluice-signature"]).toMatch(/^sha256=[0-9a-f]{64},sha256=[0-9a-f]{64}$/);
    expect(both["x-sluice-signature"]?.split(",")[0]).toBe(alone["x-sluice-signature"]);
    expect(both["webhook-signature"]?.split(" ")[0]).toBe(alone["webhook-signature"]);
  });

  it("ends on the millisecond, by the clock that it is given", ({ expect }) => {
    const end = NOW + minutes(10);
    expect(verifiesPlain(sign(secrets, { now: end - 1 }), keyOf(OLD))).toBe(true);
    expect(sign(secrets, { now: end })).toEqual(sign({ secret: NEW }, { now: end }));
  });

  it("does not go on for ever where the end is not known", ({ expect }) => {
    expect(sign({ secret: NEW, previous_secret: OLD })).toEqual(sign({ secret: NEW }));
  });

  it("can go from a text to whsec_, each in its own way", ({ expect }) => {
    const request = sign({ ...secrets, previous_secret: TEXT });
    expect(verifiesPlain(request, TEXT)).toBe(true);
    expect(verifiesStandard(request, NEW)).toEqual([true, true]);
  });
});
