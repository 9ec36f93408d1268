import { toBase64 } from "../../src/base/bytes.ts";
import { mlDsaKeyPair, mlDsaSign } from "../../src/base/ml-dsa.ts";
import { mlKemKeyPair } from "../../src/base/ml-kem.ts";
import type { ProxyResult } from "../../src/model/envelope.ts";
import type { PublicKey } from "../../src/model/public-key.ts";
import type { SigningKey } from "../../src/proxy/envelope.ts";

/** When calls of these tests are made. */
export const CALLED_AT = Date.parse("2026-06-30T12:00:00.000Z");

const SEED = new Uint8Array(64).fill(7);
const caller = mlKemKeyPair(SEED);
const relay = mlDsaKeyPair(SEED.subarray(32));

/** The caller's private half. */
export const PRIVATE_KEY = toBase64(SEED);
export const SECRET_KEY = caller.secretKey;
export const VERIFICATION_KEY = { key_id: "tkey_1", public_key: toBase64(relay.publicKey) };
export const VERIFICATION_BYTES = relay.publicKey;

export const RECIPIENT: PublicKey = {
  id: "pk_1",
  tenantId: "ten_a",
  apiKeyId: "key_a",
  name: "",
  publicKey: toBase64(caller.publicKey),
  createdAt: 1,
};

export const SIGNING_KEY: SigningKey = {
  keyId: VERIFICATION_KEY.key_id,
  sign: (message, context) => mlDsaSign(relay.secretKey, { message, context }),
};

export const RESULT: ProxyResult = {
  ok: true,
  operation: "send_event",
  integration_id: "int_1",
  http_status: 200,
  provider_code: 0,
  message: "Success",
  outcome: "delivered",
  maybe_taken: false,
  latency_ms: 12,
  body: '{"text":"Success","code":0}',
};
