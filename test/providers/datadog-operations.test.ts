import { describe, it } from "vitest";
import { z } from "zod";
import { isoTime } from "../../src/base/clock.ts";
import { datadog } from "../../src/providers/datadog.ts";
import { connect, response } from "./answers.ts";
import { NOW, perform, refusals, sent } from "./operations.ts";

const EU = connect(datadog, { endpoint: null, config: { site: "datadoghq.eu" } });
const SECONDS = Math.floor(NOW / 1_000);
const HOUR = 3_600;

/*
 * What Datadog publishes, in the words of this test: the models EventCreateRequest (v1), EventCreateRequestPayload,
 * EventPayload, ChangeEventCustomAttributes, AlertEventCustomAttributes, MetricPayload, MetricSeries and HTTPLogItem (v2)
 * of https://github.com/DataDog/datadog-api-client-typescript, packages/datadog-api-client-v1 and -v2 (read 2026-11).
 */
const text = (max: number) => z.string().max(max);
const EventCreateRequestV1 = z.strictObject({
  title: z.string(),
  text: text(4_000),
  aggregation_key: text(100).optional(),
  alert_type: z
    .enum(["error", "warning", "info", "success", "user_update", "recommendation", "snapshot"])
    .optional(),
  date_happened: z.int().optional(),
  device_name: z.string().optional(),
  host: z.string().optional(),
  priority: z.enum(["normal", "low"]).optional(),
  related_event_id: z.int().optional(),
  source_type_name: z.string().optional(),
  tags: z.array(z.string()).optional(),
});
const Named = (...types: readonly string[]) => z.strictObject({ name: text(128), type: z.enum(types) });
const FreeForm = z.record(z.string(), z.unknown());
const ChangeEventCustomAttributes = z.strictObject({
  author: Named("user", "system", "api", "automation").optional(),
  change_metadata: FreeForm.optional(),
  changed_resource: Named("feature_flag", "configuration"),
  impacted_resources: z.array(Named("service")).optional(),
  new_value: FreeForm.optional(),
  prev_value: FreeForm.optional(),
});
const AlertEventCustomAttributes = z.strictObject({
  custom: FreeForm.optional(),
  links: z
    .array(
      z.strictObject({
        category: z.enum(["runbook", "documentation", "dashboard", "resource"]),
        title: text(300).optional(),
        url: text(2_048),
      }),
    )
    .max(20)
    .optional(),
  priority: z.enum(["1", "2", "3", "4", "5"]).optional(),
  status: z.enum(["warn", "error", "ok"]),
});
const EventCreateRequestPayload = z.strictObject({
  data: z.strictObject({
    type: z.literal("event"),
    attributes: z.strictObject({
      aggregation_key: text(100).optional(),
      attributes: z.union([ChangeEventCustomAttributes, AlertEventCustomAttributes]),
      category: z.enum(["change", "alert"]),
      host: text(255).optional(),
      integration_id: z.literal("custom-events").optional(),
      message: text(4_000).optional(),
      tags: z.array(z.string()).max(100).optional(),
      timestamp: z.iso.datetime({ offset: true }).optional(),
      title: text(500),
    }),
  }),
});
const MetricPayload = z.strictObject({
  series: z.array(
    z.strictObject({
      interval: z.int().optional(),
      metric: z.string(),
      points: z.array(z.strictObject({ timestamp: z.int(), value: z.number() })),
      resources: z.array(z.strictObject({ name: z.string(), type: z.string() })).optional(),
      source_type_name: z.string().optional(),
      tags: z.array(z.string()).optional(),
      type: z.literal([0, 1, 2, 3]).optional(),
      unit: z.string().optional(),
    }),
  ),
});
/** Other properties are attributes of the log. */
const HTTPLogItem = z.looseObject({
  ddsource: z.string().optional(),
  ddtags: z.string().optional(),
  hostname: z.string().optional(),
  message: z.string(),
  service: z.string().optional(),
});

const EVENT = {
  title: "Credential rotated",
  text: "Vault entry rotated by admin@acme.com",
  tags: ["env:production", "acme:vault"],
};
const CHANGE = {
  category: "change",
  title: "flag updated",
  attributes: { changed_resource: { name: "fallback", type: "feature_flag" } },
};
const ALERT = { category: "alert", title: "error rate", attributes: { status: "error" } };
const series = (more: object = {}) => ({
  series: [{ metric: "vault.seals", points: [{ timestamp: SECONDS, value: 1 }], ...more }],
});

