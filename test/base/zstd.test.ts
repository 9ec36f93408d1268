import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, it } from "vitest";
import { compress, decompress } from "../../src/base/zstd.ts";

/** Bytes that look random and are the same in each run. */
const NOISE = noise(60_000);

function noise(length: number): Uint8Array<ArrayBuffer> {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

/** Bytes like those of audit events. */
function eventLike(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) bytes[at] = 97 + ((at * at) % 7) + (at % 80 === 0 ? at % 13 : 0);
  return bytes;
}

/** Without the class that the platform gives its bytes. */
const opened = (bytes: Uint8Array, most: number): Uint8Array => new Uint8Array(decompress(bytes, most));

/** A few bits of a frame mean nothing; all others must be missed. */
function afterChange(changed: Uint8Array, original: Uint8Array): "refused" | "the same" | "other bytes" {
  try {
    return Buffer.compare(decompress(changed, original.byteLength), original) === 0
      ? "the same"
      : "other bytes";
  } catch {
    return "refused";
  }
}

describe("compressed bytes", () => {
  it("come back as they were, or were not worth compressing", ({ expect }) => {
    const repeated = fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.integer({ min: 1, max: 500 }))
      .map(([piece, times]) =>
        Uint8Array.from({ length: piece.length * times }, (_, at) => piece[at % piece.length] ?? 0),
      );
    fc.assert(
      fc.property(fc.oneof(repeated, fc.uint8Array({ maxLength: 5_000 })), (bytes) => {
        const small = compress(bytes);
        if (small === null) return;
        expect(small.byteLength).toBeLessThan(bytes.byteLength);
        expect(opened(small, bytes.byteLength)).toEqual(bytes);
      }),
    );
  });

  it("can be read again whatever their length: a row of 40,960 bytes of lines could not be, and waited for ever", ({
    expect,
  }) => {
    const all = eventLike(125_001);
    // Each length near a multiple of the sizes that buffers have, and others in between.
    const near = (size: number): number[] =>
      Array.from({ length: Math.floor(125_000 / size) }, (_, n) =>
        [-1, 0, 1].map((by) => size * (n + 1) + by),
      ).flat();
    const lengths = [1_024, 10_000]
      .flatMap(near)
      .concat(Array.from({ length: 500 }, (_, n) => 7_919 + 233 * n));
    let packed = 0;
    for (const length of lengths) {
      const bytes = all.subarray(0, length);
      const small = compress(bytes);
      if (small === null) continue;
      packed += 1;
      expect(opened(small, 125_001).byteLength, `${length} bytes`).toBe(length);
    }
    expect(packed).toBe(lengths.filter((length) => length % 40_960 !== 0).length);
  });

  it("are a fraction of text that repeats itself", ({ expect }) => {
    expect(compress(eventLike(100_000))?.byteLength).toBeLessThan(20_000);
  });

  it("are null where nothing is gained", ({ expect }) => {
    for (const length of [0, 1, 20, 10_000]) expect(compress(NOISE.subarray(0, length))).toBeNull();
  });

  it("never come back as other bytes, whichever bit was flipped", ({ expect }) => {
    const bytes = eventLike(9_000);
    const small = compress(bytes) ?? new Uint8Array();
    expect(small.byteLength).toBeGreaterThan(50);
    for (let at = 0; at < small.byteLength; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = small.slice();
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(afterChange(changed, bytes), `bit ${bit} of byte ${at}`).not.toBe("other bytes");
      }
    }
  });

  it("that end too early are noticed", ({ expect }) => {
    const small = compress(eventLike(9_000)) ?? new Uint8Array();
    for (let length = 0; length < small.byteLength; length += 1) {
      expect(() => decompress(small.subarray(0, length), 9_000), `${length} bytes`).toThrow();
    }
  });

  it("are not read beyond the most that is asked for", ({ expect }) => {
    const small = compress(eventLike(9_000)) ?? new Uint8Array();
    expect(() => decompress(small, 8_999)).toThrow();
    expect(opened(small, 9_000)).toEqual(eventLike(9_000));
  });
});

describe("the runtime", () => {
  it("still cannot read what fills its buffer to the last: once this fails it has been mended, and zstd.ts can say so", ({
    expect,
  }) => {
    const small = zstdCompressSync(eventLike(40_960));
    expect(() => zstdDecompressSync(small)).toThrow("unexpected end of file");
  });

  it("still throws for results above about 40,000 bytes: once this fails it has been mended, and zstd.ts can say so", ({
    expect,
  }) => {
    // A bit of each byte is known, so that an eighth would be gained.
    const shrinks = NOISE.map((byte) => byte & 0x7f);
    expect(compress(shrinks.subarray(0, 30_000))).not.toBeNull();
    expect(compress(shrinks)).toBeNull();
    expect(compress(NOISE)).toBeNull();
  });
});
