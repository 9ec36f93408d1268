import { encodeBase64 } from "../../../src/base/encoding.ts";
import { mlKemKeyPair } from "../../../src/base/ml-kem.ts";
import type { EnvelopeFault } from "../../../src/client/errors.ts";
import type { ProxyResult } from "../../../src/client/proxy-result.ts";
import type { ProxyRequest } from "../../../src/model/envelope-bytes.ts";
import {
  fixedBytes,
  flipBit,
  RECIPIENT,
  type Sealed,
  type SealInput,
  seal,
  VERIFICATION_KEY,
} from "./seal.ts";

/*
 * The vectors of `docs/envelope.md`. `node test/vectors/envelope/make.ts` writes them to `v1.json`; a test makes them
 * again and compares, and another reads them with an implementation of its own.
 */

export interface Opened extends Sealed {
  readonly name: string;
  /** Epoch milliseconds at which it is opened. */
  readonly now: number;
  readonly request: ProxyRequest;
  readonly canonical_request: string;
  readonly result: ProxyResult;
}

export interface Refused {
  readonly name: string;
  readonly now: number;
  readonly request: ProxyRequest;
  /** Fields of the first opened envelope that are different here; null for one that is missing. */
  readonly changes: Readonly<Record<string, unknown>>;
  readonly code: EnvelopeFault;
}

export interface Vectors {
  readonly about: string;
  readonly recipient: typeof RECIPIENT;
  readonly verification_key: typeof VERIFICATION_KEY;
  readonly opened: readonly Opened[];
  readonly refused: readonly Refused[];
}

export const ISSUED_AT = "2026-11-21T12:00:00.000Z";
export const EXPIRES_AT = "2026-11-21T12:05:00.000Z";
export const NOW = Date.parse("2026-11-21T12:00:30.000Z");

const REQUEST: ProxyRequest = {
  integration_id: "int_01999999000070008000000000000003",
  operation: "send_event",
  payload: { event: { action: "vault.seal", tenant: "acme" }, sourcetype: "sluice:audit", index: "security" },
};
const RESULT: ProxyResult = {
  ok: true,
  operation: "send_event",
  integration_id: REQUEST.integration_id,
  http_status: 200,
  provider_code: 0,
  message: "Splunk took the event.",
  outcome: "delivered",
  maybe_taken: false,
  latency_ms: 41,
  body: '{"text":"Success","code":0}',
};

/** The plainest one; the tests that change something begin with it. */
export const PLAIN: SealInput = {
  id: "env_01999999000070008000000000000004",
  request: REQUEST,
  plaintext: JSON.stringify(RESULT),
  issuedAt: ISSUED_AT,
  expiresAt: EXPIRES_AT,
  encapsulation: fixedBytes(32, 57),
  nonce: fixedBytes(12, 200),
};

interface Story {
  readonly name: string;
  readonly input: SealInput;
  readonly canonical: string;
  readonly result: ProxyResult;
}

const STORIES: readonly Story[] = [
  {
    name: "a delivered event",
    input: PLAIN,
    canonical:
      '{"integration_id":"int_01999999000070008000000000000003","operation":"send_event","payload":{"event":{"action":"vault.seal","tenant":"acme"},"index":"security","sourcetype":"sluice:audit"}}',
    result: RESULT,
  },
  canonicalStory(),
  timeoutStory(),
];

/** The example of RFC 8785, section 3.2.2, and its sorting example (3.2.3), as a payload. */
function canonicalStory(): Story {
  const payload = {
    numbers: { a: 333333333.3333333, b: 1e30, c: 4.5, d: 2e-3, e: 0.000000000000000000000000001 },
    string: '\u20ac$\u000f\nA\'B"\\\\"/',
    literals: { n: null, t: true, f: false },
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
  };
  const result: ProxyResult = {
    ...RESULT,
    ok: false,
    http_status: 403,
    provider_code: "4",
    message: "Das Token wird abgewiesen \u2013 gr\u00fc\u00dfe \ud83d\ude00",
    outcome: "credentials_rejected",
  };
  return {
    name: "numbers and names of RFC 8785",
    input: {
      ...PLAIN,
      id: "env_01999999000070008000000000000005",
      request: { ...REQUEST, payload },
      plaintext: JSON.stringify(result),
      encapsulation: fixedBytes(32, 91),
      nonce: fixedBytes(12, 17),
    },
    canonical:
      '{"integration_id":"int_01999999000070008000000000000003","operation":"send_event","payload":{"\\r":"Carriage Return","1":"One","literals":{"f":false,"n":null,"t":true},"numbers":{"a":333333333.3333333,"b":1e+30,"c":4.5,"d":0.002,"e":1e-27},"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign","\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}}',
    result,
  };
}

function timeoutStory(): Story {
  const result: ProxyResult = {
    ...RESULT,
    ok: false,
    operation: "send_batch",
    http_status: null,
    provider_code: null,
    message: "No answer came in time.",
    outcome: "timeout",
    maybe_taken: true,
    latency_ms: 30_000.5,
    body: null,
  };
  return {
    name: "a call without an answer, and an empty payload",
    input: {
      ...PLAIN,
      id: "env_01999999000070008000000000000006",
      request: { ...REQUEST, operation: "send_batch", payload: {} },
      plaintext: JSON.stringify(result),
      encapsulation: fixedBytes(32, 240),
      nonce: fixedBytes(12, 0),
    },
    canonical:
      '{"integration_id":"int_01999999000070008000000000000003","operation":"send_batch","payload":{}}',
    result,
  };
}

