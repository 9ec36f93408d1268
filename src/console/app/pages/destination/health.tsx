import { useMemo } from "preact/hooks";
import { useNow, useQuery } from "../../hooks.ts";
import type { DestinationDetail } from "../../types.ts";
import { Chart } from "../../ui/chart.tsx";
import { Ago, Badge, Facts, ProblemBox } from "../../ui/parts.tsx";
import { bytes, count, duration, milliseconds, moment, plural, short, until } from "../../words.ts";
import { fullDay, latenciesOf } from "./chart-data.ts";
import { Loss } from "./loss.tsx";
import type { Delivery, Stats } from "./model.ts";
import { apiOf } from "./places.ts";
import { StatusTimeline } from "./status-timeline.tsx";

const EVERY_MS = 10_000;

export function HealthTab({ destination }: { destination: DestinationDetail }) {
  const { id } = destination;
  const stats = useQuery<Stats>(apiOf(id, "/stats"), EVERY_MS);
  const attempts = useQuery<{ data: readonly Delivery[] }>(apiOf(id, "/deliveries?limit=100"), EVERY_MS);
  const now = useNow();
  return (
    <>
      <section class="card" aria-label="Now">
        <NowFacts destination={destination} stats={stats.data} now={now} />
      </section>
      <StatusTimeline changes={destination.status_changes} createdAt={destination.created_at} now={now} />
      <ProblemBox problem={stats.problem ?? attempts.problem} />
      {stats.data === null ? null : <Throughput stats={stats.data} now={now} />}
      {attempts.data === null || attempts.data.data.length === 0 ? null : (
        <Latency attempts={attempts.data.data} stats={stats.data} />
      )}
    </>
  );
}

function NowFacts({
  destination,
  stats,
  now,
}: {
  destination: DestinationDetail;
  stats: Stats | null;
  now: number;
}) {
  const { status, status_reason: reason, backlog, next_attempt_at: next, first_loss_at: loss } = destination;
  const oldest = backlog?.oldest_at ?? null;
  const isLosing = loss !== null && status !== "active" && status !== "disabled";
  return (
    <Facts
      rows={[
        [
          "Status",
          <>
            {status === null ? "–" : <Badge word={status} />}{" "}
            {reason === null || status === "active"
              ? null
              : `for ${duration(now - Date.parse(reason.since))}`}
          </>,
        ],
        [
          "Backlog",
          backlog === null ? "not told" : `${plural(backlog.events, "event")}, ${bytes(backlog.bytes)}`,
        ],
        ["Oldest waiting", oldest === null ? "–" : duration(now - Date.parse(oldest))],
        ["Next attempt", next === null || backlog?.events === 0 ? "–" : until(next, now)],
        ["First loss", isLosing ? <Loss at={loss} now={now} /> : "none in sight"],
        ["Last delivered", <Ago key="at" at={destination.last_delivered_at} />],
        ["Delivered in 24 hours", stats === null ? "–" : count(stats.totals.delivered)],
        [
          "From acceptance to delivery",
          stats === null || stats.latency_ms.p50 === null
            ? "–"
            : `half within ${milliseconds(stats.latency_ms.p50)}, 95 % within ${milliseconds(stats.latency_ms.p95)}`,
        ],
      ]}
    />
  );
}

function Throughput({ stats, now }: { stats: Stats; now: number }) {
  const day = useMemo(() => fullDay(stats.minutes, now), [stats, Math.floor(now / 60_000)]);
  const { delivered, retried, dead } = stats.totals;
  const peak = Math.max(0, ...stats.minutes.map((minute) => minute.delivered));
  return (
    <Chart
      title="Events in each ten minutes"
      summary={`In the last 24 hours ${plural(delivered, "event")} delivered (at most ${count(peak)} in a minute), ${count(retried)} tried again, ${count(dead)} set aside as dead letters.`}
      times={day.times}
      show={short}
      series={[
        { label: "Delivered", colour: "--accent", values: day.delivered, kind: "bars" },
        { label: "Tried again", colour: "--warn", values: day.retried, kind: "points" },
        { label: "Dead letters", colour: "--bad", values: day.dead, kind: "points" },
      ]}
    />
  );
}

function Latency({ attempts, stats }: { attempts: readonly Delivery[]; stats: Stats | null }) {
  const found = useMemo(() => latenciesOf(attempts), [attempts]);
  const oldest = attempts.at(-1);
  const p95 =
    stats === null || stats.latency_ms.p95 === null
      ? ""
      : ` From acceptance to delivery, 95 % took at most ${milliseconds(stats.latency_ms.p95)} in 24 hours.`;
  return (
    <Chart
      title="The provider's answers"
      summary={`How long the provider took for each of the last ${plural(attempts.length, "request")}, since ${moment(oldest?.time ?? null)}: half within ${milliseconds(found.median)}, at most ${milliseconds(found.longest)}.${p95}`}
      times={found.times}
      show={milliseconds}
      series={[
        { label: "Taken", colour: "--good", values: found.taken, kind: "points" },
        { label: "Not taken", colour: "--bad", values: found.refused, kind: "points" },
      ]}
    />
  );
}
