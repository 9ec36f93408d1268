import { gcmOpen } from "../base/aes-gcm.ts";
import { type EpochMs, seconds, systemClock } from "../base/clock.ts";
import { decodeUtf8, encodeUtf8 } from "../base/encoding.ts";
import { hmacSha512Verify } from "../base/hmac.ts";
import { mlDsaVerify } from "../base/ml-dsa.ts";
import { ML_KEM_768, mlKemDecapsulate } from "../base/ml-kem.ts";
import {
  envelopeHeaderBytes,
  envelopeKeys,
  envelopeSignedBytes,
  type ProxyRequest,
  proxyRequestDigest,
} from "../model/envelope-bytes.ts";
import { ENVELOPE_CONTEXT } from "../model/envelope-format.ts";
import {
  type ParsedEnvelope,
  parseEnvelope,
  type VerificationKey,
  verificationKeyBytes,
} from "./envelope.ts";
import { EnvelopeError, type EnvelopeFault } from "./errors.ts";
import { decapsulationKey } from "./key-pair.ts";
import { type ProxyResult, readProxyResult } from "./proxy-result.ts";

/** How far this machine's clock may be off, unless you say otherwise. */
const DEFAULT_TOLERANCE_SECONDS = 60;

export interface DecryptOptions {
  /** Of `generateKeyPair()`. */
  readonly privateKey: string;
  /** Where given, an envelope for another registered key is refused by name. */
  readonly keyId?: string;
  /** Of the tenant: the present one, and older ones whose envelopes may still be under way. */
  readonly verificationKeys: VerificationKey | readonly VerificationKey[];
  /** Where given, an envelope that answers another call is refused. Give it whenever you have it. */
  readonly request?: ProxyRequest;
  /** Default: the machine's clock. */
  readonly now?: EpochMs;
  /** Default 60. */
  readonly clockToleranceSeconds?: number;
}

/**
 * Opens an answer of the proxy.
 *
 * Both signatures are always computed, whatever else is wrong, and their results combined with `&`; only then is
 * anything decrypted or anything else about the envelope said. How long it takes does not tell which one was wrong.
 *
 * @throws EnvelopeError when it is not to be believed
 * @throws TypeError for keys that are none
 */
export async function decryptEnvelope(envelope: unknown, options: DecryptOptions): Promise<ProxyResult> {
  const privateKey = decapsulationKey(options.privateKey);
  const keys = keysOf(options.verificationKeys);
  const wanted = options.request === undefined ? null : await proxyRequestDigest(options.request);

  const parsed = parseEnvelope(envelope);
  if (parsed === null) throw fault("malformed");
  const opened = await authenticate(parsed, { privateKey, keys });
  if (opened === null) throw fault("refused");
  checkHeader(parsed, options, wanted);

  const { nonce, ciphertext, fields } = parsed;
  const associated = envelopeHeaderBytes({ ...fields });
  const plaintext = await gcmOpen({ key: opened.encryptionKey, nonce, associated }, ciphertext);
  if (plaintext === null) throw fault("refused");
  return readPlaintext(plaintext);
}

interface KeyRing {
  readonly privateKey: Uint8Array;
  readonly keys: readonly { readonly id: string; readonly bytes: Uint8Array }[];
}

/** @returns the AES key when ML-DSA-65 signature and HMAC are both right, null otherwise */
async function authenticate(
  parsed: ParsedEnvelope,
  { privateKey, keys }: KeyRing,
): Promise<{ readonly encryptionKey: Uint8Array } | null> {
  const message = envelopeSignedBytes({ ...parsed.fields });
  const context = encodeUtf8(ENVELOPE_CONTEXT);
  const named = keys.find(({ id }) => id === parsed.fields.signing_key_id);
  // With another key in its place the same work is done for an envelope that names a key which nobody knows.
  const publicKey = (named ?? keys[0])?.bytes ?? new Uint8Array();
  const sharedSecret = mlKemDecapsulate(privateKey, parsed.kemCiphertext);
  const derived = await envelopeKeys(
    sharedSecret ?? new Uint8Array(ML_KEM_768.sharedSecret),
    parsed.kemCiphertext,
  );

  const isSigned = Number(mlDsaVerify(publicKey, parsed.signature, { message, context }));
  const isMacRight = Number(await hmacSha512Verify(derived.mac, message, parsed.mac));
  const areKeysThere = Number(named !== undefined) & Number(sharedSecret !== null);
  return (isSigned & isMacRight & areKeysThere) === 1 ? { encryptionKey: derived.encryption } : null;
}

/** Only of an authentic envelope: what it says about itself is then true, and may be repeated. */
function checkHeader(parsed: ParsedEnvelope, options: DecryptOptions, digest: string | null): void {
  const tolerance = seconds(options.clockToleranceSeconds ?? DEFAULT_TOLERANCE_SECONDS);
  const now = options.now ?? systemClock();
  if (options.keyId !== undefined && options.keyId !== parsed.fields.recipient_key_id)
    throw fault("other_key");
  if (digest !== null && digest !== parsed.fields.request_digest) throw fault("other_request");
  // Written so that a clock which is no number refuses.
  if (!(now < parsed.expiresAtMs + tolerance)) throw fault("expired");
  if (!(now >= parsed.issuedAtMs - tolerance)) throw fault("not_yet_valid");
}

function readPlaintext(plaintext: Uint8Array): ProxyResult {
  const text = decodeUtf8(plaintext);
  try {
    const result = text === null ? null : readProxyResult(JSON.parse(text));
    if (result !== null) return result;
  } catch {
    // Told below.
  }
  throw fault("malformed");
}

function keysOf(given: VerificationKey | readonly VerificationKey[]): KeyRing["keys"] {
  const list = "key_id" in given ? [given] : given;
  if (list.length === 0) throw new TypeError("verificationKeys: expected at least one");
  return list.map((key) => ({ id: key.key_id, bytes: verificationKeyBytes(key) }));
}

const SENTENCES: Readonly<Record<EnvelopeFault, string>> = {
  malformed: "This is not an envelope that this version of the library reads",
  refused: "The envelope is not authentic, or it is for another key",
  expired: "The envelope has expired, or this machine's clock is ahead",
  not_yet_valid: "The envelope is from the future: this machine's clock is behind",
  other_key: "The envelope is for another registered key",
  other_request: "The envelope answers another request",
};

function fault(code: EnvelopeFault): EnvelopeError {
  return new EnvelopeError(code, SENTENCES[code]);
}
