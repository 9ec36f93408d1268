import type { Random } from "../random.ts";
import type { Operation, Scene } from "../scene.ts";

/** What stands where an id belongs. Already as it goes over the wire: a character is a byte. */
const ODD_IDS: readonly string[] = [
  "..",
  ".",
  "../siem",
  "..%2fsiem",
  "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "%252e%252e%252f",
  "%00",
  "siem_%00",
  "%",
  "%z",
  "%e0%80",
  "%c0%af",
  "%ff%fe",
  "%ed%a0%80",
  "%F0%9F%98%80",
  "%E2%80%AE",
  "siem_%0d%0aX-Injected:%20yes",
  "siem_'%20OR%20'1'='1",
  "siem_1;DROP",
  "siem_%25",
  "siem_%2e",
  "siem_*",
  "__proto__",
  "constructor",
  "toString",
  "undefined",
  "null",
  "-1",
  "0",
  "[object]",
  "{id}",
  ":id",
  "$%7B7*7%7D",
  "test",
  "siem_",
  `siem_${"a".repeat(128)}`,
  `siem_${"a".repeat(129)}`,
  "a".repeat(4_000),
  "%41".repeat(1_000),
  "\xc3\xa9",
  "\xff",
  "\xed\xa0\x80",
  "bat_00000000000000000000000000000000",
  "ten_00000000000000000000000000000000",
  "siem_00000000000000000000000000000000",
];

/** The path with whatever belongs in its holes: mostly ids that exist. */
export function pathOf(operation: Operation, random: Random, scene: Scene): string {
  return operation.path.replaceAll(/\{\w+\}/g, () => {
    const ids = random.weighted([
      [8, scene.own],
      [2, scene.foreign],
    ]);
    if (operation.path.includes("/siem/")) return random.pick(ids.destinations);
    if (operation.path.includes("/batches/")) return random.pick(ids.batches);
    if (operation.path.includes("/tenants/")) return random.pick(ids.tenants);
    return random.pick(ids.keys);
  });
}

/** A path that leads elsewhere, nowhere, or to the same place in another spelling. */
export function hostilePath(operation: Operation, random: Random, scene: Scene): string {
  const honest = pathOf(operation, random, scene);
  const odd = operation.path.replaceAll(/\{\w+\}/g, () => random.pick(ODD_IDS));
  return random.weighted<() => string>([
    [operation.path.includes("{") ? 20 : 1, () => odd],
    [1, () => `${honest}/`],
    [1, () => `/${honest}`],
    [1, () => honest.replaceAll("/", "//")],
    [1, () => honest.replace("/v1/", "/v1/./")],
    [1, () => honest.replace("/v1/", "/v1/x/../")],
    [1, () => honest.replace("/v1/", "/V1/")],
    [1, () => honest.replaceAll("/", "%2f")],
    [1, () => `/%2e%2e${honest}`],
    [1, () => honest.replaceAll("/", "\\")],
    [1, () => `${honest};x=y`],
    [1, () => `${honest}%20`],
    [1, () => `${honest}#fragment`],
    [1, () => `${honest}/${random.pick(ODD_IDS)}`],
    [1, () => `/${random.pick(ODD_IDS)}`],
    [1, () => `/${"a/".repeat(random.skewed(1, 4_000))}`],
    [1, () => encoded(honest, random)],
  ])();
}

function encoded(path: string, random: Random): string {
  return path.replaceAll(/[a-z0-9_]/g, (letter) =>
    random.chance(0.3) ? `%${letter.charCodeAt(0).toString(16)}` : letter,
  );
}

const LIMITS: readonly string[] = [
  "0",
  "1",
  "100",
  "101",
  "-1",
  "1.5",
  "1e2",
  "1e400",
  "999999999999999999999",
  "NaN",
  "",
  "%20%205",
  "0x10",
  "%D9%A1%D9%A2",
  "null",
  "1;2",
  "00000000001",
];

/** A query string, with its question mark. */
export function hostileQuery(random: Random, scene: Scene): string {
  const parts = Array.from({ length: random.skewed(1, 6) }, () => parameter(random, scene));
  return `?${parts.join(random.pick(["&", "&", "&", ";", "&&", "&=&"]))}`;
}

function parameter(random: Random, scene: Scene): string {
  return random.weighted<() => string>([
    [6, () => `limit=${random.pick(LIMITS)}`],
    [8, () => `cursor=${cursor(random, scene)}`],
    [2, () => `on_invalid=${random.pick(["skip", "refuse", "", "SKIP", "skip%00", "__proto__"])}`],
    [2, () => `force=${random.pick(["true", "1", "false", "", "TRUE", "%ff"])}`],
    [1, () => `${random.pick(["__proto__", "constructor", "limit[]", "limit[$gt]", "%ff", "", "a%00b"])}=1`],
    [1, () => random.pick(["%", "%zz", "=", "?", "%F0%9F", "\xff", "\xc3\x28", "+", "a=b=c"])],
    [1, () => `pad=${"x".repeat(random.skewed(1, 30_000))}`],
    [1, () => "limit=1&".repeat(random.skewed(1, 3_000))],
  ])();
}

/** Cursors of other lists and other tenants, bent ones, and what never was one. */
function cursor(random: Random, scene: Scene): string {
  const sound = random.pick([...scene.own.cursors, ...scene.foreign.cursors]);
  const at = random.int(sound.length);
  const forged = (value: unknown): string =>
    random.text(12, "abcXYZ012-_") + Buffer.from(JSON.stringify(value)).toString("base64url");
  return random.pick<() => string>([
    () => sound,
    () => sound.slice(0, at),
    () => `${sound}A`,
    () => sound.slice(0, at) + random.text(1, "abcXYZ012-_") + sound.slice(at + 1),
    () => forged([Number.MAX_VALUE, "siem_1"]),
    () => forged([-1]),
    () => forged({ __proto__: null }),
    () => forged([Number.MAX_SAFE_INTEGER, "'; DROP TABLE destinations; --"]),
    () => random.text(random.skewed(0, 600), "abcXYZ012-_=+/%."),
    () => "%00%01%02",
    () => "\xff\xfe",
    () => Buffer.from("[".repeat(300)).toString("base64url"),
  ])();
}
