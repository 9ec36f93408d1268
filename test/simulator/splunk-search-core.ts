/**
 * Splunk's search REST API, from request data and a clock to response data: no sockets, no timers and nothing of Node,
 * so that a test inside workerd calls it as it is. `splunk-search.ts` puts it behind the simulator's HTTP.
 *
 * @see https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch (read 2026-11)
 */
import type { Fault, SearchJobSummary, SplunkSearchConfig } from "./control.ts";
import { Sessions } from "./splunk-search-auth.ts";
import type { Row } from "./splunk-search-eval.ts";
import { JobDesk } from "./splunk-search-jobs.ts";
import { METHODS, type Place, placeOf } from "./splunk-search-paths.ts";
import {
  exportOf,
  feed,
  type Job,
  jobEntry,
  noContent,
  reply,
  resultsOf,
  type SearchReply,
  said,
} from "./splunk-search-replies.ts";
import { isFixed, parametersOf, type SearchRequest, wholeIn, windowOf } from "./splunk-search-request.ts";
import { type Found, runSearch } from "./splunk-search-run.ts";
import { NotableStore } from "./splunk-search-store.ts";
import { SearchFault } from "./splunk-search-tokens.ts";

const DEFAULT_JOB_TTL_MS = 600_000;
const DEFAULT_MAX_RESULT_ROWS = 50_000;
const DEFAULT_COUNT = 100;
const DEFAULT_MACROS = ["notable", "get_urgency", "risk_correlation"];

const SEARCH_REQUIRED =
  "The required 'search' parameter for the Splunk platform REST API search/jobs endpoint is not specified. " +
  "Specify the required 'search' parameter for the POST request on the endpoint and then retry your request.";

/** Faults that are played in Splunk's own words. */
export type SearchPlay = Extract<Fault, { mode: "messages" | "short_page" }>;

/** Told of every broken rule: its name, and the case in a sentence. */
export type Violate = (rule: string, detail: string) => void;

interface Call {
  readonly request: SearchRequest;
  readonly place: Place;
  /** Of the form and the query; the form wins. */
  readonly given: URLSearchParams;
  /** Real time, in epoch ms. */
  readonly now: number;
  readonly isXml: boolean;
  readonly play: SearchPlay | null;
}

export class SplunkSearch {
  readonly notables = new NotableStore();
  #config: SplunkSearchConfig;
  readonly #violate: Violate;
  readonly #sessions = new Sessions();
  readonly #jobs = new JobDesk();

  constructor(config: SplunkSearchConfig, violate: Violate = () => {}) {
    this.#config = config;
    this.#violate = violate;
  }

  configure(config: SplunkSearchConfig): void {
    this.#config = config;
  }

