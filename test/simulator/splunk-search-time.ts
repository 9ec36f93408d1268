/**
 * Splunk's ways of writing a time.
 *
 * @see https://docs.splunk.com/Documentation/Splunk/latest/Search/Specifytimemodifiersinyoursearch (read 2026-11)
 */

const SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  sec: 1,
  secs: 1,
  second: 1,
  seconds: 1,
  m: 60,
  min: 60,
  mins: 60,
  minute: 60,
  minutes: 60,
  h: 3600,
  hr: 3600,
  hrs: 3600,
  hour: 3600,
  hours: 3600,
  d: 86_400,
  day: 86_400,
  days: 86_400,
  w: 604_800,
  week: 604_800,
  weeks: 604_800,
};

/** The epoch was a Thursday; Splunk's weeks begin on Sunday. */
const FIRST_SUNDAY = 3 * 86_400;

/**
 * Epoch seconds, `now`, ISO 8601 with a zone, or a relative time: `-15m`, `+1h`, `-1d@d`, `@h`. UTC.
 *
 * @param now Splunk's clock, in epoch seconds
 * @returns epoch seconds, or null for what is no time
 */
export function splunkTime(text: string, now: number): number | null {
  if (text === "now" || text === "now()") return Math.floor(now);
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  if (/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(text)) {
    const ms = Date.parse(text);
    return Number.isNaN(ms) ? null : ms / 1000;
  }
  const [, sign, amount = "", unit = "", snap] =
    /^(?:([+-])(\d*)([a-z]+))?(?:@([a-z]+))?$/.exec(text.toLowerCase()) ?? [];
  if (sign === undefined && snap === undefined) return null;
  let at = Math.floor(now);
  if (sign !== undefined) {
    const seconds = SECONDS[unit];
    if (seconds === undefined) return null;
    at += (sign === "-" ? -1 : 1) * Number(amount === "" ? 1 : amount) * seconds;
  }
  if (snap === undefined) return at;
  const grid = SECONDS[snap];
  if (grid === undefined) return null;
  const origin = grid === SECONDS["w"] ? FIRST_SUNDAY : 0;
  return Math.floor((at - origin) / grid) * grid + origin;
}

/** `_time` as results show it: `2026-10-08T13:47:15.000+00:00`. */
export function isoTime(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString().replace("Z", "+00:00");
}

/** `_time` as an export shows it: `2026-10-08 13:48:34.000 GMT`. */
export function exportTime(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString().replace("T", " ").replace("Z", " GMT");
}
