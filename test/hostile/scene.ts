import { SCOPES } from "../../src/model/tenant.ts";
import type { RelayProcess } from "../node/support/relay.ts";
import { ADMIN_TOKEN } from "../node/support/relay.ts";
import type { Party } from "./shot.ts";
import type { Sink } from "./sink.ts";

/** What each tenant planted: strings that no request ever holds and that nobody else may ever read. */
export const MARKS = {
  attacker: "Qa7MarkOfAttacker",
  victim: "Vx9MarkOfVictim",
} as const;

/** Secrets of destinations. Write-only: not even their owner may ever read them. */
export const CANARIES = {
  attacker: "c4naryTokenOfAttacker00",
  victim: "c4naryTokenOfVictim00",
} as const;

export type Tenant = keyof typeof MARKS;

/** A credential and whose it is. */
export interface Caller {
  readonly name: string;
  readonly party: Party;
  readonly headers: readonly (readonly [string, string])[];
}

/** An operation of `/openapi.json`. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  /** Example of a body, where there is one. */
  readonly examples: readonly unknown[];
  readonly isForOperator: boolean;
}

/** Everything that a generator may point at. */
export interface Scene {
  readonly host: string;
  readonly operations: readonly Operation[];
  readonly sinkUrl: string;
  /** By how often they are used. */
  readonly callers: readonly (readonly [weight: number, caller: Caller])[];
  readonly operator: Caller;
  readonly full: Caller;
  /** Of the attacker. Changed between rounds, because requests delete them. */
  readonly own: Ids;
  readonly foreign: Ids;
  /** Every key and token that is in use: none may come back in an answer. */
  readonly credentials: readonly string[];
}

export interface Ids {
  destinations: readonly string[];
  keys: readonly string[];
  batches: readonly string[];
  tenants: readonly string[];
  cursors: readonly string[];
}

/** Two tenants with everything in place, each with marks in all that it named and sent. */
export async function setScene(relay: RelayProcess, sink: Sink): Promise<Scene> {
  const document = (await (await fetch(`${relay.url}/openapi.json`)).json()) as OpenApi; // read below with care
  const attacker = await plant(relay, sink, "attacker");
  const victim = await plant(relay, sink, "victim");
  const full = bearer("all", "attacker", attacker.key);
  const limited = await Promise.all(
    SCOPES.filter((scope) => scope !== "*").map(async (scope) => {
      const made = await makeKey(relay, attacker.key, { name: `limited ${scope}`, scopes: [scope] });
      return bearer(`only ${scope}`, "attacker", made.key);
    }),
  );
  const signing = await makeKey(relay, attacker.key, {
    name: "signed",
    scopes: ["*"],
    require_signature: true,
  });
  const revoked = await makeKey(relay, attacker.key, { name: "revoked", scopes: ["*"] });
  await relay.call("DELETE", `/v1/keys/${revoked.id}`, { key: attacker.key });
  const operator = bearer("operator", "operator", ADMIN_TOKEN);
  const nobody = [
    { name: "none", party: "nobody", headers: [] },
    bearer("revoked", "nobody", revoked.key),
    bearer("wrong", "nobody", `${attacker.key.slice(0, -1)}_`),
    { name: "basic", party: "nobody", headers: [["Authorization", "Basic c2x1aWNlOmtleQ=="]] },
  ] satisfies Caller[];
  return {
    host: new URL(relay.url).host,
    operations: operationsOf(document),
    sinkUrl: sink.url,
    operator,
    full,
    callers: [
      [60, full],
      [6, bearer("signed", "attacker", signing.key)],
      ...limited.map((caller) => [1, caller] as const),
      [6, bearer("of the victim", "victim", victim.key)],
      [5, operator],
      ...nobody.map((caller) => [2, caller] as const),
    ],
    own: attacker.ids,
    foreign: victim.ids,
    credentials: [attacker.key, victim.key, signing.key, ADMIN_TOKEN],
  };
}

