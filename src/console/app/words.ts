/** Numbers, times and states in words. Everything returned is plain text. */

const DAY = 86_400_000;

/** `3 h 12 m`, `45 s`: two units at most. */
export function duration(ms: number): string {
  const all = Math.max(0, Math.round(ms / 1_000));
  if (all < 60) return `${all} s`;
  const [d, h, m] = [
    Math.floor(all / 86_400),
    Math.floor((all % 86_400) / 3_600),
    Math.floor((all % 3_600) / 60),
  ];
  if (d > 0) return h > 0 ? `${d} d ${h} h` : `${d} d`;
  if (h > 0) return m > 0 ? `${h} h ${m} m` : `${h} h`;
  const s = all % 60;
  return m < 10 && s > 0 ? `${m} m ${s} s` : `${m} m`;
}

export function ago(iso: string | null, now: number): string {
  if (iso === null) return "never";
  const ms = now - Date.parse(iso);
  return ms < 5_000 ? "just now" : `${duration(ms)} ago`;
}

export function until(iso: string, now: number): string {
  const ms = Date.parse(iso) - now;
  return ms < 1_000 ? "now" : `in ${duration(ms)}`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1.2 k`, `3.4 M`: for narrow columns. */
export function short(value: number): string {
  if (value < 1_000) return String(value);
  if (value < 1_000_000) return `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)} k`;
  return `${(value / 1_000_000).toFixed(1)} M`;
}

export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  if (value < 1_000_000) return `${(value / 1_000).toFixed(1)} kB`;
  if (value < 1_000_000_000) return `${(value / 1_000_000).toFixed(1)} MB`;
  return `${(value / 1_000_000_000).toFixed(1)} GB`;
}

export function milliseconds(value: number | null): string {
  if (value === null) return "–";
  return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(1)} s`;
}

/** In the reader's own time zone, to the second; with the date where it is not today. */
export function moment(iso: string | null): string {
  if (iso === null) return "–";
  const at = new Date(iso);
  const time = at.toLocaleTimeString(undefined, { hour12: false });
  return Math.abs(Date.now() - at.getTime()) < DAY / 2 ? time : `${at.toLocaleDateString()} ${time}`;
}

export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}
