import { it } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import { hmacSha512, hmacSha512Verify } from "../../src/base/hmac.ts";

const filled = (length: number, byte: number) => new Uint8Array(length).fill(byte);
const joined = (...parts: readonly string[]) => parts.join("");

// RFC 4231, test cases 1, 2, 3, 4, 6 and 7 (5 is of a shortened tag, which is not made here).
const VECTORS: readonly (readonly [key: Uint8Array, message: Uint8Array, tag: string])[] = [
  [
    filled(20, 0x0b),
    utf8("Hi There"),
    joined(
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde",
      "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
    ),
  ],
  [
    utf8("Jefe"),
    utf8("what do ya want for nothing?"),
    joined(
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554",
      "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ),
  ],
  [
    filled(20, 0xaa),
    filled(50, 0xdd),
    joined(
      "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39",
      "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
    ),
  ],
  [
    Uint8Array.from({ length: 25 }, (_, at) => at + 1),
    filled(50, 0xcd),
    joined(
      "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db",
      "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
    ),
  ],
  [
    filled(131, 0xaa),
    utf8("Test Using Larger Than Block-Size Key - Hash Key First"),
    joined(
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352",
      "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
    ),
  ],
  [
    filled(131, 0xaa),
    utf8(
      "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
    ),
    joined(
      "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944",
      "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
    ),
  ],
];

it("HMAC-SHA-512 gives the published tags", async ({ expect }) => {
  for (const [key, message, tag] of VECTORS) {
    expect(toHex(await hmacSha512(key, message))).toBe(tag);
    expect(await hmacSha512Verify(key, message, new Uint8Array(Buffer.from(tag, "hex")))).toBe(true);
  }
});

it("a tag is for its message and key alone, and whole", async ({ expect }) => {
  const [key, message] = [filled(64, 1), utf8("a message")];
  const tag = await hmacSha512(key, message);
  const flipped = tag.map((byte, at) => (at === 63 ? byte ^ 1 : byte));
  expect(await hmacSha512Verify(key, message, flipped)).toBe(false);
  expect(await hmacSha512Verify(key, utf8("a messagf"), tag)).toBe(false);
  expect(await hmacSha512Verify(filled(64, 2), message, tag)).toBe(false);
  expect(await hmacSha512Verify(key, message, tag.subarray(0, 32))).toBe(false);
  expect(await hmacSha512Verify(key, message, new Uint8Array(0))).toBe(false);
  await expect(async () => hmacSha512(new Uint8Array(0), message)).rejects.toThrow(RangeError);
});
