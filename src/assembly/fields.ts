import {
  CAPITAL_T,
  CAPITAL_Z,
  COLON,
  DASH,
  DOT,
  LETTER_A,
  LETTER_N,
  OPEN_BRACE,
  PLUS,
  QUOTE,
  SMALL,
  UNDERSCORE,
  ZERO,
} from "./ascii.ts";
import { TENANT } from "./layout.ts";
import { isDigit, stands } from "./text.ts";
import { countFields, fieldAt, fieldBytes, formAt, formBytes } from "./value.ts";

/*
 * The rules of the `AuditEvent` schema and of `flow/accept/checks.ts`, as far as they can be said in a few comparisons:
 * what passes here is valid there, which a property test holds. What does not pass is for them to judge.
 */

export let idAt: usize = 0;
/** 0: the event has no id. */
export let idBytes: usize = 0;
export let actionAt: usize = 0;
export let actionBytes: usize = 0;
/** In ms since 1970; -1: it has none. */
export let ownTime: i64 = -1;
export let hasTenant: bool = false;
export let hasActorType: bool = false;
export let hasOutcome: bool = false;
export let hasHash: bool = false;

let hasActor: bool = false;
let isSystem: bool = false;
let tenantBytes: usize = 0;

/** @param bytes of `"tenant_id":"…"` in the memory: the tenant that every event is of */
export function setTenant(bytes: usize): void {
  tenantBytes = bytes;
}

/** Looks at what the event on the stack says of itself. @returns false: not plain */
export function readFields(): bool {
  idBytes = 0;
  actionBytes = 0;
  ownTime = -1;
  hasTenant = false;
  hasActorType = false;
  hasOutcome = false;
  hasHash = false;
  hasActor = false;
  isSystem = false;
  const count = countFields();
  for (let index: usize = 0; index < count; index++) if (!readField(fieldAt(index), fieldBytes)) return false;
  return actionBytes > 0 && (hasActor || isSystem);
}

function readField(name: usize, bytes: usize): bool {
  switch (<i32>bytes) {
    case 2:
      return stands(name, "id") ? readId() : true;
    case 6:
      return stands(name, "action") ? readAction() : true;
    case 7:
      if (stands(name, "service")) return isShortOrNull();
      if (!stands(name, "outcome")) return true;
      hasOutcome = true;
      return isShort();
    case 8:
      if (stands(name, "actor_id")) {
        hasActor = isShort();
        return isShortOrNull();
      }
      return stands(name, "metadata") ? load<u8>(formAt) === OPEN_BRACE || isNull() : true;
    case 9:
      if (stands(name, "timestamp")) return readTime();
      return stands(name, "tenant_id") ? readTenant() : true;
    case 10:
      if (!stands(name, "actor_type")) return true;
      hasActorType = true;
      isSystem = formBytes === 8 && stands(formAt + 1, "SYSTEM");
      return isShort();
    case 11:
      return stands(name, "resource_id") ? isShortOrNull() : true;
    case 13:
      return stands(name, "resource_type") ? isShortOrNull() : true;
    case 14:
      if (!stands(name, "integrity_hash")) return true;
      hasHash = true;
      return isShort();
    default:
      return true;
  }
}

function isText(): bool {
  return load<u8>(formAt) === QUOTE;
}

/** 1 to 256 bytes, which are at least as many as the UTF-16 units that the schema counts. */
function isShort(): bool {
  return isText() && formBytes > 2 && formBytes <= 258;
}

function isNull(): bool {
  return load<u8>(formAt) === LETTER_N;
}

function isShortOrNull(): bool {
  return isShort() || isNull();
}

function readTenant(): bool {
  hasTenant = true;
  const given = TENANT + 12; // behind `"tenant_id":`
  return formBytes === tenantBytes - 12 && memory.compare(formAt, given, formBytes) === 0;
}

/** Letters, digits, `_` and `-` */
function isWordLike(code: u8): bool {
  return <u32>(code | SMALL) - LETTER_A < 26 || isDigit(code) || code === UNDERSCORE || code === DASH;
}

function readId(): bool {
  if (!isText() || formBytes < 3 || formBytes > 130) return false;
  idAt = formAt + 1;
  idBytes = formBytes - 2;
  for (let at = idAt; at < idAt + idBytes; at++) if (!isWordLike(load<u8>(at))) return false;
  return true;
}

/** Words of lower-case letters, digits, `_` and `-`, joined by dots, at least two; the first begins with a letter. */
function readAction(): bool {
  if (!isText() || formBytes > 202) return false;
  actionAt = formAt + 1;
  actionBytes = formBytes - 2;
  let dots = 0;
  let isBegin = true;
  for (let at = actionAt; at < actionAt + actionBytes; at++) {
    const code = load<u8>(at);
    if (code === DOT) {
      if (isBegin) return false;
      dots++;
      isBegin = true;
      continue;
    }
    const isLetter = <u32>code - LETTER_A < 26;
    if (at === actionAt ? !isLetter : !isLetter && !isDigit(code) && code !== UNDERSCORE && code !== DASH)
      return false;
    isBegin = false;
  }
  return dots > 0 && !isBegin;
}

function digitsAt(at: usize, count: usize): i32 {
  let value = 0;
  for (let by: usize = 0; by < count; by++) {
    const code = load<u8>(at + by);
    if (!isDigit(code)) return -1;
    value = value * 10 + (<i32>code - ZERO);
  }
  return value;
}

/** RFC 3339 from 1970 on, with seconds, and with `Z` or an offset. */
function readTime(): bool {
  if (!isText() || formBytes < 22) return false;
  const at = formAt + 1;
  const year = digitsAt(at, 4);
  const month = digitsAt(at + 5, 2);
  const day = digitsAt(at + 8, 2);
  const isDate = load<u8>(at + 4) === DASH && load<u8>(at + 7) === DASH && load<u8>(at + 10) === CAPITAL_T;
  if (!isDate || year < 1970 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return false;
  const hour = digitsAt(at + 11, 2);
  const minute = digitsAt(at + 14, 2);
  const second = digitsAt(at + 17, 2);
  if (load<u8>(at + 13) !== COLON || load<u8>(at + 16) !== COLON) return false;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  ownTime = ((daysSince1970(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1_000;
  return readRest(at + 19, formAt + formBytes - 1);
}

/** The fraction of a second, of which milliseconds count, and the offset. */
function readRest(from: usize, end: usize): bool {
  let at = from;
  if (load<u8>(at) === DOT) {
    let scale = 100;
    for (at++; isDigit(load<u8>(at)); at++) {
      ownTime += <i64>(scale * (<i32>load<u8>(at) - ZERO));
      scale /= 10;
    }
    if (at === from + 1 || at > from + 10) return false;
  }
  const sign = load<u8>(at);
  if (sign === CAPITAL_Z) return at + 1 === end;
  if ((sign !== PLUS && sign !== DASH) || at + 6 !== end || load<u8>(at + 3) !== COLON) return false;
  const hours = digitsAt(at + 1, 2);
  const minutes = digitsAt(at + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
  const offset = <i64>(hours * 60 + minutes) * 60_000;
  ownTime += sign === PLUS ? -offset : offset;
  return ownTime >= 0;
}

function daysOf(year: i32, month: i32): i32 {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Counted in years that begin in March, so that a leap day is the last of its year. */
function daysSince1970(year: i32, month: i32, day: i32): i64 {
  const years = month > 2 ? year : year - 1;
  const months = month > 2 ? month - 3 : month + 9;
  const days = years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 1;
  return <i64>days - 719_468;
}
