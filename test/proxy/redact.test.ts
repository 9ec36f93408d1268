import * as fc from "fast-check";
import { describe, it } from "vitest";
import { secretTexts, withoutSecrets } from "../../src/proxy/redact.ts";

describe("an answer that repeats a secret", () => {
  it.for([
    ["as it is", (secret: string) => `Authorization: Splunk ${secret}`],
    ["as JSON writes it", (secret: string) => JSON.stringify({ token: secret })],
    ["in base64", (secret: string) => btoa(secret)],
    ["in a URL", (secret: string) => `/in?token=${encodeURIComponent(secret)}`],
  ] as const)("comes back without it, %s", ([, echo], { expect }) => {
    const secret = 'tok"en/11\\111+x';
    const safe = withoutSecrets(`before ${echo(secret)} after`, [secret]);
    expect(safe).toMatch(/^before .*\[redacted\].* after$/);
    expect(safe).not.toContain(echo(secret));
  });

  it("comes back without any of several, the longer ones first", ({ expect }) => {
    expect(withoutSecrets("abcdef abcd", ["abcd", "abcdef"])).toBe("[redacted] [redacted]");
  });

  it("never shows one, wherever it stands", ({ expect }) => {
    const text = fc.string({ minLength: 8, unit: "grapheme" });
    fc.assert(
      fc.property(text, fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(!"[redacted]".includes(secret));
        expect(
          withoutSecrets(before + secret + after, [secret])
            .split("[redacted]")
            .join("\u0000"),
        ).not.toContain(secret);
      }),
    );
  });
});

describe("an answer that repeats nothing", () => {
  it("comes back as it was, and very short secrets maim nothing", ({ expect }) => {
    expect(withoutSecrets('{"text":"Success","code":0}', ["t", "", "0", "11111111"])).toBe(
      '{"text":"Success","code":0}',
    );
  });
});

it("the secrets are all texts among what was opened", ({ expect }) => {
  expect(secretTexts({ token: "abc", previous_secret_expires_at: 5, app_key: "def" })).toEqual([
    "abc",
    "def",
  ]);
  expect([secretTexts(null), secretTexts("x")]).toEqual([[], []]);
});
