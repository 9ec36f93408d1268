import { randomBytes, sha256Hex, toBase64Url } from "../base/bytes.ts";
import type { EpochMs } from "../base/clock.ts";
import { endOf, SESSION_LIFETIME, type Session } from "../model/session.ts";

/** Random bytes of a session's value and of its CSRF token: 256 bits. */
const TOKEN_BYTES = 32;

/** The name on the cookie. With `__Host-` a browser takes it over TLS only, for this host and path `/` only. */
export function cookieName(isSecure: boolean): string {
  return isSecure ? "__Host-sluice_session" : "sluice_session";
}

/** A fresh session, and the value of its cookie, which is stored nowhere. */
export function mintSession(
  who: Pick<Session, "kind" | "name" | "keyHash" | "tenantId">,
  now: EpochMs,
): { readonly value: string; readonly session: Session } {
  const value = toBase64Url(randomBytes(TOKEN_BYTES));
  const csrf = toBase64Url(randomBytes(TOKEN_BYTES));
  const times = { createdAt: now, seenAt: now, expiresAt: now + SESSION_LIFETIME };
  return { value, session: { ...who, ...times, csrf, hash: sha256Hex(value) } };
}

/** The hash of the session that a request's cookie names, or null. */
export function presentedSession(headers: Headers, isSecure: boolean): string | null {
  const name = cookieName(isSecure);
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const [key, ...rest] = pair.trim().split("=");
    const value = rest.join("=");
    if (key === name && /^[A-Za-z0-9_-]{43}$/.test(value)) return sha256Hex(value);
  }
  return null;
}

/** Whether the session has neither idled out nor come to its end. */
export function isGood(session: Session, now: EpochMs): boolean {
  return now < endOf(session);
}

/** The `Set-Cookie` that starts a session, or with a null value ends it. */
export function sessionCookie(value: string | null, isSecure: boolean): string {
  const maxAge = value === null ? 0 : Math.floor(SESSION_LIFETIME / 1_000);
  const attributes = ["Path=/", "HttpOnly", "SameSite=Strict", `Max-Age=${maxAge}`];
  if (isSecure) attributes.push("Secure");
  return [`${cookieName(isSecure)}=${value ?? ""}`, ...attributes].join("; ");
}
