import { createHmac } from "node:crypto";
import { describe, it } from "vitest";
import { hours, minutes, seconds } from "../../src/base/clock.ts";
import {
  ALERT,
  AlertApi,
  INBOUND,
  type MadeSource,
  type SentAlert,
  signature,
} from "../support/alert-api.ts";
import { NOW } from "../support/fake-api.ts";

/** A source with these settings gets this request. */
interface Case {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly request: (source: MadeSource) => SentAlert;
}

const named = { secret_header: "X-StackFlow-Secret" };
const path = { allow_path_secret: true };
const signed = { hmac: true };
const app = { hmac: { header: "X-HMAC", encoding: "base64", timestamp_header: "X-Time" } };

const secretIn =
  (header: string) =>
  ({ secret }: MadeSource) => ({ headers: { [header]: secret } });
const authorized =
  (scheme: string) =>
  ({ secret }: MadeSource) => ({
    headers: { Authorization: `${scheme} ${secret}` },
  });
const basic = ({ secret }: MadeSource) => ({
  headers: { Authorization: `Basic ${btoa(`splunk:${secret}`)}` },
});
const signedAt =
  (at: number, body?: string) =>
  ({ id, secret }: MadeSource) => ({
    path: `${INBOUND}/${id}`,
    headers: { "X-Sluice-Signature": signature(secret, at, body) },
  });
const byApp =
  (time: string, over = `${ALERT}${time}`) =>
  ({ id, secret }: MadeSource) => ({
    path: `${INBOUND}/${id}`,
    headers: { "X-Time": time, "X-HMAC": createHmac("sha256", secret).update(over).digest("base64") },
  });

const taken: Readonly<Record<string, Case>> = {
  "the secret in its own header": { request: secretIn("X-Sluice-Secret") },
  "the secret in the header that the source names": {
    settings: named,
    request: secretIn("X-StackFlow-Secret"),
  },
  "its own header also where another is named": { settings: named, request: secretIn("X-Sluice-Secret") },
  "a bearer token": { request: authorized("Bearer") },
  "a token as HEC has it": { request: authorized("Splunk") },
  "the secret alone as an authorization": { request: secretIn("Authorization") },
  "the password of Basic": { request: basic },
  "a chosen secret": { settings: { secret: "YOUR_SECRET" }, request: secretIn("X-Sluice-Secret") },
  "the secret under the gateway's prefix": {
    request: ({ secret }) => ({ path: `/prod${INBOUND}`, headers: { "X-Sluice-Secret": secret } }),
  },
  "the secret at the source's own URL": {
    request: ({ id, secret }) => ({ path: `${INBOUND}/${id}`, headers: { "X-Sluice-Secret": secret } }),
  },
  "the path's secret": {
    settings: path,
    request: ({ id, pathSecret }) => ({ path: `${INBOUND}/${id}/${pathSecret}` }),
  },
  "the path's secret under the gateway's prefix": {
    settings: path,
    request: ({ id, pathSecret }) => ({ path: `/prod${INBOUND}/${id}/${pathSecret}` }),
  },
  "the header's secret in the path, where that is allowed": {
    settings: path,
    request: ({ id, secret }) => ({ path: `${INBOUND}/${id}/${secret}` }),
  },
  "a signature": { settings: signed, request: signedAt(NOW) },
  "a signature five minutes old": { settings: signed, request: signedAt(NOW - minutes(5)) },
  "one matching signature of two": {
    settings: signed,
    request: ({ id, secret }) => ({
      path: `${INBOUND}/${id}`,
      headers: { "X-Sluice-Signature": `${signature(secret, NOW)},v1=${"0".repeat(64)}` },
    }),
  },
  "a signature as Better Webhooks makes it": { settings: app, request: byApp(`${NOW / 1_000}.25`) },
  "a signature without a time, where none is asked for": {
    settings: { hmac: { header: "X-Hub-Signature-256", prefix: "sha256=" } },
    request: ({ id, secret }) => ({
      path: `${INBOUND}/${id}`,
      headers: {
        "X-Hub-Signature-256": `sha256=${createHmac("sha256", secret).update(ALERT).digest("hex")}`,
      },
    }),
  },
};