describe("send_event", () => {
  it.for<[object]>([
    [EVENT],
    [{ title: "t".repeat(500), text: "x".repeat(4_000) }],
    [{ ...EVENT, alert_type: "error", priority: "low", aggregation_key: "k".repeat(100), host: "h" }],
    [{ ...EVENT, date_happened: SECONDS - 17 * HOUR, source_type_name: "my_apps" }],
  ])("posts version 1 as Datadog publishes it: %j", ([payload], { expect }) => {
    const { url, body, headers } = sent(EU, "send_event", payload);
    expect(url).toBe("https://api.datadoghq.eu/api/v1/events");
    expect(headers).toMatchObject({ "dd-api-key": "s3cr3t-token", "content-type": "application/json" });
    expect(EventCreateRequestV1.parse(JSON.parse(body))).toEqual(payload);
  });

  it.for<[object]>([
    [CHANGE],
    [ALERT],
    [
      {
        ...CHANGE,
        message: "enabled",
        tags: ["env:test"],
        host: "h",
        aggregation_key: "k",
        timestamp: isoTime(NOW),
        integration_id: "custom-events",
        attributes: {
          ...CHANGE.attributes,
          author: { name: "alice", type: "user" },
          impacted_resources: [{ name: "api", type: "service" }],
          new_value: { enabled: true },
          prev_value: {},
          change_metadata: { deep: { er: [1] } },
        },
      },
    ],
    [
      {
        ...ALERT,
        attributes: {
          status: "ok",
          priority: "1",
          custom: { a: 1 },
          links: [{ category: "runbook", url: "https://r" }],
        },
      },
    ],
  ])("with a category posts version 2 as Datadog publishes it: %j", ([payload], { expect }) => {
    const { url, body } = sent(EU, "send_event", payload);
    expect(url).toBe("https://event-management-intake.datadoghq.eu/api/v2/events");
    expect(EventCreateRequestPayload.parse(JSON.parse(body)).data.attributes).toEqual(payload);
  });

  const deep = (levels: number): object => (levels === 0 ? {} : { in: deep(levels - 1) });
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`p${n}`, n]));

  it.for<[object, readonly string[]]>([
    [{}, ["payload.title", "payload.text"]],
    [{ ...EVENT, title: "" }, ["payload.title"]],
    [{ ...EVENT, title: "t".repeat(501) }, ["payload.title"]],
    [{ ...EVENT, text: "x".repeat(4_001) }, ["payload.text"]],
    [{ ...EVENT, tags: "env:a" }, ["payload.tags"]],
    [{ ...EVENT, tags: ["a,b"] }, ["payload.tags.0"]],
    [{ ...EVENT, alert_type: "fatal" }, ["payload.alert_type"]],
    [{ ...EVENT, priority: "high" }, ["payload.priority"]],
    [{ ...EVENT, aggregation_key: "k".repeat(101) }, ["payload.aggregation_key"]],
    [{ ...EVENT, date_happened: `${SECONDS}` }, ["payload.date_happened"]],
    [{ ...EVENT, date_happened: SECONDS + 0.5 }, ["payload.date_happened"]],
    [{ ...EVENT, date_happened: NOW }, ["payload.date_happened"]],
    [{ ...EVENT, date_happened: SECONDS - 18 * HOUR }, ["payload.date_happened"]],
    [{ ...EVENT, device_name: "d" }, ["payload.device_name"]],
    [{ ...EVENT, category: "deploy" }, ["payload.category"]],
    [{ ...CHANGE, text: "x" }, ["payload.text"]],
    [{ ...CHANGE, title: "t".repeat(501) }, ["payload.title"]],
    [{ ...CHANGE, message: "m".repeat(4_001) }, ["payload.message"]],
    [{ ...CHANGE, host: "h".repeat(256) }, ["payload.host"]],
    [{ ...CHANGE, tags: Array(101).fill("a:b") }, ["payload.tags"]],
    [{ ...CHANGE, timestamp: "yesterday" }, ["payload.timestamp"]],
    [{ ...CHANGE, timestamp: isoTime(NOW - 18 * HOUR * 1_000) }, ["payload.timestamp"]],
    [{ ...CHANGE, attributes: {} }, ["payload.attributes.changed_resource"]],
    [
      { ...CHANGE, attributes: { ...CHANGE.attributes, new_value: { a: "x".repeat(100_000) } } },
      ["payload.attributes"],
    ],
    [{ ...ALERT, attributes: { status: "fine" } }, ["payload.attributes.status"]],
    [{ ...ALERT, attributes: { status: "ok", priority: "6" } }, ["payload.attributes.priority"]],
    [{ ...ALERT, attributes: { status: "ok", custom: many } }, ["payload.attributes.custom"]],
    [{ ...ALERT, attributes: { status: "ok", custom: deep(11) } }, ["payload.attributes.custom"]],
    [{ ...ALERT, attributes: { status: "ok", other: 1 } }, ["payload.attributes.other"]],
  ])("refuses %j at %j", ([payload, paths], { expect }) => {
    expect(refusals(EU, "send_event", payload)).toEqual(paths);
  });
});

