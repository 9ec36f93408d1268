import {
  BACKSLASH,
  LETTER_A,
  LETTER_F,
  LETTER_N,
  LETTER_T,
  LETTER_U,
  QUOTE,
  SLASH,
  SMALL,
  SPACE,
  ZERO,
} from "./ascii.ts";
import { ARENA_END, SLACK } from "./layout.ts";

/** Copies in steps of 16 bytes: up to 15 more than wanted, at least 16. Both sides have room for it. */
export function copy(to: usize, from: usize, count: usize): void {
  let at: usize = 0;
  do {
    v128.store(to + at, v128.load(from + at));
    at += 16;
  } while (at < count);
}

/** Writes a text of this program's own, in ASCII. @returns where it ends */
export function write(to: usize, text: string): usize {
  const from = changetype<usize>(text); // UTF-16
  const count = <usize>text.length;
  for (let at: usize = 0; at < count; at++) store<u8>(to + at, load<u8>(from + at + at));
  return to + count;
}

/** Whether this stands there, in ASCII. */
export function stands(at: usize, text: string): bool {
  const from = changetype<usize>(text);
  const count = <usize>text.length;
  for (let by: usize = 0; by < count; by++) if (load<u8>(at + by) !== load<u8>(from + by + by)) return false;
  return true;
}

export function isDigit(code: u8): bool {
  return <u32>code - ZERO < 10;
}

/** Of the string just passed: an escape, one that RFC 8785 spells otherwise, a character beyond ASCII. */
export let traits: i32 = 0;
const ESCAPED: i32 = 1;
export const RESPELT: i32 = 2;
export const BEYOND_ASCII: i32 = 4;

/** From a string's opening quote to behind its closing one; 0 where it has none or holds what JSON forbids. */
export function passString(open: usize): usize {
  let at = open + 1;
  traits = 0;
  while (true) {
    const some = v128.load(at);
    const isSpecial = v128.or(
      v128.or(i8x16.eq(some, i8x16.splat(QUOTE)), i8x16.eq(some, i8x16.splat(BACKSLASH))),
      i8x16.lt_s(some, i8x16.splat(SPACE)), // signed: control characters, and every byte beyond ASCII
    );
    const special = i8x16.bitmask(isSpecial);
    if (special === 0) {
      at += 16;
      continue;
    }
    at += ctz(special);
    const code = load<u8>(at);
    if (code === QUOTE) return at + 1;
    if (code < SPACE) return 0;
    if (code === BACKSLASH) {
      const length = escapeBytes(at);
      if (length === 0) return 0;
      at += length;
    } else {
      traits |= BEYOND_ASCII;
      at++;
    }
  }
}

/** Of the escape that begins at a backslash; 0 where it is none. */
function escapeBytes(at: usize): usize {
  const code = load<u8>(at + 1);
  if (code === LETTER_U || code === SLASH) {
    traits |= ESCAPED | RESPELT;
    if (code === SLASH) return 2;
    return unitOf(at) < 0 ? 0 : 6;
  }
  traits |= ESCAPED;
  return shortEscape(code) === 0 && code !== QUOTE && code !== BACKSLASH ? 0 : 2;
}

/** The character that \b, \t, \n, \f or \r stands for; 0 for any other letter. */
function shortEscape(letter: u8): u8 {
  switch (letter) {
    case 0x62:
      return 0x08;
    case LETTER_T:
      return 0x09;
    case LETTER_N:
      return 0x0a;
    case LETTER_F:
      return 0x0c;
    case 0x72:
      return 0x0d;
    default:
      return 0;
  }
}

/** The UTF-16 unit of a \u escape; -1 where its four digits are none. */
function unitOf(at: usize): i32 {
  let unit: i32 = 0;
  for (let digit: usize = 2; digit < 6; digit++) {
    const code = load<u8>(at + digit);
    const low = code | SMALL;
    if (isDigit(code)) unit = (unit << 4) | (<i32>code - ZERO);
    else if (low >= LETTER_A && low <= LETTER_F) unit = (unit << 4) | (<i32>low - LETTER_A + 10);
    else return -1;
  }
  return unit;
}

