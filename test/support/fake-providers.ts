import { z } from "zod";
import { err, ok } from "../../src/base/result.ts";
import {
  type Connector,
  defineProvider,
  type Provider,
  type ProviderGuide,
} from "../../src/model/provider.ts";

/** An adapter that connects and does nothing: what the endpoints need of one. */
function connectorOf(kind: string, origin: string): Connector {
  return {
    kind,
    origin,
    limits: { events: 1_000, bytes: 1_000_000 },
    envelopeBytes: () => 100,
    encode: () => ({ method: "POST", url: origin, headers: {} }),
    interpret: () => ({
      kind: "delivered",
      slowDown: false,
      ackId: null,
      words: { httpStatus: 200, code: null, message: "ok" },
    }),
    probe: () => [],
    perform: () => err([{ path: "operation", message: "Expected another provider" }]),
    publicConfig: {},
  };
}

function connectAt(kind: string, endpoint: string | null) {
  if (endpoint !== null && URL.canParse(endpoint)) return ok(connectorOf(kind, endpoint));
  return err([{ path: "endpoint", message: "Expected a URL" }]);
}

/** Operations of these names that take nothing in particular. */
function operations(...names: readonly string[]): Provider["operations"] {
  const payload = z.strictObject({});
  return Object.fromEntries(names.map((name) => [name, { description: name, payload, check: () => [] }]));
}

const GUIDE: ProviderGuide = {
  summary: "A SIEM.",
  endpoint: { label: "URL", example: "https://siem.example.com", help: "Its address.", derivedFrom: [] },
  steps: ["Make a token."],
  notes: [],
  codes: [],
};

const token = z.string({ error: "Expected the token" }).min(1);

const splunk = defineProvider({
  kind: "splunk",
  title: "Splunk HTTP Event Collector",
  guide: GUIDE,
  config: z.strictObject({
    index: z.string().optional(),
    sourcetype: z.string().default("_json"),
    source: z.string().optional(),
    acknowledge: z.union([z.literal("auto"), z.boolean()]).default("auto"),
  }),
  secrets: z.strictObject({ token, extra_key: token.optional() }),
  operations: operations("send_event", "send_batch"),
  build: ({ endpoint }) => connectAt("splunk", endpoint),
});

const datadog = defineProvider({
  kind: "datadog",
  title: "Datadog Logs",
  guide: { ...GUIDE, endpoint: { ...GUIDE.endpoint, derivedFrom: ["site"] } },
  config: z.strictObject({ site: z.string().optional(), api_url: z.string().optional() }),
  secrets: z.strictObject({ token, app_key: token.optional() }),
  operations: operations("send_event", "send_metric", "send_log"),
  build: ({ endpoint, config }) => {
    const derived = config.site === undefined ? null : `https://http-intake.logs.${config.site}/api/v2/logs`;
    return connectAt("datadog", endpoint ?? derived);
  },
});

const cloudwatch = defineProvider({
  kind: "cloudwatch",
  title: "CloudWatch Logs",
  guide: GUIDE,
  config: z.strictObject({ log_group: z.string().default("/sluice/audit") }),
  secrets: z.strictObject({
    access_key_id: token,
    secret_access_key: token,
    session_token: token.optional(),
  }),
  operations: operations("send_event", "send_batch"),
  build: ({ endpoint }) => connectAt("cloudwatch", endpoint),
});

const elastic = defineProvider({
  kind: "elastic",
  title: "Elastic",
  guide: GUIDE,
  config: z.strictObject({ index: z.string().optional() }),
  secrets: z.strictObject({ token }),
  operations: operations("send_event", "send_batch"),
  build: ({ endpoint }) => connectAt("elastic", endpoint),
});

const webhook = defineProvider({
  kind: "webhook",
  title: "Webhook",
  guide: GUIDE,
  config: z.strictObject({ signature_header: z.string().optional() }),
  secrets: z.strictObject({
    secret: token,
    previous_secret: token.optional(),
    previous_secret_expires_at: z.number().optional(),
  }),
  operations: operations("send_event", "send_batch"),
  build: ({ endpoint }) => connectAt("webhook", endpoint),
});

export const FAKE_PROVIDERS: readonly Provider[] = [splunk, datadog, cloudwatch, elastic, webhook];