describe("send_metric", () => {
  it("posts series as Datadog publishes them, with numbers for types and the host as a resource", ({
    expect,
  }) => {
    const { url, body } = sent(EU, "send_metric", {
      series: [
        {
          metric: "a.count",
          type: "count",
          interval: 10,
          points: [{ timestamp: SECONDS, value: 3 }],
          host: "edge",
        },
        { metric: "a.rate", type: 2, points: [{ value: 0.5 }], tags: ["env:test"], unit: "second" },
        {
          metric: "a.gauge",
          type: "gauge",
          points: [{ value: -1 }],
          resources: [{ type: "host", name: "x" }],
        },
      ],
    });
    expect(url).toBe("https://api.datadoghq.eu/api/v2/series");
    expect(MetricPayload.parse(JSON.parse(body))).toEqual({
      series: [
        {
          metric: "a.count",
          type: 1,
          interval: 10,
          points: [{ timestamp: SECONDS, value: 3 }],
          resources: [{ type: "host", name: "edge" }],
        },
        {
          metric: "a.rate",
          type: 2,
          points: [{ timestamp: SECONDS, value: 0.5 }],
          tags: ["env:test"],
          unit: "second",
        },
        {
          metric: "a.gauge",
          type: 3,
          points: [{ timestamp: SECONDS, value: -1 }],
          resources: [{ type: "host", name: "x" }],
        },
      ],
    });
  });

  const at = (timestamp: unknown) => series({ points: [{ timestamp, value: 1 }] });

  it.for<[object, readonly string[]]>([
    [{}, ["payload.series"]],
    [{ series: [] }, ["payload.series"]],
    [series({ metric: "1up" }), ["payload.series.0.metric"]],
    [series({ metric: "m".repeat(201) }), ["payload.series.0.metric"]],
    [series({ type: "histogram" }), ["payload.series.0.type"]],
    [series({ type: 4 }), ["payload.series.0.type"]],
    [series({ points: [] }), ["payload.series.0.points"]],
    [series({ points: [{ value: "1" }] }), ["payload.series.0.points.0.value"]],
    [series({ points: [[SECONDS, 1]] }), ["payload.series.0.points.0"]],
    [at(NOW), ["payload.series.0.points.0.timestamp"]],
    [at(SECONDS - HOUR), ["payload.series.0.points.0.timestamp"]],
    [at(SECONDS + 600), ["payload.series.0.points.0.timestamp"]],
    [series({ metadata: {} }), ["payload.series.0.metadata"]],
    [series({ tags: Array(101).fill("a:b") }), ["payload.series.0.tags"]],
    [{ series: Array(8_000).fill(series().series[0]) }, ["payload.series"]],
  ])("refuses %j at %j", ([payload, paths], { expect }) => {
    expect(refusals(EU, "send_metric", payload)).toEqual(paths);
  });

  it("takes the whole window, but for half a minute at its ends", ({ expect }) => {
    for (const age of [HOUR - 31, 0, -569])
      expect(refusals(EU, "send_metric", at(SECONDS - age))).toEqual([]);
  });
});

