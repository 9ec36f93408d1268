import { constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import type { Random } from "../random.ts";

const MEGABYTE = 1_000_000;
/** Made once: a hundred megabytes take a second to compress. */
const bombs = new Map<string, Buffer>();

function bomb(name: string, make: () => Buffer): Buffer {
  const made = bombs.get(name) ?? make();
  bombs.set(name, made);
  return made;
}

const zeros = (megabytes: number): Buffer =>
  bomb(`zeros ${megabytes}`, () => gzipSync(Buffer.alloc(megabytes * MEGABYTE)));

/** Compressed bodies as nobody should send them. The biggest inflates to a gigabyte. */
export function gzipBody(valid: Buffer, random: Random): Buffer {
  const sound = gzipSync(valid);
  return random.pick<() => Buffer>([
    () => sound,
    () => gzipSync(sound),
    () => zeros(random.pick([5, 6, 50])),
    () => bomb("nested", () => gzipSync(gzipSync(Buffer.alloc(100 * MEGABYTE)))),
    () => bomb("members", () => Buffer.concat(new Array<Buffer>(100).fill(zeros(10)))),
    () => bomb("spaces", () => gzipSync(Buffer.alloc(4_900_000, " "))),
    () => bomb("brackets", () => gzipSync(Buffer.alloc(4_999_999, "["))),
    () => bomb("objects", () => gzipSync(Buffer.from(`[${"{},".repeat(1_600_000)}{}]`))),
    () => bomb("text", () => gzipSync(Buffer.from(`{"action":"a.b","actor_id":"${"z".repeat(4_900_000)}"}`))),
    () => Buffer.concat([sound, sound]),
    () => Buffer.concat(Array.from({ length: random.skewed(2, 3_000) }, () => gzipSync(Buffer.alloc(0)))),
    () => sound.subarray(0, random.int(sound.length)),
    () => Buffer.concat([sound, random.bytes(random.between(1, 100))]),
    () => Buffer.concat([sound, Buffer.alloc(random.between(1, 1_000))]),
    () => flipped(sound, random),
    () => withLongName(sound, random.pick([10, 1_000, 60_000])),
    () => deflateSync(valid),
    () => deflateRawSync(valid),
    () => gzipSync(valid, { level: 0 }),
    () => gzipSync(valid, { finishFlush: constants.Z_SYNC_FLUSH }),
    () => valid,
    () => Buffer.from([0x1f, 0x8b]),
    () => Buffer.alloc(0),
  ])();
}

function flipped(sound: Buffer, random: Random): Buffer {
  const copy = Buffer.from(sound);
  // The last eight bytes are the checksum and the length.
  const at = random.chance(0.3) ? copy.length - random.between(1, 8) : random.int(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << random.int(8));
  return copy;
}

/** A header that says that a file name follows (RFC 1952, FNAME). */
function withLongName(sound: Buffer, length: number): Buffer {
  const head = Buffer.from(sound.subarray(0, 10));
  head[3] = 0x08;
  return Buffer.concat([head, Buffer.alloc(length, "n"), Buffer.from([0]), sound.subarray(10)]);
}