const refused: Readonly<Record<string, Case & { readonly code?: string }>> = {
  nothing: { request: () => ({}) },
  "nothing at the source's own URL": { request: ({ id }) => ({ path: `${INBOUND}/${id}` }) },
  "a wrong secret": { request: () => ({ headers: { "X-Sluice-Secret": "another-secret" } }) },
  "an empty secret": { request: () => ({ headers: { "X-Sluice-Secret": "" } }) },
  "the secret with something behind it": {
    request: ({ secret }) => ({ headers: { "X-Sluice-Secret": `${secret}x` } }),
  },
  "the secret in a header of another name": { settings: named, request: secretIn("X-Other-Secret") },
  "the secret in a header that only other sources name": { request: secretIn("X-StackFlow-Secret") },
  "the secret in the query": {
    request: ({ id, secret }) => ({ path: `${INBOUND}/${id}?secret=${secret}` }),
  },
  "the secret in the path, where that is not allowed": {
    request: ({ id, secret }) => ({ path: `${INBOUND}/${id}/${secret}` }),
  },
  "a wrong secret in the path": {
    settings: path,
    request: ({ id }) => ({ path: `${INBOUND}/${id}/slsec_wrong` }),
  },
  "a wrong secret in the path beside the right one in the header": {
    settings: path,
    request: ({ id, secret }) => ({
      path: `${INBOUND}/${id}/slsec_wrong`,
      headers: { "X-Sluice-Secret": secret },
    }),
  },
  "the right secret at a source that is not there": {
    request: ({ secret }) => ({ path: `${INBOUND}/src_none`, headers: { "X-Sluice-Secret": secret } }),
  },
  "the plain secret, where a signature is demanded": {
    settings: signed,
    request: ({ id, secret }) => ({ path: `${INBOUND}/${id}`, headers: { "X-Sluice-Secret": secret } }),
  },
  "the plain secret at the shared URL, where a signature is demanded": {
    settings: signed,
    request: secretIn("X-Sluice-Secret"),
  },
  "a signature over another body": { settings: signed, request: signedAt(NOW, "{}") },
  "a signature with another time": {
    settings: signed,
    request: ({ id, secret }) => ({
      path: `${INBOUND}/${id}`,
      headers: { "X-Sluice-Signature": signature(secret, NOW).replace(/^t=\d+/, `t=${NOW / 1_000 + 1}`) },
    }),
  },
  "a signature without a time": {
    settings: signed,
    request: ({ id, secret }) => ({
      path: `${INBOUND}/${id}`,
      headers: { "X-Sluice-Signature": signature(secret, NOW).replace(/^t=\d+,/, "") },
    }),
  },
  "a signature under another secret": {
    settings: signed,
    request: ({ id }) => ({
      path: `${INBOUND}/${id}`,
      headers: { "X-Sluice-Signature": signature("another-secret", NOW) },
    }),
  },
  "a signature where a secret is asked for": { request: signedAt(NOW) },
  "a signature too old": {
    settings: signed,
    request: signedAt(NOW - minutes(5) - seconds(1)),
    code: "stale_signature",
  },
  "a signature from the future": {
    settings: signed,
    request: signedAt(NOW + minutes(5) + seconds(1)),
    code: "stale_signature",
  },
  "a wrong signature that is old as well": {
    settings: signed,
    request: ({ id }) => ({
      path: `${INBOUND}/${id}`,
      headers: { "X-Sluice-Signature": signature("another-secret", NOW - hours(1)) },
    }),
  },
  "an app's signature too old": {
    settings: app,
    request: byApp(`${NOW / 1_000 - 301}.5`),
    code: "stale_signature",
  },
  "an app's signature over the body alone, where a time is demanded": {
    settings: app,
    request: byApp(`${NOW / 1_000}`, ALERT),
  },
};