describe("send_log", () => {
  it("sends one log or several to the logs intake as Datadog publishes them", ({ expect }) => {
    const one = sent(EU, "send_log", { message: "hello", attributes: { user: { id: 7 } }, status: "info" });
    expect(one.url).toBe("https://http-intake.logs.datadoghq.eu/api/v2/logs");
    const [log] = z.array(HTTPLogItem).parse(JSON.parse(one.body));
    expect(log).toEqual({
      message: "hello",
      ddsource: "sluice",
      service: "sluice",
      status: "info",
      timestamp: NOW,
      user: { id: 7 },
    });
    const given = { ddsource: "a", service: "b", hostname: "c", ddtags: "env:d" };
    const several = sent(EU, "send_log", {
      logs: [{ message: { a: 1 }, ...given, timestamp: isoTime(NOW - 1) }, { message: "x" }],
    });
    const logs = z.array(HTTPLogItem).parse(JSON.parse(several.body));
    expect(logs[0]).toEqual({ message: '{"a":1}', ...given, timestamp: NOW - 1 });
    expect(logs).toHaveLength(2);
  });

  it.for<[object, readonly string[]]>([
    [{}, ["payload.message"]],
    [{ message: "" }, ["payload.message"]],
    [{ message: 7 }, ["payload.message"]],
    [{ message: "a", level: "info" }, ["payload.level"]],
    [{ message: "a", timestamp: NOW - 18 * HOUR * 1_000 }, ["payload.timestamp"]],
    [{ message: "a", timestamp: "noon" }, ["payload.timestamp"]],
    [{ message: "a", attributes: { date: 1 } }, ["payload.attributes"]],
    [{ message: "x".repeat(1_000_000) }, ["payload.message"]],
    [{ logs: [] }, ["payload.logs"]],
    [{ logs: [{ message: "a" }], message: "b" }, ["payload.message"]],
    [{ logs: [{ message: "a" }, { message: "a", timestamp: 0 }] }, ["payload.logs.1.timestamp"]],
    [{ logs: Array(1_001).fill({ message: "a" }) }, ["payload.logs"]],
    [{ logs: Array(5).fill({ message: "x".repeat(900_000) }) }, ["payload.logs"]],
  ])("refuses what is not a log of Datadog's at %#", ([payload, paths], { expect }) => {
    expect(refusals(EU, "send_log", payload)).toEqual(paths);
  });
});

describe("hosts", () => {
  it.for<[string | null, object, readonly string[]]>([
    [
      "https://http-intake.logs.us3.datadoghq.com",
      {},
      ["https://api.us3.datadoghq.com", "https://event-management-intake.us3.datadoghq.com"],
    ],
    [
      null,
      { site: "ddog-gov.com" },
      ["https://api.ddog-gov.com", "https://event-management-intake.ddog-gov.com"],
    ],
    [
      null,
      { site: "datadoghq.eu", api_url: "https://proxy.example.com/dd/" },
      ["https://proxy.example.com/dd", "https://proxy.example.com/dd"],
    ],
    [
      null,
      { site: "datadoghq.eu", api_url: "api.datadoghq.com" },
      ["https://api.datadoghq.com", "https://event-management-intake.datadoghq.com"],
    ],
    ["https://logs.example.com/in/datadog", {}, ["https://logs.example.com", "https://logs.example.com"]],
    [
      "https://logs.example.com",
      { site: "datadoghq.eu" },
      ["https://logs.example.com", "https://logs.example.com"],
    ],
    ["http://127.0.0.1:8190/dd/api/v2/logs", {}, ["http://127.0.0.1:8190/dd", "http://127.0.0.1:8190/dd"]],
  ])("of %s with %j are %j", ([endpoint, config, [api, events]], { expect }) => {
    const connector = connect(datadog, { endpoint, config });
    expect(sent(connector, "send_event", EVENT).url).toBe(`${api}/api/v1/events`);
    expect(sent(connector, "send_metric", series()).url).toBe(`${api}/api/v2/series`);
    expect(sent(connector, "send_event", ALERT).url).toBe(`${events}/api/v2/events`);
    expect(sent(connector, "send_log", { message: "a" }).url).toBe(connector.origin);
  });
});

describe("answers", () => {
  it.for<[number, object, string]>([
    [202, { status: "ok" }, "delivered"],
    [202, { errors: [] }, "delivered"],
    [400, { errors: ["Invalid"] }, "isolate"],
    [403, { errors: ["Forbidden"] }, "hold"],
    [413, {}, "split"],
    [429, {}, "retry"],
  ])("%d %j is %s", ([status, body, kind], { expect }) => {
    for (const [name, payload] of [
      ["send_event", EVENT],
      ["send_metric", series()],
    ] as const)
      expect(perform(EU, name, payload).interpret(response(status, body)).kind).toBe(kind);
    expect(perform(EU, "send_metric", series()).interpret(response(400)).words.message).toBe(
      "HTTP 400: a metric was refused",
    );
  });
});
