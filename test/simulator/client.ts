/**
 * A client of the simulator's control API, for tests and scripts.
 *
 * Runs in Node and in workerd alike: nothing but `fetch`. A refused control call throws, because it
 * is a mistake in the test and never part of what is tested.
 */
import type {
  AlertCall,
  AlertFiring,
  Arrivals,
  CloudwatchConfig,
  DatadogConfig,
  ElasticConfig,
  EventCounts,
  EventIds,
  Fault,
  InstanceConfig,
  LoggedRequest,
  Notable,
  NotablesOptions,
  SearchJobSummary,
  SplunkConfig,
  SplunkSearchConfig,
  StoredEvent,
  Summary,
  WebhookConfig,
} from "./control.ts";

export type * from "./control.ts";

const POLL_INTERVAL_MS = 20;
const PAGE = 50_000;

export interface NotableCounts {
  readonly notables: number;
  /** Indexed by now, on Splunk's clock. */
  readonly visible: number;
}

export class SimulatorClient {
  readonly url: string;

  constructor(url: string) {
    this.url = url.replace(/\/$/, "");
  }

  /** Base URL of an instance, to be used as a destination's endpoint. */
  endpoint(name: string): string {
    return `${this.url}/${name}`;
  }

  /** Creates or replaces a Splunk instance; what it had received is forgotten. Answers its base URL. */
  async splunk(name: string, config: SplunkConfig): Promise<string> {
    await this.#call("PUT", name, { kind: "splunk", ...config });
    return this.endpoint(name);
  }

  /** Creates or replaces a Splunk search API; its notables are gone. Answers its base URL, a source's `rest_url`. */
  async splunkSearch(name: string, config: SplunkSearchConfig): Promise<string> {
    await this.#call("PUT", name, { kind: "splunk-search", ...config });
    return this.endpoint(name);
  }

  /** Creates or replaces a Datadog instance; what it had received is forgotten. Answers its base URL. */
  async datadog(name: string, config: DatadogConfig): Promise<string> {
    await this.#call("PUT", name, { kind: "datadog", ...config });
    return this.endpoint(name);
  }

  /** Creates or replaces a CloudWatch Logs instance; what it had received is forgotten. Answers its base URL. */
  async cloudwatch(name: string, config: CloudwatchConfig): Promise<string> {
    await this.#call("PUT", name, { kind: "cloudwatch", ...config });
    return this.endpoint(name);
  }

  /** Creates or replaces a webhook receiver; what it had received is forgotten. Answers its base URL. */
  async webhook(name: string, config: WebhookConfig): Promise<string> {
    await this.#call("PUT", name, { kind: "webhook", ...config });
    return this.endpoint(name);
  }

  /** Creates or replaces an Elasticsearch instance; what it had received is forgotten. Answers its base URL. */
  async elastic(name: string, config: ElasticConfig): Promise<string> {
    await this.#call("PUT", name, { kind: "elastic", ...config });
    return this.endpoint(name);
  }

  /** Changes the named settings and keeps events, acknowledgements and fault: a token disabled, say. */
  async configure(
    name: string,
    change:
      | Partial<SplunkConfig>
      | Partial<DatadogConfig>
      | Partial<WebhookConfig>
      | Partial<CloudwatchConfig>
      | Partial<ElasticConfig>
      | Partial<SplunkSearchConfig>,
  ): Promise<void> {
    await this.#call("PATCH", name, change);
  }

  /** Adds notables to a `splunk-search` instance; one of a known `event_id` replaces it. */
  async loadNotables(name: string, notables: readonly Notable[]): Promise<NotableCounts> {
    return this.#call("POST", `${name}/notables`, { notables });
  }

  /** Lets the instance make its own: the same ones as `makeNotables` with the same options. */
  async generateNotables(name: string, options: NotablesOptions): Promise<NotableCounts> {
    return this.#call("POST", `${name}/notables/generate`, options);
  }

  async notables(
    name: string,
    { offset = 0, limit = 1000 } = {},
  ): Promise<NotableCounts & { readonly page: readonly Notable[] }> {
    return this.#call("GET", `${name}/notables?offset=${offset}&limit=${limit}`);
  }

  /** Changes fields under the same `event_id`, as a person does who works on it: `status`, `urgency`, `owner`. */
  async updateNotable(
    name: string,
    eventId: string,
    change: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.#call("PATCH", `${name}/notables/${encodeURIComponent(eventId)}`, change);
  }

  /** Ends every session key. */
  async endSessions(name: string): Promise<void> {
    await this.#call("DELETE", `${name}/sessions`);
  }

