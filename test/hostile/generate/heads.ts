import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";

type Header = readonly [name: string, value: string];

/**
 * Bytes of header lines that the server takes in one request. Above that it refuses by itself, so a flood of more is
 * sent without expecting the Worker's word. Half of its limit, because it counts in steps.
 */
export const HEAD_LIMIT_BYTES = 30_000;

/** Header values that a server passes on: visible characters, spaces and bytes above 127. */
const ODD_VALUES: readonly string[] = [
  "",
  " ",
  "a",
  "\t",
  "x".repeat(255),
  "x".repeat(256),
  "x".repeat(8_000),
  "\xff\xfe",
  "\xc3\xa9",
  "\xed\xa0\x80",
  "%0d%0aX-Injected: yes",
  "\\r\\nX-Injected: yes",
  "__proto__",
  "[]",
  "{}",
  "null",
  "0",
  "-1",
  "NaN",
  "1e400",
  "99999999999999999999",
  "a,b,c",
  "'; DROP TABLE keys; --",
  '"',
  "\\",
  ", , ,",
  "=?utf-8?B?AAAA?=",
];

const NAMES: readonly string[] = [
  "Idempotency-Key",
  "webhook-id",
  "webhook-timestamp",
  "webhook-signature",
  "X-API-Key",
  "Accept",
  "Accept-Encoding",
  "Accept-Language",
  "Cookie",
  "Range",
  "If-None-Match",
  "If-Match",
  "If-Modified-Since",
  "Origin",
  "Access-Control-Request-Method",
  "Access-Control-Request-Headers",
  "X-HTTP-Method-Override",
  "X-Forwarded-For",
  "X-Forwarded-Host",
  "X-Forwarded-Proto",
  "Forwarded",
  "X-Original-URL",
  "X-Rewrite-URL",
  "CF-Connecting-IP",
  "CF-Ray",
  "CF-Worker",
  "True-Client-IP",
  "X-Request-Id",
  "Traceparent",
  "Referer",
  "User-Agent",
  "Via",
  "Warning",
  "DNT",
  "Sec-Fetch-Mode",
  "Sec-WebSocket-Key",
  "Date",
  "Expires",
  "Cache-Control",
  "Pragma",
  "MF-Original-URL",
  "MF-Route-Override",
  "MF-Op",
];

/** Headers on top of the usual: odd values in known names, twice the same name, floods, cookies. */
export function hostileHeaders(random: Random): readonly Header[] {
  return random.weighted<() => readonly Header[]>([
    [6, () => some(random, () => [random.pick(NAMES), random.pick(ODD_VALUES)])],
    [2, () => twice([random.pick(NAMES), random.pick(ODD_VALUES)], random)],
    [1, () => flood(random)],
    [1, () => [["Cookie", "a=b; ".repeat(random.skewed(1, 4_000))]]],
    [2, () => [["Idempotency-Key", random.pick([...ODD_VALUES, "k", "same-key", "k".repeat(254)])]]],
    [2, () => [[random.text(random.between(1, 300), "abcXYZ-_.!#$%&'*+^`|~09"), random.pick(ODD_VALUES)]]],
    [1, () => [["Accept", "*/*;q=0.1,".repeat(random.skewed(1, 2_000))]]],
    [1, () => [["X-API-Key", `sl_live_${random.text(random.skewed(0, 8_000), "abcXYZ012_-")}`]]],
  ])();
}

function some(random: Random, make: () => Header): readonly Header[] {
  return Array.from({ length: random.skewed(1, 12) }, make);
}

function twice(header: Header, random: Random): readonly Header[] {
  return [header, [header[0].toLowerCase(), random.pick(ODD_VALUES)]];
}

function flood(random: Random): readonly Header[] {
  const count = random.pick([50, 200, 500, 1_000, 5_000]);
  const value = "v".repeat(random.skewed(0, 200));
  return Array.from({ length: count }, (_, n) => [random.chance(0.1) ? "X-Same" : `X-Flood-${n}`, value]);
}

/** Signatures for a key that needs them, none of which is right. */
export function signatures(random: Random): readonly Header[] {
  const now = Math.floor(Date.now() / 1_000);
  const mac = random.bytes(32).toString("base64");
  const headers: readonly Header[] = [
    ["webhook-id", random.pick(["msg_1", "", "x".repeat(255), "x".repeat(256), "a.b.c", "\xff"])],
    [
      "webhook-timestamp",
      random.pick([String(now), String(now - 400), "0", "-1", "1e9", "9".repeat(13), " 1", ""]),
    ],
    [
      "webhook-signature",
      random.pick([
        `v1,${mac}`,
        `v1,${mac} v1,${mac} v2,x`,
        "v1,",
        "v1",
        ",",
        `v1a,${mac}`,
        "v1,!!!!",
        `v1,${mac.slice(0, -4)}`,
        `v1,${mac} `.repeat(random.skewed(1, 400)),
        "\xc3\xa9",
      ]),
    ],
  ];
  return headers.filter(() => random.chance(0.9));
}

/** Names of hosts; a request without one that makes sense is still a request. */
export function hostileHost(random: Random, scene: Scene): string {
  return random.weighted([
    [20, scene.host],
    [1, "localhost"],
    [1, "relay.example.com"],
    [1, "RELAY.EXAMPLE.COM:443"],
    [1, "xn--bcher-kva.example"],
    [1, "[::1]"],
    [1, "1.2.3.4:65535"],
    [1, `${"a".repeat(60)}.example`],
    [1, `h${random.int(1_000)}.example`],
  ]);
}

/** Hosts that no URL can have. Whether the server or the Worker says so is open. */
export const IMPOSSIBLE_HOSTS: readonly string[] = [
  "",
  " ",
  "a b",
  "a:b:c",
  "a:99999",
  "user@host",
  "[::1",
  "%00",
  "%",
  "a/b",
  "a?b",
  "a#b",
  "a\\b",
  "<x>",
  "\xff",
  "xn--",
  "..",
  ":",
  ":80",
  "^",
];

/** Methods, of which the Worker knows a few and the server a few more. */
export const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
export const OTHER_METHODS: readonly string[] = [
  "TRACE",
  "CONNECT",
  "PROPFIND",
  "PURGE",
  "QUERY",
  "LINK",
  "M-SEARCH",
  "get",
  "Post",
  "X",
  "A".repeat(5_000),
  "G\xc9T",
  "GET\t",
  "",
];
