import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { mlKemKeyPair } from "../../src/base/ml-kem.ts";
import { SimulatorClient } from "../simulator/client.ts";
import { type Simulator, startSimulator } from "../simulator/server.ts";
import { eventually, type Json, RelayProcess } from "./support/relay.ts";

/*
 * Secrets, seen from outside: what a thief of the whole state folder finds, and a change of the root key while events
 * come in.
 */

let simulator: Simulator;
let siem: SimulatorClient;

beforeAll(async () => {
  simulator = await startSimulator();
  siem = new SimulatorClient(simulator.url);
});
afterAll(() => simulator.close());

const rootKey = (): string => randomBytes(32).toString("base64");

/** Asks, and takes nothing but that status for an answer. */
async function must(
  relay: RelayProcess,
  status: number,
  ...[method, path, options]: Parameters<RelayProcess["call"]>
): Promise<Json> {
  const answer = await relay.call(method, path, options);
  if (answer.status !== status) {
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return answer.body;
}

/** Every file below a folder. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** A secret as it may lie in a file: plain, in hex of either case, and in base64 wherever in a longer text it stands. */
function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].flatMap((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replaceAll("=", "");
    // The characters at both ends are shared with the neighbours.
    const inner = text.slice(offset === 0 ? 0 : offset + 1, -1);
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [secret, hex, hex.toUpperCase(), ...base64];
}

describe("a thief of everything that is stored", () => {
  const relay = new RelayProcess();
  afterAll(() => relay.dispose());

  it("finds none of the secrets, in any file, in any spelling", { timeout: 180_000 }, async ({ expect }) => {
    const secret = (name: string) => `${name}-${randomBytes(18).toString("hex")}`;
    const hec = { first: secret("hec"), next: secret("hec-next"), shared: secret("hec-shared") };
    const others = { webhook: secret("webhook"), password: secret("es-password"), app: secret("dd-app") };
    await siem.splunk("vault", { tokens: Object.values(hec).map((token) => ({ token })) });
    await relay.start({ ROOT_KEY: rootKey() });
    const { key } = await relay.tenant();
    const endpoint = `${simulator.url}/vault/services/collector`;

    const own = { provider: "splunk", endpoint, token: hec.first };
    const { id } = await must(relay, 201, "POST", "/v1/audit/siem", { key, body: own });
    const hook = { provider: "webhook", endpoint: `${simulator.url}/nowhere`, secret: others.webhook };
    await must(relay, 201, "POST", "/v1/audit/siem", { key, body: hook });
    const sealing = {
      name: "Shared HEC",
      credential_type: "api_key",
      values: { api_key: hec.shared, app_key: others.app },
    };
    const { credential_id } = await must(relay, 201, "POST", "/api/v2/vault/seal", { key, body: sealing });
    const integrated = await must(relay, 201, "POST", "/api/v2/integrations", {
      key,
      body: {
        system_type: "splunk",
        config: { hec_url: endpoint },
        credential_id,
        allowed_operations: ["send_event"],
      },
    });
    const signed = await must(relay, 201, "POST", "/v1/keys", {
      key,
      body: { name: "signed", scopes: ["events:write"], require_signature: true },
    });
    const source = await must(relay, 201, "POST", "/v1/sources", {
      key,
      body: {
        kind: "splunk_es",
        name: "ES",
        rest_url: `${simulator.url}/vault`,
        username: "sluice",
        password: others.password,
      },
    });
    expect(source["id"]).toMatch(/^src_/);

    const pair = mlKemKeyPair(new Uint8Array(randomBytes(64)));
    const publicKey = Buffer.from(pair.publicKey).toString("base64");
    await must(relay, 201, "POST", "/api/v2/keys", {
      key,
      body: { algorithm: "ML-KEM-768", public_key: publicKey },
    });
    const envelope = await must(relay, 200, "POST", "/api/v2/proxy/outbound", {
      key,
      body: {
        integration_id: integrated["id"],
        operation: "send_event",
        payload: { event: { action: "proxied" } },
      },
    });
    expect(envelope["ciphertext"]).toEqual(expect.any(String));
    await must(relay, 200, "PATCH", `/v1/audit/siem/${id}`, { key, body: { next_token: hec.next } });
    await must(relay, 200, "POST", "/api/v2/vault/unseal", { key, body: { credential_id } });
    await must(relay, 202, "POST", "/v1/audit/events", {
      key,
      body: { id: "vault-0", action: "user.login", actor_id: "u" },
    });
    await eventually(async () => "vault-0" in (await siem.events("vault")).ids);
    await relay.stop();

    const secrets = {
      ...hec,
      ...others,
      key,
      signing: String(signed["signing_secret"]).replace("whsec_", ""),
    };
    const files = filesIn(relay.stateDir).map((path) => ({ path, text: readFileSync(path, "latin1") }));
    expect(files.filter(({ path }) => path.includes(".sqlite")).length).toBeGreaterThan(2);
    // The search finds what is there: the credential's name in the same files, and a secret inside a longer text.
    for (const before of ["", "a", "ab", "abc"]) {
      const text = Buffer.from(`${before}${hec.first} and more`);
      for (const encoding of ["latin1", "hex", "base64", "base64url"] as const) {
        expect(spellings(hec.first).some((spelling) => text.toString(encoding).includes(spelling))).toBe(
          true,
        );
      }
    }
    expect(files.some(({ text }) => text.includes("Shared HEC"))).toBe(true);
    const found = Object.entries(secrets).flatMap(([name, value]) =>
      files
        .filter(({ text }) => spellings(value).some((spelling) => text.includes(spelling)))
        .map(({ path }) => `${name} in ${path}`),
    );
    expect(found).toEqual([]);
  });
});

describe("a change of the root key", () => {
  const relay = new RelayProcess();
  afterAll(() => relay.dispose());

  /** Sends ten events at a time, each until it is accepted, as a producer through a restart does. */
  class Producer {
    sent = 0;
    #isStopped = false;
    readonly #key: string;
    #running: Promise<void> = Promise.resolve();

    constructor(key: string) {
      this.#key = key;
    }

    start(): void {
      this.#running = this.#run();
    }

    async stop(): Promise<number> {
      this.#isStopped = true;
      await this.#running;
      return this.sent;
    }

    async #run(): Promise<void> {
      while (!this.#isStopped) {
        const body = Array.from({ length: 10 }, (_, n) => ({
          id: `rotation-${this.sent + n}`,
          action: "user.login",
          actor_id: "u",
        }));
        const headers = { "idempotency-key": `rotation-${this.sent}` };
        await eventually(async () => {
          const sending = relay.call("POST", "/v1/audit/events", { key: this.#key, body, headers });
          return (await sending.catch(() => null))?.status === 202;
        });
        this.sent += body.length;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  it("costs no delivery, while events come in", { timeout: 240_000 }, async ({ expect }) => {
    const [old, fresh] = [rootKey(), rootKey()];
    const token = randomBytes(16).toString("hex");
    await siem.splunk("rotation", { tokens: [{ token }] });
    await relay.start({ ROOT_KEY: old });
    const { key } = await relay.tenant();
    const endpoint = `${simulator.url}/rotation/services/collector`;
    const body = { provider: "splunk", endpoint, token };
    const { id } = await must(relay, 201, "POST", "/v1/audit/siem", { key, body });
    const before = await must(relay, 202, "POST", "/v1/audit/events", {
      key,
      body: { action: "user.login", actor_id: "u" },
      headers: { "idempotency-key": "the same" },
    });
    const left = async (): Promise<number> => {
      const answer = await fetch(`${relay.url}/metrics`, {
        headers: { authorization: "Bearer operator-token-of-the-tests" },
      });
      return Number(/^sluice_vault_keys_to_rewrap (\d+)$/m.exec(await answer.text())?.[1] ?? Number.NaN);
    };
    const producer = new Producer(key);
    producer.start();
    const goOn = async (): Promise<void> => {
      const target = producer.sent + 50;
      await eventually(async () => producer.sent >= target);
    };
    await goOn();

    await relay.stop();
    await relay.start({ ROOT_KEY: fresh, ROOT_KEY_PREVIOUS: old });
    await goOn();
    await eventually(async () => (await left()) === 0);
    await relay.stop();
    await relay.start({ ROOT_KEY: fresh });
    await goOn();
    const sent = await producer.stop();

    const arrived = await eventually(async () => {
      const ids = Object.keys((await siem.events("rotation")).ids).filter((name) =>
        name.startsWith("rotation-"),
      );
      return ids.length === sent && ids;
    });
    expect(arrived).toHaveLength(sent);
    const detail = await must(relay, 200, "GET", `/v1/audit/siem/${id}`, { key });
    expect(detail).toMatchObject({ status: "active", dead_letters: 0, status_changes: [] });
    const { data } = await must(relay, 200, "GET", `/v1/audit/siem/${id}/deliveries?limit=100`, { key });
    const outcomes = (data as Json[]).map(({ outcome }) => outcome);
    expect(new Set(outcomes)).toEqual(new Set(["delivered"]));
    // What is derived from the relay's own secret is the same as before.
    const again = await must(relay, 202, "POST", "/v1/audit/events", {
      key,
      body: { action: "user.login", actor_id: "u" },
      headers: { "idempotency-key": "the same" },
    });
    expect(again["batch_id"]).toBe(before["batch_id"]);
    await must(relay, 200, "GET", `/v1/audit/batches/${before["batch_id"]}`, { key });
  });
});
