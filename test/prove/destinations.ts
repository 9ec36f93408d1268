/** Destinations to prove the relay with: a simulated SIEM each, and what the relay has to be told to reach it. */
import type { InstanceConfig, StoredEvent } from "../simulator/control.ts";

export interface ProviderSpec {
  readonly provider: string;
  /** The simulator's instance, in working order. */
  readonly instance: InstanceConfig;
  /** Body of `POST /v1/audit/siem`. @param base the instance's URL */
  readonly settings: (base: string) => Readonly<Record<string, unknown>>;
  /** How credentials are revoked at the provider, by a change of the instance. */
  readonly revoked: Readonly<Record<string, unknown>>;
  /** Rules of the simulator's that are broken while credentials are revoked. */
  readonly brokenThen: readonly string[];
  /** The event as the provider shows it. */
  readonly textOf: (copy: StoredEvent) => string;
}

const TOKEN = "11111111-1111-4111-8111-111111111111";
const DATADOG_KEY = "0123456789abcdef0123456789abcdef";
const WEBHOOK_SECRET = `whsec_${Buffer.from("a secret of the conservation test").toString("base64")}`;
const AWS_KEY = {
  access_key_id: "AKIAPROVE00000000000",
  secret_access_key: "prove/secret/access/key/of/forty/chars00",
};
const ELASTIC_KEY = { id: "prove", api_key: "key-of-the-conservation-test" };
/** Of every instance: enough to compare every copy with what was sent. */
const max_stored = 2_000_000;

const raw = ({ raw: text }: StoredEvent): string => text;

/** An acknowledgement that a crash swallowed is told only once, so its events wait this long; the least that is allowed. */
const ACK_TIMEOUT_SECONDS = 180;

function splunk(name: string, token: object = {}, more: object = {}): Named {
  const tokens = [{ token: TOKEN, ...token }];
  return {
    name,
    provider: "splunk",
    instance: { kind: "splunk", tokens, max_stored, ...more },
    settings: (base) => ({
      ...{ provider: "splunk", endpoint: `${base}/services/collector`, token: TOKEN },
      config: { ack_timeout_seconds: ACK_TIMEOUT_SECONDS },
    }),
    revoked: { tokens: [{ token: TOKEN, ...token, disabled: true }] },
    brokenThen: ["hec_code_1"],
    textOf: raw,
  };
}

function datadog(name: string): Named {
  return {
    name,
    provider: "datadog",
    instance: { kind: "datadog", api_keys: [DATADOG_KEY], max_stored },
    settings: (base) => ({ provider: "datadog", endpoint: `${base}/api/v2/logs`, token: DATADOG_KEY }),
    revoked: { api_keys: ["ffffffffffffffffffffffffffffffff"] },
    brokenThen: ["datadog_403"],
    textOf: ({ parsed }) => String((parsed as { message?: unknown } | null)?.message),
  };
}

function webhook(name: string): Named {
  return {
    name,
    provider: "webhook",
    instance: { kind: "webhook", secrets: [WEBHOOK_SECRET], max_stored },
    settings: (base) => ({ provider: "webhook", endpoint: `${base}/hook`, secret: WEBHOOK_SECRET }),
    revoked: { secrets: ["whsec_cmV2b2tlZCByZXZva2VkIHJldm9rZWQgcmV2b2tlZA=="] },
    brokenThen: ["plain_signature", "standard_signature"],
    textOf: raw,
  };
}

function cloudwatch(name: string): Named {
  return {
    name,
    provider: "cloudwatch",
    instance: { kind: "cloudwatch", ...AWS_KEY, max_stored },
    settings: (base) => ({
      provider: "cloudwatch",
      endpoint: base,
      ...AWS_KEY,
      config: { region: "us-east-1" },
    }),
    revoked: { secret_access_key: "another/secret/access/key/of/forty/char0" },
    brokenThen: ["InvalidSignatureException"],
    textOf: raw,
  };
}

function elastic(name: string): Named {
  const token = `${ELASTIC_KEY.id}:${ELASTIC_KEY.api_key}`;
  return {
    name,
    provider: "elastic",
    instance: { kind: "elastic", api_keys: [ELASTIC_KEY], max_stored },
    settings: (base) => ({ provider: "elastic", endpoint: base, token }),
    revoked: { api_keys: [{ id: "prove", api_key: "another" }] },
    brokenThen: ["elastic_401"],
    textOf: raw,
  };
}

export interface Named extends ProviderSpec {
  /** Of the simulator's instance. */
  readonly name: string;
}

const plainSplunk = splunk("splunk-c");

/** What each tenant has. Every event of a tenant is owed to all of its destinations. */
export const TENANTS: readonly (readonly Named[])[] = [
  [splunk("splunk-a"), splunk("splunk-b", {}, { cloud: true }), datadog("datadog-a")],
  [splunk("splunk-c", { acknowledge: true }, { indexers: 2, cookies: true }), datadog("datadog-b")],
  [webhook("webhook-a"), cloudwatch("cloudwatch-a"), elastic("elastic-a")],
];

/** The same without acknowledgement, for a run that cannot wait for one that was lost. */
export const QUICK_TENANTS: readonly (readonly Named[])[] = TENANTS.map((own) =>
  own.map((spec) => (spec.name === plainSplunk.name ? plainSplunk : spec)),
);

/** One that is made, filled and deleted while the traffic goes on. */
export function doomed(index: number): Named {
  return index % 2 === 0 ? splunk(`doomed-${index}`) : datadog(`doomed-${index}`);
}
