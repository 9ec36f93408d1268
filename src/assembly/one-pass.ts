/*
 * Takes the bytes of a request apart into finished event lines, in one pass: finds the events, checks them, completes
 * them, and writes for each its line with the hash of its canonical form. It is a short cut for what nearly all producers
 * send, written in AssemblyScript; whatever is out of the ordinary, faults included, is "not plain" and left to
 * `flow/accept`, whose outcome this must equal, byte for byte.
 */
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  DASH,
  LINE_BREAK,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  TAB,
} from "./ascii.ts";
import {
  actionAt,
  actionBytes,
  hasActorType,
  hasHash,
  hasOutcome,
  hasTenant,
  idAt,
  idBytes,
  ownTime,
  readFields,
  setTenant,
} from "./fields.ts";
import { addMessage, beginHashes, endHashes, laneAt, MAX_MESSAGE_BYTES } from "./hash.ts";
import {
  ACTOR_TYPE,
  ENDS,
  IDS,
  INPUT,
  MAX_PIECES,
  MEMBERS,
  OUTCOME,
  OWN_ID,
  PIECE,
  PIECES,
  RECEIVED,
  SLACK,
  TENANT,
  TIMES,
} from "./layout.ts";
import { copy, stands, write, writeDecimal, writeHex } from "./text.ts";
import {
  addField,
  beginBody,
  beginEvent,
  isBeyondAscii,
  isSpace,
  pieceAt,
  pieces,
  readMembers,
  writeMembers,
} from "./value.ts";

export { ENDS, IDS, INPUT, isBeyondAscii, RECEIVED, SLACK, TENANT, TIMES };

/** Where the end of an event's own id is to be written: the 18 characters that all of a batch share. */
export const ID_TAIL: usize = OWN_ID + 28;
const OWN_ID_BYTES: usize = 47;
const RECEIVED_BYTES: usize = 38;
const ACTOR_TYPE_BYTES: usize = 19;
const OUTCOME_BYTES: usize = 19;

export const MAX_EVENTS: i32 = 1_000;
const MAX_EVENT_BYTES: usize = 100_000;
/** More than a line has beside the text of its event: id, time and action once more, what is filled in, the hash. */
export const MAX_LINE_OVERHEAD: usize = 1_024;

/** The lines, joined by line breaks, and where the ids end. */
export let linesAt: usize = 0;
export let linesEnd: usize = 0;
export let idsEnd: usize = 0;

let receivedAt: i64 = 0;
let idTime: i64 = 0;
let prefersOwnTime: bool = false;
let tenantBytes: usize = 0;

/**
 * @param bytes of the body at `INPUT`; zeros follow
 * @param oneLine an event a line, rather than one, a list of them, or `{"events":[…]}`
 * @param received when, in ms since 1970
 * @param time for the ids of events; with `ownTime` only of those that have no time of their own
 * @param tenant bytes at `TENANT`
 * @returns how many events; 0: not plain, and nothing is to be read
 */
export function take(bytes: i32, oneLine: bool, received: f64, time: f64, ownTime: bool, tenant: i32): i32 {
  receivedAt = <i64>received;
  idTime = <i64>time;
  prefersOwnTime = ownTime;
  tenantBytes = tenant;
  setTenant(tenant);
  beginBody(oneLine);
  beginHashes();
  write(OWN_ID, '"id":"evt_');
  write(ACTOR_TYPE, '"actor_type":"USER"');
  write(OUTCOME, '"outcome":"SUCCESS"');
  const end = INPUT + bytes;
  linesAt = end + SLACK;
  linesEnd = linesAt;
  idsEnd = IDS;
  const count = oneLine ? takeLines(end) : takeJson(end);
  endHashes();
  return count;
}

function skip(from: usize): usize {
  let at = from;
  while (isSpace(load<u8>(at))) at++;
  return at;
}

function takeLines(end: usize): i32 {
  let count = 0;
  let at = skip(INPUT);
  while (at < end) {
    if (count === MAX_EVENTS) return 0;
    at = takeEvent(at, count++);
    if (at === 0) return 0;
    while (load<u8>(at) !== LINE_BREAK && isSpace(load<u8>(at))) at++;
    if (at !== end && load<u8>(at) !== LINE_BREAK) return 0;
    at = skip(at);
  }
  return at === end ? count : 0;
}

