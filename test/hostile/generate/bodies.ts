import type { Random } from "../random.ts";
import type { Operation, Scene } from "../scene.ts";
import { gzipBody } from "./gzip.ts";
import { event, validBody } from "./seeds.ts";
import { eventSizes, settingSizes } from "./sizes.ts";
import { NOT_UTF8, ODD_NAMES, ODD_NUMBERS, ODD_STRINGS, ODD_VALUES } from "./texts.ts";

export interface Body {
  readonly bytes: Buffer;
  readonly headers: readonly (readonly [string, string])[];
}

export interface BodyInput {
  readonly operation: Operation;
  readonly random: Random;
  readonly scene: Scene;
  /** Bodies of megabytes are dear; the caller says when one may be made. */
  readonly isHeavy: boolean;
}

type Make = (input: BodyInput) => Body;

const JSON_TYPE = ["Content-Type", "application/json"] as const;
const NDJSON_TYPE = ["Content-Type", "application/x-ndjson"] as const;
/** The largest that the relay says it takes, a little more than which may be sent. */
const HEAVY_BYTES = 5_100_000;

function json(text: string | Buffer): Body {
  return { bytes: Buffer.from(text), headers: [JSON_TYPE] };
}

function validText({ operation, random, scene }: BodyInput): string {
  return JSON.stringify(validBody(operation, random, scene));
}

export const isEvents = (operation: Operation): boolean => operation.path === "/v1/audit/events";

/** Every kind of hostile body, with its weight. */
export const BODIES: Readonly<Record<string, readonly [weight: number, make: Make]>> = {
  "valid body": [4, (input) => json(validText(input))],
  "random bytes": [
    6,
    ({ random, isHeavy }) => ({
      bytes: random.bytes(isHeavy ? HEAVY_BYTES : random.skewed(0, 20_000)),
      headers: random.chance(0.8) ? [random.pick([JSON_TYPE, NDJSON_TYPE])] : [],
    }),
  ],
  "mutated body": [22, (input) => json(mutate(Buffer.from(validText(input)), input.random))],
  "swapped types": [14, swapped],
  "deep nesting": [8, deep],
  "huge numbers": [7, numbers],
  "odd Unicode": [9, unicode],
  "duplicate keys": [5, duplicates],
  "prototype keys": [6, prototypes],
  gzip: [7, gzipped],
  "wrong encoding": [6, misdeclared],
  NDJSON: [6, lines],
  "at the limits": [3, (input) => json(sized(input))],
};

function gzipped(input: BodyInput): Body {
  const { random } = input;
  const bytes = gzipBody(Buffer.from(validText(input)), random);
  const encoding = random.weighted([
    [20, "gzip"],
    [2, "x-gzip"],
    [1, "GZIP"],
    [1, "gzip, gzip"],
    [1, "deflate"],
  ]);
  return { bytes, headers: [random.pick([JSON_TYPE, NDJSON_TYPE]), ["Content-Encoding", encoding]] };
}

function sized({ operation, random, scene, isHeavy }: BodyInput): string {
  return isEvents(operation)
    ? eventSizes(random, isHeavy)
    : settingSizes(validBody(operation, random, scene), random, isHeavy);
}

