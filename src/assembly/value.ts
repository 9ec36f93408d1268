import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  DASH,
  DOT,
  LETTER_E,
  LETTER_F,
  LETTER_N,
  LETTER_T,
  LINE_BREAK,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  RETURN,
  SMALL,
  SPACE,
  TAB,
  ZERO,
} from "./ascii.ts";
import {
  ARENA,
  ARENA_END,
  MAX_ELEMENTS,
  MAX_MEMBERS,
  MAX_PIECES,
  MEMBER,
  MEMBERS,
  PIECE,
  PIECES,
  SLACK,
} from "./layout.ts";
import { BEYOND_ASCII, copy, isDigit, passString, RESPELT, respell, stands, traits } from "./text.ts";

/*
 * Values are read once, from left to right. Of each is known afterwards where its canonical form (RFC 8785) stands: mostly
 * in the body itself, since most values are spelt that way; otherwise in the arena. Whatever this cannot say is "not
 * plain", is answered with 0, and left to the parser, the schema and their error messages.
 */

const MAX_DEPTH: i32 = 64;
const MAX_SAFE_INTEGER: i64 = 9_007_199_254_740_991;
/** Digits that any double keeps apart, so that a number of so many is its own shortest form. */
const EXACT_DIGITS: usize = 15;

/** The canonical form of the value just read, and whether it is the text that was sent. */
export let formAt: usize = 0;
export let formBytes: usize = 0;
let isAsSent: bool = false;

/** Pieces of the event's text that are done, and where the open one begins. */
export let pieces: i32 = 0;
export let pieceAt: usize = 0;
/** Some string has characters beyond ASCII, so that somebody has to look whether it is UTF-8. */
export let isBeyondAscii: bool = false;

let isOneLine: bool = false;
let arena: usize = ARENA;
let members: usize = MEMBERS;

export function beginBody(oneLine: bool): void {
  isOneLine = oneLine;
  isBeyondAscii = false;
}

export function beginEvent(open: usize): void {
  pieces = 0;
  pieceAt = open;
  arena = ARENA;
  members = MEMBERS;
}

/** Past white space inside an event, which its text is to be without. */
function skip(at: usize): usize {
  return load<u8>(at) > SPACE ? at : skipSpace(at);
}

function skipSpace(from: usize): usize {
  let at = from;
  while (isSpace(load<u8>(at)) && !(isOneLine && load<u8>(at) === LINE_BREAK)) at++;
  if (at !== from && pieces < MAX_PIECES) {
    const piece = PIECES + <usize>pieces * PIECE;
    store<u32>(piece, <u32>pieceAt);
    store<u32>(piece, <u32>(from - pieceAt), 4);
    pieces++;
    pieceAt = at;
  }
  return at;
}

export function isSpace(code: u8): bool {
  return code === SPACE || code === LINE_BREAK || code === RETURN || code === TAB;
}

/** @returns behind the value; 0: not plain */
function readValue(at: usize, level: i32): usize {
  const code = load<u8>(at);
  if (code === QUOTE) return readString(at);
  if (code === OPEN_BRACE) return readObject(at, level + 1);
  if (code === OPEN_BRACKET) return readList(at, level + 1);
  if (code === LETTER_T) return stands(at, "true") ? asSent(at, at + 4) : 0;
  if (code === LETTER_F) return stands(at, "false") ? asSent(at, at + 5) : 0;
  if (code === LETTER_N) return stands(at, "null") ? asSent(at, at + 4) : 0;
  return readNumber(at);
}

function asSent(at: usize, end: usize): usize {
  formAt = at;
  formBytes = end - at;
  isAsSent = true;
  return end;
}

function inArena(end: usize): void {
  formAt = arena;
  formBytes = end - arena;
  isAsSent = false;
  arena = end;
}

function readString(open: usize): usize {
  const end = passString(open);
  if (end === 0) return 0;
  if ((traits & BEYOND_ASCII) !== 0) isBeyondAscii = true;
  if ((traits & RESPELT) === 0) return asSent(open, end);
  const respelt = respell(arena, open, end);
  if (respelt === 0) return 0;
  inArena(respelt);
  return end;
}

/** A number whose canonical form is its own, but for zeros at the end of its fraction. */
function readNumber(from: usize): usize {
  const first = load<u8>(from) === DASH ? from + 1 : from;
  let at = first;
  let whole: i64 = 0;
  for (; isDigit(load<u8>(at)); at++) {
    if (at - first === 16) return 0;
    whole = whole * 10 + <i64>(load<u8>(at) - ZERO);
  }
  const digits = at - first;
  if (digits === 0 || (digits > 1 && load<u8>(first) === ZERO)) return 0;
  if (load<u8>(at) === DOT) return readFraction(from, at, digits, whole === 0);
  if ((load<u8>(at) | SMALL) === LETTER_E) return 0; // an exponent
  if (whole > MAX_SAFE_INTEGER || (whole === 0 && first !== from)) return 0;
  return asSent(from, at);
}

