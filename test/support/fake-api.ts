import { sessionCookie } from "../../src/access/session.ts";
import { createSessions, principalOf } from "../../src/access/sessions.ts";
import { createSourceRing, type SourceRing } from "../../src/access/source-ring.ts";
import { secretMac } from "../../src/access/source-secret.ts";
import { previewAlert, receiveAlert } from "../../src/alerts.ts";
import { createApi } from "../../src/api/app.ts";
import type { AdministrativeAct, ApiDeps } from "../../src/api/context.ts";
import { sha256Hex } from "../../src/base/bytes.ts";
import { err, ok } from "../../src/base/result.ts";
import { explain } from "../../src/flow/route/match.ts";
import type { HybridCryptoEnvelope } from "../../src/model/envelope.ts";
import type { IngestReceipt, IngestRequest, Refusal } from "../../src/model/ingest.ts";
import type { TestReport } from "../../src/model/probe.ts";
import type { ProxyCall } from "../../src/model/proxy.ts";
import type { Principal, Scope } from "../../src/model/tenant.ts";
import { FakeIncidents } from "./fake-incidents.ts";
import { FakeLane } from "./fake-lane.ts";
import { FAKE_PROVIDERS } from "./fake-providers.ts";
import { FakePoller, FakeSources } from "./fake-sources.ts";
import {
  FakeCredentials,
  FakeDestinations,
  FakeKeys,
  FakePublicKeys,
  FakeSessions,
  FakeTenants,
} from "./fake-stores.ts";

export const NOW = Date.parse("2026-06-30T12:00:00.000Z");
export const ADMIN_TOKEN = "operator-token";

const WORKING: TestReport = {
  ok: true,
  latencyMs: 12,
  httpStatus: 200,
  providerCode: 0,
  message: "Success",
  hint: null,
  acknowledgement: "on",
  checks: [{ name: "token", ok: true, detail: "The token is accepted" }],
};

/** The application over memory, with everything that a test may look at or change. */
export class FakeApi {
  at = NOW;
  readonly tenants = new FakeTenants();
  readonly keys = new FakeKeys();
  readonly destinations = new FakeDestinations();
  readonly credentials = new FakeCredentials(this.destinations);
  readonly publicKeys = new FakePublicKeys();
  readonly called: ProxyCall[] = [];
  proxyAnswer: HybridCryptoEnvelope | Refusal = { code: "conflict", detail: "No proxy in this test." };
  readonly sessions = new FakeSessions();
  readonly incidents = new FakeIncidents();
  readonly sources = new FakeSources();
  readonly pollers = new Map<string, FakePoller>();
  readonly principals = new Map<string, Principal>();
  readonly lanes = new Map<string, FakeLane>();
  readonly ingested: IngestRequest[] = [];
  readonly acts: AdministrativeAct[] = [];
  readonly logged: { level: string; what: string; facts: Readonly<Record<string, unknown>> }[] = [];
  readonly batches = new Map<string, string>();
  report: TestReport = WORKING;
  ingestAnswer: IngestReceipt | Refusal = { accepted: 1, ids: ["evt_1"], batchId: "bat_1", rejected: [] };
  readonly deps: ApiDeps;
  readonly #app: ReturnType<typeof createApi>;
  #minted = 0;

