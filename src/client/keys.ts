import type { VerificationKey } from "./envelope.ts";
import { SluiceError } from "./errors.ts";
import { isRecord } from "./receipt.ts";
import type { Transport } from "./transport.ts";

export interface RegisteredKey {
  /** `pk_…`: named by each envelope that is encrypted to the key. */
  readonly keyId: string;
}

/**
 * Makes a public key the one that answers to this API key are encrypted to from now on.
 *
 * @param publicKey of `generateKeyPair()`
 */
export async function registerKey(transport: Transport, publicKey: string): Promise<RegisteredKey> {
  const body = JSON.stringify({ algorithm: "ML-KEM-768", public_key: publicKey });
  // Registered twice, a key is merely listed twice.
  const answer = await transport({ method: "POST", path: "/api/v2/keys", body, again: "safe" });
  if (isRecord(answer) && typeof answer["key_id"] === "string") return { keyId: answer["key_id"] };
  throw unexpected("the id of a key");
}

/** What the tenant's envelopes are signed with: the present key first, then older ones where the relay names them. */
export async function fetchVerificationKeys(transport: Transport): Promise<readonly VerificationKey[]> {
  const answer = await transport({ method: "GET", path: "/api/v2/keys", again: "safe" });
  if (!isRecord(answer)) throw unexpected("verification keys");
  const { verification_key: present, verification_keys: all } = answer;
  const keys = [present, ...(Array.isArray(all) ? all : [])].filter(isVerificationKey);
  if (keys.length === 0) throw unexpected("verification keys");
  return keys;
}

function isVerificationKey(value: unknown): value is VerificationKey {
  return isRecord(value) && typeof value["key_id"] === "string" && typeof value["public_key"] === "string";
}

function unexpected(what: string): SluiceError {
  const fields = { code: "unexpected_answer", status: null } as const;
  return new SluiceError(`Expected ${what} in the relay's answer: check baseUrl`, fields);
}
