import { type Clock, type DurationMs, systemClock } from "../base/clock.ts";
import type { VerificationKey } from "./envelope.ts";
import { signingKeyBytes } from "./standard-webhooks.ts";

/** The part of `fetch` that the library uses. */
export type Fetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
  },
) => Promise<FetchAnswer>;

export interface FetchAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

export interface RetryOptions {
  /** Requests for one call, the first included; 1 never retries. Default 6. */
  readonly maxAttempts?: number;
  /** The first pause is at most this long, and each further one at most twice the one before. Default 500. */
  readonly baseDelayMs?: DurationMs;
  /** Default 30,000. A `Retry-After` of the relay may be longer: it is kept up to 15 minutes. */
  readonly maxDelayMs?: DurationMs;
}

/** What is needed to read the proxy's answers. */
export interface EncryptionOptions {
  /** Of `generateKeyPair()`: base64 of the 64-byte seed. */
  readonly privateKey: string;
  /** What `keys.register` returned. Where given, an envelope for another key is refused. */
  readonly keyId?: string;
  /** The tenant's, pinned by you. Where absent they are asked of the relay at first need, over TLS. */
  readonly verificationKeys?: VerificationKey | readonly VerificationKey[];
}

export interface ClientOptions {
  /** Of the relay, like `https://relay.example.com`. Plain http only for this machine itself. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** `whsec_…` of a key that demands signed requests. */
  readonly signingSecret?: string;
  readonly encryption?: EncryptionOptions;
  readonly retry?: RetryOptions;
  /** For one request. Default 30,000. */
  readonly timeoutMs?: DurationMs;
  /** Plain http to other machines: the API key then travels readable. */
  readonly allowInsecureBaseUrl?: boolean;
  /** For tests, and for platforms with a fetch of their own. */
  readonly fetch?: Fetch;
  readonly now?: Clock;
  /** Uniform in [0, 1): the jitter of the pauses. */
  readonly random?: () => number;
  readonly sleep?: Sleep;
  /** At most 240 visible ASCII characters, never the same twice. */
  readonly newIdempotencyKey?: () => string;
}

/** Resolves after that many milliseconds; rejects with the signal's reason when it is aborted before. */
export type Sleep = (duration: DurationMs, signal?: AbortSignal) => Promise<void>;

/** The options with every default filled in. */
export interface Settings {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly signingSecret: string | null;
  readonly encryption: EncryptionOptions | null;
  readonly retry: Required<RetryOptions>;
  readonly timeoutMs: DurationMs;
  readonly fetch: Fetch;
  readonly now: Clock;
  readonly random: () => number;
  readonly sleep: Sleep;
  readonly newIdempotencyKey: () => string;
}

/** @throws TypeError for options that can never work */
export function readOptions(options: ClientOptions): Settings {
  if (!/^[!-~]+$/.test(options.apiKey)) throw new TypeError("apiKey: expected the key, like sl_live_…");
  if (options.signingSecret !== undefined) signingKeyBytes(options.signingSecret);
  return {
    baseUrl: readBaseUrl(options.baseUrl, options.allowInsecureBaseUrl ?? false),
    apiKey: options.apiKey,
    signingSecret: options.signingSecret ?? null,
    encryption: options.encryption ?? null,
    retry: { maxAttempts: 6, baseDelayMs: 500, maxDelayMs: 30_000, ...options.retry },
    timeoutMs: options.timeoutMs ?? 30_000,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    now: options.now ?? systemClock,
    random: options.random ?? Math.random,
    sleep: options.sleep ?? sleep,
    newIdempotencyKey: options.newIdempotencyKey ?? (() => crypto.randomUUID()),
  };
}

const OWN_MACHINE = ["localhost", "127.0.0.1", "[::1]"];

function readBaseUrl(text: string, allowInsecure: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSafe = url?.protocol === "https:";
  const isLocal = url?.protocol === "http:" && (allowInsecure || OWN_MACHINE.includes(url.hostname));
  if (url === null || !(isSafe || isLocal))
    throw new TypeError("baseUrl: expected the https:// address of a relay");
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

const sleep: Sleep = (duration, signal) =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, duration);
    signal?.addEventListener("abort", stop, { once: true });
  });
