/** What a poller asks for, from `Env`. Part of the composition root. */
import type { Clock, DurationMs } from "./base/clock.ts";
import { parseJson } from "./base/json.ts";
import { err, ok, type Result } from "./base/result.ts";
import { type RaiseDeps, raiseIncidents } from "./incidents.ts";
import type { Send } from "./model/http.ts";
import type { IncidentDraft } from "./model/incident.ts";
import { PolledSearchSecrets } from "./model/polled-search.ts";
import type { Source } from "./model/source.ts";
import { SourceSecrets } from "./model/source-settings.ts";
import type { Log } from "./observe/log.ts";
import type { RemindDeps } from "./pollers.ts";
import { createSourceStore, type SourceStore } from "./store/sources.ts";

/** What a poller may do to the world outside its own storage. */
export interface PollerDeps {
  readonly now: Clock;
  readonly random: () => number;
  readonly send: Send;
  sleep(duration: DurationMs): Promise<void>;
  /** Deleted ones too; null when there is none. */
  readSource(tenantId: string, id: string): Promise<Source | null>;
  /** The error is for the log. Rejects when the vault cannot be asked. */
  openSecrets(source: Source): Promise<Result<PolledSearchSecrets, string>>;
  reportStatus: SourceStore["reportStatus"];
  /** Durable when it resolves. */
  raise(source: Source, drafts: readonly IncidentDraft[]): Promise<void>;
  log(what: string, facts: Readonly<Record<string, unknown>>): void;
}

/** What `wire.ts` has made already. */
export interface PollerWired extends Pick<PollerDeps, "now" | "send"> {
  readonly log: Log;
  readonly raising: RaiseDeps;
  open(source: Source): Promise<Result<string, { readonly reason: string }>>;
}

export function pollerDeps(env: Env, { now, send, log, raising, open }: PollerWired): PollerDeps {
  const sources = createSourceStore(env.DB);
  return {
    now,
    random: Math.random,
    send,
    sleep: (duration) => scheduler.wait(duration),
    readSource: (tenantId, id) => sources.get(tenantId, id),
    openSecrets: async (source) => secretsIn(await open(source)),
    reportStatus: (tenantId, id, health) => sources.reportStatus(tenantId, id, health),
    raise: async (source, drafts) => {
      await raiseIncidents(source, drafts, raising);
    },
    log: (what, facts) => log(what === "collect.ended" ? "info" : "error", what, facts),
  };
}

/** For the schedule. */
export function remindDeps(
  env: Env,
  { log, poller }: { readonly log: Log; readonly poller: RemindDeps["poller"] },
): RemindDeps {
  const sources = createSourceStore(env.DB);
  return {
    polled: (request) => sources.polled(request),
    poller,
    log: (what, facts) => log("error", what, facts),
  };
}

function secretsIn(opened: Result<string, { readonly reason: string }>): Result<PolledSearchSecrets, string> {
  // Nobody can open anything at the moment: that says nothing of this source, so it is tried again soon.
  if (!opened.ok && opened.error.reason === "unavailable") throw new Error("The vault's key is out of reach");
  if (!opened.ok) return err(`sealed secrets: ${opened.error.reason}`);
  const json = parseJson(opened.value);
  const stored = SourceSecrets.safeParse(json.ok ? json.value : null);
  if (!stored.success) return err("sealed secrets: not those of a source");
  const { token, username, password } = stored.data;
  const secrets = PolledSearchSecrets.safeParse(token === undefined ? { username, password } : { token });
  return secrets.success ? ok(secrets.data) : err("sealed secrets: neither a token nor a password");
}
