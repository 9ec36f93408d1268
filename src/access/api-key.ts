// Who may do what. Keys are found by their hash, believed for seconds, and default to no.
import { randomBytes, sha256Hex, toBase64 } from "../base/bytes.ts";

export const KEY_PREFIX = "sl_live_";
/** Random characters of a key, of 62: 238 bits. */
const KEY_RANDOM_CHARACTERS = 40;
/** Characters of a key that are stored and shown, so that a person can tell keys apart. */
const DISPLAY_CHARACTERS = KEY_PREFIX.length + 4;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const KEY_PATTERN = /^sl_live_[A-Za-z0-9_-]{32,128}$/;

export interface MintedKey {
  /** The key itself: shown once, never stored. */
  readonly key: string;
  /** What is stored instead. */
  readonly hash: string;
  /** The first characters, for display. */
  readonly prefix: string;
}

/** A fresh API key: letters and digits only, so that a double click selects all of it. */
export function mintKey(random: (count: number) => Uint8Array = randomBytes): MintedKey {
  let drawn = "";
  while (drawn.length < KEY_RANDOM_CHARACTERS) {
    for (const byte of random(KEY_RANDOM_CHARACTERS)) {
      // 248 is four times 62: larger bytes are drawn again, or some characters would be likelier.
      if (byte < 248 && drawn.length < KEY_RANDOM_CHARACTERS) drawn += ALPHABET.charAt(byte % 62);
    }
  }
  const key = KEY_PREFIX + drawn;
  return { key, hash: hashKey(key), prefix: key.slice(0, DISPLAY_CHARACTERS) };
}

/**
 * Hex SHA-256. A plain hash is enough, unlike for a password: a key is random, so nobody can guess
 * candidates. Looking the hash up is also why no comparison of keys can leak time.
 */
export function hashKey(key: string): string {
  return sha256Hex(key);
}

/** A fresh secret for signed requests, in Standard Webhooks form: `whsec_` + base64 of 32 random bytes. */
export function mintSigningSecret(random: (count: number) => Uint8Array = randomBytes): string {
  return `whsec_${toBase64(random(32))}`;
}

/**
 * The API key that a request shows, in `X-API-Key` or as a bearer token, or null when there is none of
 * the right form. With two different keys it is null as well: guessing which was meant helps nobody.
 */
export function presentedKey(headers: Headers): string | null {
  const named = headers.get("x-api-key")?.trim();
  const token = bearerToken(headers);
  const bearer = token?.startsWith(KEY_PREFIX) ? token : undefined;
  if (named !== undefined && bearer !== undefined && named !== bearer) return null;
  const key = named ?? bearer;
  return key !== undefined && KEY_PATTERN.test(key) ? key : null;
}

/** The token of `Authorization: Bearer …`, or null. */
export function bearerToken(headers: Headers): string | null {
  return /^bearer +(\S+)\s*$/i.exec(headers.get("authorization") ?? "")?.[1] ?? null;
}
