/** Splunk's search REST API as an instance of the simulator: settings, control calls, and what was served in the ledger. */
import type { Door, InstanceConfig, Notable, NotablesOptions, StoredEvent } from "./control.ts";
import type { Copy, Ledger } from "./ledger.ts";
import {
  type Exchange,
  header,
  type Receiver,
  type ReceiverCall,
  type ReceiverKind,
  type Reply,
} from "./receiver.ts";
import {
  amount,
  BadInput,
  checkShape,
  flag,
  isRecord,
  number,
  oneOf,
  required,
  type Shape,
  STORAGE_SHAPE,
  text,
  textMap,
  texts,
} from "./shape.ts";
import { SplunkSearch } from "./splunk-search-core.ts";
import { makeNotables } from "./splunk-search-notables.ts";
import { doorOf } from "./splunk-search-paths.ts";
import { said } from "./splunk-search-replies.ts";

/** Searches are long texts and never files. */
const MAX_BODY_BYTES = 1_000_000;
const DEFAULT_PAGE = 1000;

const SHAPE: Shape = {
  ...STORAGE_SHAPE,
  kind: required(oneOf("splunk-search")),
  users: { test: (v) => Array.isArray(v), expected: "a list of users" },
  tokens: texts,
  forbidden: flag,
  session_ttl_ms: amount,
  clock_offset_ms: number,
  disable_v2: flag,
  polls_until_done: amount,
  job_ttl_ms: amount,
  max_result_rows: amount,
  export_previews: amount,
  macros: texts,
  macro_app: { test: (v) => v === null || text.test(v), expected: "an app, or null" },
  missing_macro: oneOf("refused", "messages", "messages_and_rows"),
};

const USER_SHAPE: Shape = { username: required(text), password: required(text) };

const GENERATE_SHAPE: Shape = {
  count: required(amount),
  seed: number,
  lateShare: { test: (v) => typeof v === "number" && v >= 0 && v <= 1, expected: "0 to 1" },
  maxLateSeconds: amount,
  es: oneOf(7, 8),
  startAt: required(amount),
  spanSeconds: amount,
};

type SplunkSearchInstance = Extract<InstanceConfig, { kind: "splunk-search" }>;

class SearchReceiver implements Receiver {
  readonly #ledger: Ledger;
  readonly #search: SplunkSearch;
  readonly maxBodyBytes = MAX_BODY_BYTES;
  /** Of the request at hand. */
  #at = 0;

  constructor(config: SplunkSearchInstance, ledger: Ledger) {
    this.#ledger = ledger;
    this.#search = new SplunkSearch(config, (rule, detail) => ledger.violate(rule, this.#at, detail));
  }

  configure(config: InstanceConfig): void {
    this.#search.configure(parseConfig(config));
  }

  door(path: string): Door | null {
    return doorOf(path);
  }

  receive({ method, path, query, headers, body, at, fault }: Exchange): Reply {
    this.#at = at;
    const play = fault?.mode === "messages" || fault?.mode === "short_page" ? fault : null;
    const request = {
      method,
      path,
      query,
      authorization: header(headers, "authorization"),
      contentType: header(headers, "content-type"),
      body: body.toString("utf8"),
    };
    const { served = [], struck = false, ...reply } = this.#search.handle(request, at, play);
    for (const id of served) this.#ledger.count(id);
    return { ...reply, events: served.length, struck };
  }

  control({ method, noun, id, query, body }: ReceiverCall): unknown {
    const { notables } = this.#search;
    switch (`${method} ${noun}`) {
      case "GET notables":
        return this.#shown(query);
      case "POST notables": {
        notables.load(notablesIn(body));
        return this.#counts();
      }
      case "DELETE notables":
        notables.clear();
        return this.#counts();
      case "POST notables/*":
        if (id !== "generate") return undefined;
        notables.load(makeNotables(optionsIn(body)));
        return this.#counts();
      case "GET notables/*":
        return { notable: notables.get(id) };
      case "PATCH notables/*":
        if (!notables.update(id, changeIn(body))) throw new BadInput(`no notable with the event_id ${id}`);
        return { notable: notables.get(id) };
      case "GET jobs":
        return { jobs: this.#search.jobs() };
      case "DELETE jobs":
        return { expired: this.#search.expireJobs() };
      case "DELETE jobs/*":
        return { expired: this.#search.expireJobs(id) };
      case "DELETE sessions":
        return { ended: this.#search.endSessions() };
      case "GET clock":
        return { now: this.#search.clock(Date.now()) };
      default:
        return undefined;
    }
  }

  #counts(): { notables: number; visible: number } {
    const { notables } = this.#search;
    return { notables: notables.size, visible: notables.visible(this.#search.clock(Date.now())).length };
  }

  #shown(query: URLSearchParams): unknown {
    const offset = Number(query.get("offset") ?? 0);
    const limit = Number(query.get("limit") ?? DEFAULT_PAGE);
    return { ...this.#counts(), page: this.#search.notables.all().slice(offset, offset + limit) };
  }

  tooLarge(bytes: number): Reply {
    this.#ledger.violate("splunk_search_413", Date.now(), `${bytes} bytes`);
    return said(413, { type: "ERROR", text: "Request Entity Too Large" });
  }

  refusal(status: number): Reply {
    return said(status, { type: "ERROR", text: status === 503 ? "Service Unavailable" : `HTTP ${status}` });
  }

  /** Rows are counted as they are served, and not kept. */
  describe(id: string | null, { text: raw, receivedAt, indexer }: Copy): StoredEvent {
    const none = { index: null, sourcetype: null, source: null, host: null, time: null, fields: null };
    return { id, raw, parsed: null, envelope: raw, ...none, received_at: receivedAt, indexer };
  }

  forget(): void {
    this.#search.forget();
  }
}

function notablesIn(body: unknown): readonly Notable[] {
  const list = isRecord(body) ? body["notables"] : undefined;
  if (!Array.isArray(list)) throw new BadInput('the body must be {"notables": […]}');
  for (const one of list)
    if (
      !isRecord(one) ||
      !number.test(one["_time"]) ||
      !number.test(one["_indextime"]) ||
      !text.test(one["event_id"])
    )
      throw new BadInput('a notable needs "_time" and "_indextime" in epoch seconds, and "event_id"');
  return list;
}

function optionsIn(body: unknown): NotablesOptions {
  // Checked member by member here; the compiler cannot follow a table of checks.
  return checkShape("the making of notables", body, GENERATE_SHAPE) as unknown as NotablesOptions;
}

function changeIn(body: unknown): Readonly<Record<string, string>> {
  if (!isRecord(body) || !textMap.test(body)) throw new BadInput("a change must be an object of strings");
  // Tested just above.
  return body as Record<string, string>;
}

function parseConfig(config: unknown): SplunkSearchInstance {
  const checked = checkShape("a splunk-search instance", config, SHAPE);
  const { users = [], tokens = [] } = checked;
  if (!Array.isArray(users) || !Array.isArray(tokens) || users.length + tokens.length === 0)
    throw new BadInput('a splunk-search instance needs "users" or "tokens"');
  for (const user of users) checkShape("a user", user, USER_SHAPE);
  // Checked member by member just above; the compiler cannot follow a table of checks.
  return checked as unknown as SplunkSearchInstance;
}

export const splunkSearch: ReceiverKind = {
  parse: parseConfig,
  create: (config, ledger) => new SearchReceiver(parseConfig(config), ledger),
};