  async searchJobs(name: string): Promise<readonly SearchJobSummary[]> {
    return (await this.#call<{ jobs: readonly SearchJobSummary[] }>("GET", `${name}/jobs`)).jobs;
  }

  /** Makes one job, or all of them, unknown. */
  async expireJobs(name: string, sid?: string): Promise<void> {
    await this.#call(
      "DELETE",
      sid === undefined ? `${name}/jobs` : `${name}/jobs/${encodeURIComponent(sid)}`,
    );
  }

  /** Splunk's clock, in epoch seconds. */
  async splunkClock(name: string): Promise<number> {
    return (await this.#call<{ now: number }>("GET", `${name}/clock`)).now;
  }

  /** A `splunk` or `splunk-search` instance fires an alert at a URL. Splunk never tries again. */
  async fire(name: string, firing: AlertFiring): Promise<readonly AlertCall[]> {
    return (await this.#call<{ calls: readonly AlertCall[] }>("POST", `${name}/fire`, firing)).calls;
  }

  async remove(name: string): Promise<void> {
    await this.#call("DELETE", name);
  }

  async list(): Promise<readonly Summary[]> {
    return (await this.#call<{ instances: readonly Summary[] }>("GET", "")).instances;
  }

  async config(name: string): Promise<InstanceConfig> {
    return this.#call("GET", `${name}/config`);
  }

  async summary(name: string): Promise<Summary> {
    return this.#call("GET", name);
  }

  /** Every id with the times it was received, and the order of first receipt. Pages by itself. */
  async events(name: string): Promise<EventIds> {
    const ids: Record<string, number> = {};
    const order: string[] = [];
    for (;;) {
      const page = await this.#call<EventIds>("GET", `${name}/events?offset=${order.length}&limit=${PAGE}`);
      Object.assign(ids, page.ids);
      order.push(...page.order);
      if (page.order.length === 0 || order.length >= page.distinct)
        return { events: page.events, distinct: page.distinct, ids, order };
    }
  }

  /** Counts alone: cheap at any size. */
  async counts(name: string): Promise<EventCounts> {
    return this.#call("GET", `${name}/events?count=1`);
  }

  /** Counts, and when the first and the last came. */
  async arrivals(name: string): Promise<Arrivals> {
    return this.#call("GET", `${name}/arrivals`);
  }

  /** When each was first received, null for what never came. Needs ids that are hashed. */
  async firstSeen(name: string, ids: readonly string[]): Promise<readonly (number | null)[]> {
    const path = `${name}/first-seen`;
    return (await this.#call<{ first_seen: readonly (number | null)[] }>("POST", path, { ids })).first_seen;
  }

  /** Every received copy of one event; `-` for those that carry no id. */
  async event(name: string, id: string): Promise<readonly StoredEvent[]> {
    const path = `${name}/events/${encodeURIComponent(id)}`;
    return (await this.#call<{ copies: readonly StoredEvent[] }>("GET", path)).copies;
  }

  /** The last requests, newest last; at most 1000 are kept. */
  async requests(name: string, limit = 100): Promise<readonly LoggedRequest[]> {
    const path = `${name}/requests?limit=${limit}`;
    return (await this.#call<{ requests: readonly LoggedRequest[] }>("GET", path)).requests;
  }

  /** Breaks the instance until recovered, or for `fault.times` requests. */
  async fault(name: string, fault: Fault): Promise<void> {
    await this.#call("POST", `${name}/fault`, fault);
  }

  /** Mends the instance: connections that hang are dropped, slow answers leave at once. */
  async recover(name: string): Promise<void> {
    await this.#call("DELETE", `${name}/fault`);
  }

  /** Forgets events, requests, violations and acknowledgements; keeps settings and fault. */
  async reset(name: string): Promise<void> {
    await this.#call("POST", `${name}/reset`);
  }

  /**
   * Waits until the instance has received `until` distinct events, or until the predicate holds.
   *
   * @param timeoutMs from now; a timeout throws with the last summary in the message
   */
  async waitFor(
    name: string,
    until: number | ((summary: Summary) => boolean),
    timeoutMs = 5000,
  ): Promise<Summary> {
    const holds = typeof until === "number" ? (summary: Summary) => summary.distinct >= until : until;
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const summary = await this.summary(name);
      if (holds(summary)) return summary;
      if (Date.now() >= deadline)
        throw new Error(`waited ${timeoutMs} ms for ${name} in vain: ${JSON.stringify(summary)}`);
      await new Promise<void>((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/_control/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`simulator: ${method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}
