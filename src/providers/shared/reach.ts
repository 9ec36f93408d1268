import type { HttpAnswer } from "../../model/http.ts";
import type { Check, ProbeReading } from "../../model/provider.ts";
import { connectTrouble, outcomeOfFailure, outcomeOfStatus } from "./status.ts";

/** How far a connection got: the checks that every diagnosis begins with. */
export interface Reach {
  /** `address` and `tls`, as far as this answer proves them. */
  readonly checks: readonly Check[];
  /** Set when the server itself was never talked to; ends the diagnosis. */
  readonly verdict: ProbeReading["verdict"];
}

const FIX_ADDRESS =
  "Check host and port, and that a firewall lets Cloudflare's addresses in; the server has to be on the public internet.";
const FIX_TLS =
  "The certificate is not trusted: install one from a public authority for this host name, since self-signed ones, Splunk's default among them, cannot be accepted.";
const FIX_BLOCKED = "Use an https:// address on the public internet.";

/** @param url the endpoint that was called */
export function reach(answer: HttpAnswer, url: string): Reach {
  const trouble = connectTrouble(answer);
  const host = URL.parse(url)?.host ?? "the host";
  if (trouble === null) return { checks: [addressOk(host), tlsOk(url)], verdict: null };
  const outcome = answer.kind === "failure" ? outcomeOfFailure(answer) : outcomeOfStatus(answer);
  const isTls = trouble === "tls_untrusted";
  const hint = isTls ? FIX_TLS : trouble === "config_rejected" ? FIX_BLOCKED : FIX_ADDRESS;
  const checks = isTls
    ? [addressOk(host), { name: "tls", ok: false, detail: hint }]
    : [{ name: "address", ok: false, detail: `${sentence(outcome.words.message)} ${hint}` }];
  return { checks, verdict: { ok: false, words: outcome.words, hint, acknowledgement: null } };
}

function addressOk(host: string): Check {
  return { name: "address", ok: true, detail: `${host} answers.` };
}

function tlsOk(url: string): Check {
  return url.startsWith("https:")
    ? { name: "tls", ok: true, detail: "The certificate is trusted." }
    : { name: "tls", ok: true, detail: "Not used: the address is plain http." };
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
