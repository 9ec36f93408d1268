/**
 * The composition root: `Env` → checked configuration → what every stage and endpoint asks for.
 * The only file that knows all folders.
 */
import { waitUntil } from "cloudflare:workers";
import { bearerToken, mintKey, mintSigningSecret, presentedKey } from "./access/api-key.ts";
import { createKeyring } from "./access/keyring.ts";
import { operatorPrincipal } from "./access/operator.ts";
import { hasScope, mayGrant } from "./access/scope.ts";
import { sessionCookie } from "./access/session.ts";
import { createSessions, principalOf } from "./access/sessions.ts";
import type { AdministrativeAct, ApiDeps } from "./api/context.ts";
import { randomBytes } from "./base/bytes.ts";
import { type Clock, type DurationMs, isoTime, systemClock } from "./base/clock.ts";
import { ID_PREFIX, newId, uuidV7 } from "./base/ids.ts";
import { withIntegrityHash } from "./base/json.ts";
import type { Result } from "./base/result.ts";
import { type Config, parseConfig } from "./config.ts";
import { checkEndpoint } from "./egress/guard.ts";
import { createSend } from "./egress/send.ts";
import { ownsBatchId } from "./flow/accept/idempotency.ts";
import { diagnose } from "./flow/deliver/probe.ts";
import { GroupCommit } from "./flow/queue/commit.ts";
import { type ProduceDeps, produce } from "./flow/queue/produce.ts";
import { explain } from "./flow/route/match.ts";
import { changeIncident, countUntold, raiseIncidents } from "./incidents.ts";
import { laneGroup } from "./lane-group.ts";
import type { Destination, StatusReason } from "./model/destination.ts";
import type { RelayEvent } from "./model/event.ts";
import type { Send } from "./model/http.ts";
import type { DestinationCalls, LaneCalls } from "./model/lane.ts";
import { writeLines } from "./model/lines.ts";
import type { Connector } from "./model/provider.ts";
import { type LaneOwner, laneName, lanesEver, shardsOf } from "./model/shards.ts";
import type { PollerCalls } from "./model/source.ts";
import { checkReadiness } from "./observe/health.ts";
import { createLog, type Log } from "./observe/log.ts";
import { scrape } from "./observe/metrics.ts";
import { ingest, type StrandDeps } from "./pipeline.ts";
import type { RemindDeps } from "./pollers.ts";
import { findProvider, PROVIDERS } from "./providers/registry.ts";
import { queueFor, queuesOf } from "./queues.ts";
import { createApiKeyStore } from "./store/api-keys.ts";
import { createCredentialStore } from "./store/credentials.ts";
import { createDestinationStore } from "./store/destinations.ts";
import { fanOutReader } from "./store/fan-out.ts";
import { createSessionStore } from "./store/sessions.ts";
import { createStrandedStore } from "./store/stranded.ts";
import { createTenantStore } from "./store/tenants.ts";
import { type IncidentDeps, incidentDeps } from "./wire-incidents.ts";
import { type PollerDeps, pollerDeps, remindDeps } from "./wire-poller.ts";
import { proxyApi } from "./wire-proxy.ts";
import { sourceDeps } from "./wire-sources.ts";
import {
  type ConnectFault,
  connectDestination,
  secretsToCallWith,
  type WiredVault,
  wireVault,
} from "./wire-vault.ts";

/** What a lane may do to the world outside its own storage. */
export interface LaneDeps {
  readonly now: Clock;
  readonly send: Send;
  sleep(duration: DurationMs): Promise<void>;
  readDestination(tenantId: string, id: string): Promise<Destination | null>;
  /** Settings and opened secrets as a connector. */
  connect(destination: Destination, slot?: "present" | "previous"): Promise<Result<Connector, ConnectFault>>;
  reportStatus(
    tenantId: string,
    id: string,
    health: { readonly status: Destination["status"]; readonly reason: StatusReason | null },
  ): Promise<void>;
  forgetDestination(tenantId: string, id: string): Promise<void>;
  /** Puts something that the relay noticed by itself on the tenant's stream. Never rejects. */
  announce(
    tenantId: string,
    notice: {
      readonly action: string;
      readonly resourceId: string;
      readonly metadata: Readonly<Record<string, unknown>>;
    },
  ): Promise<void>;
  log(what: string, facts: Readonly<Record<string, unknown>>): void;
}

