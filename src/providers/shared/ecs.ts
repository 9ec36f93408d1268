import { byteLength } from "../../base/bytes.ts";
import { type EpochMs, isoTime } from "../../base/clock.ts";
import { parseJson } from "../../base/json.ts";
import type { RelayEvent } from "../../model/event.ts";

/**
 * An audit event as a document of the Elastic Common Schema.
 *
 * The schema's fields are copies for searching and correlating; the event itself stands under `sluice` as the
 * text that it is, so that numbers, order and the integrity hash survive. A value is copied only where its form
 * is certain to fit the schema's type, because Elastic refuses the whole document otherwise.
 *
 * @see https://github.com/elastic/ecs/blob/v9.4.0/schemas/event.yml (read 2026-11)
 */

export const ECS_VERSION = "9.4.0";

type Category = "api" | "authentication" | "configuration" | "iam";
type Type =
  | "access"
  | "change"
  | "creation"
  | "deletion"
  | "denied"
  | "end"
  | "group"
  | "info"
  | "start"
  | "user";

interface Categories {
  readonly category?: readonly Category[];
  readonly type?: readonly Type[];
}

// --- What an action is ----------------------------------------------------------------------------------

interface Family {
  readonly when: RegExp;
  readonly category: Category;
  /** Whom or what it is about, or what it always is; `verb` adds a type by the action's last word. */
  readonly type: Type | null;
  readonly verb: boolean;
}

/** The first that fits decides. Actions of no family get neither category nor type: a wrong one misleads every rule built on it. */
// biome-ignore format: a table is read by rows
const FAMILIES: readonly Family[] = [
  { when: /^(?:user|auth|session|console)\.(?:log|sign)[-_]?(?:in|on)\b/, category: "authentication", type: "start", verb: false },
  { when: /^(?:user|auth|session|console)\.(?:log|sign)[-_]?(?:out|off)(?:\b|_)/, category: "authentication", type: "end", verb: false },
  { when: /^console\./, category: "authentication", type: "info", verb: false },
  { when: /^(?:user|auth|organization\.(?:invitation|member))\./, category: "iam", type: "user", verb: true },
  { when: /^(?:group|team)\./, category: "iam", type: "group", verb: true },
  { when: /^(?:role|permission|(?:api|public)[-_]key)\./, category: "iam", type: null, verb: true },
  { when: /^(?:api|proxy)\./, category: "api", type: "access", verb: false },
  { when: /^(?:organization|scan|siem|vault|config|configuration|setting|settings|policy|integration|source)\./, category: "configuration", type: null, verb: true },
];

/** By the last word of an action, `update_role` counting as `update`. */
const VERBS: readonly (readonly [when: RegExp, type: Type])[] = [
  [/^(?:create|add|invite|issue|register|seal|import)(?:_|-|$)/, "creation"],
  [/^(?:delete|remove|revoke|destroy|purge|discard)(?:_|-|$)/, "deletion"],
  [
    /^(?:update|change|edit|rename|set|reset|rotate|enable|disable|activate|deactivate|suspend|restore|lock|unlock|assign|unassign|grant|configure|schedule|unschedule)(?:_|-|$)/,
    "change",
  ],
  [/^(?:read|view|get|list|export|download|unseal)(?:_|-|$)/, "access"],
];

const DENIAL = /\.(?:deny|denied)$/;

/** Each category allows only some types (`expected_event_types` of the schema): `iam` no access, and only `api` a denial. */
export function categoriesOf(action: string, outcome: unknown): Categories {
  const isDenied = DENIAL.test(action) || outcome === "DENIED";
  const family = FAMILIES.find(({ when }) => when.test(action));
  if (family === undefined) return isDenied ? { type: ["denied"] } : {};
  const { category, type, verb } = family;
  const types: Type[] = type === null ? [] : [type];
  if (verb) types.push(verbType(action, category));
  if (category === "api" && isDenied) types.push("denied");
  return { category: [category], type: types };
}

function verbType(action: string, category: Category): Type {
  const last = action.slice(action.lastIndexOf(".") + 1);
  const type = VERBS.find(([when]) => when.test(last))?.[1] ?? "info";
  return type === "access" && category === "iam" ? "info" : type;
}

function outcomeOf(outcome: unknown): "success" | "failure" | "unknown" {
  if (outcome === "SUCCESS") return "success";
  return outcome === "FAILURE" || outcome === "DENIED" ? "failure" : "unknown";
}

// --- What an event holds --------------------------------------------------------------------------------