  /** Splunk's clock in epoch seconds, when the real one shows `now` in epoch ms. */
  clock(now: number): number {
    return (now + (this.#config.clock_offset_ms ?? 0)) / 1000;
  }

  /** @returns how many sessions ended */
  endSessions(): number {
    return this.#sessions.end();
  }

  /** Makes a job, or all of them, unknown. @returns how many there were */
  expireJobs(sid?: string): number {
    return this.#jobs.close(sid);
  }

  jobs(): readonly SearchJobSummary[] {
    return this.#jobs.list();
  }

  /** @param now real time in epoch ms; Splunk's own differs by `clock_offset_ms` */
  handle(request: SearchRequest, now: number, play: SearchPlay | null = null): SearchReply {
    const given = parametersOf(request);
    const isXml = given.get("output_mode") !== "json";
    const place = placeOf(request.path);
    if (place === null) {
      this.#violate("unknown_path", `${request.method} ${request.path}`);
      return said(404, { type: "ERROR", text: "Not Found" }, isXml);
    }
    if (place.version === 2 && this.#config.disable_v2)
      return said(404, { type: "ERROR", text: "Not Found" }, isXml);
    const allowed = METHODS[place.endpoint][place.version - 1] ?? "";
    if (!allowed.split(",").includes(request.method)) {
      this.#violate("wrong_method", `${request.method} ${request.path}`);
      const refused = said(405, { type: "FATAL", text: "The method is not allowed." }, isXml);
      return { ...refused, headers: { ...refused.headers, allow: allowed } };
    }
    if (isXml) this.#violate("output_mode_missing", `${request.method} ${request.path} answers XML`);
    const call = { request, place, given, now, isXml, play };
    if (place.endpoint === "login") return this.#logIn(call);
    return this.#refusalOf(call) ?? this.#answer(call);
  }

  #logIn({ given, now, isXml }: Call): SearchReply {
    const login = { username: given.get("username") ?? "", password: given.get("password") ?? "" };
    const sessionKey = this.#sessions.logIn(this.#config, login, now);
    if (sessionKey !== null)
      return reply(200, isXml ? { sessionKey } : { sessionKey, message: "", code: "" }, { isXml });
    this.#violate("splunk_search_401", "Login failed");
    const code = "incorrect_username_or_password";
    return said(401, { type: "WARN", code, text: "Login failed" }, isXml);
  }

  #refusalOf({ request, now, isXml }: Call): SearchReply | null {
    const auth = this.#sessions.authenticate(this.#config, request.authorization, now);
    if (auth.ok) {
      const text = "insufficient permission to access this resource";
      return this.#config.forbidden ? said(403, { type: "WARN", text }, isXml) : null;
    }
    if (!auth.isEnded) this.#violate("splunk_search_401", `a wrong ${auth.reason}`);
    if (auth.reason === "key")
      return said(401, { type: "WARN", text: "call not properly authenticated" }, isXml);
    const refused = said(401, { type: "ERROR", text: "Unauthorized" }, isXml);
    return { ...refused, headers: { ...refused.headers, "www-authenticate": 'Basic realm="/splunk"' } };
  }

  #answer(call: Call): SearchReply {
    const { place, isXml } = call;
    switch (place.endpoint) {
      case "jobs":
        return call.given.get("exec_mode") === "oneshot" ? this.#oneshot(call) : this.#create(call);
      case "export":
        return this.#export(call);
      case "job":
      case "results":
      case "control":
        return this.#onJob(call);
      default:
        return reply(200, feed("server/info", "server-info", { content: { version: "10.6.0" } }), { isXml });
    }
  }

