import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, it } from "vitest";
import { buildClient } from "../../src/pack/build.ts";
import { type FakeRelay, startFakeRelay } from "./support/fake-relay.ts";

/** The client library as somebody else gets it: packed, installed from the tarball, run by the README's own examples. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = await readFile(join(root, "src/client/README.md"), "utf8");
const EXAMPLES = [...readme.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
const run = promisify(execFile);

let folder: string;
let relay: FakeRelay;
/** `npm` as this machine has it, with nothing to ask of a registry. */
const npm = (args: readonly string[], cwd: string) =>
  run("npm", [...args, "--offline", "--no-audit", "--no-fund"], { cwd });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-client-"));
  relay = await startFakeRelay();
  const built = join(folder, "built");
  await buildClient(built);
  await npm(["pack", "--pack-destination", folder], built);
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "";
  await writeFile(join(folder, "package.json"), '{"private":true,"type":"module"}');
  await npm(["install", join(folder, tarball)], folder);
});

afterAll(async () => {
  relay.close();
  await rm(folder, { recursive: true, force: true });
});

describe("the packed client library", () => {
  it("is a module, its types and its texts, and needs no other package", async ({ expect }) => {
    const installed = join(folder, "node_modules/sluice-client");
    expect((await readdir(installed)).sort()).toEqual([
      "LICENSE",
      "README.md",
      "THIRD-PARTY-LICENSES",
      "index.js",
      "package.json",
      "types",
    ]);
    const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
    expect(manifest).toMatchObject({ sideEffects: false, type: "module", license: "Apache-2.0" });
    expect(manifest.dependencies).toBeUndefined();
    expect(await readFile(join(installed, "THIRD-PARTY-LICENSES"), "utf8")).toContain("MIT License");
  });

  it("gives types that a strict consumer compiles with, and whose mistakes it is told", async ({
    expect,
  }) => {
    const good = `
      import { createClient, encryption, EnvelopeError, SluiceError, webhooks } from "sluice-client";
      import type { AuditEvent, ProxyResult } from "sluice-client";
      const client = createClient({ baseUrl: "https://relay.example.com", apiKey: "sl_live_x", fetch });
      const event: AuditEvent = { action: "user.login", actor_id: "u", anything: { else: 1 } };
      export const sent: Promise<{ readonly id: string }> = client.send(event);
      export const result: Promise<ProxyResult> = client.encryption.decrypt({});
      export const pair: string = encryption.generateKeyPair().privateKey;
      export const events = webhooks.verify("", new Headers(), ["a", "b"], { toleranceSeconds: 1 });
      export const codes = (e: unknown) => e instanceof SluiceError ? e.errors[0]?.path : e instanceof EnvelopeError ? e.code : null;
    `;
    expect(await typeCheck("good.ts", good, true)).toBe("");
    const bad = 'import { createClient } from "sluice-client"; createClient({ baseUrl: "x" }).send({});';
    const complaint = await typeCheck("bad.ts", bad, true);
    expect(complaint).toContain("'apiKey' is missing");
    expect(complaint).toContain("'action' is missing");
  });

  it("has examples that compile", async ({ expect }) => {
    const files = EXAMPLES.map((code, at) => [`checked-${at}.ts`, code] as const);
    for (const [name, code] of files) await writeFile(join(folder, name), `${code}\nexport {};\n`);
    const names = files.map(([name]) => name);
    expect(await tsc(names, false)).toBe("");
  });

  it("is bundled for browsers without anything of Node's", async ({ expect }) => {
    await writeFile(join(folder, "page.js"), 'export * from "sluice-client";');
    const options = { absWorkingDir: folder, bundle: true, format: "esm", platform: "browser" } as const;
    const { outputFiles, metafile } = await build({
      ...options,
      entryPoints: ["page.js"],
      minify: true,
      metafile: true,
      write: false,
    });
    expect(
      Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter((one) => one.external)),
    ).toEqual([]);
    const code = outputFiles[0]?.text ?? "";
    expect(code).not.toMatch(/["']node:|\bBuffer\b|\bprocess\b|\brequire\(/);
    expect(code.length).toBeLessThan(60_000);
  });

  it("costs nothing where it is imported and not used", async ({ expect }) => {
    await writeFile(
      join(folder, "unused.js"),
      'import { createClient } from "sluice-client"; export const x = 1;',
    );
    const result = await build({
      absWorkingDir: folder,
      bundle: true,
      format: "esm",
      entryPoints: ["unused.js"],
      write: false,
    });
    expect(result.outputFiles[0]?.text.length).toBeLessThan(500);
  });
});

describe("the README's examples, run against a relay that refuses each first try", () => {
  const example = (words: string): string => {
    const found = EXAMPLES.filter((code) => code.includes(words));
    if (found.length !== 1) throw new Error(`${found.length} examples contain ${words}`);
    return String(found[0]);
  };

  it("are all run here", ({ expect }) => {
    expect(EXAMPLES).toHaveLength(6);
  });

  it("send events", async ({ expect }) => {
    const lines = await runExample(example("passkey"));
    expect(lines).toEqual([expect.stringMatching(/^sent evt_\S+ bat_\S+$/), "sent 2 2"]);
    expect(relay.idempotencyKeys).toContain("job-4711");
    expect(actions()).toEqual(expect.arrayContaining(["user.login", "user.logout", "job.finish"]));
  });

  it("send what a running program collects, in as few requests as said", async ({ expect }) => {
    const before = relay.idempotencyKeys.length;
    expect(await runExample(example("audit.add"))).toEqual(["all 1200 are sent"]);
    expect(actions().filter((action) => action === "record.read")).toHaveLength(1_200);
    expect(relay.idempotencyKeys.length - before).toBe(3);
  });

  it("sign requests", async ({ expect }) => {
    expect(await runExample(example("signingSecret"))).toEqual(["sent, signed"]);
    expect(relay.events.find(({ key }) => key === "sl_live_signing")?.action).toBe("payout.approve");
  });

  it("tell what was wrong", async ({ expect }) => {
    expect(await runExample(example("No Good"))).toEqual(["invalid_event 422", "1 action Expected words"]);
  });

  it("call a provider and open its answer", async ({ expect }) => {
    expect(await runExample(example("proxy.call"))).toEqual(["true 200 Taken.", "true"]);
  });

  it("receive webhooks, each event once, and nothing that is not signed", async ({ expect }) => {
    const port = await freePort();
    const program = await startExample(example("createServer"), { WEBHOOK_PORT: String(port) });
    const lines = collect(program);
    if (program.stdout !== null) await once(program.stdout, "data");
    const body = JSON.stringify({ events: [{ id: "evt_1", action: "user.login", actor_id: "user-7" }] });
    const url = `http://127.0.0.1:${port}`;
    const deliver = (headers: Record<string, string>) => fetch(url, { method: "POST", body, headers });
    expect((await deliver(signed(body))).status).toBe(204);
    expect((await deliver(signed(body))).status).toBe(204);
    expect((await deliver({ ...signed(body), "webhook-signature": "v1,AAAA" })).status).toBe(401);
    expect((await deliver({})).status).toBe(401);
    program.kill();
    await once(program, "close");
    expect(lines).toEqual(["waiting", "user.login user-7"]);
  });
});

const WEBHOOK_SECRET = "whsec_bm90IGEgc2VjcmV0IGF0IGFsbA==";

function signed(body: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const key = Buffer.from(WEBHOOK_SECRET.slice(6), "base64");
  const mac = createHmac("sha256", key).update(`msg_1.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": `v1,${mac}` };
}

function actions(): readonly unknown[] {
  return relay.events.map(({ action }) => action);
}

async function startExample(code: string, env: Readonly<Record<string, string>> = {}): Promise<ChildProcess> {
  await mkdir(join(folder, "examples"), { recursive: true });
  const file = join(folder, "examples", `${createHmac("sha256", "name").update(code).digest("hex")}.js`);
  await writeFile(file, code);
  return spawn(process.execPath, [file], {
    cwd: folder,
    env: {
      SLUICE_URL: relay.url,
      SLUICE_API_KEY: "sl_live_example",
      SLUICE_SIGNING_API_KEY: "sl_live_signing",
      SLUICE_SIGNING_SECRET: relay.signingSecret,
      SLUICE_INTEGRATION_ID: "int_1",
      WEBHOOK_SECRET,
      ...env,
    },
  });
}

/** What it prints, to either stream: an example that fails shows its error instead of what is expected. */
async function runExample(code: string): Promise<readonly string[]> {
  const program = await startExample(code);
  const lines = collect(program);
  await once(program, "close");
  return lines;
}

function collect(program: ChildProcess): readonly string[] {
  const lines: string[] = [];
  for (const stream of [program.stdout, program.stderr])
    stream?.on("data", (chunk: Buffer) => lines.push(...chunk.toString("utf8").trimEnd().split("\n")));
  return lines;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function typeCheck(name: string, code: string, strict: boolean): Promise<string> {
  await writeFile(join(folder, name), code);
  return await tsc([name], strict);
}

/** @returns its complaints */
async function tsc(files: readonly string[], strict: boolean): Promise<string> {
  const compilerOptions = {
    strict,
    noEmit: true,
    target: "es2024",
    module: "nodenext",
    typeRoots: [join(root, "node_modules/@types")],
    types: ["node"],
  };
  const config = join(folder, `tsconfig.${files[0]}.json`);
  await writeFile(config, JSON.stringify({ compilerOptions, files }));
  try {
    await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", config], {
      cwd: folder,
    });
    return "";
  } catch (failure) {
    return failure instanceof Error && "stdout" in failure ? String(failure.stdout) : String(failure);
  }
}
