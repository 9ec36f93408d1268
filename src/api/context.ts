import type { Context } from "hono";
import type { Clock, DurationMs, EpochMs } from "../base/clock.ts";
import type { Result } from "../base/result.ts";
import type { StoredCredential } from "../model/credential.ts";
import type { Destination, DestinationSettings, Routes } from "../model/destination.ts";
import type { HybridCryptoEnvelope } from "../model/envelope.ts";
import type {
  Incident,
  IncidentChange,
  IncidentDraft,
  IncidentState,
  Priority,
  RaisedIncident,
} from "../model/incident.ts";
import type { AlertRequest, IngestReceipt, IngestRequest, Refusal, TakenAlert } from "../model/ingest.ts";
import type { DestinationCalls } from "../model/lane.ts";
import type { TestReport } from "../model/probe.ts";
import type { Connector, Provider } from "../model/provider.ts";
import type { ProxyCall } from "../model/proxy.ts";
import type { PublicKey, VerificationKey } from "../model/public-key.ts";
import type { Session } from "../model/session.ts";
import type { LaneOwner } from "../model/shards.ts";
import type { PollerCalls, Source } from "../model/source.ts";
import type { ApiKey, Principal, Scope, Tenant } from "../model/tenant.ts";

/*
 * The HTTP endpoints. This folder promises that what a stranger sends becomes either a checked value or a
 * problem document, that no tenant meets another, and that no answer holds a secret. What things mean and
 * where they are kept it leaves to what `ApiDeps` hands in.
 */

/** Where in a list a page ended: lists run from the newest to the oldest, and ids break ties. */
export interface Position {
  readonly at: EpochMs;
  readonly id: string;
}

export interface PageRequest {
  readonly limit: number;
  readonly cursor: Position | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: Position | null;
}

export interface Tenants {
  insert(tenant: Tenant): Promise<void>;
  get(id: string): Promise<Tenant | null>;
  page(request: PageRequest): Promise<Page<Tenant>>;
}

export interface Keys {
  insert(
    key: ApiKey,
    material: { readonly hash: string; readonly sealedSigningSecret: string | null },
  ): Promise<void>;
  page(tenantId: string, request: PageRequest): Promise<Page<ApiKey>>;
  /** @returns false when the tenant has no such key */
  revoke(tenantId: string, id: string, at: EpochMs): Promise<boolean>;
}

export interface Destinations {
  /** With the secrets that were given with it. @returns false when the shared credential that it names is gone */
  insert(destination: Destination): Promise<boolean>;
  /** Deleted ones too. */
  get(tenantId: string, id: string): Promise<Destination | null>;
  page(tenantId: string, request: PageRequest): Promise<Page<Destination>>;
  count(tenantId: string): Promise<number>;
  /** Everything to which an event may have been owed lately. */
  forFanOut(tenantId: string): Promise<readonly DestinationSettings[]>;
  /** @returns false when the row is gone or no longer at that revision, or the shared credential that it names is */
  update(destination: Destination, expectedRevision: number): Promise<boolean>;
  /** @returns false when it was not there or already deleted */
  markDeleted(tenantId: string, id: string, at: EpochMs): Promise<boolean>;
  /** Takes the secrets that were given with a deleted one away, once its lane needs them no more. */
  forgetSecrets(tenantId: string, id: string): Promise<void>;
}

/** Credentials; what each method promises is said where they are kept. */
export interface Credentials {
  insert(credential: StoredCredential): Promise<void>;
  get(tenantId: string, id: string): Promise<StoredCredential | null>;
  page(tenantId: string, request: PageRequest): Promise<Page<StoredCredential>>;
  count(tenantId: string): Promise<number>;
  users(
    tenantId: string,
    ids: readonly string[],
  ): Promise<
    readonly {
      readonly id: string;
      readonly name: string;
      readonly provider: string;
      readonly credentialId: string;
    }[]
  >;
  rotate(credential: StoredCredential, expectedVersion: number): Promise<boolean>;
  remove(tenantId: string, id: string): Promise<boolean>;
}

export interface Sources {
  /** @param macs of the secrets by which an alert may find it */
  insert(source: Source, macs: readonly string[]): Promise<void>;
  /** Deleted ones too. */
  get(tenantId: string, id: string): Promise<Source | null>;
  page(tenantId: string, request: PageRequest): Promise<Page<Source>>;
  count(tenantId: string): Promise<number>;
  /** @returns false when the row is gone or no longer at that revision */
  update(source: Source, macs: readonly string[], expectedRevision: number): Promise<boolean>;
  /** @returns false when it was not there or already deleted */
  markDeleted(tenantId: string, id: string, at: EpochMs): Promise<boolean>;
  /** Whether another source of the tenant can be found by one of these. */
  hasMac(tenantId: string, macs: readonly string[], exceptId: string): Promise<boolean>;
}

