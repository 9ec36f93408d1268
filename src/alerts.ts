/**
 * The way in for Splunk's alerts: whose is it, is it genuine, what does it say, and which incident does it make.
 * Joins the stages; decides nothing that one of them could.
 */
import type { HeldSource, SourceRing } from "./access/source-ring.ts";
import type { Clock, EpochMs } from "./base/clock.ts";
import { err, ok, type Result } from "./base/result.ts";
import { decodeBody, readRaw } from "./flow/accept/body.ts";
import { alertMedia, draftAlert, parseAlert } from "./flow/accept/splunk-alert.ts";
import { presentedSecrets, proveBySignature, provesBySecret } from "./flow/accept/splunk-proof.ts";
import type { IncidentDraft, RaisedIncident } from "./model/incident.ts";
import type { AlertRequest, Refusal, TakenAlert } from "./model/ingest.ts";
import type { Source } from "./model/source.ts";
import { AlertSettings } from "./model/source-settings.ts";

export interface AlertDeps {
  readonly now: Clock;
  readonly sources: SourceRing;
  /** By which sources are found; in the same order. */
  secretMacs(secrets: readonly string[]): Promise<readonly string[]>;
  /** Durable when it resolves; one transaction. */
  raise(source: Source, drafts: readonly IncidentDraft[]): Promise<readonly RaisedIncident[]>;
  log(what: string, facts: Readonly<Record<string, unknown>>): void;
}

/** The same whether nothing was shown, the wrong thing, or there is no such source: strangers learn nothing. */
const UNPROVED: Refusal = {
  code: "unauthenticated",
  detail:
    "The request shows no proof that one source takes. Check secret, header and URL in the source's setup; nothing was stored",
};
const STALE: Refusal = {
  code: "stale_signature",
  detail: "The signature's time is more than 5 minutes from the relay's clock; nothing was stored",
};
const REPLAYED: Refusal = {
  code: "stale_signature",
  detail: "The signature was used already; sign each request anew. Nothing was changed",
};
const RETRY_SECONDS = 5;

/**
 * Takes one alert. The proof comes before the body is inflated or parsed, and, where it is a secret, before the body
 * is read. Never throws for anything that a sender can cause.
 */
export async function receiveAlert(
  request: AlertRequest,
  deps: AlertDeps,
): Promise<Result<TakenAlert, Refusal>> {
  try {
    const taken = await take(request, deps);
    if (!taken.ok) await request.body?.cancel().catch(() => undefined); // nobody will read the rest
    return taken;
  } catch (error) {
    deps.log("alert.not_taken", { source_id: request.sourceId, error });
    const detail = "The alert could not be stored at the moment. Nothing was done; send it again";
    return err({ code: "unavailable", detail, retryAfterSeconds: RETRY_SECONDS });
  }
}

async function take(request: AlertRequest, deps: AlertDeps): Promise<Result<TakenAlert, Refusal>> {
  const proved = await prove(request, deps);
  if (!proved.ok) return proved;
  const { source, proof, isBodyUnique, readBody } = proved.value;
  if (!source.enabled) {
    return err({ code: "conflict", detail: "The source is switched off; nothing was stored" });
  }
  const media = alertMedia(request.headers);
  if (!media.ok) return media;
  const raw = await readBody();
  if (!raw.ok) return raw;
  const body = decodeBody(raw.value, media.value.gzip);
  if (!body.ok) return body;
  const record = parseAlert(body.value.text);
  if (!record.ok) return record;
  const draft = draftAlert(record.value, source, { now: deps.now(), proof, isBodyUnique });
  const [raised] = await deps.raise(source, [draft]);
  if (raised === undefined) throw new Error("An alert was raised and nothing came of it");
  return raised.outcome === "replayed" ? err(REPLAYED) : ok({ ...raised, source });
}

interface Proved {
  readonly source: Source;
  readonly proof: string | null;
  readonly isBodyUnique: boolean;
  readonly readBody: () => Promise<Result<Uint8Array, Refusal>>;
}

async function prove(request: AlertRequest, deps: AlertDeps): Promise<Result<Proved, Refusal>> {
  const { headers, pathSecret } = request;
  const now = deps.now();
  const candidates = await candidatesOf(request, deps);
  const proven = candidates.filter(({ secrets, settings }) =>
    provesBySecret({ settings, secrets, now }, { headers, pathSecret }),
  );
  const [only, ...others] = proven;
  if (only !== undefined && others.length === 0) {
    const { source } = only;
    const readBody = () => readRaw(request.body, headers);
    return ok({ source, proof: null, isBodyUnique: false, readBody });
  }
  // Two sources with one secret: to choose would give one tenant's alert to another.
  if (others.length > 0) return err(UNPROVED);
  const signed = candidates.find(({ settings }) => settings.hmac !== false);
  if (signed === undefined || request.sourceId === null || pathSecret !== null) return err(UNPROVED);
  return proveSigned(request, signed, deps);
}

async function proveSigned(
  { headers, body }: AlertRequest,
  { source, settings, secrets }: Candidate,
  deps: AlertDeps,
): Promise<Result<Proved, Refusal>> {
  const raw = await readRaw(body, headers);
  if (!raw.ok) return raw;
  const verified = proveBySignature({ settings, secrets, now: deps.now() }, { headers, body: raw.value });
  if (!verified.ok) return err(verified.error === "stale" ? STALE : UNPROVED);
  const isBodyUnique = verified.value === null;
  return ok({ source, proof: verified.value, isBodyUnique, readBody: async () => raw });
}

interface Candidate extends HeldSource {
  readonly settings: AlertSettings;
}

/** Sources that the request may be for: the one that the path names, or those that have one of the secrets shown. */
async function candidatesOf(request: AlertRequest, deps: AlertDeps): Promise<readonly Candidate[]> {
  const { sourceId, headers } = request;
  const held =
    sourceId === null
      ? await deps.sources.byMacs(await deps.secretMacs(valuesOf(headers)))
      : [await deps.sources.byId(sourceId)];
  // Once each: two headers with one secret are one source.
  const sources = new Map(held.flatMap((each) => (each === null ? [] : [[each.source.id, each] as const])));
  return [...sources.values()]
    .filter(({ source }) => source.kind === "splunk_alert")
    .map((each) => ({ ...each, settings: AlertSettings.parse(each.source.config) }));
}

function valuesOf(headers: Headers): readonly string[] {
  return [...new Set(presentedSecrets(headers).map(({ value }) => value))];
}

/** What an alert would say by the source's mappings, for a look before the first one comes. Stores nothing. */
export function previewAlert(source: Source, body: unknown, now: EpochMs): Result<IncidentDraft, Refusal> {
  const record = parseAlert(JSON.stringify(body));
  return record.ok ? ok(draftAlert(record.value, source, { now, proof: null, isBodyUnique: false })) : record;
}
