/**
 * Writes `src/base/sha256.wasm`: SHA-256 (FIPS 180-4) of four messages at a time, one in each lane of a 128-bit vector.
 *
 *   npm run wasm:build
 *
 * The binary is committed, so that nothing has to be built to run or deploy the relay; a test holds that it is what this
 * program writes. Memory, which the caller brings: 64 round constants, each four times, from 0; the four states, word by
 * word, from 1,024 to 1,152; messages wherever the caller puts them, `stride` bytes apart.
 */
import { writeFileSync } from "node:fs";
import wabt from "wabt";
import { SHA256_WASM } from "./wasm-files.ts";

const STATE = 1_024;
const REGISTERS = [..."abcdefgh"];

/** The first 32 bits of the fractions of the square or cube roots of the first primes, which is where the constants come from. */
function fractions(count: number, root: 2 | 3): readonly number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate += 1)
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  return primes.map((prime) => {
    const target = BigInt(prime) << BigInt(32 * root);
    let [low, high] = [0n, 1n << 40n];
    while (low < high) {
      const middle = (low + high + 1n) / 2n;
      if (middle ** BigInt(root) <= target) low = middle;
      else high = middle - 1n;
    }
    return Number(low & 0xffff_ffffn);
  });
}

const local = (name: string): string => `(local.get $${name})`;
const set = (name: string, value: string): string => `(local.set $${name} ${value})`;
const add = (...terms: readonly string[]): string =>
  terms.reduce((sum, term) => `(i32x4.add ${sum} ${term})`);
const xor = (...terms: readonly string[]): string =>
  terms.reduce((left, right) => `(v128.xor ${left} ${right})`);
const select = (yes: string, no: string, mask: string): string => `(v128.bitselect ${yes} ${no} ${mask})`;
const shift = (value: string, by: number): string => `(i32x4.shr_u ${value} (i32.const ${by}))`;
const rotate = (value: string, by: number): string =>
  xor(shift(value, by), `(i32x4.shl ${value} (i32.const ${32 - by}))`);
const shuffle = (lanes: string, left: string, right: string): string =>
  `(i8x16.shuffle ${lanes} ${left} ${right})`;

/** One round (FIPS 180-4, 6.2.2). Registers change their names instead of their places. */
function round(index: number): string {
  const [a, b, c, d, e, f, g, h] = REGISTERS.map((_, at) => REGISTERS[(at - (index % 8) + 8) % 8] ?? "");
  const names = { a, b, c, d, e, f, g, h } as Record<string, string>; // eight names for eight places
  const of = (place: string): string => local(names[place] ?? "");
  const constant = `(v128.load offset=${index * 16} ${local("k")})`;
  const big1 = xor(rotate(of("e"), 6), rotate(of("e"), 11), rotate(of("e"), 25));
  const big0 = xor(rotate(of("a"), 2), rotate(of("a"), 13), rotate(of("a"), 22));
  const choice = select(of("f"), of("g"), of("e"));
  const majority = select(of("c"), of("a"), xor(of("a"), of("b")));
  return [
    set(names["h"] ?? "", add(of("h"), big1, choice, constant, local(`w${index}`))),
    set(names["d"] ?? "", add(of("d"), of("h"))),
    set(names["h"] ?? "", add(of("h"), big0, majority)),
  ].join("\n");
}

/** The next word of the message schedule, in the place of the one that is no longer needed. */
function schedule(index: number): string {
  const word = (ahead: number): string => local(`w${(index + ahead) % 16}`);
  const small0 = xor(rotate(word(1), 7), rotate(word(1), 18), shift(word(1), 3));
  const small1 = xor(rotate(word(14), 17), rotate(word(14), 19), shift(word(14), 10));
  return set(`w${index}`, add(word(0), small0, word(9), small1));
}

/** Four words of each of the four messages: big-endian, and turned so that a vector holds the same word of all. */
function load(quarter: number): string {
  const reversed = "3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12";
  const [low, high] = [
    "0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23",
    "8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31",
  ];
  const [front, back] = [
    "0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23",
    "8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31",
  ];
  const zero = "(v128.const i32x4 0 0 0 0)";
  const message = (lane: number): string =>
    `(i32.add ${local("at")} (i32.mul ${local("stride")} (i32.const ${lane})))`;
  const row = (lane: number): string =>
    set(`t${lane}`, shuffle(reversed, `(v128.load offset=${quarter * 16} ${message(lane)})`, zero));
  return [
    ...[0, 1, 2, 3].map(row),
    set("u0", shuffle(low, local("t0"), local("t1"))),
    set("u1", shuffle(low, local("t2"), local("t3"))),
    set("u2", shuffle(high, local("t0"), local("t1"))),
    set("u3", shuffle(high, local("t2"), local("t3"))),
    set(`w${4 * quarter}`, shuffle(front, local("u0"), local("u1"))),
    set(`w${4 * quarter + 1}`, shuffle(back, local("u0"), local("u1"))),
    set(`w${4 * quarter + 2}`, shuffle(front, local("u2"), local("u3"))),
    set(`w${4 * quarter + 3}`, shuffle(back, local("u2"), local("u3"))),
  ].join("\n");
}

function moduleText(): string {
  const sixteen = Array.from({ length: 16 }, (_, index) => index);
  const state = (index: number): string => `offset=${STATE + 16 * index} (i32.const 0)`;
  const bytes = (word: number): string =>
    [0, 8, 16, 24].map((by) => `\\${((word >>> by) & 0xff).toString(16).padStart(2, "0")}`).join("");
  const constants = fractions(64, 3).map((word) => bytes(word).repeat(4));
  const begin = fractions(8, 2).map(
    (word, index) => `(v128.store ${state(index)} (i32x4.splat (i32.const 0x${word.toString(16)})))`,
  );
  const vectors = [
    ...REGISTERS,
    ...sixteen.map((index) => `w${index}`),
    "t0",
    "t1",
    "t2",
    "t3",
    "u0",
    "u1",
    "u2",
    "u3",
  ];
  return `(module
    (import "env" "memory" (memory 1))
    (data (i32.const 0) "${constants.join("")}")
    (func (export "begin") ${begin.join("\n")})
    (func (export "blocks") (param $at i32) (param $stride i32) (param $count i32)
      (local $k i32) ${vectors.map((name) => `(local $${name} v128)`).join(" ")}
      (loop $block
        ${REGISTERS.map((name, index) => set(name, `(v128.load ${state(index)})`)).join("\n")}
        ${[0, 1, 2, 3].map(load).join("\n")}
        (local.set $k (i32.const 0))
        ${sixteen.map(round).join("\n")}
        (loop $group
          (local.set $k (i32.add ${local("k")} (i32.const 256)))
          ${sixteen.map((index) => `${schedule(index)}\n${round(index)}`).join("\n")}
          (br_if $group (i32.lt_u ${local("k")} (i32.const 768))))
        ${REGISTERS.map((name, index) => `(v128.store ${state(index)} ${add(`(v128.load ${state(index)})`, local(name))})`).join("\n")}
        (local.set $at (i32.add ${local("at")} (i32.const 64)))
        (br_if $block (local.tee $count (i32.sub ${local("count")} (i32.const 1)))))))`;
}

/** The binary, the same each time. */
export async function sha256Wasm(): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const parsed = parseWat("sha256.wat", moduleText(), { simd: true });
  parsed.validate();
  return parsed.toBinary({}).buffer;
}

if (import.meta.main) writeFileSync(SHA256_WASM, await sha256Wasm());
