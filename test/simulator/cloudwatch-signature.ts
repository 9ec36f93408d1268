/**
 * AWS Signature Version 4 from the receiving side, over `node:crypto` alone: written from AWS's description and
 * not from the signer that it judges.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (read 2026-11)
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { header } from "./receiver.ts";

const MAX_SKEW_MS = 5 * 60 * 1000;
const ALGORITHM = "AWS4-HMAC-SHA256";

export interface AwsFault {
  /** As it stands in `__type`. */
  readonly type: string;
  readonly message: string;
}

export interface Signed {
  readonly method: string;
  /** Path and query as they travelled. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Expected {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Null for a lasting key. */
  readonly sessionToken: string | null;
  readonly isExpired: boolean;
  readonly region: string;
  readonly service: string;
  readonly now: number;
}

interface Authorization {
  readonly credential: readonly string[];
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** @returns null for a good signature, else what AWS would say */
export function checkSignature(request: Signed, expected: Expected): AwsFault | null {
  const { headers } = request;
  const text = header(headers, "authorization");
  if (text === null) return fault("MissingAuthenticationTokenException", "Missing Authentication Token");
  const authorization = parse(text);
  const stamp = header(headers, "x-amz-date");
  const sentAt = stamp === null ? Number.NaN : timeOf(stamp);
  if (authorization === null || stamp === null || Number.isNaN(sentAt))
    return fault(
      "IncompleteSignatureException",
      "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters, and the existence of an 'X-Amz-Date' header.",
    );
  return (
    checkKey(headers, authorization, expected) ??
    checkScope(authorization, stamp, expected) ??
    checkAge(stamp, sentAt, expected.now) ??
    checkCoverage(headers, authorization) ??
    checkDigest(request, authorization, { stamp, expected })
  );
}

function checkKey(
  headers: IncomingHttpHeaders,
  { credential }: Authorization,
  { accessKeyId, sessionToken, isExpired }: Expected,
): AwsFault | null {
  if (credential[0] !== accessKeyId || header(headers, "x-amz-security-token") !== sessionToken)
    return fault("UnrecognizedClientException", "The security token included in the request is invalid.");
  if (!isExpired) return null;
  return fault("ExpiredTokenException", "The security token included in the request is expired");
}

function checkScope(
  { credential }: Authorization,
  stamp: string,
  { region, service }: Expected,
): AwsFault | null {
  const [, date, ofRegion, ofService, terminator] = credential;
  if (date !== stamp.slice(0, 8) || terminator !== "aws4_request")
    return invalid(
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP",
    );
  if (ofRegion !== region) return invalid("Credential should be scoped to a valid region.");
  if (ofService !== service) return invalid(`Credential should be scoped to correct service: '${service}'.`);
  return null;
}

function checkAge(stamp: string, sentAt: number, now: number): AwsFault | null {
  if (sentAt < now - MAX_SKEW_MS)
    return invalid(`Signature expired: ${stamp} is now earlier than ${stampOf(now - MAX_SKEW_MS)} (5 min.)`);
  if (sentAt > now + MAX_SKEW_MS)
    return invalid(`Signature not yet current: ${stamp} is still later than ${stampOf(now + MAX_SKEW_MS)}`);
  return null;
}

/** AWS demands the host, each `x-amz-` header, and the content type where there is one. */
function checkCoverage(headers: IncomingHttpHeaders, { signedHeaders }: Authorization): AwsFault | null {
  const demanded = Object.keys(headers).filter(
    (name) => name.startsWith("x-amz-") || name === "content-type",
  );
  const missing = ["host", ...demanded].find((name) => !signedHeaders.includes(name));
  if (missing === undefined) return null;
  return invalid(`'${missing}' must be a 'SignedHeader' in the AWS Authorization.`);
}

function checkDigest(
  request: Signed,
  { credential, signedHeaders, signature }: Authorization,
  { stamp, expected }: { stamp: string; expected: Expected },
): AwsFault | null {
  const scope = credential.slice(1);
  const canonical = canonicalRequest(request, signedHeaders);
  const toSign = [ALGORITHM, stamp, scope.join("/"), sha256(canonical)].join("\n");
  let key: Buffer = Buffer.from(`AWS4${expected.secretAccessKey}`);
  for (const part of scope) key = hmac(key, part);
  const right = hmac(key, toSign);
  const given = Buffer.from(signature, "hex");
  if (given.length === right.length && timingSafeEqual(given, right)) return null;
  return invalid(
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  );
}

function canonicalRequest(
  { method, target, headers, body }: Signed,
  signedHeaders: readonly string[],
): string {
  const [path = "/", query = ""] = target.split("?", 2);
  const lines = signedHeaders.map((name) => `${name}:${headerValue(headers, name)}\n`);
  return [
    method,
    path.split("/").map(escaped).join("/"),
    canonicalQuery(query),
    lines.join(""),
    signedHeaders.join(";"),
    sha256(body),
  ].join("\n");
}

function canonicalQuery(query: string): string {
  const pairs = [...new URLSearchParams(query)].map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
  return pairs.sort().join("&");
}

function headerValue(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  const text = Array.isArray(value) ? value.join(",") : (value ?? "");
  return text.trim().replace(/ +/g, " ");
}

/** Everything but unreserved characters, as RFC 3986 has them. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function parse(text: string): Authorization | null {
  if (!text.startsWith(`${ALGORITHM} `)) return null;
  const parts = new Map<string, string>();
  for (const part of text.slice(ALGORITHM.length).split(",")) {
    const equals = part.indexOf("=");
    parts.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const credential = parts.get("Credential")?.split("/") ?? [];
  const signedHeaders = parts.get("SignedHeaders")?.split(";") ?? [];
  const signature = parts.get("Signature") ?? "";
  if (credential.length !== 5 || signedHeaders.length === 0 || !/^[0-9a-f]{64}$/.test(signature)) return null;
  return { credential, signedHeaders, signature };
}

/** `20261120T101112Z` */
function timeOf(stamp: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp);
  if (parts === null) return Number.NaN;
  const [, year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function stampOf(time: number): string {
  return new Date(time).toISOString().replace(/[:-]|\.\d{3}/g, "");
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function invalid(message: string): AwsFault {
  return fault("InvalidSignatureException", message);
}

function fault(type: string, message: string): AwsFault {
  return { type, message };
}