function takeJson(end: usize): i32 {
  let at = skip(INPUT);
  const list = load<u8>(at) === OPEN_BRACE ? listOf(at) : at;
  if (list === 0) {
    at = takeEvent(at, 0);
    return at !== 0 && skip(at) === end ? 1 : 0;
  }
  if (load<u8>(list) !== OPEN_BRACKET) return 0;
  const isEnvelope = list !== at;
  let count = 0;
  at = skip(list + 1);
  while (true) {
    if (count === MAX_EVENTS) return 0;
    at = takeEvent(at, count++);
    if (at === 0) return 0;
    at = skip(at);
    const code = load<u8>(at);
    at = skip(at + 1);
    if (code === CLOSE_BRACKET) break;
    if (code !== COMMA) return 0;
  }
  if (isEnvelope) {
    if (load<u8>(at) !== CLOSE_BRACE) return 0;
    at = skip(at + 1);
  }
  return at === end ? count : 0;
}

/** Where the value of `{"events":` begins; 0: an object that begins with something else. */
function listOf(open: usize): usize {
  const name = skip(open + 1);
  if (load<u8>(name) !== QUOTE || !stands(name + 1, "events") || load<u8>(name + 7) !== QUOTE) return 0;
  const colon = skip(name + 8);
  return load<u8>(colon) === COLON ? skip(colon + 1) : 0;
}

/** @returns behind the event; 0: not plain */
function takeEvent(open: usize, index: i32): usize {
  if (load<u8>(open) !== OPEN_BRACE) return 0;
  beginEvent(open);
  const end = readMembers(open, 1);
  if (end === 0 || end - open > MAX_EVENT_BYTES || pieces === MAX_PIECES || !readFields()) return 0;
  let id = idAt;
  let idLength = idBytes;
  const hasId = idBytes > 0;
  if (!hasId) {
    writeOwnId(index);
    id = OWN_ID + 6;
    idLength = 40;
  }
  const time = ownTime < 0 ? receivedAt : ownTime;
  copy(idsEnd, id, idLength);
  idsEnd += idLength;
  store<u8>(idsEnd++, LINE_BREAK);

  let to = linesEnd;
  if (index > 0) store<u8>(to++, LINE_BREAK);
  to = put(to, id, idLength);
  store<u8>(to++, TAB);
  to = writeDecimal(to, time);
  store<u8>(to++, TAB);
  to = put(to, actionAt, actionBytes);
  store<u8>(to++, TAB);
  to = writeText(to, end);
  if (!hasId) to = complete(to, OWN_ID, 2, OWN_ID_BYTES);
  if (ownTime < 0) to = complete(to, RECEIVED, 9, RECEIVED_BYTES);
  if (!hasTenant) to = complete(to, TENANT, 9, tenantBytes);
  if (!hasActorType) to = complete(to, ACTOR_TYPE, 10, ACTOR_TYPE_BYTES);
  if (!hasOutcome) to = complete(to, OUTCOME, 7, OUTCOME_BYTES);
  if (!hasHash) {
    const form = writeMembers(MEMBERS, laneAt(), laneAt() + MAX_MESSAGE_BYTES);
    if (form === 0) return 0;
    to = write(to, ',"integrity_hash":"sha256:');
    addMessage(form, to);
    to += 64;
    store<u8>(to++, QUOTE);
  }
  store<u8>(to++, CLOSE_BRACE);
  linesEnd = to;
  store<u32>(ENDS + <usize>index * 4, <u32>(to - linesAt));
  store<f64>(TIMES + <usize>index * 8, <f64>time);
  return end;
}

function put(to: usize, from: usize, bytes: usize): usize {
  copy(to, from, bytes);
  return to + bytes;
}

/** The event's own text without white space, up to its closing brace, behind which more is to follow. */
function writeText(from: usize, end: usize): usize {
  let to = from;
  for (let index: usize = 0; index < <usize>pieces; index++) {
    const piece = PIECES + index * PIECE;
    to = put(to, load<u32>(piece), load<u32>(piece, 4));
  }
  return put(to, pieceAt, end - pieceAt) - 1;
}

/** Appends a member that the event lacks, and puts it among those that are hashed. */
function complete(to: usize, at: usize, nameBytes: usize, bytes: usize): usize {
  addField(at, nameBytes, bytes);
  store<u8>(to, COMMA);
  return put(to + 1, at, bytes);
}

/** `evt_` and a UUIDv7, as `flow/accept/idempotency.ts` makes it. */
function writeOwnId(index: i32): void {
  const time = <u64>(prefersOwnTime && ownTime >= 0 ? ownTime : idTime);
  let to = writeHex(OWN_ID + 10, time >> 16, 8);
  store<u8>(to++, DASH);
  to = writeHex(to, time & 0xffff, 4);
  writeHex(write(to, "-7"), index, 3);
}
