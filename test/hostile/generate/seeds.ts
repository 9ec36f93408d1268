import type { Random } from "../random.ts";
import type { Operation, Scene } from "../scene.ts";
import { ledToSink } from "./containment.ts";

type Json = Readonly<Record<string, unknown>>;

/** A body as it should be, for whatever is done to it next. Nothing in it leads off this machine. */
export function validBody(operation: Operation, random: Random, scene: Scene): unknown {
  switch (`${operation.method} ${operation.path}`) {
    case "POST /v1/audit/events":
      return eventsBody(random);
    case "POST /v1/audit/siem":
    case "POST /v1/audit/siem/test":
      return destination(random, scene);
    case "PUT /v1/audit/siem/{id}":
    case "PATCH /v1/audit/siem/{id}":
      return someOf(destination(random, scene), random);
    case "POST /v1/keys":
    case "POST /v1/tenants/{id}/keys":
      return { name: "k", scopes: ["audit:read"], require_signature: random.chance(0.3), expires_at: null };
    case "POST /v1/tenants":
      return { name: `t ${random.int(1_000)}` };
    case "POST /v1/audit/siem/{id}/replay":
    case "DELETE /v1/audit/siem/{id}/dead-letters":
      return random.pick<Json>([
        { all: true },
        { ids: ["dl_1", "dl_2"] },
        { from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z" },
      ]);
    default:
      return operation.examples.length > 0
        ? ledToSink(random.pick(operation.examples), scene.sinkUrl)
        : { action: "user.login" };
  }
}

export function event(random: Random): Json {
  return {
    id: `h-${random.word().toString(36)}`,
    timestamp: "2026-11-20T12:34:56.789Z",
    actor_type: "USER",
    actor_id: `actor-${random.int(100)}`,
    action: random.pick(["user.login", "incident.create", "api-key.create", "ai.call", "x.y_z.0-1"]),
    resource_type: "thing",
    resource_id: "thing-1",
    service: "hostile",
    outcome: "SUCCESS",
    metadata: { n: random.int(10), nested: { list: [1, "two", null], text: "é€😀" } },
  };
}

function eventsBody(random: Random): unknown {
  const few = Array.from({ length: random.skewed(1, 20) }, () => event(random));
  return random.pick<unknown>([event(random), few, { events: few }]);
}

function destination(random: Random, scene: Scene): Json {
  const sound = soundDestination(random, scene);
  return random.chance(0.12) ? { ...sound, endpoint: oddEndpoint(random, scene) } : sound;
}

/** Addresses that are strange and still lead nowhere but to the sink. */
function oddEndpoint(random: Random, scene: Scene): string {
  const { sinkUrl } = scene;
  const authority = sinkUrl.slice("http://".length);
  return random.pick([
    `http://user:password@${authority}/`,
    `http://user@${authority}/`,
    `${sinkUrl}/%00%ff/..%2f`,
    `${sinkUrl}/attacker?token=x&a=b#fragment`,
    `${sinkUrl}/attacker/\r\nX-Injected: yes`,
    `${sinkUrl}/\ud800`,
    `${sinkUrl}/${"p/".repeat(1_000)}`,
    ` ${sinkUrl}/attacker `,
    `HTTP://${authority}/attacker/services/collector/raw/1.0`,
    "file:///etc/passwd",
    "gopher://127.0.0.1:1/_",
    "javascript:alert(1)",
    "data:,x",
    "http://",
    "",
  ]);
}

function soundDestination(random: Random, scene: Scene): Json {
  const base = `${scene.sinkUrl}/attacker/${random.int(100)}`;
  const shared = {
    name: `d ${random.int(1_000)}`,
    enabled: random.chance(0.15),
    routes: random.pick<unknown>(["categories", [], [{ match: globOf(random), index: "i", enabled: true }]]),
    allowed_operations: [],
  };
  return random.pick<Json>([
    {
      ...shared,
      provider: "splunk",
      endpoint: `${base}/services/collector`,
      token: "11111111-1111-4111-8111-111111111111",
      config: {
        index: "main",
        sourcetype: "_json",
        acknowledge: random.pick<unknown>([true, false, "auto"]),
      },
    },
    {
      ...shared,
      provider: "datadog",
      endpoint: `${base}/api/v2/logs`,
      token: "0123456789abcdef0123456789abcdef",
      config: { service: "s" },
    },
    {
      ...shared,
      provider: "webhook",
      endpoint: `${base}/hook`,
      secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      config: { mode: "event", headers: { "X-A": "b" } },
    },
    { ...shared, provider: "elastic", endpoint: base, token: "dGVzdDp0ZXN0", config: { index: "logs" } },
  ]);
}

/** Many stars are what makes a careless matcher take for ever. */
export function globOf(random: Random): string {
  return random.pick([
    "*",
    "user.*",
    "*.*.*.*",
    "*a".repeat(random.between(1, 99)),
    "*".repeat(random.between(1, 200)),
    `${"a*".repeat(90)}b`,
    "constructor.*",
  ]);
}

function someOf(json: Json, random: Random): Json {
  const { provider, ...rest } = json;
  const kept = Object.entries(rest).filter(([name]) => name === "endpoint" || random.chance(0.4));
  return Object.fromEntries(random.chance(0.2) ? [["provider", provider], ...kept] : kept);
}
