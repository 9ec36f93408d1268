import { createHmac } from "node:crypto";
import { constantTimeEqual } from "../../base/bytes.ts";
import { type EpochMs, seconds } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Secret } from "../../base/secret.ts";
import {
  type AlertSettings,
  type HmacSettings,
  SECRET_HEADER,
  SIGNATURE_HEADER,
  type SourceSecrets,
  validPathSecrets,
  validSecrets,
} from "../../model/source-settings.ts";
import { SIGNATURE_TOLERANCE } from "./signature.ts";

/** Header values of one request that are tried as a secret, and their longest, so that a stranger cannot make work. */
export const MAX_CANDIDATES = 24;
export const MAX_SECRET_CHARACTERS = 256;
/** Signatures of one request that are looked at: two while a secret is rotated, and some room. */
const MAX_SIGNATURES = 5;

/** A value that may be a secret, and the header it came in. */
export interface Candidate {
  /** In lower case. */
  readonly header: string;
  readonly value: string;
}

/** Headers that every client and proxy sends by itself; none of them ever holds a secret of ours. */
const ORDINARY =
  /^(?:host|connection|content-.*|transfer-encoding|accept(?:-.*)?|user-agent|cookie|cf-.*|x-forwarded-.*|x-real-ip)$/;

/** What a request shows that may be a secret, the likely ones first. */
export function presentedSecrets(headers: Headers): readonly Candidate[] {
  const named = [...headers]
    .filter(([header]) => header !== SECRET_HEADER && header !== "authorization" && !ORDINARY.test(header))
    .map(([header, value]) => ({ header, value }));
  const own = headers.get(SECRET_HEADER);
  return [
    ...(own === null ? [] : [{ header: SECRET_HEADER, value: own }]),
    ...authorizationSecrets(headers.get("authorization") ?? ""),
    ...named,
  ]
    .map(({ header, value }) => ({ header, value: value.trim() }))
    .filter(({ value }) => value !== "" && value.length <= MAX_SECRET_CHARACTERS)
    .slice(0, MAX_CANDIDATES);
}

/** The secret as template apps send it: as a token, as the password of Basic, or alone. */
function authorizationSecrets(authorization: string): readonly Candidate[] {
  const [, scheme = "", value = ""] = /^(?:(bearer|splunk|basic) +)?(\S+)\s*$/i.exec(authorization) ?? [];
  if (value === "") return [];
  const secret = scheme.toLowerCase() === "basic" ? basicPassword(value) : value;
  return [{ header: "authorization", value: secret }];
}

function basicPassword(encoded: string): string {
  const text = Buffer.from(encoded, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1);
}

export interface Prover {
  readonly settings: AlertSettings;
  readonly secrets: Secret<SourceSecrets>;
  readonly now: EpochMs;
}

/**
 * Whether a request shows a secret of the source, in a place where this source takes one. Always false for a source
 * that demands signatures: a secret that travels could be all that a thief has.
 *
 * @param pathSecret the end of the path, or null
 */
export function provesBySecret(
  { settings, secrets, now }: Prover,
  shown: { readonly headers: Headers; readonly pathSecret: string | null },
): boolean {
  if (settings.hmac !== false) return false;
  const held = secrets.reveal();
  if (shown.pathSecret !== null) {
    // The header's secret counts in the path as well: whoever chose one secret for both has reasons.
    const allowed = [...validPathSecrets(held, now), ...validSecrets(held, now)];
    const isShown = isAmong(shown.pathSecret.slice(0, MAX_SECRET_CHARACTERS), allowed);
    return settings.allow_path_secret && isShown;
  }
  const places = [SECRET_HEADER, "authorization", settings.secret_header?.toLowerCase()];
  const values = presentedSecrets(shown.headers).filter(({ header }) => places.includes(header));
  return values.map(({ value }) => isAmong(value, validSecrets(held, now))).includes(true);
}

