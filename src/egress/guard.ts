import { err, ok, type Result } from "../base/result.ts";
import { ipv4Fault, ipv6Fault } from "./addresses.ts";

export interface EndpointPolicy {
  /** For local work only: lifts everything but the scheme being http(s) and the ban on credentials. */
  readonly allowInsecure: boolean;
  /** Host names under which the relay itself answers: calling them would be a loop. */
  readonly ownHosts: readonly string[];
}

/** Names that never lead to a public server: reserved (RFC 6761, 6762, 8375, ICANN's `.internal`) or used in private networks only. */
const PRIVATE_SUFFIXES = [
  "localhost",
  "local",
  "internal",
  "home.arpa",
  "localdomain",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
];

/** Public names whose purpose is to resolve to an address of the caller's choice, or to loopback. */
const REBINDING_DOMAINS = [
  "nip.io",
  "sslip.io",
  "xip.io",
  "traefik.me",
  "localtest.me",
  "lvh.me",
  "vcap.me",
  "lacolhost.com",
];

/**
 * Whether an address may be called: https, a public host, no credentials in it, and not the relay itself.
 *
 * Pure, so it judges what is written and not what a name resolves to: for that the Worker runs with
 * `global_fetch_strictly_public`. Every other spelling of an IPv4 address (decimal, octal, hexadecimal, short,
 * full-width, percent-encoded) has become dotted decimal when `URL` has parsed it.
 *
 * @returns the parsed URL, or one sentence for the person who gave it
 */
export function checkEndpoint(text: string, policy: EndpointPolicy): Result<URL, string> {
  const url = URL.parse(text);
  if (url === null) return err("Expected a URL, like https://siem.example.com:8088");
  if (url.protocol !== "https:" && url.protocol !== "http:") return err("Expected an https:// URL");
  if (url.username !== "" || url.password !== "")
    return err("Expected no user name or password in the URL; secrets have fields of their own");
  if (policy.allowInsecure) return ok(url);
  if (url.protocol !== "https:") return err("Expected https://, so that nothing travels in the clear");
  const fault = hostFault(url.hostname, policy.ownHosts);
  return fault === null ? ok(url) : err(fault);
}

/** @param host as `URL` normalises it: lower case, IPv6 in brackets */
function hostFault(host: string, ownHosts: readonly string[]): string | null {
  if (ownHosts.some((own) => bareHost(own) === bareHost(host)))
    return "Expected another host: this one is the relay itself";
  if (host.startsWith("[")) return notPublic(ipv6Fault(host.slice(1, -1)));
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return notPublic(ipv4Fault(host));
  if (host.endsWith(".")) return "Expected a host name without a dot at the end";
  const labels = host.split(".");
  if (labels.includes("")) return "Expected a host name without empty parts";
  if (isUnder(host, PRIVATE_SUFFIXES)) return notPublic("of a private network");
  if (labels.length < 2) return "Expected a full host name, like siem.example.com";
  if (isUnder(host, REBINDING_DOMAINS)) return notPublic("of a service that resolves to any address");
  return null;
}

function notPublic(what: string | null): string | null {
  return what === null ? null : `Expected a host on the public internet: this address is ${what}`;
}

function isUnder(host: string, domains: readonly string[]): boolean {
  return domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

/** `Relay.example:8787` and `relay.example.` are the host `relay.example`. */
function bareHost(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
}