describe("the proof of an alert", () => {
  it.for(Object.entries(taken))("is %s", async ([, { settings, request }], { expect }) => {
    const sluice = new AlertApi();
    const source = await sluice.source(settings);
    const { status, body } = await sluice.send(request(source));
    expect([status, body]).toEqual([
      201,
      { incident_id: "inc_1", number: "INC0000001", priority: "P2", status: "open", deduplicated: false },
    ]);
  });

  it.for(Object.entries(refused))("is not %s", async ([, { settings, request, code }], { expect }) => {
    const sluice = new AlertApi();
    const source = await sluice.source(settings);
    await sluice.source({}, "ten_b");
    const answer = await sluice.send(request(source));
    expect([answer.status, answer.body["code"]]).toEqual([401, code ?? "unauthenticated"]);
    expect(sluice.incidents.drafts).toEqual([]);
    expect(answer.text).not.toContain(source.secret);
  });

  it("is not the secret of another source, of the same tenant or of another", async ({ expect }) => {
    for (const tenantId of ["ten_a", "ten_b"]) {
      const sluice = new AlertApi();
      const mine = await sluice.source();
      const other = await sluice.source({ allow_path_secret: true }, tenantId);
      const headers = { "X-Sluice-Secret": other.secret };
      expect((await sluice.send({ path: `${INBOUND}/${mine.id}`, headers })).status).toBe(401);
      expect((await sluice.send({ path: `${INBOUND}/${mine.id}/${other.pathSecret}` })).status).toBe(401);
      expect(sluice.incidents.drafts).toEqual([]);
    }
  });

  it("does not choose between two tenants' sources with one secret, unless the URL does", async ({
    expect,
  }) => {
    const sluice = new AlertApi();
    const [a] = [
      await sluice.source({ secret: "the-same-secret" }),
      await sluice.source({ secret: "the-same-secret" }, "ten_b"),
    ];
    const headers = { "X-Sluice-Secret": "the-same-secret" };
    expect((await sluice.send({ headers })).status).toBe(401);
    expect((await sluice.send({ path: `${INBOUND}/${a.id}`, headers })).status).toBe(201);
  });

  it("is a signature only once, and changes nothing when it is shown again", async ({ expect }) => {
    const sluice = new AlertApi();
    const source = await sluice.source({ hmac: true });
    const request = signedAt(NOW)(source);
    expect((await sluice.send(request)).status).toBe(201);
    for (const again of [
      request,
      {
        ...request,
        headers: { "X-Sluice-Signature": `${request.headers["X-Sluice-Signature"]},v1=${"f".repeat(64)}` },
      },
    ]) {
      const { status, body } = await sluice.send(again);
      expect([status, body["code"], body["detail"]]).toEqual([
        401,
        "stale_signature",
        expect.stringContaining("used already"),
      ]);
    }
    const fresh = await sluice.send(signedAt(NOW + 1_000)(source));
    expect([fresh.status, fresh.body["deduplicated"]]).toEqual([200, true]);
  });
});

describe("a rotated secret", () => {
  const ways: Readonly<
    Record<
      string,
      {
        settings?: Readonly<Record<string, unknown>>;
        request: (source: MadeSource, now: number) => SentAlert;
      }
    >
  > = {
    "in a header": { request: secretIn("X-Sluice-Secret") },
    "in the path": {
      settings: path,
      request: ({ id, pathSecret }) => ({ path: `${INBOUND}/${id}/${pathSecret}` }),
    },
    "as the key of a signature": { settings: signed, request: (source, now) => signedAt(now)(source) },
  };

  it.for(Object.entries(ways))(
    "%s is taken beside the old one until its time, then alone",
    async ([, { settings, request }], { expect }) => {
      const sluice = new AlertApi();
      const old = await sluice.source(settings);
      const { body } = await sluice.api.json("POST", `/v1/sources/${old.id}/rotate`, {
        key: sluice.api.key("ten_a"),
        body: { previous_secret_ttl_seconds: 3_600 },
      });
      const fresh = { id: old.id, secret: String(body["secret"]), pathSecret: String(body["path_secret"]) };
      const ask = async (source: MadeSource) => (await sluice.send(request(source, sluice.api.at))).status;
      expect(await ask(old)).toBe(201);
      expect(await ask(fresh)).toBe(200);
      sluice.api.at = NOW + hours(1) - 1;
      expect(await ask(old)).toBe(200);
      sluice.api.at = NOW + hours(1);
      expect(await ask(old)).toBe(401);
      expect(await ask(fresh)).toBe(200);
    },
  );

  it("ends at once where no overlap is wanted", async ({ expect }) => {
    const sluice = new AlertApi();
    const old = await sluice.source();
    expect((await sluice.send(secretIn("X-Sluice-Secret")(old))).status).toBe(201);
    const answer = await sluice.api.json("POST", `/v1/sources/${old.id}/rotate`, {
      key: sluice.api.key("ten_a"),
      body: { secret: "a-secret-of-my-own", previous_secret_ttl_seconds: 0 },
    });
    expect([answer.status, answer.body["secret"]]).toEqual([200, "a-secret-of-my-own"]);
    expect((await sluice.send(secretIn("X-Sluice-Secret")(old))).status).toBe(401);
    expect((await sluice.send({ headers: { "X-Sluice-Secret": "a-secret-of-my-own" } })).status).toBe(200);
  });
});