/** @param point behind so many digits. Below 0.000001 the canonical form has an exponent. */
function readFraction(from: usize, point: usize, digits: usize, isSmall: bool): usize {
  let at = point + 1;
  let last = point - 1; // the last that the canonical form has
  let zeros = 0;
  for (; isDigit(load<u8>(at)); at++) {
    if (at - point > 32) return 0;
    if (load<u8>(at) !== ZERO) last = at;
    else if (isSmall && last < point) zeros++;
  }
  if (at === point + 1 || (load<u8>(at) | SMALL) === LETTER_E) return 0;
  if (isSmall && (last < point || zeros > 5)) return 0;
  if (digits + (last > point ? last - point : 0) > EXACT_DIGITS) return 0;
  asSent(from, last + 1);
  isAsSent = last + 1 === at;
  return at;
}

/** Its elements are kept like members without a name. */
function readList(open: usize, level: i32): usize {
  if (level > MAX_DEPTH) return 0;
  const base = members;
  const before = pieces;
  let areAsSent = true;
  let at = skip(open + 1);
  if (load<u8>(at) === CLOSE_BRACKET) {
    at++;
  } else {
    while (true) {
      if (members - base >= MAX_ELEMENTS * MEMBER || members + MEMBER > ARENA) return 0;
      at = readValue(at, level);
      if (at === 0) return 0;
      areAsSent = areAsSent && isAsSent;
      store<u32>(members, <u32>formAt, FORM);
      store<u32>(members, <u32>formBytes, FORM_BYTES);
      members += MEMBER;
      at = skip(at);
      const code = load<u8>(at++);
      if (code === CLOSE_BRACKET) break;
      if (code !== COMMA) return 0;
      at = skip(at);
    }
  }
  if (areAsSent && pieces === before) asSent(open, at);
  else if (!writeList(base)) return 0;
  members = base;
  return at;
}

function writeList(base: usize): bool {
  let to = arena;
  store<u8>(to++, OPEN_BRACKET);
  for (let element = base; element < members; element += MEMBER) {
    const bytes = <usize>load<u32>(element, FORM_BYTES);
    if (to + bytes + SLACK > ARENA_END) return false;
    if (element !== base) store<u8>(to++, COMMA);
    copy(to, load<u32>(element, FORM), bytes);
    to += bytes;
  }
  store<u8>(to++, CLOSE_BRACKET);
  inArena(to);
  return true;
}

function readObject(open: usize, level: i32): usize {
  const before = pieces;
  const base = members;
  const end = readMembers(open, level);
  if (end === 0) return 0;
  if (areInOrder && pieces === before) {
    asSent(open, end);
  } else {
    const to = writeMembers(base, arena, ARENA_END);
    if (to === 0) return 0;
    inArena(to);
  }
  members = base;
  return end;
}

/** The members just read were sent as RFC 8785 wants them, and in the order that it wants. */
let areInOrder: bool = false;

/**
 * Reads an object's members and leaves them on the stack, in the order of their names.
 *
 * @returns behind the object; 0: not plain
 */
export function readMembers(open: usize, level: i32): usize {
  if (level > MAX_DEPTH || members + (MAX_MEMBERS + SPARE_MEMBERS) * MEMBER > ARENA) return 0;
  const base = members;
  let inOrder = true;
  let at = skip(open + 1);
  if (load<u8>(at) === CLOSE_BRACE) {
    at++;
  } else {
    while (true) {
      if (members - base === MAX_MEMBERS * MEMBER) return 0;
      const name = at + 1;
      if (load<u8>(at) !== QUOTE) return 0;
      at = passString(at);
      if (at === 0 || traits !== 0) return 0; // names are compared as they stand
      const nameBytes = at - 1 - name;
      at = skip(at);
      if (load<u8>(at) !== COLON) return 0;
      at = skip(at + 1);
      const isNext = at === name + nameBytes + 2;
      at = readValue(at, level);
      if (at === 0) return 0;
      const last = members;
      if (!addMember(base, name, nameBytes, isAsSent && isNext)) return 0;
      inOrder = inOrder && isAsSent && load<u32>(last, NAME) === <u32>name;
      at = skip(at);
      const code = load<u8>(at++);
      if (code === CLOSE_BRACE) break;
      if (code !== COMMA) return 0;
      at = skip(at);
    }
  }
  areInOrder = inOrder;
  return at;
}