/** Bits flipped, pieces cut out, doubled, moved or cut off. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let now = Buffer.from(bytes);
  for (let round = random.between(1, 4); round > 0 && now.length > 0; round -= 1) {
    const at = random.int(now.length);
    const to = Math.min(now.length, at + random.skewed(1, 60));
    switch (random.int(7)) {
      case 0:
        now[at] = (now[at] ?? 0) ^ (1 << random.int(8));
        break;
      case 1:
        now = now.subarray(0, at);
        break;
      case 2:
        now = Buffer.concat([now.subarray(0, to), now.subarray(at)]);
        break;
      case 3:
        now = Buffer.concat([now.subarray(0, at), now.subarray(to)]);
        break;
      case 4:
        now = Buffer.concat([now.subarray(0, at), random.bytes(random.between(1, 8)), now.subarray(at)]);
        break;
      case 5:
        now = Buffer.concat([now.subarray(0, at), random.pick(NOT_UTF8), now.subarray(at)]);
        break;
      default:
        now = Buffer.concat([
          now.subarray(0, at),
          Buffer.from(random.pick([...'{}[]",:\\0-\n'])),
          now.subarray(at),
        ]);
    }
    now = Buffer.from(now);
  }
  return now;
}

/** A valid body with some of its values replaced by values of other kinds. */
function swapped(input: BodyInput): Body {
  const { random } = input;
  const text = validText(input);
  const share = random.pick([0.1, 0.4, 1]);
  return json(
    text.replaceAll(/:("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\{\}|\[\])/g, (whole) =>
      random.chance(share) ? `:${random.pick(random.chance(0.5) ? ODD_VALUES : ODD_STRINGS)}` : whole,
    ),
  );
}

function deep({ operation, random, isHeavy }: BodyInput): Body {
  const open = random.pick(["[", '{"a":', '[{"a":', "[[],", '{"a":[],"b":', " [", "[0,"]);
  const levels = isHeavy
    ? Math.floor(HEAVY_BYTES / 2 / open.length)
    : random.pick([31, 32, 33, 63, 64, 65, 66, 1_000, 9_999, 10_000, 10_001, random.skewed(1, 60_000)]);
  const isClosed = random.chance(0.7);
  const close = [...open]
    .reverse()
    .join("")
    .replaceAll(/[^[{]/g, "")
    .replaceAll("[", "]")
    .replaceAll("{", "}");
  const closing = open.startsWith("[[]") ? "]" : open.includes("[]") ? "}" : close;
  const nest = open.repeat(levels) + (isClosed ? `0${closing.repeat(levels)}` : "");
  if (!isEvents(operation)) return json(random.pick([nest, `{"config":${nest}}`, `{"name":${nest}}`]));
  const wrapped = `{"action":"user.login","actor_id":"a","metadata":{"m":${nest}}}`;
  const body = json(
    random.pick([nest, wrapped, `[${wrapped}]`, `{"events":[${wrapped}]}`, `{"events":${nest}}`]),
  );
  return random.chance(0.25) ? { ...body, headers: [NDJSON_TYPE] } : body;
}

function numbers(input: BodyInput): Body {
  const { operation, random, isHeavy } = input;
  const digits = isHeavy ? HEAVY_BYTES - 1_000 : random.pick([20, 400, 5_000, 90_000, 100_000]);
  const number = random.pick<() => string>([
    () => random.pick(ODD_NUMBERS),
    () => random.pick(ODD_NUMBERS),
    () => `1${"0".repeat(digits)}`,
    () => `0.${"3".repeat(digits)}`,
    () => `-9e${"9".repeat(Math.min(digits, 90_000))}`,
    () => `1e-${"9".repeat(Math.min(digits, 5_000))}`,
  ])();
  if (!isEvents(operation)) {
    const name = random.pick(["config", "previous_secret_ttl_seconds", "limit", "expires_at", "name", "ids"]);
    return json(
      random.pick([`{"${name}":${number}}`, `{"config":{"ack_timeout_seconds":${number}}}`, number]),
    );
  }
  return json(
    random.pick([
      `{"action":"user.login","actor_id":"a","metadata":{"n":${number}}}`,
      `{"action":"user.login","actor_id":"a","n":[${number},${number}]}`,
      `{"action":"user.login","actor_id":${number}}`,
      `{"action":"user.login","actor_id":"a","timestamp":${number}}`,
      `[${number}]`,
      number,
    ]),
  );
}

/** Halves of surrogate pairs, bytes that are no UTF-8, marks at the start, and other encodings altogether. */
function unicode(input: BodyInput): Body {
  const { random } = input;
  const text = validText(input);
  const into = (piece: Buffer): Buffer => {
    const quotes = [...text.matchAll(/"/g)].map(({ index }) => index);
    const at = quotes.length > 0 ? random.pick(quotes) + 1 : 0;
    return Buffer.concat([Buffer.from(text.slice(0, at)), piece, Buffer.from(text.slice(at))]);
  };
  const bytes = random.pick<() => Buffer>([
    () => into(random.pick(NOT_UTF8)),
    () => into(Buffer.from(random.pick(ODD_STRINGS).slice(1, -1))),
    () => Buffer.from(`\uFEFF${text}`),
    () => Buffer.from(`\uFEFF\uFEFF${text}`),
    () => Buffer.from(text, "utf16le"),
    () => Buffer.from(`\uFEFF${text}`, "utf16le"),
    () => Buffer.from(text, "utf16le").swap16(),
    () => Buffer.concat([...Buffer.from(text)].map((byte) => Buffer.from([0, 0, 0, byte]))),
    () => Buffer.from(text.replaceAll(/[a-z]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)),
  ])();
  return { bytes, headers: [random.chance(0.3) ? NDJSON_TYPE : JSON_TYPE] };
}

function duplicates(input: BodyInput): Body {
  const { random } = input;
  const text = validText(input);
  const members = [...text.matchAll(/"((?:[^"\\]|\\.)*)":/g)].map(([, name = ""]) => name);
  const name = members.length > 0 ? random.pick(members) : "name";
  const spelt = random.chance(0.3)
    ? `\\u00${name.charCodeAt(0).toString(16).padStart(2, "0")}${name.slice(1)}`
    : name;
  const again = `"${spelt}":${random.pick(ODD_VALUES)}`;
  const many = Array.from({ length: random.skewed(1, 2_000) }, () => again).join(",");
  const open = text.indexOf("{");
  return json(
    random.chance(0.5)
      ? `${text.slice(0, open + 1)}${many},${text.slice(open + 1)}`
      : text.replace(/\}([\]}]*)$/, `,${many}}$1`),
  );
}

function prototypes(input: BodyInput): Body {
  const { random } = input;
  const text = validText(input);
  const value = random.pick([
    ...ODD_VALUES,
    '{"enabled":true,"isAdmin":true,"scopes":["*"]}',
    '{"action":"a.b"}',
  ]);
  const member = `"${random.pick(ODD_NAMES)}":${value}`;
  const braces = [...text.matchAll(/\{/g)].map(({ index }) => index);
  const at = braces.length > 0 ? random.pick(braces) + 1 : 0;
  const comma = text.charAt(at) === "}" ? "" : ",";
  return json(text.slice(0, at) + member + comma + text.slice(at));
}

/** A sound body under a name that is not its own. */
function misdeclared(input: BodyInput): Body {
  const { random } = input;
  const type = random.pick([
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/json; charset=utf-16",
    'application/json; charset="UTF-8"',
    "application/json;charset=latin1",
    "APPLICATION/JSON",
    "application/json, application/x-ndjson",
    "application/vnd.a+json",
    `application/json; ${"x=y; ".repeat(random.skewed(1, 500))}`,
    "application/\xff",
    "*/*",
    ";",
    "application/x-ndjson; charset=utf-8",
    "application/merge-patch+json",
  ]);
  const encoding = random.pick([
    "",
    "",
    "br",
    "zstd",
    "compress",
    "deflate",
    "identity",
    "gzip",
    "a,b,c",
    "\xe9",
  ]);
  const headers: [string, string][] = [["Content-Type", type]];
  if (encoding !== "") headers.push(["Content-Encoding", encoding]);
  return { bytes: Buffer.from(validText(input)), headers };
}

function lines({ random, isHeavy }: BodyInput): Body {
  const line = (): string => JSON.stringify(event(random));
  const text = random.pick<() => string>([
    () => `${line()}\n${line()}\r\n\n \t\r\n${line()}`,
    () => `${"\n".repeat(isHeavy ? HEAVY_BYTES - 1_000 : random.skewed(1, 50_000))}${line()}`,
    () => `${" \r\n".repeat(isHeavy ? 1_600_000 : random.skewed(1, 20_000))}${line()}`,
    () =>
      `${line()}\n{"action":"user.login","actor_id":"${"x".repeat(isHeavy ? 4_900_000 : 101_000)}"}\n${line()}`,
    () => `{"a":"${"y".repeat(isHeavy ? HEAVY_BYTES : 300_000)}`,
    () => `${line()}\n[${line()}]\n"text"\n7\nnull\n{`,
    () => `${"1\n".repeat(isHeavy ? 2_400_000 : random.pick([999, 1_000, 1_001]))}`,
    () => `${"{}\n".repeat(random.pick([999, 1_000, 1_001]))}`,
    () => `${"[".repeat(random.pick([100, 10_001, 60_000]))}\n`.repeat(isHeavy ? 80 : 3),
    () => `${line()}\u2028${line()}`,
    () => line().split("").join("\n"),
  ])();
  return { bytes: Buffer.from(text), headers: [NDJSON_TYPE] };
}