/** Which incidents a list shows; null and empty lists leave nothing out. */
export interface IncidentFilter {
  readonly states: readonly IncidentState[];
  readonly priorities: readonly Priority[];
  readonly sourceId: string | null;
  readonly text: string | null;
  /** That moment or later. */
  readonly createdFrom: EpochMs | null;
  /** Before that moment. */
  readonly createdBefore: EpochMs | null;
}

export interface Incidents {
  get(tenantId: string, id: string): Promise<Incident | null>;
  byNumber(tenantId: string, number: number): Promise<Incident | null>;
  page(tenantId: string, filter: IncidentFilter, request: PageRequest): Promise<Page<Incident>>;
  /** Newest first, numbered. */
  timeline(
    tenantId: string,
    incidentId: string,
    request: { readonly limit: number; readonly before: number | null },
  ): Promise<{ readonly items: readonly IncidentChange[]; readonly next: number | null }>;
}

/** What a person wants of an incident; what is absent stays as it is. */
export interface WantedIncident {
  readonly state?: IncidentState | undefined;
  readonly priority?: Priority | undefined;
  /** Null clears it. */
  readonly assignmentGroup?: string | null | undefined;
  readonly note?: string | undefined;
  readonly actor: Pick<IncidentChange, "actorId" | "actorType">;
}

/** Why an incident was not changed. */
export type IncidentRefusal =
  | { readonly reason: "not_found" }
  | { readonly reason: "illegal"; readonly from: IncidentState; readonly legal: readonly IncidentState[] }
  /** It cannot be opened again, because its alerts have opened another one since. */
  | { readonly reason: "succeeded"; readonly by: Incident }
  /** Others were quicker each time. */
  | { readonly reason: "busy" };

/** Public keys of the proxy's callers; what each method promises is said where they are kept. */
export interface PublicKeys {
  register(key: PublicKey): Promise<PublicKey>;
  get(tenantId: string, id: string): Promise<PublicKey | null>;
  count(tenantId: string, apiKeyId: string): Promise<number>;
  page(tenantId: string, request: PageRequest): Promise<Page<PublicKey>>;
  remove(tenantId: string, id: string): Promise<boolean>;
}

/** What a sealed text belongs to; it opens for nothing else. */
export interface SealBinding {
  readonly tenantId: string;
  /** The id of the record that holds it. */
  readonly recordId: string;
  readonly purpose: "destination-secrets" | "signing-secret" | "source-secrets" | "credential";
}

/** Something that a person did to the relay, for the tenant's own stream. Holds no secret. */
export interface AdministrativeAct {
  readonly tenantId: string;
  /** The key that did it, or `operator`. */
  readonly actorId: string;
  /** Like `siem.create`. */
  readonly action: string;
  readonly resourceType:
    | "siem_destination"
    | "api_key"
    | "source"
    | "console_session"
    | "credential"
    | "public_key";
  readonly resourceId: string;
  /** `SUCCESS` when absent. */
  readonly outcome?: "SUCCESS" | "FAILURE" | "DENIED";
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Why an action goes where it goes. */
export interface RouteExplanation {
  readonly wanted: boolean;
  readonly index: string | null;
  readonly route: { readonly position: number; readonly match: string; readonly enabled: boolean } | null;
  readonly hasRoutes: boolean;
}

/** One line of the log: what happened, and plain facts about it. */
export type Log = (
  level: "debug" | "info" | "warn" | "error",
  what: string,
  facts: Readonly<Record<string, unknown>>,
) => void;

/** Somebody signed in to the console; an operator has no key. */
export interface SignedIn {
  readonly session: Session;
  readonly key: Extract<Principal, { readonly kind: "key" }> | null;
}

export interface ConsoleSessions {
  /** @returns the session and its cookie's value, or null for a key or token that is not accepted */
  signIn(credential: string): Promise<(SignedIn & { readonly value: string }) | null>;
  /** Who a request's cookie belongs to; null for nobody, or no longer. */
  resume(headers: Headers): Promise<SignedIn | null>;
  /** Whether a request that changes something came from the console's own page. */
  isOwn(signedIn: SignedIn, headers: Headers): boolean;
  enter(session: Session, tenantId: string | null): Promise<void>;
  signOut(session: Session): Promise<void>;
  /** @returns how many sessions ended */
  signOutEverywhere(session: Session): Promise<number>;
}

/** Everything that the endpoints may do to the world. */
export interface ApiDeps {
  readonly now: Clock;
  /** Resolves after that time; injected so that a test of a slow lane need not wait. */
  sleep(duration: DurationMs): Promise<void>;
  /** Like `https://relay.example.com`, without a slash at the end. */
  readonly publicUrl: string;
  readonly log: Log;

