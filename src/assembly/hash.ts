import { LANES, STATE, STRIDE } from "./layout.ts";
import { writeHex } from "./text.ts";

// Of `sha256.wasm`, in the same memory: four messages side by side.
declare function begin(): void;
declare function blocks(at: usize, stride: usize, count: i32): void;

const WIDTH: i32 = 4;
const BLOCK: usize = 64;
/** A mark, and the length in eight bytes. */
const PADDING: usize = 9;

/** Of each lane: its blocks, and where its hash is to be written. */
const counts = new StaticArray<i32>(WIDTH);
const places = new StaticArray<usize>(WIDTH);
let lanes: i32 = 0;

export function beginHashes(): void {
  lanes = 0;
}

/** Where the next message is to be written. */
export function laneAt(): usize {
  return LANES + <usize>lanes * STRIDE;
}

/** Bytes of the longest message. */
export const MAX_MESSAGE_BYTES: usize = STRIDE - BLOCK - PADDING;

/** Takes the message that ends there; its hash, in hex, comes to `place` with those of three others, or at the end. */
export function addMessage(end: usize, place: usize): void {
  const at = laneAt();
  const bytes = end - at;
  const count = (bytes + PADDING + BLOCK - 1) / BLOCK;
  const full = at + count * BLOCK;
  memory.fill(end, 0, full - end);
  store<u8>(end, 0x80);
  store<u32>(full - 4, bswap(<u32>(bytes << 3)));
  counts[lanes] = <i32>count;
  places[lanes] = place;
  if (++lanes === WIDTH) endHashes();
}

/** Hashes whatever has not been. Lanes end after different numbers of blocks; what runs on in one that ended does no harm. */
export function endHashes(): void {
  if (lanes === 0) return;
  begin();
  let done = 0;
  while (true) {
    let next = i32.MAX_VALUE;
    for (let lane = 0; lane < lanes; lane++) {
      const count = counts[lane];
      if (count > done && count < next) next = count;
    }
    if (next === i32.MAX_VALUE) break;
    blocks(LANES + <usize>done * BLOCK, STRIDE, next - done);
    done = next;
    for (let lane = 0; lane < lanes; lane++) if (counts[lane] === done) writeHash(lane);
  }
  lanes = 0;
}

function writeHash(lane: i32): void {
  let to = places[lane];
  for (let word = 0; word < 8; word++) to = writeHex(to, load<u32>(STATE + <usize>(16 * word + 4 * lane)), 8);
}
