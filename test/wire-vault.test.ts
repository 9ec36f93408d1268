import { env } from "cloudflare:workers";
import { beforeEach, describe, it } from "vitest";
import { fromBase64, toBase64, utf8 } from "../src/base/bytes.ts";
import { Unavailable } from "../src/base/errors.ts";
import { parseConfig } from "../src/config.ts";
import type { HttpRequestSpec, Send } from "../src/model/http.ts";
import { findProvider } from "../src/providers/registry.ts";
import { createTenantStore } from "../src/store/tenants.ts";
import { connectDestination, secretsToCallWith, wireVault } from "../src/wire-vault.ts";
import { destination } from "./support/builders.ts";
import { rootKeyText } from "./support/vault.ts";

/*
 * The vault as the program joins it: over the real database, under a root key, under AWS KMS, and on the way between.
 */

const ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234";
const KMS = { KMS_KEY_ID: ARN, KMS_ACCESS_KEY_ID: "AKIA", KMS_SECRET_ACCESS_KEY: "secret" };
const binding = { tenantId: "ten_w", recordId: "cred_w", purpose: "credential" };

/** KMS in memory: what it encrypts is the plaintext with its context, turned round. */
class FakeKms {
  isDown = false;
  readonly asked: string[] = [];

  readonly send: Send = async (request) => {
    if (this.isDown)
      return { kind: "failure", reason: "timeout", message: "timed out", maybeTaken: true, latency: 1 };
    return {
      kind: "response",
      status: 200,
      headers: {},
      body: this.#answer(request),
      bodyIncomplete: false,
      latency: 1,
    };
  };

  #answer({ headers, body = "" }: HttpRequestSpec): string {
    const operation = String(headers["x-amz-target"]).replace("TrentService.", "");
    this.asked.push(operation);
    const { Plaintext = "", CiphertextBlob = "", EncryptionContext } = JSON.parse(body);
    if (operation === "Encrypt") {
      const blob = utf8(JSON.stringify([EncryptionContext, Plaintext])).toReversed();
      return JSON.stringify({ CiphertextBlob: toBase64(blob) });
    }
    const bytes = fromBase64(CiphertextBlob)?.toReversed() ?? new Uint8Array();
    const [context, plaintext] = JSON.parse(new TextDecoder().decode(bytes));
    if (JSON.stringify(context) !== JSON.stringify(EncryptionContext)) throw new Error("another context");
    return JSON.stringify({ Plaintext: plaintext });
  }
}

/** The vault of a fresh isolate. */
function anIsolate(vars: Readonly<Record<string, string>>, kms = new FakeKms()) {
  return wireVault(env, { config: parseConfig(vars), send: kms.send, log: () => undefined });
}

beforeEach(async () => {
  for (const table of ["tenant_keys", "relay_keys"]) await env.DB.exec(`DELETE FROM ${table}`);
  if ((await createTenantStore(env.DB).get("ten_w")) === null) {
    await createTenantStore(env.DB).insert({ id: "ten_w", name: "W", createdAt: 1 });
  }
});