/** What is made once for each isolate. */
interface Common {
  readonly config: Config;
  readonly vault: WiredVault;
  readonly log: Log;
}

let common: Common | null = null;

/** One for the isolate: what it is there for is that requests share it. */
const commits = new GroupCommit({ sleep: (duration) => scheduler.wait(duration), keep: waitUntil });

/** @throws when the deployment's settings are wrong; the message names them, never their values */
function commonOf(env: Env): Common {
  if (common !== null) return common;
  const config = parseConfig(env);
  const log = createLog(config.logLevel);
  common = { config, vault: wireVault(env, { config, send: sendOf(config, []), log }), log };
  return common;
}

/** @param shard which of its destination's lanes it is */
export function laneDeps(env: Env, shard: number): LaneDeps {
  const { config, vault, log } = commonOf(env);
  const destinations = createDestinationStore(env.DB);
  return {
    now: systemClock,
    send: sendOf(config, []),
    sleep: (duration) => scheduler.wait(duration),
    readDestination: (tenantId, id) => destinations.get(tenantId, id),
    connect: (destination, slot) =>
      connectDestination(destination, findProvider(destination.provider), vault.open, slot, shard),
    reportStatus: (tenantId, id, health) => destinations.reportStatus(tenantId, id, shard, health),
    forgetDestination: (tenantId, id) => destinations.remove(tenantId, id),
    announce: (tenantId, { action, resourceId, metadata }) => {
      const fields = {
        actor_type: "SYSTEM",
        action,
        resource_type: "siem_destination",
        resource_id: resourceId,
        metadata,
      };
      return enqueue(tenantId, fields, produceDepsOf(env), log);
    },
    log: (what, facts) =>
      log(isTrouble(what) ? "error" : "info", what, shard === 0 ? facts : { ...facts, shard }),
  };
}

export function pipelineDeps(env: Env): StrandDeps {
  const { log } = commonOf(env);
  const destinations = createDestinationStore(env.DB);
  return {
    now: systemClock,
    destinations: fanOutReader(destinations),
    lane: (tenantId, destinationId, shard) => laneOf(env, tenantId, destinationId, shard),
    stranded: createStrandedStore(env.DB),
    log: (what, facts) => log("error", what, facts),
  };
}

/** For the schedule. */
export function rewrapKeys(env: Env): Promise<void> {
  return commonOf(env).vault.rewrap();
}

/** For the schedule and for pollers. */
export function incidentDepsOf(env: Env): IncidentDeps {
  const { log } = commonOf(env);
  return incidentDeps(env, { ...produceDepsOf(env), log });
}

export function pollerDepsOf(env: Env): PollerDeps {
  const { config, vault, log } = commonOf(env);
  return pollerDeps(env, {
    now: systemClock,
    send: sendOf(config, []),
    log,
    raising: incidentDepsOf(env),
    open: ({ tenantId, id, sealedSecrets }) =>
      vault.open({ tenantId, recordId: id, purpose: "source-secrets" }, sealedSecrets),
  });
}

/** For the schedule. */
export function remindDepsOf(env: Env): RemindDeps {
  const poller: RemindDeps["poller"] = (tenantId, sourceId) => pollerOf(env, tenantId, sourceId);
  return remindDeps(env, { log: commonOf(env).log, poller });
}

