import type { Outcome } from "../../model/delivery.ts";
import type { HttpAnswer, HttpRequestSpec } from "../../model/http.ts";
import type { Check, ProbeReading, ProbeStep } from "../../model/provider.ts";
import { elasticError, readBulkAnswer } from "./elastic-bulk.ts";
import { reach } from "./reach.ts";
import { type HttpResponse, isHtml, jsonObject } from "./reply.ts";
import { wordsOf } from "./words.ts";

/** What the diagnosis of an Elasticsearch destination sends, and what it has to know to explain the answers. */
export interface ElasticProbe {
  /** The cluster's greeting, which answers whoever is known: with 200, or with 403 to a key that may only write. */
  readonly root: HttpRequestSpec;
  readonly event: HttpRequestSpec;
  /** Data stream or index that the event goes to. */
  readonly target: string;
  /** What the fix of a refused login is. */
  readonly login: "api_key" | "basic";
  readonly secrets: readonly string[];
}

const FIX = {
  port: "This is a web page and not Elasticsearch, perhaps Kibana (port 5601): use Elasticsearch's own port, 9200, or the Elasticsearch endpoint that Elastic Cloud shows for the deployment.",
  path: "This is not Elasticsearch's API: check the path before /_bulk, and that the proxy on the way passes POST requests.",
  api_key:
    "Create an API key in Kibana under Stack Management, API keys, and copy its encoded value; OpenSearch knows no API keys and needs username and password.",
  basic: "Check username and password, and that the user exists in this cluster.",
  busy: "Elasticsearch is reached but takes nothing at the moment: events are kept and tried again; look at the cluster's health if it lasts.",
} as const;

const privileges = (target: string): string =>
  `Give the key or user the index privileges create_doc and auto_configure on ${target}.`;
const missing = (target: string): string =>
  `Create the data stream or index ${target}, or let it be created by itself: action.auto_create_index allows it, and the key or user has auto_configure.`;
const PIPELINE = "Create the ingest pipeline, or take config.pipeline out.";
const refused = (target: string): string =>
  `Elasticsearch refuses the test event: its message says why; compare the mapping of ${target}.`;

/** Address and TLS, then port and credentials by the cluster's greeting, then a real event in its data stream. */
export function elasticProbe(probe: ElasticProbe): readonly ProbeStep[] {
  const told = new Set<string>();
  const step = (request: HttpRequestSpec, read: (answer: HttpAnswer) => ProbeReading): ProbeStep => ({
    request,
    read: (answer) => {
      const reached = reach(answer, request.url);
      const reading = reached.verdict === null ? read(answer) : { checks: [], verdict: reached.verdict };
      const checks = [...reached.checks, ...reading.checks].filter(({ name, ok }) => !ok || !told.has(name));
      for (const { name } of checks) told.add(name);
      return { checks, verdict: reading.verdict };
    },
  });
  return [
    step(probe.root, (answer) => readRoot(answer, probe)),
    step(probe.event, (answer) => readEvent(answer, probe)),
  ];
}

const IS_ELASTIC: Check = { name: "port", ok: true, detail: "The port answers as Elasticsearch." };
const KNOWN: Check = { name: "credentials", ok: true, detail: "The credentials are accepted." };

function readRoot(answer: HttpAnswer, probe: ElasticProbe): ProbeReading {
  if (answer.kind === "failure") return { checks: [], verdict: null };
  if (isWebPage(answer)) return failed(answer, probe, { name: "port", hint: FIX.port });
  const passed = isElastic(answer, probe.secrets) ? [IS_ELASTIC] : [];
  if (answer.status === 401)
    return failed(answer, probe, { name: "credentials", hint: FIX[probe.login], passed });
  const isKnown = passed.length > 0 && (answer.status === 200 || answer.status === 403);
  return { checks: isKnown ? [...passed, KNOWN] : passed, verdict: null };
}

function readEvent(answer: HttpAnswer, probe: ElasticProbe): ProbeReading {
  if (answer.kind === "response" && isWebPage(answer))
    return failed(answer, probe, { name: "port", hint: FIX.port });
  const outcome = readBulkAnswer(answer, { events: 1 }, probe.secrets);
  const target: Check = { name: "index", ok: true, detail: `${probe.target} is there.` };
  if (outcome.kind === "delivered") {
    const event: Check = { name: "event", ok: true, detail: `${probe.target} took the test event.` };
    const { words } = outcome;
    return {
      checks: [IS_ELASTIC, KNOWN, target, event],
      verdict: { ok: true, words, hint: null, acknowledgement: null },
    };
  }
  const [name, hint] = blame(outcome, answer, probe);
  const passed = name === "index" ? [IS_ELASTIC, KNOWN] : [];
  if (name === "pipeline") passed.push(IS_ELASTIC, KNOWN, target);
  if (name === "event" && outcome.kind === "partial" && outcome.refused.length > 0)
    passed.push(IS_ELASTIC, KNOWN, target);
  return failed(answer, probe, { name, hint, passed });
}

function blame(
  outcome: Exclude<Outcome, { kind: "delivered" }>,
  answer: HttpAnswer,
  { target, login, secrets }: ElasticProbe,
): readonly [name: string, hint: string] {
  const { words } = outcome;
  if (words.httpStatus === 401) return ["credentials", FIX[login]];
  const isBusy = outcome.kind === "retry" || (outcome.kind === "partial" && outcome.trouble !== null);
  if (isBusy) return ["event", FIX.busy];
  if (outcome.kind !== "hold") return ["event", refused(target)];
  if (outcome.trouble === "credentials_rejected") return ["index", privileges(target)];
  if (/pipeline with id \[/.test(words.message)) return ["pipeline", PIPELINE];
  const isForeign = answer.kind === "response" && answer.status !== 200 && !isElastic(answer, secrets);
  return isForeign ? ["port", FIX.path] : ["index", missing(target)];
}

interface Failed {
  readonly name: string;
  readonly hint: string;
  readonly passed?: readonly Check[];
}

function failed(answer: HttpAnswer, probe: ElasticProbe, { name, hint, passed = [] }: Failed): ProbeReading {
  const { words } = readBulkAnswer(answer, { events: 1 }, probe.secrets);
  return {
    checks: [...passed, { name, ok: false, detail: hint }],
    verdict: {
      ok: false,
      words: isPageAnswer(answer) ? pageWords(answer) : words,
      hint,
      acknowledgement: null,
    },
  };
}

function isPageAnswer(answer: HttpAnswer): answer is HttpResponse {
  return answer.kind === "response" && isWebPage(answer);
}

function pageWords(answer: HttpResponse) {
  return wordsOf(answer, `HTTP ${answer.status} with a web page or a redirect to one.`);
}

/** A login page or the way to one, and Kibana, which signs its answers. Pages of an error status may be a proxy's. */
function isWebPage(answer: HttpResponse): boolean {
  const { status, headers } = answer;
  if (headers["kbn-name"] !== undefined || headers["kbn-license-sig"] !== undefined) return true;
  return (status >= 300 && status < 400) || (status >= 200 && status < 300 && isHtml(answer));
}

/** Elasticsearch names itself in a header since 7.14; OpenSearch and older releases are known by their JSON. */
function isElastic(answer: HttpResponse, secrets: readonly string[]): boolean {
  if (answer.headers["x-elastic-product"] === "Elasticsearch") return true;
  return jsonObject(answer)?.["tagline"] !== undefined || elasticError(answer, secrets).type !== null;
}
