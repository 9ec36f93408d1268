import { gzipSync } from "node:zlib";
import { Webhook } from "standardwebhooks";
import { describe, it } from "vitest";
import { randomBytes, utf8 } from "../../../src/base/bytes.ts";
import { Secret } from "../../../src/base/secret.ts";
import { acceptRequest } from "../../../src/flow/accept/accept.ts";
import { actionOfLine } from "../../../src/model/event.ts";
import type { IngestRequest } from "../../../src/model/ingest.ts";
import { packWritten } from "../../../src/model/lines.ts";
import { linesOf } from "../../support/lines.ts";

const NOW = Date.parse("2026-11-20T10:00:00Z");
const login = '{"action":"user.login","actor_id":"u1"}';

interface Sent {
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  readonly secret?: string;
  readonly onInvalid?: IngestRequest["onInvalid"];
  readonly now?: number;
}

function send({ body = login, headers = {}, secret, onInvalid = "refuse", now = NOW }: Sent) {
  return acceptRequest(
    {
      tenantId: "ten_1",
      keyId: "key_1",
      signingSecret: secret === undefined ? null : new Secret(secret),
      headers: new Headers(headers),
      body: new Response(body).body,
      onInvalid,
    },
    { now: () => now, random: randomBytes, batchTagKey: utf8("tag") },
  );
}

async function outcome(sent: Sent): Promise<string> {
  const made = await send(sent);
  return made.ok ? `accepted ${made.value.ids.length}` : made.error.code;
}

async function idsOf(sent: Sent): Promise<readonly string[]> {
  const made = await send(sent);
  return made.ok ? [made.value.batchId, ...made.value.ids] : [made.error.code];
}

describe("a request", () => {
  it("becomes a batch with the time of its receipt", async ({ expect }) => {
    const made = await send({ body: `[${login},${login}]` });
    if (!made.ok) throw new Error(made.error.detail);
    expect(made.value.acceptedAt).toBe(NOW);
    expect(made.value.rejected).toEqual([]);
    expect(linesOf([packWritten(made.value.lines)]).map(actionOfLine)).toEqual(["user.login", "user.login"]);
  });

  it("may be gzip, and is counted after decompression", async ({ expect }) => {
    const headers = { "content-encoding": "gzip" };
    expect(await outcome({ body: gzipSync(login), headers })).toBe("accepted 1");
    expect(await outcome({ body: gzipSync(new Uint8Array(6_000_000)), headers })).toBe("payload_too_large");
    expect(await outcome({ body: login, headers })).toBe("malformed_json");
  });

  it("of another type is refused before it is read", async ({ expect }) => {
    expect(await outcome({ headers: { "content-type": "text/csv" } })).toBe("unsupported_media_type");
  });

  it("without a body is refused", async ({ expect }) => {
    expect(await outcome({ body: "" })).toBe("malformed_json");
  });
});

describe("a retry", () => {
  const headers = { "idempotency-key": "order-7" };

  it("with the same key and body gets the same ids, days later and compressed or not", async ({ expect }) => {
    const first = await idsOf({ headers });
    expect(first).toHaveLength(2);
    expect(await idsOf({ headers, now: NOW + 86_000_000 })).toEqual(first);
    const zipped = { body: gzipSync(login), headers: { ...headers, "content-encoding": "gzip" } };
    expect(await idsOf(zipped)).toEqual(first);
  });

  it("without a key is a new batch", async ({ expect }) => {
    expect(await idsOf({})).not.toEqual(await idsOf({}));
  });

  it("gets the ids of the same events, whether or not others were skipped", async ({ expect }) => {
    const mixed = await idsOf({ body: `[{},${login}]`, headers, onInvalid: "skip" });
    expect(mixed[1]).toMatch(/-7001-/);
  });

  it("with a key that cannot be one is refused", async ({ expect }) => {
    expect(await outcome({ headers: { "idempotency-key": "x".repeat(256) } })).toBe("invalid_input");
  });
});

describe("a key that demands signatures", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const signed = (body: string, at = NOW, id = "msg_1") => ({
    "webhook-id": id,
    "webhook-timestamp": String(at / 1_000),
    "webhook-signature": new Webhook(secret).sign(id, new Date(at), body),
  });

  it("accepts what the public library signed, and nothing unsigned, forged or late", async ({ expect }) => {
    expect(await outcome({ secret, headers: signed(login) })).toBe("accepted 1");
    expect(await outcome({ secret })).toBe("bad_signature");
    expect(await outcome({ secret, headers: signed("{}") })).toBe("bad_signature");
    expect(await outcome({ secret, headers: signed(login, NOW - 301_000) })).toBe("stale_signature");
  });

  it("judges the signature before the body", async ({ expect }) => {
    expect(await outcome({ secret, body: "{oops" })).toBe("bad_signature");
    expect(await outcome({ secret, body: "{oops", headers: signed("{oops") })).toBe("malformed_json");
  });

  it("wants the compressed bytes signed when the body is compressed", async ({ expect }) => {
    const body = gzipSync(login);
    // The library signs text only; each byte of latin1 text is one byte to sign here.
    const key = await crypto.subtle.importKey(
      "raw",
      Buffer.from(secret.slice("whsec_".length), "base64"),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const content = Buffer.concat([utf8(`msg_1.${NOW / 1_000}.`), body]);
    const mac = Buffer.from(await crypto.subtle.sign("HMAC", key, content)).toString("base64");
    const gzip = { "content-encoding": "gzip" };
    const headers = { ...signed(login), "webhook-signature": `v1,${mac}`, ...gzip };
    expect(await outcome({ secret, body, headers })).toBe("accepted 1");
    expect(await outcome({ secret, body, headers: { ...signed(login), ...gzip } })).toBe("bad_signature");
  });

  it("knows a repeated webhook-id again, whatever Idempotency-Key a replay adds", async ({ expect }) => {
    const first = await idsOf({ secret, headers: signed(login) });
    const later = signed(login, NOW + 60_000);
    expect(await idsOf({ secret, headers: later, now: NOW + 60_000 })).toEqual(first);
    expect(await idsOf({ secret, headers: { ...signed(login), "idempotency-key": "x" } })).toEqual(first);
    expect(await idsOf({ secret, headers: signed(login, NOW, "msg_2") })).not.toEqual(first);
  });
});