/** Puts back what requests have deleted or bent, and takes away what they have piled up. */
export async function tidyScene(relay: RelayProcess, scene: Scene): Promise<void> {
  const key = (scene.full.headers[0]?.[1] ?? "").slice("Bearer ".length);
  const listed = await relay.call("GET", "/v1/audit/siem?limit=100", { key });
  const all = (listed.body["data"] as { readonly id: string }[] | undefined) ?? [];
  for (const { id } of all) await relay.call("DELETE", `/v1/audit/siem/${id}?force=true`, { key });
  scene.own.destinations = await makeDestinations(relay, key, "attacker", scene.sinkUrl);
  const spare = await makeKey(relay, key, { name: `spare ${MARKS.attacker}`, scopes: ["audit:read"] });
  scene.own.keys = [spare.id];
}

async function plant(relay: RelayProcess, sink: Sink, tenant: Tenant) {
  const mark = MARKS[tenant];
  const made = await relay.call("POST", "/v1/tenants", { body: { name: `${mark} Ltd` } });
  const id = String(made.body["id"]);
  const { body } = await relay.call("POST", `/v1/tenants/${id}/keys`, {
    body: { name: `${mark} first key`, scopes: ["*"] },
  });
  const key = String(body["key"]);
  const spare = await makeKey(relay, key, { name: `${mark} spare key`, scopes: ["events:write"] });
  const destinations = await makeDestinations(relay, key, tenant, sink.url);
  const batches: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const events = [0, 1, 2].map((n) => ({
      id: `${mark}-${round}-${n}`,
      action: "user.login",
      actor_id: `${mark}-actor`,
      metadata: { [`${mark}Field`]: `${mark} value` },
    }));
    const sent = await relay.call("POST", "/v1/audit/events", { key, body: events });
    batches.push(String(sent.body["batch_id"]));
  }
  const cursors = await Promise.all(
    ["/v1/audit/siem", "/v1/keys"].map(async (path) => {
      const page = await relay.call("GET", `${path}?limit=1`, { key });
      return String(page.body["next_cursor"]);
    }),
  );
  const ids: Ids = { destinations, keys: [spare.id], batches, tenants: [id], cursors };
  return { id, key, ids };
}

async function makeDestinations(
  relay: RelayProcess,
  key: string,
  tenant: Tenant,
  sinkUrl: string,
): Promise<readonly string[]> {
  const mark = MARKS[tenant];
  const bodies = [
    {
      provider: "splunk",
      name: `${mark} Splunk`,
      endpoint: `${sinkUrl}/${tenant}/${mark}/services/collector`,
      token: CANARIES[tenant],
      config: { index: mark.toLowerCase(), acknowledge: false },
      routes: [{ match: `${mark.toLowerCase()}.*`, index: mark.toLowerCase() }, { match: "*" }],
    },
    {
      provider: "webhook",
      name: `${mark} webhook`,
      endpoint: `${sinkUrl}/${tenant}/${mark}/hook`,
      secret: CANARIES[tenant],
    },
  ];
  const made = [];
  for (const body of bodies) {
    const answer = await relay.call("POST", "/v1/audit/siem", { key, body });
    if (answer.status !== 201) throw new Error(`No destination: ${JSON.stringify(answer.body)}`);
    made.push(String(answer.body["id"]));
  }
  return made;
}

async function makeKey(
  relay: RelayProcess,
  key: string,
  body: object,
): Promise<{ readonly id: string; readonly key: string }> {
  const made = await relay.call("POST", "/v1/keys", { key, body });
  if (made.status !== 201) throw new Error(`No key: ${JSON.stringify(made.body)}`);
  return { id: String(made.body["id"]), key: String(made.body["key"]) };
}

function bearer(name: string, party: Party, key: string): Caller {
  return { name, party, headers: [["Authorization", `Bearer ${key}`]] };
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
}

interface OpenApiOperation {
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly example?: unknown }>>;
  };
}

function operationsOf(document: OpenApi): readonly Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      examples: Object.values(requestBody?.content ?? {}).flatMap(({ example }) =>
        example === undefined ? [] : [example],
      ),
      isForOperator: security.some((each) => "operator" in each),
    })),
  );
}
