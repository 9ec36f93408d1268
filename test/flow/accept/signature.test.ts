import { Webhook } from "standardwebhooks";
import { describe, it } from "vitest";
import { utf8 } from "../../../src/base/bytes.ts";
import { Secret } from "../../../src/base/secret.ts";
import { publicCode, verifySignature } from "../../../src/flow/accept/signature.ts";

// The example of the Standard Webhooks documentation and of the Svix libraries' test suites (read 2026-11).
const PUBLISHED = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: "1614265330",
  body: '{"test": 2432232314}',
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const AT = Number(PUBLISHED.timestamp) * 1_000;

function verify(
  over: Partial<typeof PUBLISHED> & { now?: number; secrets?: readonly string[]; without?: string } = {},
) {
  const given = { ...PUBLISHED, ...over };
  const headers = new Headers({
    "webhook-id": given.id,
    "webhook-timestamp": given.timestamp,
    "webhook-signature": given.signature,
  });
  if (over.without !== undefined) headers.delete(over.without);
  const secrets = (over.secrets ?? [given.secret]).map((secret) => new Secret(secret));
  return verifySignature({ headers, body: utf8(given.body), secrets, now: over.now ?? AT });
}

const reason = (result: ReturnType<typeof verify>) => (result.ok ? "ok" : result.error.reason);

describe("a signature", () => {
  it("that was published verifies, and gives the message's id", ({ expect }) => {
    expect(verify()).toEqual({ ok: true, value: { id: PUBLISHED.id } });
  });

  it("of the public library verifies, and ours is what the library computes", ({ expect }) => {
    const webhook = new Webhook(PUBLISHED.secret);
    for (const body of ["", "{}", '{"é":"🙂"}', "x".repeat(100_000)]) {
      const signature = webhook.sign("msg_1", new Date(AT), body);
      expect(reason(verify({ id: "msg_1", body, signature }))).toBe("ok");
    }
  });

  it("fails when any byte of id, time, body, signature or secret differs", ({ expect }) => {
    const changes = [
      { id: "msg_p5jXN8AQM9LWM0D4loKWxJel" },
      { timestamp: "1614265331" },
      { body: '{"test": 2432232315}' },
      { body: `${PUBLISHED.body}\n` },
      { signature: PUBLISHED.signature.replace("g0h", "g0H") },
      { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx" },
    ];
    for (const change of changes) expect(reason(verify(change))).toBe("no_signature_matches");
  });

  it("may be one of several, in any place", ({ expect }) => {
    const other = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
    expect(reason(verify({ signature: `${other} ${PUBLISHED.signature}` }))).toBe("ok");
    expect(reason(verify({ signature: `${PUBLISHED.signature} ${other}` }))).toBe("ok");
    expect(verify({ signature: `${other} ${other}` })).toEqual({
      ok: false,
      error: { reason: "no_signature_matches", tried: 2 },
    });
  });

  it("of another version counts for nothing", ({ expect }) => {
    const digest = PUBLISHED.signature.slice(3);
    expect(reason(verify({ signature: `v1a,${digest} v2,${digest}` }))).toBe("malformed");
    expect(reason(verify({ signature: `v1a,${digest} ${PUBLISHED.signature}` }))).toBe("ok");
  });

  it("may be by any of the secrets while one is being changed", ({ expect }) => {
    expect(reason(verify({ secrets: ["whsec_bmV3", PUBLISHED.secret] }))).toBe("ok");
  });

  it("matches no secret that is empty or unreadable", ({ expect }) => {
    for (const secret of ["", "whsec_", "whsec_not base64"]) {
      expect(reason(verify({ secret }))).toBe("no_signature_matches");
    }
    expect(reason(verify({ secrets: [] }))).toBe("no_signature_matches");
  });
});

describe("the headers", () => {
  it("are all needed", ({ expect }) => {
    for (const without of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
      expect(verify({ without })).toEqual({
        ok: false,
        error: { reason: "header_missing", header: without },
      });
    }
    expect(reason(verify({ id: "" }))).toBe("header_missing");
  });

  it("must be well formed", ({ expect }) => {
    expect(verify({ id: "x".repeat(256) })).toEqual({
      ok: false,
      error: { reason: "malformed", header: "webhook-id" },
    });
    for (const timestamp of ["now", "-1", "1e9", "1614265330.5", "1614265330000000"]) {
      expect(reason(verify({ timestamp }))).toBe("malformed");
    }
    expect(reason(verify({ signature: "g0hM9SsE" }))).toBe("malformed");
  });
});

describe("the time", () => {
  const minute = 60_000;

  it("may be five minutes off either way, and not a second more", ({ expect }) => {
    expect(reason(verify({ now: AT + 5 * minute }))).toBe("ok");
    expect(reason(verify({ now: AT - 5 * minute }))).toBe("ok");
    expect(verify({ now: AT + 5 * minute + 1_000 })).toEqual({
      ok: false,
      error: { reason: "outside_tolerance", skew: 301_000, limit: 300_000 },
    });
    expect(reason(verify({ now: AT - 5 * minute - 1_000 }))).toBe("outside_tolerance");
  });

  it("is judged only for somebody who holds the secret", ({ expect }) => {
    expect(reason(verify({ now: AT + 60 * minute, body: "forged" }))).toBe("no_signature_matches");
  });
});

it("strangers learn whether they were late, and nothing else", ({ expect }) => {
  expect(publicCode({ reason: "header_missing", header: "webhook-id" })).toBe("bad_signature");
  expect(publicCode({ reason: "malformed", header: "webhook-id" })).toBe("bad_signature");
  expect(publicCode({ reason: "no_signature_matches", tried: 1 })).toBe("bad_signature");
  expect(publicCode({ reason: "outside_tolerance", skew: 1, limit: 0 })).toBe("stale_signature");
});
