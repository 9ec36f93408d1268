/*
 * Bytes as text, and back, on every platform: Node, browsers and Workers. `bytes.ts` does the same faster where
 * Node's own modules are at hand; what the client library reaches uses this file.
 */

/** Characters in one call of `String.fromCharCode`, which takes them as arguments. */
const CHUNK = 8_192;
const encoder = new TextEncoder();
/** Fatal: bytes that are no UTF-8 are never repaired in silence. Nor is a byte order mark dropped. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text) as Uint8Array<ArrayBuffer>; // never a shared buffer, which the platform's types cannot say
}

/** @returns null for bytes that are no UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Standard base64 with padding (RFC 4648, section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK)
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}

/**
 * Reads the one base64 text that these bytes have: padded, no spaces, and zeros in the bits that the last character
 * has to spare. So no two texts stand for the same bytes, and what is signed as text cannot be written differently.
 *
 * @returns null for every other text
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return encodeBase64(bytes.subarray(bytes.length - (bytes.length % 3))) === lastGroup(text) ? bytes : null;
}

/** The characters that stand for the one or two bytes after the last whole three; "" where there are none. */
function lastGroup(text: string): string {
  return text.endsWith("=") ? text.slice(-4) : "";
}

/** Lower case. */
export function encodeHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
