import { toBase64, utf8 } from "../../base/bytes.ts";
import { type Clock, type DurationMs, days, type EpochMs, seconds } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { HttpAnswer, HttpRequestSpec, Send } from "../../model/http.ts";
import type { PolledSearch, PolledSearchSecrets } from "../../model/polled-search.ts";
import { type Refusal, type Reply, readReply, refusal } from "./answer.ts";

/** A page of results; the door reads no more. */
const MAX_PAGE_BYTES = 8_000_000;
/** What a oneshot search may take: it is answered when it is done. */
const ONESHOT_PATIENCE: DurationMs = seconds(90);
/** After so long a path that was not there is looked for again: Splunk gets upgraded, apps get installed. */
const FALLBACK_FOR: DurationMs = days(1);

/** Which of Splunk's paths this Splunk has. */
export interface Paths {
  /** Version 2 of the search endpoints; from Enterprise 9.0.2 on. */
  readonly v2: boolean;
  /** In the app's context. */
  readonly inApp: boolean;
  readonly learnedAt: EpochMs;
}

/** Where a search was made, and where the rest of it is asked for. */
export interface JobAddress {
  readonly sid: string;
  /** Path without the host: `/services/search/v2/jobs`. */
  readonly jobs: string;
  readonly v2: boolean;
}

export interface ClientDeps {
  readonly now: Clock;
  readonly send: Send;
  readonly settings: PolledSearch;
  readonly secrets: PolledSearchSecrets;
  /** Null: run in the user's own context. */
  readonly app: string | null;
  /** What was learned of this Splunk's paths; null at first. */
  readonly paths: () => Paths | null;
  readonly learn: (paths: Paths) => void;
}

type Form = Readonly<Record<string, string | number>>;

/**
 * Splunk's search REST API: who asks, and where. Falls back from version 2 to version 1 of the endpoints and from the
 * app's context to the user's own, remembers which worked, and renews a session key that has run out.
 *
 * @see https://docs.splunk.com/Documentation/Splunk/9.4.0/RESTREF/RESTsearch (read 2026-11)
 */
export class SplunkClient {
  readonly #deps: ClientDeps;
  /** In memory only: after a restart it costs one login. */
  #sessionKey: string | null = null;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  /** Runs a search and answers its rows at once. */
  async oneshot(form: Form): Promise<Result<Reply, Refusal>> {
    const made = await this.#make({ ...form, exec_mode: "oneshot" });
    return made.ok ? ok(made.value.reply) : made;
  }

  async createJob(form: Form): Promise<Result<JobAddress, Refusal>> {
    const made = await this.#make({ ...form, exec_mode: "normal" });
    if (!made.ok) return made;
    const sid = made.value.reply.json["sid"];
    if (typeof sid === "string" && sid !== "") return ok({ sid, jobs: made.value.jobs, v2: made.value.v2 });
    return err(refusal("provider_error", "Splunk made no search job and did not say why"));
  }

  status(job: JobAddress): Promise<Result<Reply, Refusal>> {
    return this.#ask({ method: "GET", path: `${pathOf(job)}?output_mode=json` });
  }

  /** Version 2 takes POST here and version 1 GET. */
  results(job: JobAddress, page: { offset: number; count: number }): Promise<Result<Reply, Refusal>> {
    const form = { output_mode: "json", ...page };
    return job.v2
      ? this.#ask({ method: "POST", path: `${pathOf(job)}/results`, form })
      : this.#ask({ method: "GET", path: `${pathOf(job)}/results?${encode(form)}` });
  }

  /** Best effort: Splunk forgets a job by itself after a while. */
  async cancel(job: JobAddress): Promise<void> {
    const form = { action: "cancel", output_mode: "json" };
    await this.#ask({ method: "POST", path: `${pathOf(job)}/control`, form });
  }

