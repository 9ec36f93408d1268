import { byteLength } from "../../base/bytes.ts";

/** Below about one network packet compression saves nothing. */
const WORTH_COMPRESSING_BYTES = 1_500;

/** The bytes are counted only where the characters leave it open. */
export function isWorthCompressing(body: string): boolean {
  return body.length > WORTH_COMPRESSING_BYTES || byteLength(body) > WORTH_COMPRESSING_BYTES;
}
