/** The rehearsal: the real tool and the real wrangler, against a stand-in for Cloudflare's API on loopback. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { liveVersion, type Version } from "./cloudflare-standin/account.ts";
import { type Rehearsal, region, rehearse } from "./deploy-run.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 20_000 });

let rehearsal: Rehearsal;
beforeEach(async () => {
  rehearsal = await rehearse();
});
afterEach(async () => {
  await rehearsal.end();
});

function live(worker: string): Version | undefined {
  const script = rehearsal.standIn.account.scripts.get(worker);
  return script === undefined ? undefined : liveVersion(script);
}

function secret(worker: string, name: string): unknown {
  return live(worker)?.bindings.find((binding) => binding.name === name)?.["text"];
}

describe("an empty account", () => {
  it("becomes a running region in one run, and a second run changes nothing but the code", async ({
    expect,
  }) => {
    const { account } = rehearsal.standIn;
    const backup = join(rehearsal.machine, "root.key");
    const first = await rehearsal.deploy([...region("eu", rehearsal), "--save-root-key", backup]);
    expect(first.output).toContain("eu is deployed.");
    expect(first.exitCode).toBe(0);

    const [database] = account.databases;
    expect(account.databases).toMatchObject([{ name: "sluice-eu", jurisdiction: "eu" }]);
    expect(database?.sqlite.prepare("SELECT name FROM d1_migrations ORDER BY id").all()).toEqual(
      (await readdir("src/store/migrations")).sort().map((name) => ({ name })),
    );
    expect(account.queues).toMatchObject([
      {
        queue_name: "sluice-events-dead-eu",
        jurisdiction: "eu",
        consumers: [{ script: "sluice-eu", settings: { max_retries: 100 } }],
      },
      {
        queue_name: "sluice-events-eu",
        jurisdiction: "eu",
        consumers: [
          { script: "sluice-eu", dead_letter_queue: "sluice-events-dead-eu", settings: { max_retries: 100 } },
        ],
      },
    ]);
    expect(live("sluice-eu")?.bindings).toEqual(
      expect.arrayContaining([
        { name: "DB", type: "d1", id: database?.uuid },
        { name: "EVENTS", type: "queue", queue_name: "sluice-events-eu" },
        { name: "LANES", type: "durable_object_namespace", class_name: "Lane" },
        { name: "POLLERS", type: "durable_object_namespace", class_name: "Poller" },
        { name: "REGION", type: "plain_text", text: "eu" },
        { name: "LANE_JURISDICTION", type: "plain_text", text: "eu" },
        expect.objectContaining({ name: "ADMIN_TOKEN", type: "secret_text" }),
        expect.objectContaining({ name: "ROOT_KEY", type: "secret_text" }),
      ]),
    );
    expect(live("sluice-eu")?.compatibilityFlags).toContain("global_fetch_strictly_public");
    expect(account.scripts.get("sluice-eu")).toMatchObject({
      schedules: ["*/5 * * * *"],
      observability: { enabled: true, logs: { enabled: true, invocation_logs: false } },
      subdomain: { enabled: true, previews_enabled: false },
    });

    const token = String(secret("sluice-eu", "ADMIN_TOKEN"));
    const key = String(secret("sluice-eu", "ROOT_KEY"));
    expect(first.output.split(token)).toHaveLength(2);
    expect(first.output).not.toContain(key);
    expect(Buffer.from(key, "base64")).toHaveLength(32);
    expect((await readFile(backup, "utf8")).trim()).toBe(key);
    expect((await stat(backup)).mode & 0o777).toBe(0o600);
    expect(await readdir(rehearsal.machine)).not.toContain("eu.secrets.json");
    expect(schemaBeforeCode(rehearsal.changes())).toBe(true);

    const second = await rehearsal.deploy(region("eu", rehearsal));
    expect(second).toMatchObject({ exitCode: 0 });
    expect(second.output).not.toContain(token);
    const { DELETE, create } = sorted(rehearsal.changes());
    expect({ DELETE, create }).toEqual({ DELETE: [], create: [] });
    expect(account.scripts.get("sluice-eu")?.versions).toHaveLength(2);
    expect(secret("sluice-eu", "ADMIN_TOKEN")).toBe(token);
    expect(secret("sluice-eu", "ROOT_KEY")).toBe(key);

    // As docs/deployment.md says to rotate; the deployment after it must not bring anything back.
    await rehearsal.wrangler(["secret", "put", "ADMIN_TOKEN", "--env", "eu"], "a-rotated-operator-token");
    const third = await rehearsal.deploy(region("eu", rehearsal), {
      ADMIN_TOKEN: "another-operator-token-of-old",
    });
    expect(third.output).toContain("ADMIN_TOKEN in the environment was not used");
    expect(secret("sluice-eu", "ADMIN_TOKEN")).toBe("a-rotated-operator-token");
    expect(secret("sluice-eu", "ROOT_KEY")).toBe(key);
  });

  it("is only looked at with --plan, which names every step", async ({ expect }) => {
    const planned = await rehearsal.deploy(["--region", "apac", "--plan"]);
    expect(planned.exitCode).toBe(0);
    expect(rehearsal.changes()).toEqual([]);
    expect(planned.output.split("\n").filter((line) => /^\d+\. /.test(line))).toEqual([
      expect.stringContaining("Generate ADMIN_TOKEN and ROOT_KEY"),
      expect.stringContaining("Create the D1 database sluice-apac, near apac"),
      expect.stringContaining("Create the queue sluice-events-dead-apac"),
      expect.stringContaining("Create the queue sluice-events-apac"),
      expect.stringMatching(/Register sluice-[0-9a-f]{8}\.workers\.dev/),
      expect.stringContaining("Apply to sluice-apac: 0001"),
      expect.stringContaining("Deploy the Worker sluice-apac, together with its secrets"),
      expect.stringMatching(/Wait until https:\/\/sluice-apac\.sluice-[0-9a-f]{8}\.workers\.dev\/readyz/),
    ]);
    expect(await readdir(rehearsal.machine)).toEqual([]);
  });
});