  /** Who is asking, by `X-API-Key` or `Authorization: Bearer`; null for nobody we know. Rejects when it cannot tell. */
  authenticate(headers: Headers): Promise<Principal | null>;
  readonly sessions: ConsoleSessions;
  /** What somebody signed in is for an endpoint, which may be the operator's. */
  principalOf(signedIn: SignedIn, isForOperator: boolean): Principal;
  /** The `Set-Cookie` that starts a session, or with null ends it. */
  sessionCookie(value: string | null): string;
  /** Set where requests are rationed; a refusal is answered as it is. */
  admit?(principal: Principal): Refusal | null;
  hasScope(principal: Principal, scope: Scope): boolean;
  mayGrant(own: readonly Scope[], asked: readonly Scope[]): boolean;
  mintKey(): { readonly key: string; readonly hash: string; readonly prefix: string };
  mintSigningSecret(): string;
  /** Rejects with `Unavailable` while nothing can be sealed. */
  seal(binding: SealBinding, plaintext: string): Promise<string>;
  /** An error is for ever: the text is not what was sealed. Rejects with `Unavailable` while nobody can tell. */
  open(binding: SealBinding, sealed: string): Promise<Result<string, unknown>>;
  /** Called after a key was made or revoked here, so that this isolate forgets what it believed. */
  keysChanged(): void;

  readonly tenants: Tenants;
  readonly keys: Keys;
  readonly destinations: Destinations;
  readonly credentials: Credentials;
  lanes(destination: LaneOwner): DestinationCalls;

  readonly sources: Sources;
  pollers(tenantId: string, sourceId: string): PollerCalls;
  /** By which a source is found; in the same order. */
  secretMacs(secrets: readonly string[]): Promise<readonly string[]>;
  /** For a header as well as for a URL. */
  mintSourceSecret(): string;
  /** Called after a source was changed here, so that this isolate forgets what it believed. */
  sourcesChanged(): void;
  /** Proves the sender, and makes the alert an incident. */
  receiveAlert(request: AlertRequest): Promise<Result<TakenAlert, Refusal>>;
  /** What an alert would say by the source's mappings. */
  previewAlert(source: Source, body: unknown): Result<IncidentDraft, Refusal>;

  readonly incidents: Incidents;
  /** Counts alerts of one source, all or none, and tells of them; what became of each, in the same order. */
  raiseIncidents(
    source: Pick<Source, "id" | "tenantId" | "name" | "kind">,
    drafts: readonly IncidentDraft[],
  ): Promise<readonly RaisedIncident[]>;
  /** Changes an incident and tells of it. */
  changeIncident(
    name: { readonly tenantId: string; readonly id: string },
    wanted: WantedIncident,
  ): Promise<Result<Incident, IncidentRefusal>>;

  ingest(request: IngestRequest): Promise<Result<IngestReceipt, Refusal>>;
  /** Whether this relay has given the batch id to this tenant, told from the id alone. */
  ownsBatchId(tenantId: string, batchId: string): Promise<boolean>;

  readonly providers: readonly Provider[];
  /** Whether a destination may be there at all; the error is one sentence for the caller. */
  checkEndpoint(url: string): Result<URL, string>;
  /** Where an action would go by these routes, and why. */
  explain(routes: Routes, action: string): RouteExplanation;
  /** A connection test in stages. */
  diagnose(connector: Connector, tenantId: string): Promise<TestReport>;

  readonly publicKeys: PublicKeys;
  /** The tenant's keys that envelopes are verified with, newest first, made at first need. The error is for the log. */
  verificationKeys(tenantId: string): Promise<Result<readonly VerificationKey[], string>>;
  /** One provider call now, answered in an envelope. Goes on to its end though the caller may leave. */
  proxy(call: ProxyCall): Promise<Result<HybridCryptoEnvelope, Refusal>>;

  /** Puts an administrative act on the tenant's stream. Must not reject: the act has already happened. */
  record(act: AdministrativeAct): Promise<void>;
  /** A file of the console by its name, or null. */
  consoleFile(name: string): Promise<ReadableStream | null>;
  readiness(): Promise<Readiness>;
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly latencyMs: number }[];
}

export interface ApiEnv {
  Variables: {
    requestId: string;
    /** Set by the guard before any handler that is not public runs. */
    principal: Principal | null;
  };
}

export type ApiContext = Context<ApiEnv>;
