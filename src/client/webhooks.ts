import { type Clock, type DurationMs, seconds, systemClock } from "../base/clock.ts";
import { decodeBase64, decodeUtf8, encodeUtf8 } from "../base/encoding.ts";
import { WebhookError } from "./errors.ts";
import type { AuditEvent } from "./event.ts";
import { isRecord } from "./receipt.ts";
import { isMacOf, signedContent } from "./standard-webhooks.ts";

/** How old or how far ahead a signed request may be unless you say otherwise; what the Standard Webhooks libraries take. */
const DEFAULT_TOLERANCE_SECONDS = 300;
/** A request with more signatures than this is not ours: each costs a computation. */
const MAX_SIGNATURES = 20;

/** As any server hands them over: a `Headers`, or Node's record with names in lower case. */
export type ReceivedHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface WebhookOptions {
  /** Seconds, either way and inclusive. Default 300. */
  readonly toleranceSeconds?: number;
  /**
   * The header of the plain form, `sha256=<hex>`. Where named, the request is verified by it instead, and neither id
   * nor time is: a recorded request passes again, so remember the ids of the events.
   */
  readonly signatureHeader?: string;
  readonly now?: Clock;
}

export interface VerifiedWebhook {
  /** `webhook-id`: the same on each retry of one delivery. Null in the plain form. */
  readonly id: string | null;
  /** The events in it, be it sent as a batch or as one event. */
  readonly events: readonly AuditEvent[];
  /** The whole body as JSON. */
  readonly payload: unknown;
}

/**
 * Verifies a request of the relay to a webhook of yours, in constant time, then reads its body.
 *
 * @param body exactly as received: parsed and written again it has other bytes
 * @param secrets the current one and, while it rotates, the next or the one before
 * @throws WebhookError when the request is not to be believed
 * @throws TypeError for a secret that is none
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: ReceivedHeaders,
  secrets: string | readonly string[],
  options: WebhookOptions = {},
): Promise<VerifiedWebhook> {
  const bytes = typeof body === "string" ? encodeUtf8(body) : body;
  const keys = typeof secrets === "string" ? [secrets] : secrets;
  const name = options.signatureHeader;
  const id =
    name === undefined
      ? await verifyStandard(bytes, { headers, keys, options })
      : await verifyPlain(bytes, { header: headerOf(headers, name), keys });
  const payload = readPayload(bytes);
  return { id, events: eventsOf(payload), payload };
}

interface Given {
  readonly headers: ReceivedHeaders;
  readonly keys: readonly string[];
  readonly options: WebhookOptions;
}

async function verifyStandard(body: Uint8Array, { headers, keys, options }: Given): Promise<string> {
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const signature = headerOf(headers, "webhook-signature");
  if (!id || !timestamp || !signature) throw missing("webhook-id, webhook-timestamp and webhook-signature");
  if (!/^\d{1,12}$/.test(timestamp)) throw bad();
  const macs = signature
    .split(" ")
    .filter((part) => part.startsWith("v1,"))
    .map((part) => decodeBase64(part.slice("v1,".length)));
  if (!(await doesAnyMatch(macs, signedContent(id, timestamp, body), keys))) throw bad();
  // After the signature: "too old" is said only to somebody who holds the secret.
  const tolerance: DurationMs = seconds(options.toleranceSeconds ?? DEFAULT_TOLERANCE_SECONDS);
  const now = seconds(Math.floor((options.now ?? systemClock)() / 1_000));
  if (!(Math.abs(now - seconds(Number(timestamp))) <= tolerance))
    throw new WebhookError("stale", "The request was signed too long ago, or a clock is wrong");
  return id;
}

async function verifyPlain(
  body: Uint8Array,
  given: { readonly header: string | null; readonly keys: readonly string[] },
): Promise<null> {
  if (!given.header) throw missing("the signature");
  const macs = given.header.split(",").map((part) => readHex(part.trim()));
  if (!(await doesAnyMatch(macs, body, given.keys))) throw bad();
  return null;
}

/** Every pair is compared, also after a match: time must not tell which secret it was. */
async function doesAnyMatch(
  macs: readonly (Uint8Array | null)[],
  content: Uint8Array,
  keys: readonly string[],
): Promise<boolean> {
  let matches = 0;
  for (const mac of macs.slice(0, MAX_SIGNATURES)) {
    for (const key of keys) matches |= Number(await isMacOf(key, content, mac ?? new Uint8Array()));
  }
  return matches === 1;
}

function readHex(text: string): Uint8Array | null {
  const [, digits] = /^sha256=([0-9a-f]{64})$/i.exec(text) ?? [];
  if (digits === undefined) return null;
  return Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16));
}

function readPayload(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  try {
    if (text !== null) return JSON.parse(text);
  } catch {
    // Told below.
  }
  throw new WebhookError("malformed", "The body is signed but is not JSON");
}

/** `{"events": […]}` in the mode `batch`, the event alone in the mode `event`. */
function eventsOf(payload: unknown): readonly AuditEvent[] {
  const list = isRecord(payload) ? payload["events"] : null;
  return (Array.isArray(list) ? list : [payload]).filter(isEvent);
}

function isEvent(value: unknown): value is AuditEvent {
  return isRecord(value) && typeof value["action"] === "string";
}

function headerOf(headers: ReceivedHeaders, name: string): string | null {
  if (isHeaders(headers)) return headers.get(name);
  const wanted = name.toLowerCase();
  const [, value] = Object.entries(headers).find(([one]) => one.toLowerCase() === wanted) ?? [];
  return typeof value === "string" ? value : null;
}

function isHeaders(headers: ReceivedHeaders): headers is { get(name: string): string | null } {
  return typeof headers["get"] === "function";
}

function missing(what: string): WebhookError {
  return new WebhookError("missing_signature", `Expected the headers ${what}`);
}

function bad(): WebhookError {
  return new WebhookError("bad_signature", "The signature does not match the body and the secret");
}