describe("a failure on the way", () => {
  it("is finished by the next run, before or after the upload, with the secrets of the first", async ({
    expect,
  }) => {
    const { account, faults } = rehearsal.standIn;
    faults.push({ call: "POST /queues", status: 500, times: 1 });
    const early = await rehearsal.deploy(region("us", rehearsal));
    expect(early.exitCode).toBe(1);
    expect(early.output).toContain("Cloudflare answered 500 to POST /queues");
    const kept: unknown = JSON.parse(await readFile(join(rehearsal.machine, "us.secrets.json"), "utf8"));

    faults.push({ call: "/consumers", status: 500, times: 2 });
    const late = await rehearsal.deploy(region("us", rehearsal));
    expect(late.exitCode).toBe(1);
    expect(late.output).toContain("wrangler deploy failed");

    const last = await rehearsal.deploy(region("us", rehearsal));
    expect(last.exitCode).toBe(0);
    expect(last.output).toContain(`ADMIN_TOKEN=${String(secret("sluice-us", "ADMIN_TOKEN"))}`);
    expect(kept).toEqual({
      ADMIN_TOKEN: secret("sluice-us", "ADMIN_TOKEN"),
      ROOT_KEY: secret("sluice-us", "ROOT_KEY"),
    });
    expect(account.databases).toMatchObject([{ name: "sluice-us", jurisdiction: "us" }]);
    expect(account.queues.map(({ consumers }) => consumers.length)).toEqual([1, 1]);
    expect(await readdir(rehearsal.machine)).not.toContain("us.secrets.json");
  });

  it("does not let another machine choose a second root key for a database in use", async ({ expect }) => {
    rehearsal.standIn.faults.push({ call: "PUT /workers/scripts", status: 400, times: 1 });
    const stopped = await rehearsal.deploy(region("eu", rehearsal));
    expect(stopped.exitCode).toBe(1);
    expect(rehearsal.standIn.account.scripts.size).toBe(0);

    const elsewhere = await rehearsal.deploy([...region("eu", rehearsal), "--plan"], {
      SLUICE_DEPLOY_DIR: join(rehearsal.machine, "elsewhere"),
    });
    expect(elsewhere.exitCode).toBe(1);
    expect(elsewhere.output).toContain("has no ROOT_KEY");
  });
});

describe("a mistake of the operator", () => {
  it("with the token is said in words, and nothing is created", async ({ expect }) => {
    const refused = await rehearsal.deploy(region("eu", rehearsal), { CLOUDFLARE_API_TOKEN: "wrong" });
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toContain("Cloudflare refused the API token");
    expect(refused.output).toContain("CLOUDFLARE_API_TOKEN");
    expect(refused.output).not.toContain("wrong");
    expect(rehearsal.changes()).toEqual([]);
  });

  it("with the environment is said before anything is asked of Cloudflare", async ({ expect }) => {
    const refused = await rehearsal.deploy(["--region", "mars"], {
      CLOUDFLARE_API_TOKEN: "",
      CLOUDFLARE_ACCOUNT_ID: "",
    });
    expect(refused.exitCode).toBe(2);
    for (const fault of [
      "--region must be one of",
      "CLOUDFLARE_API_TOKEN is not",
      "CLOUDFLARE_ACCOUNT_ID is not",
    ]) {
      expect(refused.output).toContain(fault);
    }
    expect(rehearsal.standIn.calls).toEqual([]);
  });
});

function schemaBeforeCode(calls: readonly string[]): boolean {
  const schema = calls.findLastIndex((call) => call.endsWith("/query"));
  return (
    schema !== -1 && schema < calls.findIndex((call) => call.startsWith("PUT /workers/scripts/sluice-eu"))
  );
}

/** Which of the calls delete, and which create something that has a name or a secret of its own. */
function sorted(calls: readonly string[]) {
  const creating = ["POST /d1/database", "POST /queues", "PUT /workers/subdomain"];
  return {
    DELETE: calls.filter((call) => call.startsWith("DELETE ")),
    create: calls.filter((call) => creating.includes(call) || /POST .*\/consumers|secrets/.test(call)),
  };
}