  /** Posts a search to the best path there is, and remembers which one that was. */
  async #make(form: Form): Promise<Result<{ reply: Reply; jobs: string; v2: boolean }, Refusal>> {
    let refused: Result<never, Refusal> | null = null;
    let skipsApp = false;
    for (const { v2, inApp } of this.#candidates()) {
      if (inApp && skipsApp) continue;
      const jobs = this.#jobsPath(v2, inApp);
      const answer = await this.#ask({ method: "POST", path: jobs, form: { output_mode: "json", ...form } });
      if (answer.ok) {
        this.#remember(v2, inApp);
        return ok({ reply: answer.value, jobs, v2 });
      }
      if (answer.error.what !== "missing") return answer;
      refused ??= answer;
      skipsApp ||= /application/i.test(answer.error.message);
    }
    return refused ?? err(refusal("config_rejected", "There is no search endpoint here", { held: true }));
  }

  /** From the best to the last resort; what was learned within the day goes first. */
  #candidates(): readonly Pick<Paths, "v2" | "inApp">[] {
    const contexts = this.#deps.app === null ? [false] : [true, false];
    const all = contexts.flatMap((inApp) => [true, false].map((v2) => ({ v2, inApp })));
    const learned = this.#deps.paths();
    if (learned === null || this.#deps.now() - learned.learnedAt >= FALLBACK_FOR) return all;
    const isLearned = ({ v2, inApp }: Pick<Paths, "v2" | "inApp">): boolean =>
      v2 === learned.v2 && inApp === learned.inApp;
    return [...all.filter(isLearned), ...all.filter((path) => !isLearned(path))];
  }

  #remember(v2: boolean, inApp: boolean): void {
    const learned = this.#deps.paths();
    const now = this.#deps.now();
    const isKnown = learned?.v2 === v2 && learned.inApp === inApp;
    if (!isKnown || now - learned.learnedAt >= FALLBACK_FOR) this.#deps.learn({ v2, inApp, learnedAt: now });
  }

  #jobsPath(v2: boolean, inApp: boolean): string {
    const { app } = this.#deps;
    const context = inApp && app !== null ? `/servicesNS/nobody/${encodeURIComponent(app)}` : "/services";
    return `${context}/search/${v2 ? "v2/" : ""}jobs`;
  }

  async #ask(request: PathRequest): Promise<Result<Reply, Refusal>> {
    const authorization = await this.#authorization();
    if (!authorization.ok) return authorization;
    const reply = readReply(await this.#send(request, authorization.value));
    const isSession = this.#sessionKey !== null;
    if (reply.ok || reply.error.httpStatus !== 401 || !isSession) return reply;
    // A session key runs out when it is not used for an hour: one new one, and what that says counts.
    this.#sessionKey = null;
    const renewed = await this.#authorization();
    return renewed.ok ? readReply(await this.#send(request, renewed.value)) : renewed;
  }

  async #authorization(): Promise<Result<string, Refusal>> {
    const { secrets, settings } = this.#deps;
    if ("token" in secrets) return ok(`Bearer ${secrets.token}`);
    const { username, password } = secrets;
    if (settings.auth === "basic") return ok(`Basic ${toBase64(utf8(`${username}:${password}`))}`);
    if (this.#sessionKey === null) {
      const form = { username, password, output_mode: "json" };
      const answer = await this.#send({ method: "POST", path: "/services/auth/login", form }, null);
      const reply = readReply(answer);
      if (!reply.ok) return reply;
      const key = reply.value.json["sessionKey"];
      if (typeof key !== "string") {
        return err(refusal("provider_error", "The login was answered without a session key"));
      }
      this.#sessionKey = key;
    }
    return ok(`Splunk ${this.#sessionKey}`);
  }

  #send({ method, path, form }: PathRequest, authorization: string | null): Promise<HttpAnswer> {
    const base = restBase(this.#deps.settings.rest_url);
    const headers: Record<string, string> = { accept: "application/json" };
    if (authorization !== null) headers["authorization"] = authorization;
    if (form !== undefined) headers["content-type"] = "application/x-www-form-urlencoded";
    const request: HttpRequestSpec = {
      method,
      url: `${base}${path}`,
      headers,
      ...(form === undefined ? {} : { body: encode(form) }),
      maxAnswerBytes: MAX_PAGE_BYTES,
      ...(form?.["exec_mode"] === "oneshot" ? { patience: ONESHOT_PATIENCE } : {}),
    };
    return this.#deps.send(request);
  }
}

/** People paste an address with a path of Splunk's own behind it; what stands before that is a proxy's. */
export function restBase(url: string): string {
  return url
    .replace(/[?#].*$/, "")
    .replace(/\/services(?:NS)?(?:\/.*)?$/, "")
    .replace(/\/+$/, "");
}

interface PathRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly form?: Form;
}

function pathOf({ jobs, sid }: JobAddress): string {
  return `${jobs}/${encodeURIComponent(sid)}`;
}

function encode(form: Form): string {
  return new URLSearchParams(Object.entries(form).map(([name, value]) => [name, String(value)])).toString();
}
