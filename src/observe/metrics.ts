import { type Clock, type DurationMs, type EpochMs, seconds } from "../base/clock.ts";
import type { LaneReport } from "../model/lane.ts";
import { type LaneOwner, lanesEver } from "../model/shards.ts";
import { type Metric, type Sample, toExposition } from "./prometheus.ts";

/** Lanes asked in one scrape; each is one request to an object. Beyond that the scrape says how many it left out. */
export const MAX_LANES_ASKED = 500;
/** Lanes asked at once. */
const LANES_AT_ONCE = 32;
/** A lane that takes longer counts as silent in this scrape. */
const LANE_TIMEOUT: DurationMs = seconds(2);
/** A scrape is given up by Prometheus after 10 s by default; what is not known by then is left out. */
const SCRAPE_DEADLINE: DurationMs = seconds(8);
const IDS_PER_PAGE = 100;

const DESTINATION = ["tenant", "destination", "provider"] as const;

/** Every metric there is. A name is never changed once published. */
export const METRICS = {
  backlogEvents: gauge("sluice_backlog_events", "Events waiting to be delivered"),
  backlogBytes: gauge("sluice_backlog_bytes", "Bytes of the events waiting to be delivered"),
  oldestAge: gauge(
    "sluice_backlog_oldest_age_seconds",
    "How long ago the oldest waiting event was accepted; 0 when none waits",
  ),
  deadLetters: gauge("sluice_dead_letters", "Events set aside, replayable"),
  status: {
    name: "sluice_destination_status",
    kind: "gauge",
    help: "1 for the status that the destination has",
    labels: [...DESTINATION, "status"],
  },
  taken: counter("sluice_events_taken_total", "Events taken into custody by the lane"),
  delivered: counter("sluice_events_delivered_total", "Events taken by the provider"),
  retried: counter("sluice_events_retried_total", "Events sent again after a failure"),
  parked: counter("sluice_events_parked_total", "Events set aside as dead letters"),
  replayed: counter("sluice_events_replayed_total", "Dead letters put back into the outbox"),
  discarded: counter("sluice_events_discarded_total", "Dead letters thrown away by a person"),
  duplicates: counter(
    "sluice_events_possibly_duplicated_total",
    "Events sent again because nobody knows whether the provider had taken them",
  ),
  attempts: counter("sluice_delivery_attempts_total", "Requests made to the provider"),
  stranded: alone("sluice_stranded_messages", "Queue messages that could not be handed over to a lane"),
  toRewrap: alone(
    "sluice_vault_keys_to_rewrap",
    "Keys that an earlier root key still protects, and texts sealed in the first format",
  ),
  untold: alone(
    "sluice_incident_events_untold",
    "Changes of incidents, older than a minute, whose events are not known to be on the queue",
  ),
  lanesAsked: alone("sluice_lanes_asked", "Lanes asked in this scrape"),
  lanesSilent: alone("sluice_lanes_silent", "Lanes that did not answer in this scrape"),
  lanesLeftOut: alone(
    "sluice_lanes_left_out",
    "1 when there are more destinations than one scrape asks, so that sums over lanes are too small",
  ),
} as const satisfies Record<string, Metric>;

interface DestinationName extends LaneOwner {
  readonly provider: string;
  readonly enabled: boolean;
}

interface Position {
  readonly at: EpochMs;
  readonly id: string;
}

export interface MetricsDeps {
  readonly now: Clock;
  /** Destinations of all tenants, page by page. */
  destinations(request: { readonly limit: number; readonly cursor: Position | null }): Promise<{
    readonly items: readonly DestinationName[];
    readonly next: Position | null;
  }>;
  /** Of all its lanes together. */
  report(destination: LaneOwner): Promise<LaneReport>;
  stranded(): Promise<number>;
  /** Changes of incidents whose events should be on the queue by now and are not known to be. */
  untold(): Promise<number>;
  toRewrap(): Promise<number>;
  /** Resolves after that time; injected so that tests need not wait. */
  sleep(duration: DurationMs): Promise<void>;
}