  #create(call: Call): SearchReply {
    const mode = call.given.get("exec_mode") ?? "normal";
    if (mode !== "normal" && mode !== "blocking")
      return this.#refuse(400, `Invalid value "${mode}" for exec_mode.`, call);
    const found = this.#run(call);
    if ("status" in found) return found;
    const search = call.given.get("search") ?? "";
    const polls = mode === "blocking" ? Number.POSITIVE_INFINITY : 0;
    const sid = this.#jobs.open({ search, createdAt: call.now, polls, found }, this.clock(call.now));
    return reply(201, { sid }, { isXml: call.isXml });
  }

  #oneshot(call: Call): SearchReply {
    const found = this.#run(call);
    if ("status" in found) return found;
    const isLive = !isFixed(call.given.get("latest_time")) && !isFixed(call.given.get("index_latest"));
    if (isLive && Number(call.given.get("offset") ?? 0) > 0)
      this.#violate("live_window_paged", "a page after the first, of a window whose end moves");
    return this.#page(found, call);
  }

  #export(call: Call): SearchReply {
    const found = this.#run(call);
    if ("status" in found) return found;
    const { played, struck } = withMessages(found, call.play);
    const body = exportOf(played, this.#config.export_previews ?? 0);
    return { ...reply(200, null), body, served: served(played.rows), struck };
  }

  /** Splunk takes stock here: late rows of after this moment are in no page of the job. */
  #run({ request, place, given, now, isXml }: Call): Found | SearchReply {
    const search = (given.get("search") ?? "").trim();
    const call = { request, isXml };
    if (search === "") return this.#refuse(400, SEARCH_REQUIRED, call);
    const clock = this.clock(now);
    const window = windowOf(given, clock);
    if (typeof window === "string") return this.#refuse(400, window, call);
    const { macros = DEFAULT_MACROS, macro_app: app = null, missing_macro = "refused" } = this.#config;
    try {
      return runSearch(search, {
        now: clock,
        window,
        notables: this.notables.visible(clock),
        macros: app === null || app === place.app ? macros : [],
        missingMacro: missing_macro,
      });
    } catch (fault) {
      if (!(fault instanceof SearchFault)) throw fault;
      return this.#refuse(400, fault.message, call);
    }
  }

  #onJob(call: Call): SearchReply {
    const { place, now, isXml, request } = call;
    const { job_ttl_ms = DEFAULT_JOB_TTL_MS, polls_until_done = 1 } = this.#config;
    const job = this.#jobs.look(place.sid, { now, ttlMs: job_ttl_ms });
    if (job === null || job === "gone") {
      if (job === null) this.#violate("splunk_search_404", `unknown sid ${place.sid}`);
      return said(404, { type: "FATAL", text: "Unknown sid." }, isXml);
    }
    if (place.endpoint === "control") return this.#control(job, call);
    if (request.method === "DELETE") return this.#cancel(job, isXml);
    const isDone = job.polls >= polls_until_done;
    if (!isDone) job.polls++;
    if (place.endpoint === "results") return isDone ? this.#page(job.found, call) : noContent();
    if (!isDone && job.polls === 1) return noContent();
    return reply(200, jobEntry(job, { isDone, ttlSeconds: Math.ceil(job_ttl_ms / 1000) }), { isXml });
  }

  #control(job: Job, call: Call): SearchReply {
    const action = call.given.get("action") ?? "";
    if (action === "cancel") return this.#cancel(job, call.isXml);
    if (action === "touch" || action === "finalize")
      return said(200, { type: "INFO", text: `Search job ${action}d.` }, call.isXml);
    return this.#refuse(400, `Unknown action '${action}'.`, call);
  }

  #cancel(job: Job, isXml: boolean): SearchReply {
    this.#jobs.close(job.sid);
    return said(200, { type: "INFO", text: "Search job cancelled." }, isXml);
  }

  #page(found: Found, call: Call): SearchReply {
    const { given, play, isXml } = call;
    const [count, offset] = [wholeIn(given, "count", DEFAULT_COUNT), wholeIn(given, "offset", 0)];
    if (count === null || offset === null)
      return this.#refuse(400, "count and offset must be whole numbers from 0.", call);
    if (call.place.endpoint === "results" && given.has("search"))
      this.#violate(
        "post_process_search",
        "v2 ignores `search` where results are asked for, and so does this",
      );
    const { played, struck } = withMessages(found, play);
    const most = this.#config.max_result_rows ?? DEFAULT_MAX_RESULT_ROWS;
    const full = played.rows.slice(offset, offset + (count === 0 ? most : Math.min(count, most)));
    const isShort = play?.mode === "short_page" && full.length > play.rows;
    const rows = isShort ? full.slice(0, play.rows) : full;
    const { columns, messages } = played;
    return {
      ...reply(200, resultsOf({ offset, rows, columns, messages }), { isXml }),
      served: served(rows),
      struck: struck || isShort,
    };
  }

  #refuse(status: number, text: string, { request, isXml }: Pick<Call, "request" | "isXml">): SearchReply {
    this.#violate(`splunk_search_${status}`, `${request.method} ${request.path}: ${text.slice(0, 200)}`);
    return said(status, { type: "FATAL", text }, isXml);
  }

  /** Forgets jobs and sessions; settings and notables stay. */
  forget(): void {
    this.expireJobs();
    this.endSessions();
  }
}

function withMessages(found: Found, play: SearchPlay | null): { played: Found; struck: boolean } {
  if (play?.mode !== "messages") return { played: found, struck: false };
  const messages = [...found.messages, ...play.messages];
  return { played: { ...found, messages, rows: play.rows ? found.rows : [] }, struck: true };
}

function served(rows: readonly Row[]): readonly (string | null)[] {
  return rows.map(({ event_id: id }) => (typeof id === "string" ? id : null));
}
