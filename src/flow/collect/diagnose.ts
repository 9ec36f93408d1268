import { type DurationMs, isoTime } from "../../base/clock.ts";
import { firstText, tameRecord } from "../../model/alert-record.ts";
import type { TestReport } from "../../model/probe.ts";
import type { Check } from "../../model/provider.ts";
import type { SourceTrouble } from "../../model/source.ts";
import type { Refusal } from "./answer.ts";
import { readSplunkClock, type SplunkClock } from "./clock.ts";
import { type ReadDeps, rowsOf, searchForm } from "./read.ts";
import { ownTimeBound, searchApp, searchText } from "./search-text.ts";

/** Rows that a test asks for; it takes none of them. */
const TEST_ROWS = 100;
const DAY_SECONDS = 86_400;
/** Of Splunk's clock from ours, beyond which it is worth a person's attention. Polling goes by Splunk's own. */
const WORTH_SAYING = 60;

const HINTS: Readonly<Record<SourceTrouble, string>> = {
  unreachable:
    "Check host and port (8089 unless changed), and that a firewall lets Cloudflare's addresses in; on Splunk Cloud, support opens the port, and trials have none.",
  timeout: "Check that a firewall lets Cloudflare's addresses in, and how long the search takes in Splunk.",
  tls_untrusted:
    "Install a certificate from a public authority for this host name on the management port; self-signed ones, Splunk's default among them, cannot be accepted.",
  throttled: "Splunk has too much to do; raise the user's search quota or the poll interval.",
  provider_error: "Look at Splunk's own messages; polling goes on by itself when this is over.",
  credentials_rejected:
    "Check username and password or token, that the token has not expired, and that its role has the capability `search` and may read the index `notable`. Users of SAML need a token.",
  search_rejected:
    "Try the search in Splunk as this user; for a macro, set `app` to the app that has it, and see that the role may read it.",
  config_rejected: "Use the address of the management port: https, port 8089 unless changed.",
};

/**
 * Tests a source in stages: address and TLS, whether that is Splunk's search at all, credentials, clock, search, and
 * what it found in the last day. Takes no notable and changes nothing.
 */
export async function diagnose(deps: Omit<ReadDeps, "sleep" | "memory">): Promise<TestReport> {
  const startedAt = deps.now();
  const checks: Check[] = [];
  const clock = await readSplunkClock(deps.client, deps.now);
  const latencyMs = deps.now() - startedAt;
  if (!clock.ok)
    return failing(checks, clock.error, { latencyMs, stage: "credentials", url: deps.settings.rest_url });
  checks.push(...reached(deps.settings.rest_url));
  checks.push({ name: "credentials", ok: true, detail: "Splunk accepts them." });
  checks.push(clockCheck(clock.value));
  const { splunk } = clock.value;
  const day = { from: splunk - DAY_SECONDS, to: splunk, goal: splunk };
  const found = await deps.client.oneshot({ ...searchForm(day, deps.settings), count: TEST_ROWS, offset: 0 });
  if (!found.ok) {
    return failing(checks, found.error, { latencyMs, stage: "search", url: deps.settings.rest_url });
  }
  const rows = rowsOf(found.value.json) ?? [];
  checks.push({ name: "search", ok: true, detail: searchDetail(deps.settings) });
  checks.push(rowsCheck(rows), ...textChecks(searchText(deps.settings)));
  const message = "Splunk answers, and the search runs";
  const doubtful = checks.find(({ ok }) => !ok);
  return {
    ok: true,
    latencyMs,
    httpStatus: found.value.status,
    providerCode: null,
    message,
    hint: doubtful?.detail ?? null,
    acknowledgement: null,
    checks,
  };
}

interface Circumstances {
  readonly latencyMs: DurationMs;
  /** The check that fails when the connection itself is well. */
  readonly stage: "credentials" | "search";
  readonly url: string;
}

function failing(
  before: readonly Check[],
  { trouble, message, httpStatus }: Refusal,
  { latencyMs, stage, url }: Circumstances,
): TestReport {
  const hint = HINTS[trouble];
  const detail = `${message}. ${hint}`;
  const checks =
    trouble === "unreachable" || (trouble === "timeout" && stage === "credentials")
      ? [{ name: "address", ok: false, detail }]
      : trouble === "tls_untrusted"
        ? [{ name: "tls", ok: false, detail }]
        : before.length === 0
          ? [
              ...reached(url),
              { name: trouble === "config_rejected" ? "management_port" : stage, ok: false, detail },
            ]
          : [...before, { name: stage, ok: false, detail }];
  return {
    ok: false,
    latencyMs,
    httpStatus,
    providerCode: null,
    message,
    hint,
    acknowledgement: null,
    checks,
  };
}

function reached(url: string): readonly Check[] {
  const { host, protocol } = new URL(url);
  const tls = protocol === "https:" ? "The certificate is trusted." : "Not used: the address is plain http.";
  return [
    { name: "address", ok: true, detail: `${host} answers.` },
    { name: "tls", ok: true, detail: tls },
  ];
}

function clockCheck({ splunk, answeredAt, by }: SplunkClock): Check {
  const ahead = splunk - Math.floor(answeredAt / 1_000);
  const off = Math.abs(ahead);
  const how =
    by === "search" ? "" : " Taken from the answer's Date header, because the search for it was refused.";
  const skew =
    off <= WORTH_SAYING ? "" : `, ${off} s ${ahead > 0 ? "ahead of" : "behind"} ours; polling goes by it`;
  return { name: "clock", ok: true, detail: `Splunk's clock says ${isoTime(splunk * 1_000)}${skew}.${how}` };
}

function searchDetail(settings: Parameters<typeof searchApp>[0]): string {
  const app = searchApp(settings);
  return app === null ? "The search runs in the user's own context." : `The search runs in the app ${app}.`;
}

function rowsCheck(rows: readonly unknown[]): Check {
  const more = rows.length >= TEST_ROWS ? "at least " : "";
  const count = `${more}${rows.length} rows were indexed in the last day`;
  const named = rows.filter((row) => firstText(tameRecord(row) ?? {}, ["event_id"]) !== null).length;
  if (named === rows.length) return { name: "rows", ok: true, detail: `${count}.` };
  const lacking =
    "some have no `event_id`, so that two which are alike count once; keep it in `table` and `fields`";
  return { name: "rows", ok: false, detail: `${count}; ${lacking}.` };
}

function textChecks(text: string): readonly Check[] {
  const bound = ownTimeBound(text);
  if (bound === null) return [];
  const detail = `The search text holds \`${bound}\`, which Splunk puts above the window that is asked for: what is indexed later than that, or during an outage, is not found. Leave it out.`;
  return [{ name: "time_bounds", ok: false, detail }];
}
