import { describe, it } from "vitest";
import { endpointsOf } from "../../src/api/app.ts";
import type { Endpoint } from "../../src/api/endpoint.ts";
import { SCOPES } from "../../src/model/tenant.ts";
import { destination, incident, splunkBody } from "../support/builders.ts";
import { ADMIN_TOKEN, FakeApi } from "../support/fake-api.ts";

const operator = { Authorization: `Bearer ${ADMIN_TOKEN}` };
const endpoints = endpointsOf(new FakeApi().deps);

/** A request that would succeed for whoever may make it, as far as a body and an id go. */
function request({ method, path, body }: Endpoint) {
  const sent = path.endsWith("/replay") ? { all: true } : splunkBody();
  return {
    method: method.toUpperCase(),
    path: path.replace("{id}", "siem_1").replace("{batch_id}", "bat_1"),
    body: body === undefined ? undefined : sent,
  };
}

for (const endpoint of endpoints) {
  const { access } = endpoint;
  const { method, path, body } = request(endpoint);
  const code = async (api: FakeApi, key?: string, headers?: Record<string, string>) => {
    const options = {
      ...(key === undefined ? {} : { key }),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    };
    const answer = await api.json(method, path, options).catch(() => null);
    return `${answer?.status} ${answer?.body?.["code"] ?? ""}`;
  };

  describe(`${method} ${endpoint.path}`, () => {
    if (access.kind === "proof") {
      it("refuses who proves nothing, whatever key they show", async ({ expect }) => {
        const api = new FakeApi();
        expect(await code(api)).toBe("401 unauthenticated");
        expect(await code(api, api.key("ten_a"))).toBe("401 unauthenticated");
        expect(await code(api, undefined, operator)).toBe("401 unauthenticated");
      });
      return;
    }

    if (access.kind === "public") {
      it("answers anybody", async ({ expect }) => {
        expect(await code(new FakeApi())).not.toMatch(/^40[13]/);
      });
      return;
    }

    it("refuses strangers, and says how to ask", async ({ expect }) => {
      const api = new FakeApi();
      expect(await code(api)).toBe("401 unauthenticated");
      expect(await code(api, "sl_live_unknown")).toBe("401 unauthenticated");
      expect(await code(api, undefined, { Authorization: "Bearer wrong" })).toBe("401 unauthenticated");
      const answer = await api.fetch(method, path);
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="sluice"');
    });

    it("passes on that there were too many requests", async ({ expect }) => {
      const api = new FakeApi({
        admit: () => ({ code: "rate_limited", detail: "Slower, please.", retryAfterSeconds: 7 }),
      });
      expect(await code(api, api.key("ten_a"))).toBe("429 rate_limited");
      const answer = await api.fetch(method, path, { key: api.key("ten_a") });
      expect(answer.headers.get("retry-after")).toBe("7");
    });

    if (access.kind === "operator") {
      it("is for the operator and for no key", async ({ expect }) => {
        const api = new FakeApi();
        expect(await code(api, undefined, operator)).not.toMatch(/^40[13]/);
        expect(await code(api, api.key("ten_a"))).toBe("403 operation_not_allowed");
      });
      return;
    }

    it("is not for the operator", async ({ expect }) => {
      expect(await code(new FakeApi(), undefined, operator)).toBe("403 operation_not_allowed");
    });

    it(`needs ${access.scope}, and no other scope will do`, async ({ expect }) => {
      const api = new FakeApi();
      const others = SCOPES.filter((scope) => scope !== "*" && scope !== access.scope);
      expect(await code(api, api.key("ten_a", others))).toBe("403 missing_scope");
      expect(await code(api, api.key("ten_a", [access.scope]))).not.toMatch(/^40[13]/);
      expect(await code(api, api.key("ten_a", ["*"]))).not.toMatch(/^40[13]/);
    });

    it("takes the key as a bearer token as well", async ({ expect }) => {
      const api = new FakeApi();
      const headers = { Authorization: `Bearer ${api.key("ten_a", [access.scope])}` };
      expect(await code(api, undefined, headers)).not.toMatch(/^40[13]/);
    });

    if (!endpoint.path.includes("{")) return;
    it("is 404 for another tenant, exactly as for what does not exist", async ({ expect }) => {
      const api = new FakeApi();
      await api.destinations.insert(destination());
      api.batches.set("bat_1", "ten_a");
      api.incidents.rows.set("inc_1", incident());
      await api.keys.insert(
        {
          id: "key_1",
          tenantId: "ten_a",
          name: "k",
          scopes: ["*"],
          prefix: "sl_live_x",
          requireSignature: false,
          createdAt: 1,
          expiresAt: null,
          revokedAt: null,
        },
        { hash: "h", sealedSigningSecret: null },
      );
      const ids: readonly (readonly [string, string])[] = [
        ["/v1/keys", "key_1"],
        ["/v1/incidents", "inc_1"],
      ];
      const id = ids.find(([start]) => endpoint.path.startsWith(start))?.[1] ?? "siem_1";
      const own = path.replace("siem_1", id);
      const options = { key: api.key("ten_b"), ...(body === undefined ? {} : { body }) };
      const theirs = await api.json(method, own, options);
      const nothing = await api.json(method, own.replace(/(siem|key|bat|inc)_1/, "$1_9"), options);
      expect(theirs.status).toBe(404);
      expect(theirs.body).toEqual(nothing.body);
      expect(api.lanes.size).toBe(0);
      expect(await api.destinations.get("ten_a", "siem_1")).toEqual(destination());
      expect(api.keys.rows.get("key_1")?.revokedAt).toBeNull();
      expect(api.incidents.wanted).toEqual([]);
    });
  });
}
