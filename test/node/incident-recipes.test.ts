import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { toBase64, utf8 } from "../../src/base/bytes.ts";
import type { IncidentChangeKind, IncidentState } from "../../src/model/incident.ts";
import { changeIds, incidentEvent } from "../../src/model/incident-event.ts";
import { signingKey, standardHeaders } from "../../src/providers/shared/standard-webhooks.ts";
import { incident } from "../support/builders.ts";

const PAGE = readFileSync(new URL("../../docs/incidents.md", import.meta.url), "utf8");
const SECRET = `whsec_${toBase64(utf8("a secret of thirty-two bytes !!!"))}`;

/** The program of that name on the page. */
function recipe(name: string): string {
  const found = new RegExp(`^\`\`\`js ${name}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(PAGE)?.[1];
  if (found === undefined) throw new Error(`The page has no recipe called ${name}`);
  return found;
}

/** An event as the relay makes it, of a change that led to a state. */
function eventJson(
  kind: IncidentChangeKind,
  state: IncidentState,
  revision: number,
  note: string | null = null,
) {
  const now = incident({ state, revision, assignmentGroup: "SOC" });
  const change = {
    id: "chg_1",
    incidentId: now.id,
    at: 1_000,
    kind,
    actorId: "key_1",
    actorType: "API_KEY",
    eventId: changeIds(now.id, revision, 1_000).event,
    changes: {},
    note,
  } as const;
  return incidentEvent({ incident: now, change, source: { id: "src_1", name: "SOC", kind: "splunk_alert" } })
    .json;
}

const connectionTest = JSON.stringify({ id: "evt_1", action: "siem.test_connection" });

/** Headers as the relay's webhook has them. */
function signed(body: string, secret = SECRET, at = Date.now()): Record<string, string> {
  const key = signingKey(secret);
  if (key === null) throw new Error("No key");
  return { ...standardHeaders({ id: "msg_1", at, body: utf8(body) }, [key]) };
}

type Row = Record<string, unknown>;

/** What the ServiceNow script is given: one table in memory, and a request. */
function serviceNow() {
  const rows: Row[] = [];
  const run = new Function(
    "gs",
    "GlideRecord",
    "GlideCertificateEncryption",
    "request",
    "response",
    recipe("servicenow"),
  );
  const gs = { getProperty: () => SECRET.slice("whsec_".length) };
  class GlideRecord {
    [field: string]: unknown;
    #row: Row | null = null;
    get(field: string, value: unknown): boolean {
      this.#row = rows.find((row) => row[field] === value) ?? null;
      if (this.#row !== null) Object.assign(this, this.#row);
      return this.#row !== null;
    }
    initialize(): void {
      this.#row = null;
    }
    setDisplayValue(field: string, value: unknown): void {
      this[field] = value;
    }
    insert(): string {
      rows.push({ ...this });
      return "sys_id";
    }
    update(): string {
      Object.assign(this.#row ?? {}, { ...this });
      return "sys_id";
    }
  }
  class GlideCertificateEncryption {
    generateMac(key: string, _algorithm: string, data: string): string {
      return createHmac("sha256", Buffer.from(key, "base64")).update(data).digest("base64");
    }
  }
  const post = (body: string, headers = signed(body)): number => {
    let status = 200;
    const request = { body: { dataString: body }, getHeader: (name: string) => headers[name] ?? null };
    const response = {
      setStatus: (given: number) => {
        status = given;
      },
    };
    run(gs, GlideRecord, GlideCertificateEncryption, request, response);
    return status;
  };
  return { rows, post };
}

describe("the script for ServiceNow", () => {
  it("makes one record of an incident and keeps it at the latest change, whatever repeats or comes late", ({
    expect,
  }) => {
    const { rows, post } = serviceNow();
    expect(post(eventJson("create", "open", 1))).toBe(204);
    expect(rows).toMatchObject([
      {
        correlation_id: "inc_1",
        correlation_display: "INC0000001",
        impact: 1,
        urgency: 2,
        short_description: "Failed logins",
        state: 1,
        assignment_group: "SOC",
        cmdb_ci: "web-01",
      },
    ]);
    expect(post(eventJson("resolve", "resolved", 3, "rebooted"))).toBe(204);
    expect(post(eventJson("acknowledge", "acknowledged", 2))).toBe(204);
    expect(post(eventJson("resolve", "resolved", 3, "rebooted"))).toBe(204);
    expect(rows).toMatchObject([{ state: 6, close_notes: "rebooted", u_sluice_revision: 3 }]);
  });

  it("takes nothing that the relay did not sign, and lets a connection test pass", ({ expect }) => {
    const { rows, post } = serviceNow();
    const body = eventJson("create", "open", 1);
    expect(post(body, signed(body, "whsec_AAAAAAAAAAAAAAAA"))).toBe(401);
    expect(post(body, signed(`${body} `))).toBe(401);
    expect(post(body, signed(body, SECRET, Date.now() - 301_000))).toBe(401);
    expect(post(body, {})).toBe(401);
    expect(post(connectionTest)).toBe(204);
    expect(rows).toEqual([]);
  });
});

interface Adapter {
  readonly default: { fetch(request: Request, env: Readonly<Record<string, string>>): Promise<Response> };
}

describe("the adapter for Jira", () => {
  async function start(answer: () => Response) {
    const sent: { readonly url: string; readonly init: RequestInit }[] = [];
    // The recipe's `fetch` is the one of its platform; here it is handed in.
    const source = `export const make = (fetch) => {\n${recipe("adapter").replace("export default", "const worker =")}\nreturn worker; };`;
    const made: unknown = await import(`data:text/javascript,${encodeURIComponent(source)}`);
    const { make } = made as { make(fetch: unknown): Adapter["default"] };
    const worker = make(async (url: string, init: RequestInit) => {
      sent.push({ url, init });
      return answer();
    });
    const env = { SLUICE_SECRET: SECRET, JIRA_URL: "https://jira.example.com/hook", JIRA_TOKEN: "token" };
    const post = async (body: string, headers = signed(body)) =>
      worker.fetch(new Request("https://adapter.example.com", { method: "POST", body, headers }), env);
    return { sent, post };
  }

  it("hands on what the rule needs, with the rule's own secret", async ({ expect }) => {
    const { sent, post } = await start(() => new Response("{}"));
    expect((await post(eventJson("create", "open", 1))).status).toBe(204);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.url).toBe("https://jira.example.com/hook");
    expect(sent[0]?.init.headers).toMatchObject({ "X-Automation-Webhook-Token": "token" });
    expect(JSON.parse(String(sent[0]?.init.body))).toMatchObject({
      action: "incident.create",
      label: "sluice-inc_1",
      revision: 1,
      note: null,
      incident: { short_description: "Failed logins", priority: "P2", state: "open" },
    });
  });

  it("takes nothing that the relay did not sign, and lets a connection test pass", async ({ expect }) => {
    const { sent, post } = await start(() => new Response("{}"));
    const body = eventJson("create", "open", 1);
    expect((await post(body, signed(body, "whsec_AAAAAAAAAAAAAAAA"))).status).toBe(401);
    expect((await post(body, signed(body, SECRET, Date.now() - 301_000))).status).toBe(401);
    expect((await post(body, {})).status).toBe(401);
    expect((await post(connectionTest)).status).toBe(204);
    expect(sent).toEqual([]);
  });

  it("lets the relay try again when Jira does not take it, and passes on when", async ({ expect }) => {
    const body = eventJson("create", "open", 1);
    const limited = await start(() => new Response(null, { status: 429, headers: { "retry-after": "7" } }));
    const answer = await limited.post(body);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "7"]);
    const broken = await start(() => new Response(null, { status: 401 }));
    expect((await broken.post(body)).status).toBe(502);
  });
});

describe("the scripts for PagerDuty", () => {
  function emitted(json: string): unknown[] {
    const events: unknown[] = [];
    const PD = {
      Trigger: "trigger",
      Acknowledge: "acknowledge",
      Resolve: "resolve",
      inputRequest: { body: JSON.parse(json) as unknown },
      emitCEFEvents: (given: unknown[]) => events.push(...given),
    };
    new Function("PD", recipe("pagerduty"))(PD);
    return events;
  }

  it("make one alert of an incident and move it along with the state", ({ expect }) => {
    const steps = [
      ["open", "trigger"],
      ["acknowledged", "acknowledge"],
      ["resolved", "resolve"],
      ["closed", "resolve"],
    ] as const;
    const build = new Function(`${recipe("events-api")}; return pagerDutyEvent;`)() as (
      event: unknown,
      key: string,
    ) => unknown;
    for (const [state, action] of steps) {
      const json = eventJson("update", state, 1);
      const same = { event_action: action, dedup_key: "inc_1" };
      expect(emitted(json)).toMatchObject([{ ...same, severity: "error", source_origin: "web-01" }]);
      expect(build(JSON.parse(json), "key")).toMatchObject({
        ...same,
        routing_key: "key",
        payload: { summary: "INC0000001 Failed logins", severity: "error", source: "web-01" },
      });
    }
    expect(emitted(connectionTest)).toEqual([]);
  });
});
