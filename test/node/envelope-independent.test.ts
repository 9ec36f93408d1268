import { describe, it } from "vitest";
import file from "../vectors/envelope/v1.json" with { type: "json" };
import { HAS_NATIVE, type Keys, nativeKeys, nobleKeys, open } from "./support/independent-envelope.ts";

/** The document is precise enough: a reader written from it opens what the relay seals, and nothing else. */

const [first] = file.opened;
if (first === undefined) throw new Error("There are no vectors");
const { envelope, request, now } = first;
const about = { request, now, toleranceSeconds: 60 };

const READERS: readonly (readonly [name: string, keys: Keys])[] = [
  ...(HAS_NATIVE ? [["node:crypto alone", nativeKeys(file)] as const] : []),
  ["node:crypto, and noble for ML-KEM and ML-DSA", nobleKeys(file)],
];

describe.for(READERS)("a reader made of %s", ([, keys]) => {
  it.for(file.opened)("opens: $name", ({ envelope, request, now, result }, { expect }) => {
    expect(open(envelope, keys, { request, now, toleranceSeconds: 0 })).toEqual({ result });
  });

  it.for(file.refused)("refuses: $name", ({ changes, request, now, code }, { expect }) => {
    const changed = Object.entries({ ...envelope, ...changes }).filter(([, value]) => value !== null);
    const opening = open(Object.fromEntries(changed), keys, { request, now, toleranceSeconds: 60 });
    expect(opening).toEqual({ refused: code });
  });
});

it("needs nobody's library but Node's own, on the Node that this repository brings", ({ expect }) => {
  expect(HAS_NATIVE).toBe(Number.parseInt(process.versions.node, 10) >= 24);
});

type Changed = Readonly<Record<string, unknown>>;

/** Each character with each of its eight bits turned over. */
function* textFlips(name: keyof typeof envelope): Generator<Changed> {
  const text = String(envelope[name]);
  for (let at = 0; at < text.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const turned = String.fromCharCode(text.charCodeAt(at) ^ (1 << bit));
      yield { ...envelope, [name]: text.slice(0, at) + turned + text.slice(at + 1) };
    }
  }
}

/** Each bit of the bytes that a base64 text stands for. */
function* byteFlips(name: keyof typeof envelope): Generator<Changed> {
  const bytes = Buffer.from(String(envelope[name]), "base64");
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield { ...envelope, [name]: bytes.toString("base64") };
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  }
}

/** Where two signatures take a second for a thousand tries (noble), one bit in 64 is tried. */
const STEP = HAS_NATIVE ? 1 : 64;
const [[, fastest] = []] = READERS;

describe("one envelope with a single bit flipped is refused, whichever it is:", () => {
  const opened = (flips: Iterable<Changed>, step: number): { tried: number; opened: number } => {
    const count = { tried: 0, opened: 0 };
    let at = 0;
    for (const changed of flips) {
      if (at++ % step !== 0 || fastest === undefined) continue;
      count.tried += 1;
      if (!("refused" in open(changed, fastest, about))) count.opened += 1;
    }
    return count;
  };

  it.for([
    "suite",
    "id",
    "recipient_key_id",
    "signing_key_id",
    "issued_at",
    "expires_at",
    "request_digest",
  ] as const)("%s, in each character", (name, { expect }) => {
    expect(opened(textFlips(name), 1)).toEqual({ tried: envelope[name].length * 8, opened: 0 });
  });

  it.for(["kem_ciphertext", "nonce", "ciphertext", "signature", "mac"] as const)(
    "%s, in each byte",
    (name, { expect }) => {
      const bits = Buffer.from(envelope[name], "base64").length * 8;
      expect(opened(byteFlips(name), STEP)).toEqual({ tried: Math.ceil(bits / STEP), opened: 0 });
    },
  );

  it("the version", ({ expect }) => {
    const flips = Array.from({ length: 32 }, (_, bit) => ({
      ...envelope,
      version: envelope.version ^ (1 << bit),
    }));
    expect(opened(flips, 1)).toEqual({ tried: 32, opened: 0 });
  });

  it("which would be noticed: unchanged it opens", ({ expect }) => {
    expect(opened([envelope], 1)).toEqual({ tried: 1, opened: 1 });
  });
});