/** @param origin where the relay was asked, for links and for refusing to send to itself */
export function apiDeps(env: Env, origin: string): ApiDeps {
  const { config, vault, log } = commonOf(env);
  const destinations = createDestinationStore(env.DB);
  const keys = createApiKeyStore(env.DB);
  const stranded = createStrandedStore(env.DB);
  const publicUrl = config.publicUrl ?? origin;
  const ownHosts = [new URL(publicUrl).host, new URL(origin).host];
  const isSecure = publicUrl.startsWith("https:");
  const send = sendOf(config, ownHosts);
  const { seal, openOrReject: open } = vault;
  const keyring = createKeyring({
    now: systemClock,
    find: (hash) => keys.findByHash(hash),
    open: ({ tenantId, id }, sealed) => open({ tenantId, recordId: id, purpose: "signing-secret" }, sealed),
  });
  const produceDeps = produceDepsOf(env);
  const batchTagKey = () => vault.relayKeys.derive("batch-tag/v1");
  const incidents = incidentDeps(env, { ...produceDeps, log });
  const raise: ApiDeps["raiseIncidents"] = (source, drafts) => raiseIncidents(source, drafts, incidents);
  const sleep = (duration: DurationMs): Promise<void> => scheduler.wait(duration);
  return {
    now: systemClock,
    publicUrl,
    sleep,
    log,
    async authenticate(headers) {
      const operator = operatorPrincipal(config.adminToken, bearerToken(headers));
      if (operator !== null) return operator;
      const key = presentedKey(headers);
      if (key === null) return null;
      const found = await keyring.authenticate(key);
      if (!found.ok && found.error.reason === "secret_unavailable") {
        throw new Error("The key's signing secret does not open"); // the relay's trouble, not a stranger's: 503
      }
      return found.ok ? found.value : null;
    },
    sessions: createSessions({
      now: systemClock,
      isSecure,
      store: createSessionStore(env.DB),
      keyOf: (hash) => keyring.authenticateHash(hash),
      nameOf: async (hash) => (await keys.findByHash(hash))?.name ?? null,
      isOperator: (token) => operatorPrincipal(config.adminToken, token) !== null,
    }),
    principalOf,
    sessionCookie: (value) => sessionCookie(value, isSecure),
    hasScope,
    mayGrant,
    mintKey,
    mintSigningSecret,
    seal,
    open,
    keysChanged: () => keyring.forget(),
    tenants: createTenantStore(env.DB),
    keys,
    destinations,
    credentials: createCredentialStore(env.DB),
    lanes: (destination) => lanesOf(env, destination),
    ...sourceDeps(env, {
      open,
      log,
      raiseIncidents: raise,
      lookupKey: () => vault.relayKeys.derive("source-secret/v1"),
    }),
    pollers: (tenantId, sourceId) => pollerOf(env, tenantId, sourceId),
    incidents: incidents.incidents,
    raiseIncidents: raise,
    changeIncident: (name, wanted) => changeIncident(name, wanted, incidents),
    // In memory after the isolate's first request.
    ingest: async (request) =>
      ingest(request, {
        now: systemClock,
        produce: (outgoing) => commits.produce(outgoing, produceDeps),
        random: randomBytes,
        batchTagKey: await batchTagKey(),
      }),
    ownsBatchId: async (tenantId, batchId) => ownsBatchId(tenantId, batchId, await batchTagKey()),
    providers: PROVIDERS,
    checkEndpoint: (url) => checkEndpoint(url, { allowInsecure: config.allowInsecureDestinations, ownHosts }),
    explain,
    diagnose: (connector, tenantId) =>
      diagnose(connector, relayEvent(tenantId, { action: "siem.test_connection", actor_type: "SYSTEM" }), {
        now: systemClock,
        send,
      }),
    record: (act) => record(act, produceDeps, log),
    ...proxyApi(env, {
      now: systemClock,
      providers: PROVIDERS,
      destinations,
      send,
      log,
      record: (act) => record(act, produceDeps, log),
      signingKeys: vault.signingKeys,
      openSecrets: (destination) =>
        secretsToCallWith(destination, findProvider(destination.provider), vault.open, systemClock()),
    }),
    async consoleFile(name) {
      const found = await env.ASSETS.fetch(new URL(name, origin));
      return found.ok ? found.body : null;
    },
    readiness: () =>
      checkReadiness({
        now: systemClock,
        sleep,
        complain: (check, error) => log("error", "readiness.failed", { check, error }),
        checks: {
          database: () => stranded.count(),
          queue: () => Promise.all(queuesOf(env).map((queue) => queue.metrics())),
          lanes: () => laneOf(env, "readiness", "probe", 0).report(),
        },
      }),
    metrics: () =>
      scrape({
        now: systemClock,
        sleep,
        destinations: (request) => destinations.allIds(request),
        report: (destination) => lanesOf(env, destination).report(),
        stranded: () => stranded.count(),
        untold: () => countUntold(incidents),
        toRewrap: () => vault.countToRewrap(),
      }),
  };
}