export async function makeVectors(): Promise<Vectors> {
  const opened = await Promise.all(
    STORIES.map(async ({ name, input, canonical, result }): Promise<Opened> => {
      const { request } = input;
      return { name, now: NOW, request, canonical_request: canonical, ...(await seal(input)), result };
    }),
  );
  return {
    about: "Envelopes of version 1 for docs/envelope.md. Keys and randomness are fixed and worth nothing.",
    recipient: RECIPIENT,
    verification_key: VERIFICATION_KEY,
    opened,
    refused: await makeRefused(),
  };
}

async function makeRefused(): Promise<readonly Refused[]> {
  const { envelope } = await seal(PLAIN);
  const sealed = async (change: Partial<SealInput>) => (await seal({ ...PLAIN, ...change })).envelope;
  const foreign = await sealed({ recipientPublicKey: mlKemKeyPair(fixedBytes(64, 9)).publicKey });
  const forged = await sealed({ signerSeed: fixedBytes(32, 5) });
  const old = { issuedAt: "2026-11-21T11:50:00.000Z", expiresAt: "2026-11-21T11:55:00.000Z" };
  const far = { issuedAt: "2026-11-21T13:00:00.000Z", expiresAt: "2026-11-21T13:05:00.000Z" };
  const other = { ...REQUEST, operation: "send_batch" };
  const rows: readonly (readonly [string, EnvelopeFault, object])[] = [
    ["a bit of the signature is flipped", "refused", flipBit(envelope, "signature", 4_711)],
    ["a bit of the MAC is flipped", "refused", flipBit(envelope, "mac", 100)],
    ["a bit of the ciphertext is flipped", "refused", flipBit(envelope, "ciphertext", 100)],
    ["a bit of the nonce is flipped", "refused", flipBit(envelope, "nonce", 0)],
    ["a bit of the KEM ciphertext is flipped", "refused", flipBit(envelope, "kem_ciphertext", 8_000)],
    ["the expiry is moved", "refused", { ...envelope, expires_at: "2026-11-21T12:06:00.000Z" }],
    [
      "the request digest is exchanged",
      "refused",
      { ...envelope, request_digest: `sha256:${"0".repeat(64)}` },
    ],
    ["another verification key is named", "refused", { ...envelope, signing_key_id: "sk_another" }],
    [
      "signed by a known key under the name of another",
      "refused",
      await sealed({ header: { signing_key_id: "sk_another" } }),
    ],
    ["only the MAC is right: signed by another key", "refused", forged],
    [
      "only the signature is right: encrypted to another key",
      "refused",
      { ...foreign, recipient_key_id: RECIPIENT.key_id },
    ],
    ["signed for another purpose", "refused", await sealed({ signatureContext: "sluice/other/v1" })],
    ["authentic and expired", "expired", await sealed(old)],
    ["authentic and from the future", "not_yet_valid", await sealed(far)],
    ["authentic and for another request", "other_request", await sealed({ request: other })],
    [
      "authentic and for another key by name",
      "other_key",
      await sealed({ header: { recipient_key_id: "pk_x" } }),
    ],
    ["another version", "malformed", await sealed({ header: { version: 2 } })],
    ["another suite", "malformed", await sealed({ header: { suite: "ML-KEM-768" } })],
    ["a field too many", "malformed", await sealed({ header: { note: "unsigned fields have no place" } })],
    ["a field too few", "malformed", Object.fromEntries(Object.entries(envelope).slice(0, -1))],
    ["base64 with set bits to spare", "malformed", { ...envelope, mac: spareBits(envelope.mac) }],
    ["base64 without padding", "malformed", { ...envelope, mac: envelope.mac.replaceAll("=", "") }],
    [
      "a signature that is too short",
      "malformed",
      { ...envelope, signature: encodeBase64(new Uint8Array(3_306)) },
    ],
    ["a time without milliseconds", "malformed", await sealed({ issuedAt: "2026-11-21T12:00:00Z" })],
    ["a day that is none", "malformed", await sealed({ expiresAt: "2026-11-31T12:00:00.000Z" })],
    ["expiry before issue", "malformed", await sealed({ expiresAt: ISSUED_AT })],
  ];
  return rows.map(([name, code, changed]) => ({
    name,
    now: NOW,
    request: REQUEST,
    changes: differences(envelope, changed),
    code,
  }));
}

function differences(before: object, after: object): Readonly<Record<string, unknown>> {
  const [from, to]: readonly Readonly<Record<string, unknown>>[] = [{ ...before }, { ...after }];
  const names = Object.keys({ ...from, ...to }).filter((name) => from?.[name] !== to?.[name]);
  return Object.fromEntries(names.map((name) => [name, to?.[name] ?? null]));
}

/** The envelope of a refused vector. */
export function withChanges(
  envelope: object,
  changes: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries({ ...envelope, ...changes }).filter(([, value]) => value !== null),
  );
}

/** The 64 bytes of a MAC leave four bits of the last character before `==` unused: here one of them is set. */
function spareBits(mac: string): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const last = digits[digits.indexOf(mac.charAt(85)) | 1] ?? "";
  return `${mac.slice(0, 85)}${last}==`;
}