describe("with AWS KMS", () => {
  it("a secret opens in another isolate, with one call to KMS", async ({ expect }) => {
    const kms = new FakeKms();
    const sealed = await anIsolate(KMS, kms).seal(binding, "secret");
    const other = anIsolate(KMS, kms);
    kms.asked.length = 0;
    for (let n = 0; n < 3; n += 1) {
      expect(await other.open(binding, sealed)).toEqual({ ok: true, value: "secret" });
    }
    expect(kms.asked).toEqual(["Decrypt"]);
  });

  it("an outage passes: nothing is sealed or opened, nothing is lost, and open keys go on", async ({
    expect,
  }) => {
    const kms = new FakeKms();
    const first = anIsolate(KMS, kms);
    const sealed = await first.seal(binding, "secret");
    kms.isDown = true;
    const cold = anIsolate(KMS, kms);
    await expect(cold.seal(binding, "another")).rejects.toThrow(Unavailable);
    await expect(cold.openOrReject(binding, sealed)).rejects.toThrow(Unavailable);
    await expect(cold.relayKeys.derive("batch-tag/v1")).rejects.toThrow(Unavailable);
    expect(await first.open(binding, sealed)).toEqual({ ok: true, value: "secret" });
    kms.isDown = false;
    expect(await cold.open(binding, sealed)).toEqual({ ok: true, value: "secret" });
  });

  it("everything moves over from a root key, and back", async ({ expect }) => {
    const kms = new FakeKms();
    const root = { ROOT_KEY: rootKeyText(1) };
    const start = anIsolate(root, kms);
    const sealed = await start.seal(binding, "secret");
    const tag = await start.relayKeys.derive("batch-tag/v1");
    const steps = [
      [{ ...KMS, ...root }, KMS],
      [{ ...KMS, KMS_KEY_ID: "", KMS_KEY_ID_PREVIOUS: ARN, ...root }, root],
    ];
    for (const [both, alone] of steps) {
      const between = anIsolate(both ?? {}, kms);
      expect(await between.open(binding, sealed)).toEqual({ ok: true, value: "secret" });
      expect(await between.countToRewrap()).toBe(2);
      await between.rewrap();
      expect(await between.countToRewrap()).toBe(0);
      const after = anIsolate(alone ?? {}, kms);
      expect(await after.open(binding, sealed)).toEqual({ ok: true, value: "secret" });
      expect(await after.relayKeys.derive("batch-tag/v1")).toEqual(tag);
    }
  });
});

describe("a tenant's signing keys", () => {
  it("are listed for who verifies, and the newest one signs", async ({ expect }) => {
    const { signingKeys } = anIsolate({ ROOT_KEY: rootKeyText(1) });
    const { keyId } = await signingKeys.current("ten_w");
    const [listed, ...more] = await signingKeys.list("ten_w");
    expect([listed?.keyId, more]).toEqual([keyId, []]);
    expect(fromBase64(listed?.publicKey ?? "")?.byteLength).toBe(1_952);
  });
});

describe("connecting a destination", () => {
  const vault = () => anIsolate({ ROOT_KEY: rootKeyText(1) });
  const splunk = findProvider("splunk");

  /** A destination of that tenant whose two slots hold these values. */
  async function withSlots(isShared: boolean, present: object, previous: object | null) {
    const { seal } = vault();
    const to = destination({
      id: "siem_w",
      tenantId: "ten_w",
      credentialId: "cred_w",
      credentialIsShared: isShared,
    });
    const bound = isShared
      ? binding
      : { tenantId: "ten_w", recordId: "siem_w", purpose: "destination-secrets" };
    return {
      ...to,
      sealedSecrets: await seal(bound, JSON.stringify(present)),
      sealedPreviousSecrets: previous === null ? null : await seal(bound, JSON.stringify(previous)),
      previousSecretsUntil: previous === null ? null : 1_000,
    };
  }

  it("takes a shared credential's values by the usual names, in both slots", async ({ expect }) => {
    const to = await withSlots(true, { api_key: "new" }, { hec_token: "old" });
    const { open } = vault();
    expect((await connectDestination(to, splunk, open)).ok).toBe(true);
    expect((await connectDestination(to, splunk, open, "previous")).ok).toBe(true);
    expect(await secretsToCallWith(to, splunk, open, 999)).toEqual({
      ok: true,
      value: [{ token: "new" }, { token: "old" }],
    });
    expect(await secretsToCallWith(to, splunk, open, 1_000)).toEqual({ ok: true, value: [{ token: "new" }] });
  });

  it("tells what can pass from what has to be mended", async ({ expect }) => {
    const to = await withSlots(false, { token: "t" }, null);
    const { open } = vault();
    const gone = { ...to, sealedSecrets: to.sealedSecrets.replace("v2.1.", "v2.9.") };
    expect(await connectDestination(gone, splunk, open)).toMatchObject({ error: { isPassing: true } });
    const changed = { ...to, id: "siem_other" };
    expect(await connectDestination(changed, splunk, open)).toMatchObject({ error: { isPassing: false } });
    const odd = { ...to, config: { nonsense: 1 } };
    expect(await connectDestination(odd, splunk, open)).toMatchObject({ error: { isPassing: false } });
  });
});
