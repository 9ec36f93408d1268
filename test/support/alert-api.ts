import { createHmac } from "node:crypto";
import { FakeApi, type JsonAnswer } from "./fake-api.ts";
import { MemoryIncidents } from "./memory-incidents.ts";

export const INBOUND = "/api/webhooks/inbound/splunk";

export interface MadeSource {
  readonly id: string;
  readonly secret: string;
  readonly pathSecret: string;
}

export interface SentAlert {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** The endpoints over memory, with a tenant that makes sources and Splunk that sends alerts. */
export class AlertApi {
  readonly incidents = new MemoryIncidents();
  readonly api: FakeApi;

  constructor() {
    this.api = new FakeApi({ raiseIncidents: (source, drafts) => this.incidents.raise(source, drafts) });
  }

  async source(about: Readonly<Record<string, unknown>> = {}, tenantId = "ten_a"): Promise<MadeSource> {
    const body = { kind: "splunk_alert", name: "SOC Splunk", ...about };
    const made = await this.api.json("POST", "/v1/sources", { key: this.api.key(tenantId), body });
    if (made.status !== 201) throw new Error(`Not made: ${made.text}`);
    const { id, secret, path_secret } = made.body;
    return { id: String(id), secret: String(secret), pathSecret: String(path_secret) };
  }

  send({ path = INBOUND, headers = {}, body = ALERT }: SentAlert): Promise<JsonAnswer> {
    const type = { "Content-Type": "application/json" };
    return this.api.json("POST", path, { body, headers: { ...type, ...headers } });
  }
}

/** One alert as the payload template makes it. */
export const ALERT = JSON.stringify({
  search_name: "High Error Rate",
  severity: "high",
  host: "app-server-01",
});

/** `X-Sluice-Signature` of a body. @param at epoch milliseconds */
export function signature(secret: string, at: number, body = ALERT): string {
  const t = Math.floor(at / 1_000);
  return `t=${t},v1=${createHmac("sha256", secret).update(`${t}.${body}`).digest("hex")}`;
}
