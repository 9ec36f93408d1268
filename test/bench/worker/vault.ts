/** What the vault's work costs: a Worker that does one kind of it so many times for a request. */
import { randomBytes, utf8 } from "../../../src/base/bytes.ts";
import { mlDsaKeyPair, mlDsaSign, mlDsaVerify } from "../../../src/base/ml-dsa.ts";
import { mlKemKeyPair } from "../../../src/base/ml-kem.ts";
import { openText, parseSealed, sealText } from "../../../src/vault/seal.ts";

const pair = mlKemKeyPair(new Uint8Array(64).fill(1));
const signer = mlDsaKeyPair(new Uint8Array(32).fill(1));
const binding = { tenantId: "ten_1", recordId: "cred_1", purpose: "credential" };
const message = { message: utf8("an envelope of the usual size ".repeat(100)), context: utf8("bench") };
const SECRETS = JSON.stringify({ token: "0123456789abcdef0123456789abcdef" });

let sealed: string | null = null;
let signature: Uint8Array | null = null;

const WORK: Readonly<Record<string, () => unknown>> = {
  seal: () => sealText({ version: 1, publicKey: pair.publicKey }, binding, SECRETS),
  async unseal() {
    sealed ??= await sealText({ version: 1, publicKey: pair.publicKey }, binding, SECRETS);
    const parsed = parseSealed(sealed);
    const opened = parsed.ok ? await openText(pair.secretKey, binding, parsed.value) : parsed;
    if (!opened.ok) throw new Error(opened.error.reason);
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
