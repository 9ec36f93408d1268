/**
 * Fires alerts as Splunk does: one POST for an alert, or one for each row, and never a second try.
 *
 * The native body is that of Splunk's shipped `alert_webhook/bin/webhook.py`: six keys, the first row, no header of
 * its own beyond the user agent. The template body is what an app with templates and headers sends. Plain code:
 * runs in Node and in workerd alike.
 * @see https://docs.splunk.com/Documentation/Splunk/latest/Alert/Webhooks (read 2026-11)
 */
import type { AlertCall, AlertFiring, FieldValue } from "./control.ts";
import {
  BadInput,
  checkShape,
  flag,
  isRecord,
  number,
  oneOf,
  required,
  type Shape,
  text,
  textMap,
} from "./shape.ts";
import { expand } from "./splunk-alert-tokens.ts";

type AlertRow = Readonly<Record<string, FieldValue>>;

/** Of the set-up page. `$job.searchId$` is no token of Splunk's, and arrives as it stands. */
export const ALERT_TEMPLATE = `{
  "search_name": "$name$",
  "result_count": "$job.resultCount$",
  "search_uri": "$job.searchId$",
  "severity": "$result.severity$",
  "host": "$result.host$",
  "source": "$result.source$",
  "message": "$result.message$",
  "stackflow_priority": "$result.stackflow_priority$",
  "stackflow_assignment_group": "$result.stackflow_assignment_group$",
  "timestamp": "$trigger_time$"
}`;

const DEFAULT_NAME = "High Error Rate";
const DEFAULT_SIGNATURE_HEADER = "X-Sluice-Signature";
const DEFAULT_ROW: AlertRow = {
  severity: "high",
  host: "app-server-01",
  source: "/var/log/app.log",
  message: "Error rate exceeded 10%",
  stackflow_priority: "P2",
  stackflow_assignment_group: "Platform Engineering",
};

const SHAPE: Shape = {
  url: required(text),
  body: oneOf("native", "template"),
  trigger: oneOf("once", "each"),
  rows: { test: (v) => Array.isArray(v) && v.every(isRecord), expected: "a list of rows" },
  search_name: { test: (v) => v === null || typeof v === "string", expected: "a text, or null" },
  sid: text,
  app: text,
  owner: text,
  results_link: text,
  trigger_time: text,
  template: text,
  escape: flag,
  user_agent: text,
  headers: textMap,
  authorization: text,
  hmac: { test: isRecord, expected: "an object" },
  path_secret: text,
};
const HMAC_SHAPE: Shape = { secret: required(text), header: text, at: number };

/** @throws BadInput */
export function parseFiring(value: unknown): AlertFiring {
  const checked = checkShape("an alert", value, SHAPE);
  if (checked["hmac"] !== undefined) checkShape('"hmac" of an alert', checked["hmac"], HMAC_SHAPE);
  if (!URL.canParse(String(checked["url"]))) throw new BadInput('"url" of an alert must be a URL');
  // Checked member by member just above; the compiler cannot follow a table of checks.
  return checked as unknown as AlertFiring;
}

export interface FiringDeps {
  /** Default: the runtime's own. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** One call for each that went out, in their order. */
export async function fireAlert(firing: AlertFiring, deps: FiringDeps = {}): Promise<readonly AlertCall[]> {
  const send = deps.fetch ?? ((request: Request) => fetch(request));
  const calls: AlertCall[] = [];
  for (const request of await alertRequests(firing, deps.now?.() ?? Date.now())) {
    const sent = await request.clone().text();
    calls.push({ ...(await answerTo(request, send)), sent });
  }
  return calls;
}

/**
 * The requests that an alert makes, not sent yet.
 *
 * @param now epoch milliseconds
 */
export async function alertRequests(firing: AlertFiring, now: number): Promise<readonly Request[]> {
  const rows = firing.rows ?? [DEFAULT_ROW];
  // Splunk fires for nothing too, if the alert's condition says so: the result is then empty.
  const first: AlertRow = rows[0] ?? {};
  const fired = firing.trigger === "each" ? rows : [first];
  const sid = firing.sid ?? newSid(now);
  const requests: Request[] = [];
  for (const row of fired) {
    const body = bodyOf({ ...firing, sid }, { row, resultCount: rows.length, now });
    requests.push(await requestOf(firing, body, now));
  }
  return requests;
}

function newSid(now: number): string {
  const tail = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  return `scheduler__admin__search__RMD5${tail}_at_${Math.floor(now / 1000)}_1`;
}

function bodyOf(
  firing: AlertFiring & { sid: string },
  { row, resultCount, now }: { row: AlertRow; resultCount: number; now: number },
): string {
  const { sid, app = "search", owner = "admin", search_name = DEFAULT_NAME } = firing;
  const results_link =
    firing.results_link ?? `http://splunk.test:8000/app/${app}/@go?sid=${encodeURIComponent(sid)}`;
  if (firing.body !== "template")
    return JSON.stringify({ app, owner, result: row, results_link, search_name, sid });
  const triggerTime = firing.trigger_time ?? String(Math.floor(now / 1000));
  const values = {
    name: search_name,
    app,
    owner,
    sid,
    resultsLink: results_link,
    resultCount,
    triggerTime,
    row,
  };
  return expand(firing.template ?? ALERT_TEMPLATE, values, firing.escape ?? true);
}

async function requestOf(firing: AlertFiring, body: string, now: number): Promise<Request> {
  const { url, user_agent = "Splunk", headers = {}, authorization, hmac, path_secret } = firing;
  const secret = path_secret === undefined ? "" : `/${encodeURIComponent(path_secret)}`;
  const at = new URL(url);
  at.pathname = `${at.pathname.replace(/\/$/, "")}${secret}`;
  const signature =
    hmac === undefined
      ? {}
      : { [hmac.header ?? DEFAULT_SIGNATURE_HEADER]: await signatureOf(hmac, body, now) };
  return new Request(at, {
    method: "POST",
    redirect: "manual",
    headers: {
      "content-type": "application/json",
      "user-agent": user_agent,
      ...(authorization === undefined ? {} : { authorization }),
      ...signature,
      ...headers,
    },
    body,
  });
}

async function signatureOf(
  { secret, at }: NonNullable<AlertFiring["hmac"]>,
  body: string,
  now: number,
): Promise<string> {
  const t = at ?? Math.floor(now / 1000);
  const utf8 = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), algorithm, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(`${t}.${body}`)));
  const hex = [...mac].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `t=${t},v1=${hex}`;
}

/** Splunk follows a redirect by urllib, which turns the POST into a GET without a body; then the alert is lost. */
async function answerTo(
  request: Request,
  send: (request: Request) => Promise<Response>,
): Promise<Pick<AlertCall, "status" | "answer">> {
  try {
    const first = await send(request);
    const location = first.headers.get("location");
    if (![301, 302, 303].includes(first.status) || location === null)
      return { status: first.status, answer: await first.text() };
    await first.body?.cancel();
    const agent = { "user-agent": request.headers.get("user-agent") ?? "Splunk" };
    const second = await send(
      new Request(new URL(location, request.url), { headers: agent, redirect: "manual" }),
    );
    return { status: second.status, answer: await second.text() };
  } catch (error) {
    return { status: null, answer: error instanceof Error ? error.message : String(error) };
  }
}
