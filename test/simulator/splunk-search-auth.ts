/**
 * Who may search: Basic, a session key, or a token.
 *
 * Splunk answers a wrong password and a wrong key with different words and only the former with a challenge, as
 * measured on Splunk Enterprise 10.4.2.
 * @see https://github.com/mockdr/mockdr `backend/tests/integration/api/test_splunk_conformance.py` (read 2026-11)
 */
import type { SplunkSearchConfig } from "./control.ts";

const DEFAULT_SESSION_TTL_MS = 3_600_000;

export type SearchAuth =
  | { readonly ok: true; readonly user: string }
  | {
      readonly ok: false;
      readonly reason: "password" | "key";
      /** The key was good once, and ended by itself or by a control call. */
      readonly isEnded: boolean;
    };

export class Sessions {
  /** Key → user, and the last use in epoch ms; null once it has ended. */
  readonly #sessions = new Map<string, { user: string; usedAt: number } | null>();

  /** @returns a session key, or null where the password is wrong */
  logIn(
    config: SplunkSearchConfig,
    login: { username: string; password: string },
    now: number,
  ): string | null {
    if (!isUser(config, login.username, login.password)) return null;
    const key = `${crypto.randomUUID().replaceAll("-", "")}^${this.#sessions.size}`;
    this.#sessions.set(key, { user: login.username, usedAt: now });
    return key;
  }

  /** Ends every session. @returns how many there were */
  end(): number {
    const open = [...this.#sessions].filter(([, session]) => session !== null);
    for (const [key] of open) this.#sessions.set(key, null);
    return open.length;
  }

  authenticate(config: SplunkSearchConfig, authorization: string | null, now: number): SearchAuth {
    const [, scheme = "", value = ""] = /^(\S+)\s+(.*\S)\s*$/.exec(authorization ?? "") ?? [];
    switch (scheme.toLowerCase()) {
      case "basic": {
        const pair = decoded(value);
        const at = pair.indexOf(":");
        const user = pair.slice(0, Math.max(at, 0));
        return at >= 0 && isUser(config, user, pair.slice(at + 1)) ? { ok: true, user } : wrong("password");
      }
      case "bearer":
        return config.tokens?.includes(value) ? { ok: true, user: "token" } : wrong("key");
      case "splunk":
        return this.#session(config, value, now);
      default:
        return wrong("password");
    }
  }

  #session(config: SplunkSearchConfig, key: string, now: number): SearchAuth {
    const session = this.#sessions.get(key);
    if (session === undefined) return wrong("key");
    if (session === null) return { ok: false, reason: "key", isEnded: true };
    if (now - session.usedAt > (config.session_ttl_ms ?? DEFAULT_SESSION_TTL_MS)) {
      this.#sessions.set(key, null);
      return { ok: false, reason: "key", isEnded: true };
    }
    session.usedAt = now;
    return { ok: true, user: session.user };
  }
}

function wrong(reason: "password" | "key"): SearchAuth {
  return { ok: false, reason, isEnded: false };
}

function isUser({ users = [] }: SplunkSearchConfig, username: string, password: string): boolean {
  return users.some((user) => user.username === username && user.password === password);
}

function decoded(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
  } catch {
    return "";
  }
}