/** Room for those that an event gets. */
const SPARE_MEMBERS: usize = 8;

// A member on the stack: the first eight bytes of its name as a number that sorts as they do, its name, the form of its
// value, and whether name and value stand together.
const KEY: usize = 0;
const NAME: usize = 8;
const NAME_BYTES: usize = 12;
const FORM: usize = 16;
const FORM_BYTES: usize = 20;
const IS_JOINED: usize = 24;

/** Puts the value just read among the members of its object. @returns false where the name is there already */
function addMember(base: usize, name: usize, nameBytes: usize, isJoined: bool): bool {
  const key = keyOf(name, nameBytes);
  let place = members;
  for (; place > base; place -= MEMBER) {
    const before = place - MEMBER;
    const order = compareNames(key, name, nameBytes, before);
    if (order === 0) return false;
    if (order > 0) break;
    v128.store(place, v128.load(before));
    v128.store(place, v128.load(before, 16), 16);
  }
  store<u64>(place, key, KEY);
  store<u32>(place, <u32>name, NAME);
  store<u32>(place, <u32>nameBytes, NAME_BYTES);
  store<u32>(place, <u32>formAt, FORM);
  store<u32>(place, <u32>formBytes, FORM_BYTES);
  store<u32>(place, <u32>isJoined, IS_JOINED);
  members += MEMBER;
  return true;
}

/** A shorter name has zeros at its end, which no name contains. */
function keyOf(name: usize, bytes: usize): u64 {
  const first = bswap(load<u64>(name));
  return bytes >= 8 ? first : bytes === 0 ? 0 : first & (~(<u64>0) << (64 - (bytes << 3)));
}

/** Names are ASCII, whose bytes sort as UTF-16 does. */
function compareNames(key: u64, name: usize, bytes: usize, other: usize): i32 {
  const otherKey = load<u64>(other, KEY);
  if (key !== otherKey) return key < otherKey ? -1 : 1;
  const otherName = <usize>load<u32>(other, NAME);
  const otherBytes = <usize>load<u32>(other, NAME_BYTES);
  const both = min(bytes, otherBytes);
  for (let at: usize = 8; at < both; at++) {
    const by = <i32>load<u8>(name + at) - <i32>load<u8>(otherName + at);
    if (by !== 0) return by;
  }
  return bytes === otherBytes ? 0 : bytes < otherBytes ? -1 : 1;
}

/** Adds `"name":"value"`, which stands somewhere as it is to be written, to the members of the event. */
export function addField(at: usize, nameBytes: usize, bytes: usize): void {
  formAt = at + nameBytes + 3;
  formBytes = bytes - nameBytes - 3;
  addMember(MEMBERS, at + 1, nameBytes, true);
}

/** Writes the members from `base` on as an object. @returns where it ends; 0: beyond `end` */
export function writeMembers(base: usize, start: usize, end: usize): usize {
  let to = start;
  store<u8>(to++, OPEN_BRACE);
  for (let member = base; member < members; member += MEMBER) {
    const name = <usize>load<u32>(member, NAME) - 1;
    const nameBytes = <usize>load<u32>(member, NAME_BYTES) + 2;
    const bytes = <usize>load<u32>(member, FORM_BYTES);
    if (to + nameBytes + bytes + SLACK > end) return 0;
    if (member !== base) store<u8>(to++, COMMA);
    if (load<u32>(member, IS_JOINED) !== 0) {
      copy(to, name, nameBytes + 1 + bytes);
      to += nameBytes + 1 + bytes;
    } else {
      copy(to, name, nameBytes);
      to += nameBytes;
      store<u8>(to++, COLON);
      copy(to, load<u32>(member, FORM), bytes);
      to += bytes;
    }
  }
  store<u8>(to++, CLOSE_BRACE);
  return to;
}

/** How many members the event has. */
export function countFields(): usize {
  return (members - MEMBERS) / MEMBER;
}

/** One of them: makes its value the one just read. @returns where its name stands */
export function fieldAt(index: usize): usize {
  const member = MEMBERS + index * MEMBER;
  fieldBytes = load<u32>(member, NAME_BYTES);
  formAt = load<u32>(member, FORM);
  formBytes = load<u32>(member, FORM_BYTES);
  return load<u32>(member, NAME);
}

/** Of the name that `fieldAt` found. */
export let fieldBytes: usize = 0;
