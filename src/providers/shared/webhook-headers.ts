/** A token of RFC 9110, 5.6.2: what a header may be called. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;

/** Printable ASCII, with no space at either end: what a header may say. */
const VALUE = /^[!-~](?:[ -~]{0,998}[!-~])?$/;

/** The connection's own, what the relay sets itself, and what carries credentials: settings are shown in answers. */
const RESERVED: ReadonlySet<string> = new Set([
  "accept-encoding",
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "date",
  "expect",
  "host",
  "keep-alive",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
]);
const RESERVED_STARTS = ["cf-", "proxy-", "sec-", "webhook-", "x-forwarded-"];

/** @returns what is wrong with the name of a header, or null */
export function headerNameFault(name: string): string | null {
  if (!TOKEN.test(name)) return "Expected the name of a header, like X-Audit-Source";
  const lower = name.toLowerCase();
  if (RESERVED.has(lower) || RESERVED_STARTS.some((start) => lower.startsWith(start)))
    return "Expected another name: this header is not free to set";
  return null;
}

/** @returns what is wrong with the value of a header, or null */
export function headerValueFault(value: string): string | null {
  return VALUE.test(value)
    ? null
    : "Expected 1 to 1,000 printable ASCII characters, without spaces around them";
}
