import { sha256Hex } from "./bytes.ts";
import program from "./sha256.wasm";

/*
 * SHA-256 of many short texts. `node:crypto` makes an object and a buffer for each, which the collector has to find and
 * free again: 6 of 23 microseconds that an event took in all (100 a request, 2026-11). `sha256.wasm` does four at once
 * and leaves nothing behind: about 1 microsecond an event. `src/local/sha256-wasm.ts` is its source.
 */

/** Texts that lie side by side, and how far apart. */
const LANES = 4;
const STRIDE = 65_536;
/** Where they begin, behind the constants and the state. */
const BASE = 2_048;
const STATE = 1_024;
const BLOCK = 64;
/** A mark, and the length in eight bytes. */
const PADDING = 9;

/** The program on a memory, of which it takes the first 1,152 bytes. */
export interface Hashing {
  begin(): void;
  blocks(at: number, stride: number, count: number): void;
}

export function hashingIn(memory: WebAssembly.Memory): Hashing & WebAssembly.ModuleImports {
  const instance = new WebAssembly.Instance(program, { env: { memory } });
  return instance.exports as Hashing & WebAssembly.ModuleImports; // as `src/local/sha256-wasm.ts` writes it
}

const PAGE_BYTES = 65_536;
const memory = new WebAssembly.Memory({ initial: Math.ceil((BASE + LANES * STRIDE) / PAGE_BYTES) });
const { begin, blocks } = hashingIn(memory);
const bytes = new Uint8Array(memory.buffer);
const view = new DataView(memory.buffer);
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const DIGITS = encoder.encode("0123456789abcdef");

/** Lower-case hex of each text's UTF-8, in order. */
export function sha256HexMany(texts: readonly string[]): readonly string[] {
  const hex = new Uint8Array(texts.length * HEX);
  const large: number[] = [];
  const lanes: number[] = [];
  for (const [index, text] of texts.entries()) {
    // A UTF-16 unit is at most 3 bytes.
    if (text.length * 3 + PADDING > STRIDE) large.push(index);
    else if (lanes.push(index) === LANES) {
      hashLanes(texts, lanes, hex);
      lanes.length = 0;
    }
  }
  if (lanes.length > 0) hashLanes(texts, lanes, hex);
  const all = decoder.decode(hex);
  const found = texts.map((_, index) => all.slice(index * HEX, (index + 1) * HEX));
  for (const index of large) found[index] = sha256Hex(texts[index] ?? "");
  return found;
}

/** Hex digits of one. */
const HEX = 64;

function hashLanes(texts: readonly string[], lanes: readonly number[], hex: Uint8Array): void {
  const ends = lanes.map((index, lane) => write(texts[index] ?? "", BASE + lane * STRIDE));
  begin();
  // Lanes end after different numbers of blocks; what runs on in a lane that has ended does no harm.
  let done = 0;
  while (done < Infinity) {
    let next = Infinity;
    for (const end of ends) if (end > done && end < next) next = end;
    if (next === Infinity) return;
    blocks(BASE + done * BLOCK, STRIDE, next - done);
    done = next;
    for (const [lane, end] of ends.entries()) if (end === done) read(lane, hex, (lanes[lane] ?? 0) * HEX);
  }
}

/** @returns the blocks that it takes */
function write(text: string, at: number): number {
  const { written } = encoder.encodeInto(text, bytes.subarray(at, at + STRIDE));
  const count = Math.ceil((written + PADDING) / BLOCK);
  bytes.fill(0, at + written, at + count * BLOCK);
  bytes[at + written] = 0x80;
  view.setUint32(at + count * BLOCK - 4, written * 8);
  return count;
}

function read(lane: number, hex: Uint8Array, to: number): void {
  let at = to;
  for (let word = 0; word < 8; word += 1) {
    const value = view.getUint32(STATE + 16 * word + 4 * lane, true);
    for (let by = 28; by >= 0; by -= 4) {
      hex[at] = DIGITS[(value >>> by) & 0xf] ?? 0;
      at += 1;
    }
  }
}
