import { describe, it } from "vitest";
import { diagnose } from "../../../src/flow/deliver/probe.ts";
import type { HttpAnswer, HttpRequestSpec } from "../../../src/model/http.ts";
import type { Connector, ProbeReading, ProbeStep } from "../../../src/model/provider.ts";
import { anEvent } from "../../support/lines.ts";

const undecided = (name: string): ProbeReading => ({
  checks: [{ name, ok: true, detail: "Fine" }],
  verdict: null,
});
const decided = (name: string, ok: boolean): ProbeReading => ({
  checks: [{ name, ok, detail: ok ? "Fine" : "Mend it" }],
  verdict: {
    ok,
    words: { httpStatus: ok ? 200 : 403, code: ok ? 0 : 4, message: ok ? "Success" : "Invalid token" },
    hint: ok ? null : "Use a token that is enabled",
    acknowledgement: ok ? "on" : null,
  },
});

const stepOf = (name: string, reading: ProbeReading): ProbeStep => ({
  request: { method: "GET", url: `https://siem.example/${name}`, headers: {} },
  read: () => reading,
});

/** A connector of which only the diagnosis is used. */
const connectorOf = (probe: Connector["probe"]): Connector => ({
  kind: "fake",
  limits: { events: 1, bytes: 1 },
  envelopeBytes: () => 0,
  origin: "https://siem.example",
  encode: () => ({ method: "GET", url: "https://siem.example", headers: {} }),
  interpret: () => ({ kind: "fault", words: { httpStatus: null, code: null, message: "" } }),
  probe,
  perform: () => ({ ok: false, error: [] }),
  publicConfig: {},
});

/** A door that answers 200 and takes 10 ms more each time. */
function aDoor() {
  const sent: string[] = [];
  return {
    sent,
    async send({ url }: HttpRequestSpec): Promise<HttpAnswer> {
      sent.push(url.replace("https://siem.example/", ""));
      const latency = sent.length * 10;
      return { kind: "response", status: 200, headers: {}, body: "", bodyIncomplete: false, latency };
    },
  };
}

async function run(...steps: readonly ProbeStep[]) {
  const { sent, send } = aDoor();
  const report = await diagnose(
    connectorOf(() => steps),
    anEvent("evt_1"),
    { now: () => 1, send },
  );
  return { sent, report };
}

describe("a connection test", () => {
  it("asks the provider's questions in order and ends with the first verdict", async ({ expect }) => {
    const { sent, report } = await run(
      stepOf("reach", undecided("reach")),
      stepOf("token", decided("token", false)),
      stepOf("event", decided("event", true)),
    );
    expect(sent).toEqual(["reach", "token"]);
    expect(report.ok).toBe(false);
  });

  it("reports every check in the order in which it was made", async ({ expect }) => {
    const { report } = await run(
      stepOf("reach", { checks: [], verdict: null }),
      stepOf("health", {
        checks: [
          { name: "dns", ok: true, detail: "Fine" },
          { name: "tls", ok: true, detail: "Fine" },
        ],
        verdict: null,
      }),
      stepOf("event", decided("event", true)),
    );
    expect(report.checks.map(({ name }) => name)).toEqual(["dns", "tls", "event"]);
  });

  it("tells what the deciding answer said and how long that one took", async ({ expect }) => {
    const { report } = await run(
      stepOf("reach", undecided("reach")),
      stepOf("event", decided("event", false)),
    );
    expect(report).toEqual({
      ok: false,
      latencyMs: 20,
      httpStatus: 403,
      providerCode: 4,
      message: "Invalid token",
      hint: "Use a token that is enabled",
      acknowledgement: null,
      checks: [
        { name: "reach", ok: true, detail: "Fine" },
        { name: "event", ok: false, detail: "Mend it" },
      ],
    });
  });

  it("hands each step the answer to its own request, a failed one too", async ({ expect }) => {
    const failure: HttpAnswer = {
      kind: "failure",
      reason: "timeout",
      message: "No answer within 10 s",
      maybeTaken: true,
      latency: 10_000,
    };
    const seen: HttpAnswer[] = [];
    const { request } = stepOf("event", undecided("event"));
    const step: ProbeStep = {
      request,
      read(answer) {
        seen.push(answer);
        return decided("event", false);
      },
    };
    const report = await diagnose(
      connectorOf(() => [step]),
      anEvent("evt_1"),
      {
        now: () => 1,
        send: async () => failure,
      },
    );
    expect(seen).toEqual([failure]);
    expect(report.latencyMs).toBe(10_000);
  });

  it("gives the provider the event to send, the time, and the destination's own index", async ({
    expect,
  }) => {
    const event = anEvent("evt_probe");
    const given: unknown[] = [];
    const connector = connectorOf((probed, { now, indexFor }) => {
      given.push(probed, now, indexFor("user.login"));
      return [stepOf("event", decided("event", true))];
    });
    await diagnose(connector, event, { now: () => 42, send: aDoor().send });
    expect(given).toEqual([event, 42, null]);
  });

  it("that never decides is a bug of the adapter and throws", async ({ expect }) => {
    await expect(run(stepOf("reach", undecided("reach")))).rejects.toThrow("always decides");
  });
});
