import { describe, it } from "vitest";
import { type AwsRequest, signAws } from "../../src/base/sigv4.ts";

/*
 * AWS's own vectors: the aws-sig-v4-test-suite, as the AWS SDK for JavaScript carries it
 * (@aws-sdk/signature-v4, suite.fixture), and the example "ListUsers" of the signing guide.
 */

const AT = Date.parse("2015-08-30T12:36:00Z");
const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const SUITE = "https://example.amazonaws.com/";
const SESSION_TOKEN =
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

interface Vector {
  readonly name: string;
  readonly request: Partial<AwsRequest>;
  readonly service?: string;
  readonly sessionToken?: string;
  readonly signed: string;
  readonly signature: string;
}

const VECTORS: readonly Vector[] = [
  {
    name: "get-vanilla",
    request: { method: "GET" },
    signed: "host;x-amz-date",
    signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  },
  {
    name: "get-vanilla-query-order-key-case",
    request: { method: "GET", url: `${SUITE}?Param2=value2&Param1=value1` },
    signed: "host;x-amz-date",
    signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  },
  {
    name: "get-header-value-trim",
    request: { method: "GET", headers: { "my-header1": " value1", "my-header2": '"a   b   c"' } },
    signed: "host;my-header1;my-header2;x-amz-date",
    signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
  },
  {
    name: "post-vanilla",
    request: {},
    signed: "host;x-amz-date",
    signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  },
  {
    name: "post-header-value-case",
    request: { headers: { "my-header1": "VALUE1" } },
    signed: "host;my-header1;x-amz-date",
    signature: "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
  },
  {
    name: "post-x-www-form-urlencoded",
    request: { headers: { "content-type": "application/x-www-form-urlencoded" }, body: "Param1=value1" },
    signed: "content-type;host;x-amz-date",
    signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  },
  {
    name: "post-sts-header-before",
    request: {},
    sessionToken: SESSION_TOKEN,
    signed: "host;x-amz-date;x-amz-security-token",
    signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
  },
  {
    name: "ListUsers, of the signing guide",
    request: {
      method: "GET",
      url: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
      headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    },
    service: "iam",
    signed: "content-type;host;x-amz-date",
    signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
  },
];

describe("a signature is AWS's own", () => {
  it.for(VECTORS)("$name", async ({ request, service = "service", sessionToken, ...wanted }, { expect }) => {
    const headers = await signAws(
      { method: "POST", url: SUITE, headers: {}, ...request },
      { credentials: { ...credentials, sessionToken }, region: "us-east-1", service, now: AT },
    );
    expect(headers["authorization"]).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/${service}/aws4_request, ` +
        `SignedHeaders=${wanted.signed}, Signature=${wanted.signature}`,
    );
    expect(headers["x-amz-date"]).toBe("20150830T123600Z");
    expect(headers["x-amz-security-token"]).toBe(sessionToken);
  });
});

it("keeps the given headers beside its own, and leaves the host to whoever sends", async ({ expect }) => {
  const headers = await signAws(
    { method: "POST", url: SUITE, headers: { "content-type": "text/plain", "x-amz-target": "T.Op" } },
    { credentials, region: "us-east-1", service: "logs", now: AT },
  );
  expect(Object.keys(headers).sort()).toEqual([
    "authorization",
    "content-type",
    "x-amz-date",
    "x-amz-target",
  ]);
});
