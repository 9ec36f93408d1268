import { describe, it } from "vitest";
import { writeCanonical } from "../../src/base/canonical.ts";
import { decryptEnvelope } from "../../src/client/decrypt.ts";
import { EnvelopeError } from "../../src/client/errors.ts";
import file from "../vectors/envelope/v1.json";
import { makeVectors, withChanges } from "../vectors/envelope/vectors.ts";

const keys = { privateKey: file.recipient.private_key, verificationKeys: file.verification_key };
const [first] = file.opened;

describe("the vectors", () => {
  it("are what their script makes", async ({ expect }) => {
    expect(await makeVectors()).toEqual(file);
  });

  it.for(file.opened)(
    "open: $name",
    async ({ request, envelope, now, result, canonical_request }, { expect }) => {
      expect(writeCanonical(request, false)).toBe(canonical_request);
      const options = { ...keys, keyId: file.recipient.key_id, request, now, clockToleranceSeconds: 0 };
      expect(await decryptEnvelope(envelope, options)).toEqual(result);
    },
  );

  it.for(file.refused)("are refused: $name", async ({ request, changes, now, code }, { expect }) => {
    const options = { ...keys, keyId: file.recipient.key_id, request, now };
    const refusal = decryptEnvelope(withChanges(first?.envelope ?? {}, changes), options);
    await expect(refusal).rejects.toThrow(EnvelopeError);
    await expect(refusal).rejects.toMatchObject({ code });
  });
});
