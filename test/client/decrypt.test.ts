import { describe, it } from "vitest";
import { decodeBase64, encodeBase64 } from "../../src/base/encoding.ts";
import { isMlKemPublicKey } from "../../src/base/ml-kem.ts";
import { type DecryptOptions, decryptEnvelope } from "../../src/client/decrypt.ts";
import { EnvelopeError } from "../../src/client/errors.ts";
import { generateKeyPair } from "../../src/client/key-pair.ts";
import { HybridCryptoEnvelope, ProxyResult } from "../../src/model/envelope.ts";
import { fixedBytes, flipBit, RECIPIENT, seal, VERIFICATION_KEY } from "../vectors/envelope/seal.ts";
import { EXPIRES_AT, ISSUED_AT, NOW, PLAIN } from "../vectors/envelope/vectors.ts";

const { envelope } = await seal(PLAIN);

function open(given: unknown, options: Partial<DecryptOptions> = {}): Promise<unknown> {
  const keys = { privateKey: RECIPIENT.private_key, verificationKeys: VERIFICATION_KEY };
  return decryptEnvelope(given, { ...keys, request: PLAIN.request, now: NOW, ...options });
}

async function faultOf(promise: Promise<unknown>): Promise<EnvelopeError> {
  const failure = await promise.then(
    () => new Error("it was opened"),
    (reason: unknown) => reason,
  );
  if (failure instanceof EnvelopeError) return failure;
  throw failure;
}

describe("an envelope", () => {
  it("is what the model says, and so is what is inside", async ({ expect }) => {
    expect(HybridCryptoEnvelope.parse(envelope)).toEqual(envelope);
    const result = await open(envelope);
    expect(ProxyResult.parse(result)).toEqual(result);
  });

  it("opens however its fields are ordered", async ({ expect }) => {
    const turned = Object.fromEntries(Object.entries(envelope).reverse());
    expect(await open(turned)).toEqual(JSON.parse(PLAIN.plaintext));
  });

  it("says the same whichever signature is wrong, or both, or the key's name", async ({ expect }) => {
    const wrong = [
      flipBit(envelope, "signature", 5),
      flipBit(envelope, "mac", 5),
      flipBit(flipBit(envelope, "mac", 5), "signature", 5),
      { ...envelope, signing_key_id: "sk_unknown" },
    ];
    const said = await Promise.all(wrong.map(async (one) => faultOf(open(one))));
    expect(
      new Set(said.map(({ name, code, message, cause }) => [name, code, message, cause].join("|"))).size,
    ).toBe(1);
    expect(said[0]?.code).toBe("refused");
  });

  it("that is not authentic is refused for that, whatever else is wrong with it", async ({ expect }) => {
    const forged = flipBit(envelope, "signature", 5);
    const late = Date.parse(EXPIRES_AT) + 3_600_000;
    expect((await faultOf(open(forged, { now: late, keyId: "pk_x" }))).code).toBe("refused");
  });

  it("is refused to the holder of another private key", async ({ expect }) => {
    const { privateKey } = generateKeyPair();
    expect((await faultOf(open(envelope, { privateKey }))).code).toBe("refused");
  });

  it("is refused by another verification key of the same name", async ({ expect }) => {
    const public_key = encodeBase64(fixedBytes(1_952, 1));
    const verificationKeys = { ...VERIFICATION_KEY, public_key };
    expect((await faultOf(open(envelope, { verificationKeys }))).code).toBe("refused");
  });

  it("opens with one of several verification keys, old or new", async ({ expect }) => {
    const older = { key_id: "sk_old", public_key: encodeBase64(fixedBytes(1_952, 1)) };
    for (const verificationKeys of [
      [older, VERIFICATION_KEY],
      [VERIFICATION_KEY, older],
    ])
      expect(await open(envelope, { verificationKeys })).toMatchObject({ ok: true });
  });

  it("opens from its issue to its expiry, and the tolerance either way", async ({ expect }) => {
    const at = (now: number, clockToleranceSeconds?: number) =>
      open(envelope, { now, ...(clockToleranceSeconds === undefined ? {} : { clockToleranceSeconds }) });
    const [issued, expires] = [Date.parse(ISSUED_AT), Date.parse(EXPIRES_AT)];
    for (const now of [issued - 60_000, issued, expires, expires + 59_999])
      expect(await at(now)).toMatchObject({ ok: true });
    expect((await faultOf(at(issued - 60_001))).code).toBe("not_yet_valid");
    expect((await faultOf(at(expires + 60_000))).code).toBe("expired");
    expect((await faultOf(at(expires, 0))).code).toBe("expired");
    expect((await faultOf(at(Number.NaN))).code).toBe("expired");
  });

  it("for another call is refused, be only one number in it different", async ({ expect }) => {
    const request = { ...PLAIN.request, payload: { amount: 1 } };
    const { envelope: paid } = await seal({ ...PLAIN, request });
    expect(await open(paid, { request })).toMatchObject({ ok: true });
    const other = open(paid, { request: { ...request, payload: { amount: 2 } } });
    expect((await faultOf(other)).code).toBe("other_request");
  });

  it("with something else inside is no answer", async ({ expect }) => {
    for (const plaintext of ["", "{}", "null", "no", '{"ok":"true"}'])
      expect((await faultOf(open((await seal({ ...PLAIN, plaintext })).envelope))).code).toBe("malformed");
  });

  it("may bring fields that are not known yet inside, and they are kept", async ({ expect }) => {
    const plaintext = JSON.stringify({ ...JSON.parse(PLAIN.plaintext), region: "eu" });
    expect(await open((await seal({ ...PLAIN, plaintext })).envelope)).toMatchObject({ region: "eu" });
  });

  it.for([null, undefined, 1, "", [], {}, [envelope], JSON.stringify(envelope)])(
    "is not %j",
    async (given, { expect }) => {
      expect((await faultOf(open(given))).code).toBe("malformed");
    },
  );

  it("takes none of its fields from a prototype", async ({ expect }) => {
    const { mac, ...rest } = envelope;
    const inherited: unknown = Object.assign(Object.create({ mac }), { ...rest, note: "" });
    expect((await faultOf(open(inherited))).code).toBe("malformed");
  });
});

