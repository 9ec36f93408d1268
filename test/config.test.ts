import { describe, it } from "vitest";
import { parseConfig } from "../src/config.ts";
import { rootKey, rootKeyText } from "./support/vault.ts";

const KMS = { KMS_ACCESS_KEY_ID: "AKIA", KMS_SECRET_ACCESS_KEY: "secret-key-of-kms" };
const ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234";

describe("the keys of the operator", () => {
  it("are a root key and those before it", ({ expect }) => {
    const {
      rootKey: present,
      previousRootKeys,
      kms,
    } = parseConfig({
      ROOT_KEY: rootKeyText(1),
      ROOT_KEY_PREVIOUS: `${rootKeyText(2)},${rootKeyText(3)}`,
    });
    expect(present?.id).toBe(rootKey(1).id);
    expect(previousRootKeys.map(({ id }) => id)).toEqual([rootKey(2).id, rootKey(3).id]);
    expect(kms).toBeNull();
  });

  it("can be a KMS key alone; its region is that of its ARN, and the endpoint that of its region", ({
    expect,
  }) => {
    expect(parseConfig({ KMS_KEY_ID: ARN, ...KMS })).toMatchObject({
      rootKey: null,
      kms: { keyId: ARN, region: "eu-central-1", endpoint: "https://kms.eu-central-1.amazonaws.com" },
    });
    const set = {
      KMS_KEY_ID: "alias/sluice",
      KMS_REGION: "us-east-1",
      KMS_ENDPOINT: "https://vpce.example.com",
    };
    expect(parseConfig({ ...set, ...KMS }).kms).toMatchObject({
      region: "us-east-1",
      endpoint: "https://vpce.example.com",
    });
  });

  it("can be a root key with a KMS key that only opens any more", ({ expect }) => {
    const { rootKey: present, kms } = parseConfig({
      ROOT_KEY: rootKeyText(1),
      KMS_KEY_ID_PREVIOUS: ARN,
      ...KMS,
    });
    expect(present?.id).toBe(rootKey(1).id);
    expect(kms).toMatchObject({ keyId: null, previousKeyId: ARN });
  });

  const wrong: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    ["none at all", {}, /ROOT_KEY: it is missing/],
    ["an empty one", { ROOT_KEY: "" }, /ROOT_KEY: it is missing/],
    ["one that is no key", { ROOT_KEY: "c2hvcnQ=" }, /ROOT_KEY: expected 32 bytes in base64/],
    ["two present ones", { ROOT_KEY: `${rootKeyText(1)},${rootKeyText(2)}` }, /ROOT_KEY_PREVIOUS/],
    [
      "an old one that is none",
      { ROOT_KEY: rootKeyText(1), ROOT_KEY_PREVIOUS: "x" },
      /ROOT_KEY_PREVIOUS: expected/,
    ],
    ["KMS without credentials", { KMS_KEY_ID: ARN }, /KMS_ACCESS_KEY_ID: .*KMS_SECRET_ACCESS_KEY: /],
    ["KMS without a region", { KMS_KEY_ID: "alias/x", ...KMS }, /KMS_REGION: KMS needs it/],
    ["KMS at no address", { KMS_KEY_ID: ARN, ...KMS, KMS_ENDPOINT: "kms" }, /KMS_ENDPOINT: expected a URL/],
    ["only an old KMS key", { KMS_KEY_ID_PREVIOUS: ARN, ...KMS }, /ROOT_KEY: it is missing/],
  ];
  it.for(wrong)(
    "are refused: %s, naming the variable and never its value",
    ([, env, message], { expect }) => {
      expect(() => parseConfig(env)).toThrow(message);
      try {
        parseConfig(env);
      } catch (error) {
        for (const value of Object.values(env).filter((text) => text.length > 8)) {
          expect(String(error)).not.toContain(value);
        }
      }
    },
  );

  it("print as nothing", ({ expect }) => {
    const printed = JSON.stringify(parseConfig({ ROOT_KEY: rootKeyText(1), KMS_KEY_ID: ARN, ...KMS }));
    expect(printed).not.toContain(rootKeyText(1));
    expect(printed).not.toContain("secret-key-of-kms");
  });
});
