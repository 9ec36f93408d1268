import { fromBase64, toBase64 } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { parseJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type AwsCredentials, signAws } from "../base/sigv4.ts";
import type { HttpAnswer, HttpRequestSpec, Send } from "../model/http.ts";
import type { WrapContext, WrapFault, WrapKey } from "./wrap-key.ts";

/*
 * AWS KMS as the operator's key: `Encrypt` and `Decrypt` of the JSON API, version 1.1. The key never leaves KMS; each
 * unwrapped secret is one call and one line in CloudTrail, with the context in it.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html and API_Decrypt.html (read 2026-11)
 */

export interface KmsSettings {
  /** Key id, alias or ARN of a symmetric key. */
  readonly keyId: string;
  readonly region: string;
  /** Like `https://kms.eu-central-1.amazonaws.com`, or a VPC endpoint. */
  readonly endpoint: string;
}

export interface KmsDeps {
  readonly now: Clock;
  readonly send: Send;
  /** A function, so that they are revealed for one signature and not kept. */
  credentials(): AwsCredentials;
}

/** What `kmsWrapKey` writes: `k1.<base64 CiphertextBlob>`. */
const WRAP_VERSION = "k1";

/**
 * Errors that pass: KMS or its key store is busy or down. AWS gives them different statuses, so the name decides;
 * an answer of 5xx without a name passes too.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors (read 2026-11)
 */
const PASSING: ReadonlySet<string> = new Set([
  "DependencyTimeoutException",
  "KeyUnavailableException",
  "KMSInternalException",
  "LimitExceededException",
  "ServiceUnavailable",
  "ServiceUnavailableException",
  "ThrottlingException",
  "RequestTimeoutException",
]);
/** The text is not this key's, or the context is another. */
const NOT_THIS_KEYS: ReadonlySet<string> = new Set(["InvalidCiphertextException", "IncorrectKeyException"]);

export function kmsWrapKey(settings: KmsSettings, deps: KmsDeps): WrapKey {
  const call = async (operation: KmsOperation, body: Readonly<Record<string, unknown>>) =>
    readAnswer(await deps.send(await kmsRequest(operation, body, settings, deps)), operation);
  return {
    id: `kms:${settings.keyId}`,
    async wrap(secret, context) {
      const answer = await call("Encrypt", {
        KeyId: settings.keyId,
        Plaintext: toBase64(secret),
        EncryptionContext: context,
      });
      return answer.ok ? ok(`${WRAP_VERSION}.${toBase64(answer.value)}`) : answer;
    },
    async unwrap(wrapped, context) {
      const [version, blob = ""] = wrapped.split(".");
      if (version !== WRAP_VERSION) return err({ reason: "does_not_open" });
      return call("Decrypt", { KeyId: settings.keyId, CiphertextBlob: blob, EncryptionContext: context });
    },
  };
}

export type KmsOperation = "Encrypt" | "Decrypt";

/** The signed request. Its body holds a secret for `Encrypt`; it is not logged, as no request is. */
export async function kmsRequest(
  operation: KmsOperation,
  body: Readonly<Record<string, string | WrapContext | unknown>>,
  { endpoint, region }: KmsSettings,
  deps: Pick<KmsDeps, "now" | "credentials">,
): Promise<HttpRequestSpec> {
  const plain = {
    method: "POST",
    url: `${endpoint.replace(/\/+$/, "")}/`,
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `TrentService.${operation}` },
    body: JSON.stringify(body),
  } as const;
  const signing = { credentials: deps.credentials(), region, service: "kms", now: deps.now() };
  return { ...plain, headers: await signAws(plain, signing) };
}

function readAnswer(answer: HttpAnswer, operation: KmsOperation): Result<Uint8Array<ArrayBuffer>, WrapFault> {
  if (answer.kind === "failure") {
    return err({ reason: "unavailable", message: `AWS KMS gave no answer: ${answer.message}` });
  }
  const parsed = parseJson(answer.body);
  const fields = new Map<string, unknown>(
    parsed.ok && typeof parsed.value === "object" && parsed.value !== null
      ? Object.entries(parsed.value)
      : [],
  );
  if (answer.status === 200 && !answer.bodyIncomplete) {
    const text = fields.get(operation === "Encrypt" ? "CiphertextBlob" : "Plaintext");
    const bytes = typeof text === "string" ? fromBase64(text) : null;
    if (bytes !== null && bytes.byteLength > 0) return ok(bytes);
    return err({ reason: "unavailable", message: "AWS KMS answered 200 without a result" });
  }
  // `com.amazonaws.kms#AccessDeniedException` in some answers, the bare name in others.
  const type = String(fields.get("__type") ?? answer.headers["x-amzn-errortype"] ?? "")
    .split(":")[0]
    ?.split("#")
    .at(-1);
  const name = type?.slice(0, 80) ?? "";
  if (operation === "Decrypt" && NOT_THIS_KEYS.has(name)) return err({ reason: "does_not_open" });
  const message = `AWS KMS answered ${answer.status}${name === "" ? "" : ` ${name}`} to ${operation}`;
  const passes = PASSING.has(name) || answer.status === 429 || (name === "" && answer.status !== 403);
  return err({ reason: passes || answer.status >= 500 ? "unavailable" : "refused", message });
}