function produceDepsOf(env: Env): ProduceDeps & { readonly now: Clock } {
  const queues = queuesOf(env);
  return {
    now: systemClock,
    sendBatch: (messages, batchId) => queueFor(queues, batchId).sendBatch([...messages]),
  };
}

/** One object a lane. The tenant is part of its name, so that a wrong id can never reach another tenant's lane. */
function laneOf(env: Env, tenantId: string, destinationId: string, shard: number): LaneCalls {
  return objectOf(env, env.LANES, laneName(tenantId, destinationId, shard));
}

/** Those out of use too: they may still hold something. */
function lanesOf(env: Env, destination: LaneOwner): DestinationCalls {
  const { tenantId, id, config } = destination;
  const lanes = Array.from({ length: lanesEver(destination) }, (_, shard) =>
    laneOf(env, tenantId, id, shard),
  );
  return laneGroup(lanes, shardsOf(config));
}

/** The same for a polled source. */
export function pollerOf(env: Env, tenantId: string, sourceId: string): PollerCalls {
  const poller = objectOf(env, env.POLLERS, `${tenantId}/${sourceId}`);
  return {
    configure: (...about) => poller.configure(...about),
    pollNow: () => poller.pollNow(),
    report: () => poller.report(),
    test: () => poller.examine(),
  };
}

/** Where the deployment keeps its objects: a jurisdiction is part of an object's identity, a hint counts when it is made. */
function objectOf<T extends Rpc.DurableObjectBranded>(
  env: Env,
  objects: DurableObjectNamespace<T>,
  name: string,
): DurableObjectStub<T> {
  const { laneJurisdiction, laneLocationHint } = commonOf(env).config;
  const namespace = laneJurisdiction === null ? objects : objects.jurisdiction(laneJurisdiction);
  return laneLocationHint === null
    ? namespace.getByName(name)
    : namespace.getByName(name, { locationHint: laneLocationHint });
}

function sendOf(config: Config, ownHosts: readonly string[]): Send {
  return createSend({
    fetch: (input, init) => fetch(input, init),
    now: systemClock,
    guard: (url) => checkEndpoint(url, { allowInsecure: config.allowInsecureDestinations, ownHosts }),
  });
}

/** An event of the relay itself, complete like any other. */
function relayEvent(tenantId: string, fields: Readonly<Record<string, unknown>>): RelayEvent {
  const at = systemClock();
  const id = ID_PREFIX.event + uuidV7(at, randomBytes(10));
  const action = String(fields["action"]);
  const event = {
    id,
    timestamp: isoTime(at),
    tenant_id: tenantId,
    service: "sluice",
    outcome: "SUCCESS",
    ...fields,
  };
  return { id, at, action, json: withIntegrityHash(event) };
}

/** Puts an administrative act on the tenant's stream. */
function record(act: AdministrativeAct, deps: ProduceDeps, log: Log): Promise<void> {
  const { tenantId, actorId, action, resourceType, resourceId, outcome = "SUCCESS", metadata } = act;
  const actorType = actorId === "operator" ? "OPERATOR" : "API_KEY";
  const actor = { actor_type: actorType, actor_id: actorId, outcome };
  return enqueue(
    tenantId,
    { ...actor, action, resource_type: resourceType, resource_id: resourceId, metadata },
    deps,
    log,
  );
}

/** An event of the relay's own. What it tells of has happened already, so a full queue only costs the telling, and is logged. */
async function enqueue(
  tenantId: string,
  fields: Readonly<Record<string, unknown>>,
  deps: ProduceDeps,
  log: Log,
): Promise<void> {
  const acceptedAt = systemClock();
  const batchId = newId(ID_PREFIX.batch, acceptedAt);
  try {
    const lines = writeLines([relayEvent(tenantId, fields)]);
    if (await produce({ tenantId, batchId, acceptedAt, lines }, deps)) return;
    log("error", "act.unrecorded", { tenant_id: tenantId, action: fields["action"] });
  } catch (error) {
    log("error", "act.unrecorded", { tenant_id: tenantId, action: fields["action"], error });
  }
}

/** Lines of a lane that a person should see, apart from the ordinary ones. */
function isTrouble(what: string): boolean {
  return what !== "delivery.attempted";
}
