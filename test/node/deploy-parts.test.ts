/** The small parts of the deployment tool: command line, secrets, waiting, and how strict the stand-in is. */
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, onTestFinished } from "vitest";
import { cloudflare } from "../../src/deploy/cloudflare.ts";
import { parseOptions } from "../../src/deploy/options.ts";
import { waitUntilReady } from "../../src/deploy/ready.ts";
import { fault, generate, keep, readKept, saveRootKey } from "../../src/deploy/secrets.ts";
import { startStandIn } from "./cloudflare-standin/server.ts";

const ENV = { CLOUDFLARE_API_TOKEN: "t", CLOUDFLARE_ACCOUNT_ID: "0123456789abcdef0123456789abcdef" };
const NOWHERE = { jurisdiction: null, locationHint: null };

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "sluice-parts-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

async function standIn() {
  const server = await startStandIn();
  onTestFinished(() => server.close());
  const access = { accountId: server.account.id, token: server.token, baseUrl: server.baseUrl };
  return { server, access, api: cloudflare(access) };
}

describe("the command line", () => {
  it("goes to Cloudflare unless told otherwise", ({ expect }) => {
    expect(parseOptions(["--region", "eu"], ENV)).toMatchObject({
      ok: true,
      options: {
        region: "eu",
        planOnly: false,
        wait: true,
        access: { baseUrl: "https://api.cloudflare.com/client/v4" },
      },
    });
  });

  it.for([
    [["--region", "eu", "--plam"], "--plam"],
    [["--region", "eu", "--root-key", "f", "--new-root-key"], "contradict"],
    [[], "--region must be"],
  ] as const)("%j is refused with a reason", ([args, reason], { expect }) => {
    const parsed = parseOptions(args, ENV);
    expect(parsed.ok ? [] : parsed.faults).toEqual(expect.arrayContaining([expect.stringContaining(reason)]));
  });

  it("refuses an operator token that could be guessed", ({ expect }) => {
    expect(parseOptions(["--region", "eu"], { ...ENV, ADMIN_TOKEN: "hunter2" }).ok).toBe(false);
  });
});

describe("secrets", () => {
  it("are made strong enough to pass their own check, and never twice the same", ({ expect }) => {
    for (const name of ["ADMIN_TOKEN", "ROOT_KEY"]) {
      expect(fault(name, generate(name))).toBeNull();
      expect(generate(name)).not.toBe(generate(name));
    }
    expect(fault("ROOT_KEY", Buffer.alloc(31).toString("base64"))).toContain("32 bytes");
  });

  it("wait for their upload in a file that only its owner can read", async ({ expect }) => {
    const file = join(await directory(), "deep", "eu.secrets.json");
    expect(await readKept(file)).toEqual({});
    await keep(file, { ADMIN_TOKEN: "a" });
    expect(await readKept(file)).toEqual({ ADMIN_TOKEN: "a" });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("are never written over another region's backup", async ({ expect }) => {
    const file = join(await directory(), "root.key");
    await writeFile(file, "another\n");
    await expect(saveRootKey(file, "mine")).rejects.toThrow("holds something else");
    expect(await readFile(file, "utf8")).toBe("another\n");
  });
});

describe("waiting for the Worker", () => {
  function answers(...statuses: readonly (number | string)[]) {
    let now = 0;
    let at = 0;
    return {
      now: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
      get: async () => statuses[Math.min(at++, statuses.length - 1)] ?? 0,
    };
  }

  it("goes on through errors until it answers 200", async ({ expect }) => {
    expect(await waitUntilReady("u", answers("no such host", 404, 503, 200))).toEqual({ ready: true });
  });

  it("ends, with the last answer, after two minutes", async ({ expect }) => {
    expect(await waitUntilReady("u", answers(503))).toEqual({ ready: false, last: 503 });
  });
});

describe("the stand-in", () => {
  it("answers what it does not know, and wrong tokens and accounts, as Cloudflare would", async ({
    expect,
  }) => {
    const { server, access } = await standIn();
    const get = async (path: string, token = access.token) => {
      const response = await fetch(`${access.baseUrl}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return { status: response.status, body: await response.json() };
    };
    const accountPath = `/accounts/${server.account.id}`;
    expect(await get(`${accountPath}/r2/buckets`)).toMatchObject({
      status: 404,
      body: { errors: [{ code: 7003 }] },
    });
    expect(await get(`${accountPath}/queues`, "wrong")).toMatchObject({
      status: 401,
      body: { success: false },
    });
    expect(await get(`/accounts/${"f".repeat(32)}/queues`)).toMatchObject({ status: 403 });
  });

  it("refuses a second database or queue of the same name", async ({ expect }) => {
    const { api } = await standIn();
    await api.createDatabase("d", NOWHERE);
    await expect(api.createDatabase("d", NOWHERE)).rejects.toThrow("already exists");
    await api.createQueue("q", NOWHERE);
    await expect(api.createQueue("q", NOWHERE)).rejects.toThrow("already taken");
  });

  it.for([
    [{ type: "d1", id: "no-such-id" }, "a D1 database that does not exist"],
    [{ type: "queue", queue_name: "no-such-queue" }, "a queue that does not exist"],
    [{ type: "durable_object_namespace", class_name: "Ghost" }, "without a migration"],
    [{ type: "inherit" }, "inherit binding 'B' is invalid"],
    [{ type: "kv_namespace", namespace_id: "x" }, "does not know"],
  ] as const)("refuses an upload that binds to nothing: %j", async ([binding, reason], { expect }) => {
    const { server, access } = await standIn();
    const form = new FormData();
    const metadata = {
      main_module: "i.js",
      compatibility_date: "2026-11-01",
      bindings: [{ name: "B", ...binding }],
    };
    form.set("metadata", JSON.stringify(metadata));
    form.set("i.js", new File(["export default {}"], "i.js"));
    const url = `${access.baseUrl}/accounts/${server.account.id}/workers/scripts/w`;
    const headers = { authorization: `Bearer ${access.token}` };
    const response = await fetch(url, { method: "PUT", body: form, headers });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(reason);
    expect(server.account.scripts.size).toBe(0);
  });
});