type Members = Readonly<Record<string, unknown>>;

const IP_NAMES = ["ip", "source_ip", "sourceIp", "ip_address", "ipAddress", "sourceIPAddress", "client_ip"];
const USER_AGENT_NAMES = ["user_agent", "userAgent"];

/** As the model promises of actors, services and resources. */
const MAX_NAME_CHARACTERS = 256;
/** Longer ones would be stored unindexed all the same (`ignore_above` of the schema's keywords). */
const MAX_USER_AGENT_CHARACTERS = 1_024;

function membersOf(value: unknown): Members {
  // an object that is no array
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}

function textOf(value: unknown, maxCharacters = MAX_NAME_CHARACTERS): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= maxCharacters ? value : undefined;
}

function firstOf<T>(
  members: Members,
  names: readonly string[],
  read: (value: unknown) => T | undefined,
): T | undefined {
  for (const name of names) {
    const found = read(members[name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** One address in its canonical spelling: the schema's type `ip` takes nothing else, and no list of proxies. */
function ipOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  if (IPV4.test(value)) return value;
  if (!/^[0-9a-f:.]{2,45}$/i.test(value) || !value.includes(":")) return undefined;
  return URL.parse(`http://[${value}]/`)?.hostname.slice(1, -1);
}

// --- The document ---------------------------------------------------------------------------------------

/**
 * The document as JSON on one line.
 *
 * `event.ingested` is the time of sending, since the next thing that happens to the document is that it is stored;
 * when the relay accepted the event is not known here, so there is no `event.created`.
 */
export function ecsDocument({ id, at, action, json }: RelayEvent, now: EpochMs): string {
  const parsed = parseJson(json);
  const event = membersOf(parsed.ok ? parsed.value : null);
  const metadata = membersOf(event["metadata"]);
  const actor = textOf(event["actor_id"]);
  const user = (event["actor_type"] ?? "USER") === "USER" ? actor : undefined;
  const target = /^user$/i.test(String(event["resource_type"])) ? textOf(event["resource_id"]) : undefined;
  const users = [...new Set([user, target])].filter((name) => name !== undefined);
  const ip = firstOf(metadata, IP_NAMES, ipOf);
  const userAgent = firstOf(metadata, USER_AGENT_NAMES, (value) => textOf(value, MAX_USER_AGENT_CHARACTERS));
  const service = textOf(event["service"]);
  const tenant = textOf(event["tenant_id"]);
  // What is undefined is left out of the JSON.
  const head = JSON.stringify({
    "@timestamp": isoTime(at),
    ecs: { version: ECS_VERSION },
    event: {
      kind: "event",
      id,
      action,
      ...categoriesOf(action, event["outcome"]),
      outcome: outcomeOf(event["outcome"]),
      dataset: "sluice.audit",
      provider: service,
      ingested: isoTime(now),
    },
    organization: tenant === undefined ? undefined : { id: tenant },
    service: service === undefined ? undefined : { name: service },
    user:
      users.length === 0 ? undefined : { id: user, target: target === undefined ? target : { id: target } },
    source: ip === undefined ? undefined : { ip },
    user_agent: userAgent === undefined ? undefined : { original: userAgent },
    related:
      users.length === 0 && ip === undefined
        ? undefined
        : { user: users.length === 0 ? undefined : users, ip: ip === undefined ? undefined : [ip] },
  });
  return `${head.slice(0, -1)},"sluice":${json}}`;
}

/** Every field set, with values of next to no length. */
const FULLEST = JSON.stringify({
  actor_id: "a",
  resource_type: "user",
  resource_id: "b",
  service: "c",
  tenant_id: "d",
  metadata: { ip: "::", user_agent: "e" },
});
/** Keys and fixed words, two canonical addresses, and years of six digits. */
const FIXED_BYTES =
  byteLength(ecsDocument({ id: "", at: 0, action: "organization.member.", json: FULLEST }, 0)) + 2 * 39 + 32;
/** Actor, resource, service, tenant and user agent, each character at its longest: a `\u` escape. */
const MOST_COPIED_BYTES = 6 * (4 * MAX_NAME_CHARACTERS + MAX_USER_AGENT_CHARACTERS);

/**
 * Bytes around the event's own JSON, at most. A copied value is never longer than it stands in the event, and
 * none is copied more than twice.
 */
export function ecsOverhead({ id, action, json }: RelayEvent): number {
  const copied = Math.min(byteLength(json), MOST_COPIED_BYTES);
  return FIXED_BYTES + 2 * id.length + action.length + 2 * copied;
}
