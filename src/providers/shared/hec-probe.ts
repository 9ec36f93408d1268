import type { Outcome } from "../../model/delivery.ts";
import type { HttpAnswer, HttpRequestSpec } from "../../model/http.ts";
import type { Check, ProbeReading, ProbeStep } from "../../model/provider.ts";
import { DEMANDS_CHANNEL, HEC_CODES } from "./hec-codes.ts";
import { readHecAnswer, readHecReply } from "./hec-reply.ts";
import { reach } from "./reach.ts";
import { isHtml } from "./reply.ts";

/** What the diagnosis of a HEC destination sends, and what it has to know to explain the answers. */
export interface HecProbe {
  readonly health: HttpRequestSpec;
  /** An authorised request without a body: a good token gets code 5, a bad one its own code. */
  readonly empty: HttpRequestSpec;
  readonly event: HttpRequestSpec;
  /** Bytes of the event's body. */
  readonly bytes: number;
  /** The index that the event goes to, or null for the token's own. */
  readonly index: string | null;
  /** True when the settings insist on acknowledgements. */
  readonly wantsAcks: boolean;
  readonly secrets: readonly string[];
}

const FIX = {
  port: "This looks like Splunk Web (port 8000): use HEC's own port, 8088 on Splunk Enterprise and 443 at http-inputs-<stack>.splunkcloud.com on Splunk Cloud.",
  hec: "Check the path, and that the HTTP Event Collector is enabled under Settings, Data inputs, HTTP Event Collector, Global settings.",
  token:
    "Copy the token's value again from Settings, Data inputs, HTTP Event Collector, and check that it is enabled and belongs to this Splunk.",
  index: "Add the index to the token's allowed indexes, or name one that exists and is allowed.",
  channel:
    "The token demands acknowledgements but the channel header did not arrive: let the proxy on the way pass X-Splunk-Request-Channel.",
  acks: "Acknowledgements are asked for but off for this token: enable indexer acknowledgement on it, or set acknowledge to auto.",
  busy: "Splunk is reached but takes nothing at the moment: events are kept and tried again; look at its queues and indexers if it lasts.",
  event: "Splunk is reached but refuses the event: its message says why.",
} as const;

/** Address and TLS, then port and HEC, then the token, then a real event: each step proves more and says what failed. */
export function hecProbe(probe: HecProbe): readonly ProbeStep[] {
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
    step(probe.health, (answer) => readHealth(answer, probe)),
    step(probe.empty, (answer) => readEmpty(answer, probe)),
    step(probe.event, (answer) => readEvent(answer, probe)),
  ];
}

/** `/health` needs no token and may be closed by a proxy: it can prove HEC, and only a web page disproves it. */
function readHealth(answer: HttpAnswer, { secrets }: HecProbe): ProbeReading {
  if (isWebPage(answer)) return failed(answer, { name: "port", hint: FIX.port, secrets });
  const reply = readHecReply(answer);
  return { checks: reply !== null && reply.code >= 17 && reply.code <= 22 ? IS_HEC : [], verdict: null };
}

function readEmpty(answer: HttpAnswer, { secrets }: HecProbe): ProbeReading {
  if (isWebPage(answer)) return failed(answer, { name: "port", hint: FIX.port, secrets });
  const reply = readHecReply(answer);
  const act = reply === null ? undefined : HEC_CODES[reply.code]?.asks;
  if (act?.act === "hold") return failed(answer, { name: "token", hint: FIX.token, secrets, passed: IS_HEC });
  if (reply !== null && (act?.act === "fault" || act?.act === "taken"))
    return { checks: [...IS_HEC, TOKEN_OK], verdict: null };
  const status = answer.kind === "response" ? answer.status : 0;
  if (act === undefined && (status === 404 || status === 405))
    return failed(answer, { name: "hec", hint: FIX.hec, secrets });
  if (act === undefined && (status === 401 || status === 403))
    return failed(answer, { name: "token", hint: FIX.token, secrets });
  return { checks: [], verdict: null };
}

function readEvent(answer: HttpAnswer, probe: HecProbe): ProbeReading {
  const outcome = readHecAnswer(answer, { events: 1, bytes: probe.bytes }, probe.secrets);
  if (outcome.kind === "delivered") return taken(outcome, probe);
  const { words } = outcome;
  const demandsChannel = typeof words.code === "number" && DEMANDS_CHANNEL.has(words.code);
  const [name, hint] = blame(outcome, { demandsChannel, isPage: isWebPage(answer) });
  const passed = name === "index" || name === "acknowledgement" ? [...IS_HEC, TOKEN_OK] : [];
  const detail = name === "index" && probe.index !== null ? `${hint} The index is ${probe.index}.` : hint;
  return {
    checks: [...passed, { name, ok: false, detail }],
    verdict: { ok: false, words, hint: detail, acknowledgement: demandsChannel ? "on" : null },
  };
}

function blame(
  outcome: Exclude<Outcome, { kind: "delivered" }>,
  { demandsChannel, isPage }: { demandsChannel: boolean; isPage: boolean },
): readonly [string, string] {
  if (isPage) return ["port", FIX.port];
  if (demandsChannel) return ["acknowledgement", FIX.channel];
  if (outcome.kind === "retry") return ["hec", FIX.busy];
  if (outcome.kind !== "hold") return ["hec", FIX.event];
  if (outcome.words.code === 7) return ["index", FIX.index];
  return outcome.trouble === "credentials_rejected" ? ["token", FIX.token] : ["hec", FIX.hec];
}

function taken(
  outcome: Extract<Outcome, { kind: "delivered" }>,
  { index, wantsAcks }: HecProbe,
): ProbeReading {
  const isOn = outcome.ackId !== null;
  const isMissing = wantsAcks && !isOn;
  const acknowledgement: Check = {
    name: "acknowledgement",
    ok: !isMissing,
    detail: isMissing
      ? FIX.acks
      : isOn
        ? "The token has indexer acknowledgement on."
        : "The token has indexer acknowledgement off: an event counts as delivered when Splunk has taken it.",
  };
  const indexCheck: Check = {
    name: "index",
    ok: true,
    detail:
      index === null ? "The token's default index took the event." : `The index ${index} took the event.`,
  };
  return {
    checks: [...IS_HEC, TOKEN_OK, indexCheck, acknowledgement],
    verdict: {
      ok: true,
      words: outcome.words,
      hint: isMissing ? FIX.acks : null,
      acknowledgement: isOn ? "on" : "off",
    },
  };
}

const IS_HEC: readonly Check[] = [
  { name: "port", ok: true, detail: "The port answers as Splunk's event collector." },
  { name: "hec", ok: true, detail: "The HTTP Event Collector is there and enabled." },
];
const TOKEN_OK: Check = { name: "token", ok: true, detail: "The token is accepted." };

interface Failed {
  readonly name: string;
  readonly hint: string;
  readonly secrets: readonly string[];
  readonly passed?: readonly Check[];
}

function failed(answer: HttpAnswer, { name, hint, secrets, passed = [] }: Failed): ProbeReading {
  const { words } = readHecAnswer(answer, { events: 1, bytes: 0 }, secrets);
  return {
    checks: [...passed, { name, ok: false, detail: hint }],
    verdict: { ok: false, words, hint, acknowledgement: null },
  };
}

/** A redirect to a login, or a page in place of an answer. Pages of an error status may be a proxy's, and prove nothing. */
function isWebPage(answer: HttpAnswer): boolean {
  if (answer.kind === "failure") return false;
  const { status } = answer;
  return (status >= 300 && status < 400) || (status >= 200 && status < 300 && isHtml(answer));
}