/** Compares with all of them, also after a match: time must not tell which it was. */
function isAmong(value: string, allowed: readonly string[]): boolean {
  return allowed.map((each) => constantTimeEqual(value, each)).includes(true);
}

export type ProofFailure = "wrong" | "stale";

/**
 * Verifies a signature over the bytes on the wire. The signature is checked before the time, so that "too old" is
 * said only to somebody who holds the secret. The key is the secret's text in UTF-8, as it is shown.
 *
 * @returns what must not be shown twice: the signature, in the form in which the relay would write it. Null where it
 *   holds no time: an alert that is sent again is then signed the same, and is known by its content.
 */
export function proveBySignature(
  { settings, secrets, now }: Prover,
  shown: { readonly headers: Headers; readonly body: Uint8Array },
): Result<string | null, ProofFailure> {
  const keys = validSecrets(secrets.reveal(), now);
  if (typeof settings.hmac === "object") return proveByApp(settings.hmac, keys, { ...shown, now });
  const fields = (shown.headers.get(SIGNATURE_HEADER) ?? "").split(",").map((field) => field.trim());
  const timestamp = fields.find((field) => /^t=\d{1,12}$/.test(field))?.slice(2);
  const given = fields.flatMap((field) => /^v1=([0-9a-f]{64})$/i.exec(field)?.[1]?.toLowerCase() ?? []);
  if (timestamp === undefined) return err("wrong");
  const signed = [Buffer.from(`${timestamp}.`), shown.body];
  const expected = keys.map((key) => digest(key, { hash: "sha256", encoding: "hex" }, signed));
  const match = matchOf(given.slice(0, MAX_SIGNATURES), expected);
  if (match === null) return err("wrong");
  return isNear(Number(timestamp), now) ? ok(`${timestamp}.${match}`) : err("stale");
}

/**
 * Better Webhooks and its like. Appending the time to the body is safe only because a body ends in a brace: no part
 * of it can be taken for digits of the time, nor the other way round.
 */
function proveByApp(
  hmac: HmacSettings,
  keys: readonly string[],
  { headers, body, now }: { readonly headers: Headers; readonly body: Uint8Array; readonly now: EpochMs },
): Result<string | null, ProofFailure> {
  const prefix = hmac.prefix ?? "";
  const shown = headers.get(hmac.header)?.trim() ?? "";
  const time =
    hmac.timestamp_header === undefined ? null : (headers.get(hmac.timestamp_header)?.trim() ?? "");
  if (!shown.startsWith(prefix) || (time !== null && !/^\d{1,12}(?:\.\d{1,9})?$/.test(time))) {
    return err("wrong");
  }
  const given = shown.slice(prefix.length);
  const expected = keys.map((key) => digest(key, hmac, [body, Buffer.from(time ?? "")]));
  const match = matchOf([hmac.encoding === "hex" ? given.toLowerCase() : given], expected);
  if (match === null) return err("wrong");
  if (time === null) return ok(null);
  return isNear(Number(time), now) ? ok(`${time}.${match}`) : err("stale");
}

/** The expected signature that was given. Every pair is compared, also after a match. */
function matchOf(given: readonly string[], expected: readonly string[]): string | null {
  const found = expected.filter((one) => isAmong(one, given));
  return found[0] ?? null;
}

function digest(
  key: string,
  { hash, encoding }: Pick<HmacSettings, "hash" | "encoding">,
  parts: readonly Uint8Array[],
): string {
  const hmac = createHmac(hash, Buffer.from(key, "utf8"));
  for (const part of parts) hmac.update(part);
  return hmac.digest(encoding);
}

/** In whole seconds, as the sender counts. */
function isNear(timestamp: number, now: EpochMs): boolean {
  const skew = seconds(Math.floor(now / 1_000) - Math.floor(timestamp));
  return Math.abs(skew) <= SIGNATURE_TOLERANCE;
}
