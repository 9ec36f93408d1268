/** What the vault's and the proxy's work costs: a Worker that does one kind of it so many times for a request. */
import { randomBytes, utf8 } from "../../../src/base/bytes.ts";
import { mlDsaKeyPair, mlDsaSign, mlDsaVerify } from "../../../src/base/ml-dsa.ts";
import { mlKemKeyPair } from "../../../src/base/ml-kem.ts";
import { ok } from "../../../src/base/result.ts";
import { PROVIDERS } from "../../../src/providers/registry.ts";
import { invoke, type ProxyDeps } from "../../../src/proxy/execute.ts";
import { openText, parseSealed, sealText } from "../../../src/vault/seal.ts";
import { destination } from "../../support/builders.ts";
import { RECIPIENT, SIGNING_KEY } from "../../support/proxy.ts";

const pair = mlKemKeyPair(new Uint8Array(64).fill(1));
const signer = mlDsaKeyPair(new Uint8Array(32).fill(1));
const binding = { tenantId: "ten_1", recordId: "cred_1", purpose: "credential" };
const message = { message: utf8("an envelope of the usual size ".repeat(100)), context: utf8("bench") };
const SECRETS = JSON.stringify({ token: "0123456789abcdef0123456789abcdef" });

let sealed: string | null = null;
let signature: Uint8Array | null = null;

async function unseal(): Promise<unknown> {
  sealed ??= await sealText({ version: 1, publicKey: pair.publicKey }, binding, SECRETS);
  const parsed = parseSealed(sealed);
  const opened = parsed.ok ? await openText(pair.secretKey, binding, parsed.value) : parsed;
  if (!opened.ok) throw new Error(opened.error.reason);
  return JSON.parse(opened.value);
}

/** All of a proxy call but the database and the way to the provider, which answers at once. */
const proxy: ProxyDeps = {
  now: () => Date.parse("2026-06-30T12:00:00Z"),
  random: randomBytes,
  newId: (prefix) => `${prefix}1`,
  providers: PROVIDERS,
  integration: async () => destination(),
  recipient: async () => RECIPIENT,
  signingKey: async () => ok(SIGNING_KEY),
  openSecrets: async () => ok([await unseal()]),
  send: async () => ({
    kind: "response",
    status: 200,
    headers: { "content-type": "application/json" },
    body: '{"text":"Success","code":0}',
    bodyIncomplete: false,
    latency: 1,
  }),
  record: async () => undefined,
  log: () => undefined,
};
const CALL = {
  tenantId: "ten_a",
  apiKeyId: "key_a",
  integrationId: "int_1",
  operation: "send_event",
  payload: { event: { action: "vault.seal", tenant: "acme" }, index: "security" },
};

const WORK: Readonly<Record<string, () => unknown>> = {
  seal: () => sealText({ version: 1, publicKey: pair.publicKey }, binding, SECRETS),
  unseal,
  async "proxy call"() {
    const answered = await invoke(CALL, proxy);
    if (!answered.ok) throw new Error(answered.error.detail);
  },
  "ML-KEM-768 key pair": () => mlKemKeyPair(randomBytes(64)),
  "ML-DSA-65 key pair": () => mlDsaKeyPair(randomBytes(32)),
  "ML-DSA-65 signature": () => mlDsaSign(signer.secretKey, message),
  "ML-DSA-65 verification"() {
    signature ??= mlDsaSign(signer.secretKey, message);
    if (!mlDsaVerify(signer.publicKey, signature, message)) throw new Error("does not verify");
  },
};

export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const work = WORK[searchParams.get("work") ?? ""];
    if (work === undefined) return Response.json(Object.keys(WORK));
    for (let left = Number(searchParams.get("times")); left > 0; left -= 1) await work();
    return new Response(null, { status: 204 });
  },
};