/**
 * Writes a string as RFC 8785 spells it: characters as they are, and escaped only what has to be.
 *
 * @param open a string that `passString` has passed, up to `end`
 * @returns where it ends; 0 where there is no room, or for half of a surrogate pair, which has no form
 */
export function respell(to: usize, open: usize, end: usize): usize {
  if (to + (end - open) + SLACK > ARENA_END) return 0; // no spelling is longer than the one that was sent
  let out = to;
  let at = open;
  while (at < end) {
    const code = load<u8>(at);
    if (code !== BACKSLASH) {
      store<u8>(out++, code);
      at++;
      continue;
    }
    const letter = load<u8>(at + 1);
    if (letter === SLASH) {
      store<u8>(out++, letter);
      at += 2;
      continue;
    }
    if (letter !== LETTER_U) {
      store<u16>(out, load<u16>(at));
      out += 2;
      at += 2;
      continue;
    }
    let unit = unitOf(at);
    at += 6;
    if (unit >= 0xd800 && unit < 0xe000) {
      if (unit >= 0xdc00 || load<u8>(at) !== BACKSLASH || load<u8>(at + 1) !== LETTER_U) return 0;
      const second = unitOf(at);
      if (second < 0xdc00 || second >= 0xe000) return 0;
      at += 6;
      unit = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
    }
    out = writeCharacter(out, unit);
  }
  return out;
}

function writeCharacter(to: usize, code: i32): usize {
  if (code === <i32>QUOTE || code === <i32>BACKSLASH) {
    store<u8>(to, BACKSLASH);
    store<u8>(to + 1, <u8>code);
    return to + 2;
  }
  if (code < <i32>SPACE) return writeControl(to, <u8>code);
  if (code < 0x80) {
    store<u8>(to, <u8>code);
    return to + 1;
  }
  if (code < 0x800) {
    store<u8>(to, <u8>(0xc0 | (code >> 6)));
    store<u8>(to + 1, <u8>(0x80 | (code & 0x3f)));
    return to + 2;
  }
  if (code < 0x10000) {
    store<u8>(to, <u8>(0xe0 | (code >> 12)));
    store<u8>(to + 1, <u8>(0x80 | ((code >> 6) & 0x3f)));
    store<u8>(to + 2, <u8>(0x80 | (code & 0x3f)));
    return to + 3;
  }
  store<u8>(to, <u8>(0xf0 | (code >> 18)));
  store<u8>(to + 1, <u8>(0x80 | ((code >> 12) & 0x3f)));
  store<u8>(to + 2, <u8>(0x80 | ((code >> 6) & 0x3f)));
  store<u8>(to + 3, <u8>(0x80 | (code & 0x3f)));
  return to + 4;
}

function writeControl(to: usize, code: u8): usize {
  const letters = "btnfr";
  for (let index = 0; index < 5; index++) {
    const letter = <u8>letters.charCodeAt(index);
    if (shortEscape(letter) !== code) continue;
    store<u8>(to, BACKSLASH);
    store<u8>(to + 1, letter);
    return to + 2;
  }
  return writeHex(write(to, "\\u"), code, 4);
}

/** So many lower-case hex digits of a number. @returns where they end */
export function writeHex(to: usize, value: u64, digits: usize): usize {
  let rest = value;
  for (let at = to + digits; at > to; rest >>= 4) {
    const digit = <u8>(rest & 15);
    store<u8>(--at, digit < 10 ? ZERO + digit : LETTER_A + digit - 10);
  }
  return to + digits;
}

/** A number of at least 0 in decimal. @returns where it ends */
export function writeDecimal(to: usize, value: i64): usize {
  let digits: usize = 1;
  for (let rest = value; rest >= 10; rest /= 10) digits++;
  let rest = value;
  for (let at = to + digits; at > to; rest /= 10) store<u8>(--at, <u8>(ZERO + (rest % 10)));
  return to + digits;
}