/** The text of one scrape. A lane that is slow or broken is counted as silent and delays nobody. */
export async function scrape(deps: MetricsDeps): Promise<string> {
  const [{ names, more }, stranded, untold, toRewrap] = await Promise.all([
    someDestinations(deps),
    deps.stranded(),
    deps.untold(),
    deps.toRewrap(),
  ]);
  const reports = await askLanes(names, deps);
  const samples: Sample[] = [
    { metric: METRICS.stranded, labels: {}, value: stranded },
    { metric: METRICS.untold, labels: {}, value: untold },
    { metric: METRICS.toRewrap, labels: {}, value: toRewrap },
    { metric: METRICS.lanesAsked, labels: {}, value: lanesOf(names) },
    { metric: METRICS.lanesSilent, labels: {}, value: lanesOf(names) - lanesOf([...reports.keys()]) },
    { metric: METRICS.lanesLeftOut, labels: {}, value: more ? 1 : 0 },
  ];
  for (const [name, report] of reports) samples.push(...samplesOf(name, report, deps.now()));
  return toExposition(samples);
}

async function someDestinations(deps: MetricsDeps) {
  const names: DestinationName[] = [];
  let lanes = 0;
  let cursor: Position | null = null;
  do {
    const limit = Math.min(IDS_PER_PAGE, MAX_LANES_ASKED - lanes);
    const found: Awaited<ReturnType<MetricsDeps["destinations"]>> = await deps.destinations({
      limit,
      cursor,
    });
    for (const name of found.items) {
      lanes += lanesEver(name);
      if (lanes > MAX_LANES_ASKED) return { names, more: true };
      names.push(name);
    }
    cursor = found.next;
  } while (cursor !== null && lanes < MAX_LANES_ASKED);
  return { names, more: cursor !== null };
}

function lanesOf(names: readonly LaneOwner[]): number {
  return names.reduce((sum, name) => sum + lanesEver(name), 0);
}

async function askLanes(names: readonly DestinationName[], deps: MetricsDeps) {
  const reports = new Map<DestinationName, LaneReport>();
  const waiting = [...names];
  let isOver = false;
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined && !isOver; name = waiting.shift()) {
      const asked = deps.report(name).catch(() => null);
      const report = await Promise.race([asked, deps.sleep(LANE_TIMEOUT).then(() => null)]);
      if (report !== null && !isOver) reports.set(name, report);
    }
  };
  const all = Promise.all(Array.from({ length: Math.min(LANES_AT_ONCE, names.length) }, worker));
  await Promise.race([all, deps.sleep(SCRAPE_DEADLINE)]);
  isOver = true;
  return reports;
}

function samplesOf(name: DestinationName, report: LaneReport, now: EpochMs): Sample[] {
  const labels = { tenant: name.tenantId, destination: name.id, provider: name.provider };
  const { backlog, totals } = report;
  const age = backlog.oldestAt === null ? 0 : Math.max(0, now - backlog.oldestAt) / 1_000;
  const values: readonly (readonly [Metric, number])[] = [
    [METRICS.backlogEvents, backlog.events],
    [METRICS.backlogBytes, backlog.bytes],
    [METRICS.oldestAge, age],
    [METRICS.deadLetters, report.deadLetters],
    [METRICS.taken, totals.taken],
    [METRICS.delivered, totals.delivered],
    [METRICS.retried, totals.retried],
    [METRICS.parked, totals.parked],
    [METRICS.replayed, totals.replayed],
    [METRICS.discarded, totals.discarded],
    [METRICS.duplicates, totals.possibleDuplicates],
    [METRICS.attempts, totals.attempts],
  ];
  const status = name.enabled ? report.status : "disabled";
  return [
    { metric: METRICS.status, labels: { ...labels, status }, value: 1 },
    ...values.map(([metric, value]) => ({ metric, labels, value })),
  ];
}

function gauge(name: string, help: string): Metric {
  return { name, kind: "gauge", help, labels: DESTINATION };
}

function counter(name: string, help: string): Metric {
  return { name, kind: "counter", help, labels: DESTINATION };
}

function alone(name: string, help: string): Metric {
  return { name, kind: "gauge", help, labels: [] };
}
