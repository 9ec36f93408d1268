import { it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { hkdfSha256 } from "../../src/base/hkdf.ts";

const hex = (text: string) => new Uint8Array(Buffer.from(text.replace(/\s/g, ""), "hex"));
const range = (from: number, to: number) => Uint8Array.from({ length: to - from + 1 }, (_, at) => from + at);

// RFC 5869, appendix A, test cases 1 to 3.
const HKDF = [
  {
    secret: new Uint8Array(22).fill(0x0b),
    salt: range(0x00, 0x0c),
    info: range(0xf0, 0xf9),
    okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    secret: range(0x00, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    okm: `b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09
      da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87`,
  },
  {
    secret: new Uint8Array(22).fill(0x0b),
    salt: new Uint8Array(0),
    info: new Uint8Array(0),
    okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
];

it("HKDF-SHA256 gives the published keys", async ({ expect }) => {
  for (const { secret, salt, info, okm } of HKDF) {
    const length = hex(okm).length;
    expect(toHex(await hkdfSha256({ secret, salt, info, length }))).toBe(toHex(hex(okm)));
  }
});

it("HKDF-SHA256 gives at most 255 blocks, and not none", async ({ expect }) => {
  const input = { secret: range(1, 32), salt: new Uint8Array(0), info: range(1, 4) };
  for (const length of [0, 8_161, 1.5]) {
    await expect(hkdfSha256({ ...input, length })).rejects.toThrow(RangeError);
  }
  expect((await hkdfSha256({ ...input, length: 8_160 })).byteLength).toBe(8_160);
});