describe("keys that are none are the caller's mistake:", () => {
  const wrong: readonly (readonly [string, Partial<DecryptOptions>])[] = [
    ["a private key that is no base64", { privateKey: "no" }],
    ["a public key for a private one", { privateKey: RECIPIENT.public_key }],
    ["no verification key", { verificationKeys: [] }],
    ["a verification key of another length", { verificationKeys: { key_id: "sk", public_key: "AAAA" } }],
    ["one for another algorithm", { verificationKeys: { ...VERIFICATION_KEY, algorithm: "ML-DSA-87" } }],
    ["one for another purpose", { verificationKeys: { ...VERIFICATION_KEY, context: "sluice/other/v1" } }],
  ];

  it.for(wrong)("%s", async ([, options], { expect }) => {
    await expect(open(envelope, options)).rejects.toThrow(TypeError);
  });

  it("and are not repeated in the message", async ({ expect }) => {
    const privateKey = RECIPIENT.private_key.slice(4);
    await expect(open(envelope, { privateKey })).rejects.not.toThrow(privateKey);
  });
});

describe("a generated key pair", () => {
  it("is a public key that the relay takes, with a private half that opens what is sealed to it", async ({
    expect,
  }) => {
    const { algorithm, publicKey, privateKey } = generateKeyPair();
    const recipientPublicKey = decodeBase64(publicKey) ?? new Uint8Array();
    expect(algorithm).toBe("ML-KEM-768");
    expect(isMlKemPublicKey(recipientPublicKey)).toBe(true);
    const { envelope: own } = await seal({ ...PLAIN, recipientPublicKey });
    expect(await open(own, { privateKey })).toMatchObject({ ok: true });
    expect((await faultOf(open(own))).code).toBe("refused");
  });

  it("is another one each time", ({ expect }) => {
    expect(generateKeyPair().privateKey).not.toBe(generateKeyPair().privateKey);
  });
});
