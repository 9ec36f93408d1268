import * as crypto from "node:crypto";
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";

/*
 * A second reader of envelopes, written from docs/envelope.md alone: it shares no line with src/. The two post-quantum
 * algorithms are node:crypto's own where it has them (the context string included), and elsewhere
 * noble's, called directly.
 */

export interface Keys {
  readonly keyId: string;
  /** @returns the shared secret */
  readonly decapsulate: (ciphertext: Buffer) => Buffer;
  readonly signingKeyId: string;
  readonly verify: (message: Buffer, signature: Buffer) => boolean;
}

type Fields = Readonly<Record<string, unknown>>;
export type Opening = { readonly result: unknown } | { readonly refused: string };

const CONTEXT = Buffer.from("sluice/proxy-envelope/v1", "ascii");
export const HAS_NATIVE = typeof crypto.decapsulate === "function" && takesContext();
const SUITE = "ML-KEM-768+HKDF-SHA-256+AES-256-GCM+ML-DSA-65+HMAC-SHA-512";
const LENGTHS: Readonly<Record<string, number>> = {
  kem_ciphertext: 1_088,
  nonce: 12,
  signature: 3_309,
  mac: 64,
};
const IDENTIFIERS = ["id", "recipient_key_id", "signing_key_id"];
const TIMES = ["issued_at", "expires_at"];
const FIELDS = [
  ...["version", "suite", "request_digest", "ciphertext"],
  ...[...IDENTIFIERS, ...TIMES, ...Object.keys(LENGTHS)],
].sort();

export function nativeKeys(file: KeyFile): Keys {
  const own = crypto.createPrivateKey({
    key: {
      kty: "AKP",
      alg: "ML-KEM-768",
      pub: Buffer.from(file.recipient.public_key, "base64").toString("base64url"),
      priv: Buffer.from(file.recipient.private_key, "base64").toString("base64url"),
    },
    format: "jwk",
  });
  const pub = Buffer.from(file.verification_key.public_key, "base64").toString("base64url");
  const theirs = crypto.createPublicKey({ key: { kty: "AKP", alg: "ML-DSA-65", pub }, format: "jwk" });
  return {
    keyId: file.recipient.key_id,
    decapsulate: (ciphertext) => crypto.decapsulate(own, ciphertext),
    signingKeyId: file.verification_key.key_id,
    verify: (message, signature) =>
      crypto.verify(null, message, { key: theirs, context: CONTEXT }, signature),
  };
}

export function nobleKeys(file: KeyFile): Keys {
  const { secretKey } = ml_kem768.keygen(Uint8Array.from(Buffer.from(file.recipient.private_key, "base64")));
  const theirs = Uint8Array.from(Buffer.from(file.verification_key.public_key, "base64"));
  return {
    keyId: file.recipient.key_id,
    decapsulate: (ciphertext) => Buffer.from(ml_kem768.decapsulate(Uint8Array.from(ciphertext), secretKey)),
    signingKeyId: file.verification_key.key_id,
    verify: (message, signature) =>
      ml_dsa65.verify(Uint8Array.from(signature), Uint8Array.from(message), theirs, {
        context: Uint8Array.from(CONTEXT),
      }),
  };
}

interface KeyFile {
  readonly recipient: { readonly key_id: string; readonly private_key: string; readonly public_key: string };
  readonly verification_key: { readonly key_id: string; readonly public_key: string };
}

export function open(
  envelope: Fields,
  keys: Keys,
  about: { readonly request: unknown; readonly now: number; readonly toleranceSeconds: number },
): Opening {
  if (!hasForm(envelope)) return { refused: "malformed" };
  const { signature, mac, ...message } = envelope;
  const { ciphertext, ...header } = message;
  const bytes = Buffer.from(canonical(message), "utf8");

  const kem = bytesOf(envelope["kem_ciphertext"]);
  const secret = keys.decapsulate(kem);
  const derive = (info: string, length: number): Buffer =>
    Buffer.from(crypto.hkdfSync("sha256", secret, kem, Buffer.from(info, "ascii"), length));
  const a = Number(keys.verify(bytes, bytesOf(signature)));
  const own = crypto.createHmac("sha512", derive("sluice/proxy-envelope/v1/hmac-sha-512", 64)).update(bytes);
  const b = Number(crypto.timingSafeEqual(own.digest(), bytesOf(mac)));
  const k = Number(envelope["signing_key_id"] === keys.signingKeyId);
  if ((a & b & k) !== 1) return { refused: "refused" };

  if (envelope["recipient_key_id"] !== keys.keyId) return { refused: "other_key" };
  const digest = crypto.createHash("sha256").update(canonical(about.request), "utf8").digest("hex");
  if (envelope["request_digest"] !== `sha256:${digest}`) return { refused: "other_request" };
  const tolerance = about.toleranceSeconds * 1_000;
  if (about.now >= Date.parse(String(envelope["expires_at"])) + tolerance) return { refused: "expired" };
  if (about.now < Date.parse(String(envelope["issued_at"])) - tolerance) return { refused: "not_yet_valid" };

  try {
    const key = derive("sluice/proxy-envelope/v1/aes-256-gcm", 32);
    const aes = crypto.createDecipheriv("aes-256-gcm", key, bytesOf(envelope["nonce"]), {
      authTagLength: 16,
    });
    const sealed = bytesOf(ciphertext);
    aes.setAAD(Buffer.from(canonical(header), "utf8"));
    aes.setAuthTag(sealed.subarray(-16));
    const plaintext = Buffer.concat([aes.update(sealed.subarray(0, -16)), aes.final()]);
    return { result: JSON.parse(plaintext.toString("utf8")) };
  } catch {
    return { refused: "refused" };
  }
}

function hasForm(envelope: Fields): boolean {
  if (Object.keys(envelope).sort().join() !== FIELDS.join()) return false;
  const texts = FIELDS.filter((name) => name !== "version");
  if (texts.some((name) => typeof envelope[name] !== "string")) return false;
  const is = (name: string, form: RegExp): boolean => form.test(String(envelope[name]));
  return (
    envelope["version"] === 1 &&
    envelope["suite"] === SUITE &&
    IDENTIFIERS.every((name) => is(name, /^[A-Za-z0-9_-]{1,128}$/)) &&
    TIMES.every((name) => isTime(String(envelope[name]))) &&
    String(envelope["expires_at"]) > String(envelope["issued_at"]) &&
    is("request_digest", /^sha256:[0-9a-f]{64}$/) &&
    isBase64(envelope["ciphertext"]) &&
    bytesOf(envelope["ciphertext"]).length >= 16 &&
    Object.entries(LENGTHS).every(
      ([name, length]) => isBase64(envelope[name]) && bytesOf(envelope[name]).length === length,
    )
  );
}

function isTime(text: string): boolean {
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(at) && new Date(at).toISOString() === text;
}

function isBase64(text: unknown): boolean {
  return bytesOf(text).toString("base64") === text;
}

function bytesOf(text: unknown): Buffer {
  return Buffer.from(String(text), "base64");
}

/** RFC 8785: ECMAScript's own way of writing numbers and strings is the one that it prescribes. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}

/** Whether this Node has the signature, and heeds its context: an older one ignores the option or lacks the algorithm. */
function takesContext(): boolean {
  try {
    const { privateKey, publicKey } = crypto.generateKeyPairSync("ml-dsa-65");
    const signature = crypto.sign(null, CONTEXT, { key: privateKey, context: CONTEXT });
    return !crypto.verify(null, CONTEXT, publicKey, signature);
  } catch {
    return false;
  }
}
