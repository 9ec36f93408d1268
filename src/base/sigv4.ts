import { AwsV4Signer } from "aws4fetch";
import { type EpochMs, isoTime } from "./clock.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Comes with temporary keys and has to be sent along with them. */
  readonly sessionToken?: string | undefined;
}

export interface AwsRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case, without `host`. All of them are signed, so nobody on the way may change one. */
  readonly headers: Readonly<Record<string, string>>;
  /** Exactly as it will travel: the signature covers its hash, so it must not be compressed afterwards. */
  readonly body?: string;
}

export interface AwsSigning {
  readonly credentials: AwsCredentials;
  readonly region: string;
  readonly service: string;
  /** AWS refuses a signature that is more than five minutes off. */
  readonly now: EpochMs;
}

/**
 * The headers of a request with AWS's Signature Version 4 among them.
 *
 * The signer is aws4fetch's; its `fetch` is not used, because that one waits and tries again by itself, up to ten
 * times. All headers are signed, the content type among them, as AWS asks for where one is sent.
 *
 * @returns the given headers, and `x-amz-date`, `authorization` and perhaps `x-amz-security-token`
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (read 2026-11)
 */
export async function signAws(
  { method, url, headers, body = "" }: AwsRequest,
  { credentials, region, service, now }: AwsSigning,
): Promise<Readonly<Record<string, string>>> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new AwsV4Signer({
    method,
    url,
    headers,
    body,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    region,
    service,
    datetime: isoTime(now).replace(/[:-]|\.\d{3}/g, ""),
    allHeaders: true,
  });
  const signed = await signer.sign();
  return Object.fromEntries(signed.headers);
}
