import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { EpochMs } from "../../src/base/clock.ts";
import { ok } from "../../src/base/result.ts";
import { createSend } from "../../src/egress/send.ts";
import { PollMemory } from "../../src/flow/collect/memory.ts";
import { type CollectDeps, collect, type Round } from "../../src/flow/collect/poll.ts";
import { searchApp } from "../../src/flow/collect/search-text.ts";
import { SplunkClient } from "../../src/flow/collect/splunk-client.ts";
import type { IncidentDraft } from "../../src/model/incident.ts";
import { PolledSearch, type PolledSearchSecrets } from "../../src/model/polled-search.ts";
import { DEFAULT_SEVERITY_MAPPING } from "../../src/model/source.ts";
import type { Notable, SplunkSearchConfig } from "../simulator/control.ts";
import { type SearchPlay, SplunkSearch } from "../simulator/splunk-search-core.ts";
import { searchFetch } from "../simulator/splunk-search-fetch.ts";

export const START: EpochMs = Date.UTC(2026, 10, 20, 12);
export const USER = { username: "sluice", password: "pass word:ü" };

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly form: Readonly<Record<string, string>>;
}

/** Answers a request in Splunk's place, or null to leave it to Splunk. */
export type Instead = (asked: Asked) => Response | null;

export interface PollerFacts {
  readonly settings?: Partial<PolledSearch>;
  readonly secrets?: PolledSearchSecrets;
  readonly splunk?: SplunkSearchConfig;
}

/**
 * A poller without its Durable Object: the real engine over real SQLite and the real door, with a Splunk in the same
 * process and a clock that moves when it is told to.
 */
export class TestPoller {
  now: EpochMs = START;
  instead: Instead = () => null;
  play: SearchPlay | null = null;
  /** Called in place of raising; what it throws is a database that cannot be reached. */
  beforeRaise: () => void = () => undefined;
  /** Called when the incidents are made; what it throws is a crash before that could be noted. */
  afterRaise: () => void = () => undefined;
  readonly asked: Asked[] = [];
  readonly raised: IncidentDraft[] = [];
  readonly splunk: SplunkSearch;
  readonly settings: PolledSearch;
  memory: PollMemory;
  #client: SplunkClient;
  readonly #storage: DurableObjectStorage;
  readonly #secrets: PolledSearchSecrets;
  readonly #fetch: ReturnType<typeof searchFetch>;

  constructor(
    storage: DurableObjectStorage,
    { settings, secrets = { token: "t" }, splunk }: PollerFacts = {},
  ) {
    this.#storage = storage;
    this.#secrets = secrets;
    this.settings = PolledSearch.parse({ rest_url: "https://splunk.example.com:8089", ...settings });
    this.splunk = new SplunkSearch({ users: [USER], tokens: ["t"], polls_until_done: 0, ...splunk });
    this.#fetch = searchFetch(this.splunk, { now: () => this.now, play: () => this.play });
    this.memory = new PollMemory(storage.sql);
    this.#client = this.#connect();
  }

  /** Notables that are in Splunk, all of which a poll should have found when everything is done. */
  load(...notables: readonly Notable[]): void {
    this.splunk.notables.load(notables);
  }

  round(): Promise<Round> {
    return collect(this.deps);
  }

  /** Rounds until everything up to Splunk's now was read, or one fails. */
  async poll(): Promise<Round> {
    for (let rounds = 0; rounds < 1_000; rounds += 1) {
      const round = await this.round();
      if (round.kind !== "unfinished") return round;
      this.now += round.again;
    }
    throw new Error("The poller did not come to rest");
  }

  /** Memory gone, storage kept. */
  restart(): void {
    this.memory = new PollMemory(this.#storage.sql);
    this.#client = this.#connect();
  }

  get deps(): CollectDeps {
    return {
      now: () => this.now,
      sleep: async (duration) => {
        this.now += duration;
      },
      client: this.#client,
      settings: this.settings,
      mappings: { severityMapping: DEFAULT_SEVERITY_MAPPING, fieldMapping: {}, dedupFields: [] },
      memory: this.memory,
      atomically: (work) => this.#storage.transactionSync(work),
      raise: async (drafts) => {
        this.beforeRaise();
        this.raised.push(...drafts);
        this.afterRaise();
      },
    };
  }

  /** `POST /services/search/v2/jobs` and the like, in order. */
  get paths(): readonly string[] {
    return this.asked.map(({ method, path }) => `${method} ${path.replace(/\d{9,}\.\d+/, "<sid>")}`);
  }

  #connect(): SplunkClient {
    return new SplunkClient({
      now: () => this.now,
      send: createSend({
        fetch: (input, init) => this.#answer(String(input), init ?? {}),
        guard: (url) => ok(new URL(url)),
        now: () => this.now,
      }),
      settings: this.settings,
      secrets: this.#secrets,
      app: searchApp(this.settings),
      paths: () => this.memory.get("paths"),
      learn: (paths) => this.memory.set("paths", paths),
    });
  }

  async #answer(url: string, init: RequestInit): Promise<Response> {
    const { pathname, searchParams } = new URL(url);
    const body = init.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : "";
    const asked: Asked = {
      method: init.method ?? "GET",
      path: pathname,
      authorization: new Headers(init.headers).get("authorization"),
      form: Object.fromEntries([...new URLSearchParams(body), ...searchParams]),
    };
    this.asked.push(asked);
    return this.instead(asked) ?? this.#fetch(url, init);
  }
}

let made = 0;

/** Runs a test with a poller over the SQLite of a fresh Durable Object. */
export async function withPoller(
  run: (poller: TestPoller) => Promise<void>,
  facts: PollerFacts = {},
): Promise<void> {
  made += 1;
  const stub = env.POLLERS.getByName(`test-${made}-${crypto.randomUUID()}`);
  await runInDurableObject(stub, (_, state) => run(new TestPoller(state.storage, facts)));
}

/** A notable that happened and was indexed so many seconds after `START`. */
export function aNotable(
  id: string,
  {
    at = 0,
    late = 0,
    ...about
  }: Readonly<Record<string, number | string>> & { at?: number; late?: number } = {},
): Notable {
  const happened = START / 1_000 + at;
  return {
    _time: happened,
    _indextime: happened + late,
    event_id: `${id}@@notable@@0123456789abcdef0123456789abcdef`,
    rule_name: "Brute Force Access Behavior Detected",
    rule_title: "Brute force on host-1",
    urgency: "high",
    severity: "medium",
    status: "1",
    owner: "unassigned",
    src: "198.51.100.7",
    dest: "host-1",
    ...about,
  };
}
