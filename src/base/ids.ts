import type { EpochMs } from "./clock.ts";

/** What each identifier starts with; a prefix never changes once it has been handed out. */
export const ID_PREFIX = {
  tenant: "ten_",
  key: "key_",
  event: "evt_",
  batch: "bat_",
  destination: "siem_",
  deadLetter: "dl_",
  request: "req_",
  source: "src_",
  incident: "inc_",
  change: "chg_",
  credential: "cred_",
  publicKey: "pk_",
  tenantKey: "tkey_",
  integration: "int_",
  envelope: "env_",
} as const;

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * UUID version 7 (RFC 9562) from a time and ten random or derived bytes.
 *
 * @param at milliseconds, 48 bits are used
 * @param tail at least 10 bytes from `offset` on; version and variant bits are overwritten
 */
export function uuidV7(at: EpochMs, tail: Uint8Array, offset = 0): string {
  const hex = (index: number): string => HEX[(tail[offset + index] ?? 0) & 0xff] ?? "00";
  const time = Math.max(0, Math.floor(at)).toString(16).padStart(12, "0").slice(-12);
  const version = `7${hex(0).charAt(1)}${hex(1)}`;
  const variant = HEX[((tail[offset + 2] ?? 0) & 0x3f) | 0x80] ?? "80";
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}${hex(3)}-${hex(4)}${hex(5)}${hex(6)}${hex(7)}${hex(8)}${hex(9)}`;
}

/** A fresh identifier that sorts by the time it was made. */
export function newId(prefix: string, at: EpochMs): string {
  return prefix + uuidV7(at, crypto.getRandomValues(new Uint8Array(10))).replaceAll("-", "");
}
