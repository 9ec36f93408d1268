import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeBase64 } from "../../../src/base/encoding.ts";
import { fixedBytes, seal, VERIFICATION_KEY } from "../../vectors/envelope/seal.ts";

/*
 * A relay as the client library sees it: it takes what the README's examples send, remembers it, and answers in the
 * contract's form. It also refuses each first try for being busy, so that nothing works without a second one.
 */

export interface FakeRelay {
  readonly url: string;
  readonly signingSecret: string;
  /** Events taken, by API key. */
  readonly events: readonly { readonly key: string; readonly action: unknown }[];
  /** Requests for events that were taken: how many, and under which keys. */
  readonly idempotencyKeys: readonly string[];
  close(): void;
}

interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}
interface Said {
  readonly status: number;
  readonly body: unknown;
}

const SIGNING_SECRET = `whsec_${Buffer.from(fixedBytes(24, 7)).toString("base64")}`;
const ACTION = /^[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+$/;

export async function startFakeRelay(): Promise<FakeRelay> {
  const events: { key: string; action: unknown }[] = [];
  const idempotencyKeys: string[] = [];
  const tried = new Set<string>();
  let registered = "";

  const answer = async (asked: Asked): Promise<Said> => {
    const key = String(asked.headers["x-api-key"]);
    switch (asked.path) {
      case "/v1/audit/events":
      case "/v1/audit/events?on_invalid=skip":
        return take(asked, key);
      case "/api/v2/keys": {
        if (asked.text !== "") registered = JSON.parse(asked.text).public_key;
        const keys = { data: [], verification_key: VERIFICATION_KEY, verification_keys: [VERIFICATION_KEY] };
        return { status: 200, body: asked.text === "" ? keys : { key_id: "pk_1" } };
      }
      case "/api/v2/proxy/outbound":
        return { status: 200, body: await answerCall(JSON.parse(asked.text), registered) };
      default:
        return problem(404, "not_found");
    }
  };

  const take = ({ headers, text }: Asked, key: string): Said => {
    const idempotencyKey = String(headers["idempotency-key"]);
    if (key === "sl_live_signing" && !isSigned(headers, text)) return problem(401, "bad_signature");
    if (!tried.has(idempotencyKey)) {
      tried.add(idempotencyKey);
      return problem(429, "rate_limited");
    }
    const list: { action: unknown }[] = JSON.parse(text);
    const bad = list.findIndex(({ action }) => !ACTION.test(String(action)));
    if (bad >= 0)
      return problem(422, "invalid_event", [{ index: bad, path: "action", message: "Expected words" }]);
    events.push(...list.map(({ action }) => ({ key, action })));
    idempotencyKeys.push(idempotencyKey);
    const ids = list.map((_, at) => `evt_${events.length}_${at}`);
    return { status: 202, body: { accepted: list.length, ids, batch_id: `bat_${idempotencyKeys.length}` } };
  };

  const server = createServer(async (request, response) => {
    const text = await textOf(request);
    const said = await answer({ path: request.url ?? "", headers: request.headers, text });
    const type = said.status < 400 ? "application/json" : "application/problem+json";
    response.writeHead(said.status, { "content-type": type }).end(JSON.stringify(said.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    signingSecret: SIGNING_SECRET,
    events,
    idempotencyKeys,
    close: () => void server.close(),
  };
}

async function answerCall(request: Parameters<typeof seal>[0]["request"], publicKey: string) {
  const now = Date.now();
  const result = {
    ok: true,
    operation: request.operation,
    integration_id: request.integration_id,
    http_status: 200,
    provider_code: 0,
    message: "Taken.",
    outcome: "delivered",
    maybe_taken: false,
    latency_ms: 3,
    body: null,
  };
  const { envelope } = await seal({
    id: "env_1",
    request,
    plaintext: JSON.stringify(result),
    issuedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + 300_000).toISOString(),
    encapsulation: fixedBytes(32, 1),
    nonce: fixedBytes(12, 2),
    header: { recipient_key_id: "pk_1" },
    recipientPublicKey: decodeBase64(publicKey) ?? new Uint8Array(),
  });
  return envelope;
}

function isSigned(headers: Asked["headers"], body: string): boolean {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature } = headers;
  const key = Buffer.from(SIGNING_SECRET.slice(6), "base64");
  const own = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return signature === `v1,${own}`;
}

function problem(status: number, code: string, errors?: readonly unknown[]): Said {
  return { status, body: { type: "about:blank", title: code, status, code, detail: `${code}.`, errors } };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port; // it listens on a port, not on a pipe
}