  constructor(overrides: Partial<ApiDeps> = {}) {
    this.deps = { ...this.#makeDeps(), ...overrides };
    this.#app = createApi(this.deps);
  }

  /** A key of that tenant with those scopes; its text names both. */
  key(tenantId: string, scopes: readonly Scope[] = ["*"]): string {
    const key = `sl_live_${tenantId}_${scopes.join("+")}`;
    this.principals.set(key, {
      kind: "key",
      keyId: `key_${tenantId}`,
      tenantId,
      scopes,
      signingSecret: null,
    });
    return key;
  }

  lane(tenantId: string, destinationId: string): FakeLane {
    const name = `${tenantId}/${destinationId}`;
    const lane = this.lanes.get(name) ?? new FakeLane();
    this.lanes.set(name, lane);
    return lane;
  }

  poller(tenantId: string, sourceId: string): FakePoller {
    const name = `${tenantId}/${sourceId}`;
    const poller = this.pollers.get(name) ?? new FakePoller();
    this.pollers.set(name, poller);
    return poller;
  }

  /** A request as `curl` makes it: a body that is no text is sent as JSON. */
  async fetch(method: string, path: string, options: FetchOptions = {}): Promise<Response> {
    const { key, body, headers } = options;
    const isText = typeof body === "string" || body instanceof Uint8Array;
    return this.#app.request(`https://relay.example.com${path}`, {
      method,
      headers: {
        ...(key === undefined ? {} : { "X-API-Key": key }),
        ...(body === undefined || isText ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isText ? (body as BodyInit) : JSON.stringify(body) }),
    });
  }

  /** The same, and the answer's JSON. */
  async json(method: string, path: string, options: FetchOptions = {}): Promise<JsonAnswer> {
    const response = await this.fetch(method, path, options);
    const text = await response.text();
    const body: unknown = text === "" ? null : JSON.parse(text);
    return { status: response.status, headers: response.headers, text, body: body as JsonAnswer["body"] };
  }

  #makeDeps(): ApiDeps {
    return {
      now: () => this.at,
      sleep: () => new Promise((resolve) => setTimeout(resolve, 20)),
      publicUrl: "https://relay.example.com",
      log: (level, what, facts) => this.logged.push({ level, what, facts }),
      authenticate: async (headers) => {
        const bearer = headers.get("authorization")?.replace(/^Bearer /i, "");
        if (bearer === ADMIN_TOKEN) return { kind: "operator" };
        return this.principals.get(headers.get("x-api-key") ?? bearer ?? "") ?? null;
      },
      sessions: createSessions({
        now: () => this.at,
        isSecure: true,
        store: this.sessions,
        keyOf: async (hash) => {
          const found = [...this.principals].find(([key]) => sha256Hex(key) === hash)?.[1];
          return found?.kind === "key" ? ok(found) : err("unknown");
        },
        nameOf: async () => "SOC key",
        isOperator: (token) => token === ADMIN_TOKEN,
      }),
      principalOf,
      sessionCookie: (value) => sessionCookie(value, true),
      hasScope: (principal, scope) =>
        principal.kind === "key" && (principal.scopes.includes("*") || principal.scopes.includes(scope)),
      mayGrant: (own, asked) => own.includes("*") || asked.every((scope) => own.includes(scope)),
      mintKey: () => {
        this.#minted += 1;
        return {
          key: `sl_live_minted${this.#minted}`,
          hash: `hash${this.#minted}`,
          prefix: "sl_live_mint",
        };
      },
      mintSigningSecret: () => "whsec_c2lnbmluZy1zZWNyZXQ=",
      seal: async (binding, plaintext) => `sealed:${btoa(JSON.stringify([binding, plaintext]))}`,
      open: async (binding, sealed) => {
        const [bound, plaintext] = JSON.parse(atob(sealed.slice("sealed:".length))) as [unknown, string];
        return JSON.stringify(bound) === JSON.stringify(binding) ? ok(plaintext) : err("wrong binding");
      },
      keysChanged: () => undefined,
      tenants: this.tenants,
      keys: this.keys,
      destinations: this.destinations,
      credentials: this.credentials,
      lanes: ({ tenantId, id }) => this.lane(tenantId, id),
      ...this.#makeSourceDeps(),
      incidents: this.incidents,
      raiseIncidents: (source, drafts) => this.incidents.raise(source.id, drafts),
      changeIncident: (name, wanted) => this.incidents.change(name, wanted),
      ingest: async (request) => {
        this.ingested.push(request);
        return "code" in this.ingestAnswer ? err(this.ingestAnswer) : ok(this.ingestAnswer);
      },
      ownsBatchId: async (tenantId, batchId) => this.batches.get(batchId) === tenantId,
      providers: FAKE_PROVIDERS,
      checkEndpoint: (url) => {
        if (!URL.canParse(url)) return err("Expected a URL");
        const { protocol, hostname } = new URL(url);
        if (protocol !== "https:") return err("Expected an https:// URL");
        return hostname === "127.0.0.1" ? err("Expected a public host") : ok(new URL(url));
      },
      explain,
      diagnose: async () => this.report,
      publicKeys: this.publicKeys,
      verificationKeys: async () => ok([{ keyId: "sig_1", publicKey: "AAAA", createdAt: NOW }]),
      proxy: async (call) => {
        this.called.push(call);
        return "code" in this.proxyAnswer ? err(this.proxyAnswer) : ok(this.proxyAnswer);
      },
      record: async (act) => {
        this.acts.push(act);
      },
      consoleFile: async (name) => (name === "index.html" ? new Blob(["<!doctype html>"]).stream() : null),
      readiness: async () => ({ ready: true, checks: [{ name: "database", ok: true, latencyMs: 1 }] }),
      metrics: async () => "# TYPE sluice_stranded_messages gauge\nsluice_stranded_messages 0\n",
    };
  }

  /** The real way in, over sources and incidents in memory. */
  #makeSourceDeps() {
    const ring: SourceRing = createSourceRing({
      now: () => this.at,
      findById: (id) => this.sources.findById(id),
      findByMacs: (macs) => this.sources.findByMacs(macs),
      open: ({ tenantId, id, sealedSecrets }) =>
        this.deps.open({ tenantId, recordId: id, purpose: "source-secrets" }, sealedSecrets),
    });
    const secretMacs = async (secrets: readonly string[]) =>
      secrets.map((secret) => secretMac(new Uint8Array(32), secret));
    return {
      sources: this.sources,
      pollers: (tenantId: string, sourceId: string) => this.poller(tenantId, sourceId),
      secretMacs,
      mintSourceSecret: () => {
        this.#minted += 1;
        return `slsec_minted${this.#minted}`;
      },
      sourcesChanged: () => ring.forget(),
      receiveAlert: (request) =>
        receiveAlert(request, {
          now: () => this.at,
          sources: ring,
          secretMacs,
          raise: (source, drafts) => this.deps.raiseIncidents(source, drafts),
          log: (what, facts) => this.logged.push({ level: "error", what, facts }),
        }),
      previewAlert: (source, body) => previewAlert(source, body, this.at),
    } satisfies Partial<ApiDeps>;
  }
}

export interface FetchOptions {
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Loosely typed: what a field holds is what the test is about. */
  readonly body: Readonly<Record<string, unknown>> & {
    readonly data: readonly Readonly<Record<string, unknown>>[];
    readonly errors: readonly { readonly path: string; readonly message: string }[];
  };
}
