import { describe, it } from "vitest";
import { toBase64 } from "../../src/base/bytes.ts";
import type { HttpAnswer, HttpRequestSpec } from "../../src/model/http.ts";
import { kmsWrapKey } from "../../src/vault/kms-aws.ts";

const KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const context = { purpose: "sluice/tenant-key/v1", tenant_id: "ten_1" };
const secret = Uint8Array.from({ length: 64 }, (_, at) => at);
const blob = toBase64(new TextEncoder().encode("what KMS made of it"));

/** KMS as one answer, and what it was asked. */
function kms(
  answer: Partial<Extract<HttpAnswer, { kind: "response" }>> | Extract<HttpAnswer, { kind: "failure" }>,
) {
  const asked: HttpRequestSpec[] = [];
  const key = kmsWrapKey(
    { keyId: KEY_ARN, region: "eu-central-1", endpoint: "https://kms.eu-central-1.amazonaws.com" },
    {
      now: () => Date.parse("2026-06-30T12:00:00Z"),
      credentials: () => ({ accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret-access-key" }),
      send: async (request) => {
        asked.push(request);
        const response = {
          kind: "response",
          status: 200,
          headers: {},
          body: "",
          bodyIncomplete: false,
          latency: 5,
        };
        return { ...response, ...answer } as HttpAnswer; // one of the two arms, whichever the test gave
      },
    },
  );
  return { key, asked };
}

const error = (status: number, type: string) => ({
  status,
  body: JSON.stringify({ __type: type, message: "no" }),
});

describe("a request to KMS", () => {
  it("is a signed Encrypt with the context, and the text is what came back", async ({ expect }) => {
    const { key, asked } = kms({ body: JSON.stringify({ CiphertextBlob: blob, KeyId: KEY_ARN }) });
    expect(await key.wrap(secret, context)).toEqual({ ok: true, value: `k1.${blob}` });
    const [request] = asked;
    expect(request).toMatchObject({ method: "POST", url: "https://kms.eu-central-1.amazonaws.com/" });
    expect(request?.headers).toMatchObject({
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "TrentService.Encrypt",
      "x-amz-date": "20260630T120000Z",
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/20260630\/eu-central-1\/kms\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, /,
      ),
    });
    expect(JSON.parse(request?.body ?? "")).toEqual({
      KeyId: KEY_ARN,
      Plaintext: toBase64(secret),
      EncryptionContext: context,
    });
    expect(JSON.stringify(request?.headers)).not.toContain("secret-access-key");
  });

  it("is a Decrypt with the same key and context", async ({ expect }) => {
    const { key, asked } = kms({ body: JSON.stringify({ Plaintext: toBase64(secret), KeyId: KEY_ARN }) });
    expect(await key.unwrap(`k1.${blob}`, context)).toEqual({ ok: true, value: secret });
    expect(asked[0]?.headers["x-amz-target"]).toBe("TrentService.Decrypt");
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({
      KeyId: KEY_ARN,
      CiphertextBlob: blob,
      EncryptionContext: context,
    });
  });

  it("is not made for what a root key has wrapped", async ({ expect }) => {
    const { key, asked } = kms({});
    expect(await key.unwrap("w1.AAAA.AAAA", context)).toMatchObject({ error: { reason: "does_not_open" } });
    expect(asked).toEqual([]);
  });
});

describe("an answer of KMS", () => {
  const timeout = {
    kind: "failure",
    reason: "timeout",
    message: "no answer in 30 s",
    maybeTaken: true,
    latency: 5,
  };
  const table: readonly (readonly [string, Parameters<typeof kms>[0], string])[] = [
    ["no answer", timeout as Extract<HttpAnswer, { kind: "failure" }>, "unavailable"], // literals widen
    ["throttling", error(400, "ThrottlingException"), "unavailable"],
    ["an outage inside", error(500, "KMSInternalException"), "unavailable"],
    ["a key store out of reach", error(500, "KeyUnavailableException"), "unavailable"],
    ["a dependency that timed out", error(503, "DependencyTimeoutException"), "unavailable"],
    ["a gateway's 502", { status: 502, body: "<html>" }, "unavailable"],
    ["200 without a result", { status: 200, body: "{}" }, "unavailable"],
    ["200 that breaks off", { status: 200, body: '{"Plaintext":"AA', bodyIncomplete: true }, "unavailable"],
    ["no permission", error(400, "AccessDeniedException"), "refused"],
    ["no permission, with its namespace", error(400, "com.amazonaws.kms#AccessDeniedException"), "refused"],
    ["unknown credentials", error(400, "UnrecognizedClientException"), "refused"],
    ["a disabled key", error(400, "DisabledException"), "refused"],
    ["a key that is not there", error(400, "NotFoundException"), "refused"],
    ["a key to be deleted", error(400, "KMSInvalidStateException"), "refused"],
    ["a proxy's 403", { status: 403, body: "Forbidden" }, "refused"],
    ["another key's text", error(400, "IncorrectKeyException"), "does_not_open"],
    ["a changed text or context", error(400, "InvalidCiphertextException"), "does_not_open"],
  ];

  it.for(table)("of %s", async ([, answer, reason], { expect }) => {
    const result = await kms(answer).key.unwrap(`k1.${blob}`, context);
    expect(result).toMatchObject({ ok: false, error: { reason } });
    expect(JSON.stringify(result)).not.toContain(blob);
  });
});
