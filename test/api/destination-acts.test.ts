import { describe, it } from "vitest";
import { FakeApi } from "../support/fake-api.ts";

async function start() {
  const api = new FakeApi();
  const key = api.key("ten_a");
  const body = { provider: "splunk", endpoint: "https://hec.example.com:8088", token: "s3cr3t-old" };
  const made = await api.json("POST", "/v1/audit/siem", { key, body });
  const path = `/v1/audit/siem/${String((made.body as unknown as { id: string }).id)}`;
  const patch = (change: object) => api.json("PATCH", path, { key, body: change });
  return { api, key, path, patch };
}

describe("changes of a destination on the tenant's own stream", () => {
  it("tell what was there before and after, and nothing that stayed", async ({ expect }) => {
    const { api, patch } = await start();
    await patch({ name: "SOC", routes: [{ match: "incident.*" }] });
    expect(api.acts.at(-1)).toMatchObject({
      action: "siem.update",
      actorId: "key_ten_a",
      metadata: {
        before: { routes: [] },
        after: { name: "SOC", routes: [{ match: "incident.*", enabled: true }] },
      },
    });
    expect(Object.keys((api.acts.at(-1)?.metadata["after"] ?? {}) as object).sort()).toEqual([
      "name",
      "routes",
    ]);
  });

  it("name a secret that was replaced, and show neither the old nor the new", async ({ expect }) => {
    const { api, patch } = await start();
    await patch({ token: "s3cr3t-new" });
    expect(api.acts.at(-1)?.metadata).toEqual({ before: {}, after: {}, secrets_changed: ["token"] });
    expect(JSON.stringify(api.acts)).not.toContain("s3cr3t");
  });

  it("call switching on and off by its name", async ({ expect }) => {
    const { api, patch } = await start();
    await patch({ enabled: false });
    await patch({ enabled: true });
    expect(api.acts.map(({ action }) => action)).toEqual(["siem.create", "siem.disable", "siem.enable"]);
  });

  it("keep what a deleted destination was", async ({ expect }) => {
    const { api, key, path } = await start();
    await api.json("DELETE", path, { key });
    expect(api.acts.at(-1)).toMatchObject({
      action: "siem.delete",
      metadata: { before: { provider: "splunk", endpoint: "https://hec.example.com:8088" } },
    });
  });

  it("record that a connection was tested and how it went", async ({ expect }) => {
    const { api, key, path } = await start();
    await api.json("POST", `${path}/test`, { key });
    expect(api.acts.at(-1)).toMatchObject({ action: "siem.test", metadata: { ok: true, http_status: 200 } });
  });
});
