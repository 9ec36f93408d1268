import { percentiles } from "../statistics.ts";
import { type Answer, Connection } from "./connection.ts";
import type { LoadJob, LoadResult, Sample } from "./job.ts";
import { prepare } from "./requests.ts";

/** Latencies kept of one job; beyond it every answer still counts, but is not timed. */
const MAX_LATENCIES = 1_000_000;
/** Samples kept of one job; beyond it every second one is dropped, and from then on only every second one taken. */
const MAX_SAMPLES = 20_000;
/** Without any answer for this long the load ends, and what is unanswered counts as a broken connection. */
const PATIENCE_MS = 30_000;
/** How often requests that are due are looked for. */
const TICK_MS = 1;

/** Runs one job to its end: until the time or the requests are used up and every answer is there. */
export function runLoad(job: LoadJob, { patienceMs = PATIENCE_MS } = {}): Promise<LoadResult> {
  const url = new URL(job.url);
  const atFirst = process.cpuUsage();
  const request = prepare(job);
  const { user, system } = process.cpuUsage(atFirst);
  const preparing = (user + system) / 1_000_000;
  const connections = Array.from(
    { length: job.connections },
    () => new Connection(url, { keepsBodies: job.samplesIds }),
  );
  const statuses: Record<string, number> = {};
  const latencies: number[] = [];
  let samples: Sample[] = [];
  let stride = 1;
  const startedAt = Date.now();
  const started = performance.now();
  const limit = "requests" in job.until ? job.until.requests : Number.POSITIVE_INFINITY;
  const endsAt = "seconds" in job.until ? started + job.until.seconds * 1_000 : Number.POSITIVE_INFINITY;
  let sent = 0;
  let answered = 0;
  let accepted = 0;
  let answeredAt = started;
  let hasGivenUp = false;

  return new Promise((resolve) => {
    const isOver = (): boolean => hasGivenUp || sent >= limit || performance.now() >= endsAt;
    const finish = (): void => {
      if (!isOver() || answered < sent) return;
      clearInterval(timer);
      for (const connection of connections) connection.close();
      const endedAt = Date.now();
      resolve({
        startedAt,
        endedAt,
        preparing,
        statuses,
        accepted,
        latencies: percentiles(latencies),
        samples,
      });
    };
    /** @param due when it should have been sent: waiting for a free connection is part of the latency */
    const send = (connection: Connection, due: number): void => {
      const next = request(sent);
      sent += 1;
      const sentAt = Date.now();
      connection.send(next, ({ status, body }: Answer) => {
        answered += 1;
        answeredAt = performance.now();
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 202) {
          accepted += job.shape.events;
          if (latencies.length < MAX_LATENCIES) latencies.push(performance.now() - due);
          if (job.samplesIds && answered % stride === 0) {
            samples.push(...sampled(body, { number: answered, sentAt }));
            if (samples.length >= MAX_SAMPLES) {
              samples = samples.filter((_, index) => index % 2 === 0);
              stride *= 2;
            }
          }
        }
        if (job.rate === null && !isOver()) send(connection, performance.now());
        else finish();
      });
    };
    const tick = (): void => {
      if (answered < sent && performance.now() - answeredAt > patienceMs) {
        hasGivenUp = true;
        for (const connection of connections) connection.close(); // which answers what was asked on it
      }
      if (job.rate === null || isOver()) {
        finish();
        return;
      }
      const due = Math.floor(((performance.now() - started) / 1_000) * job.rate);
      for (const connection of connections) {
        if (sent >= due) break;
        if (!connection.isBusy) send(connection, started + (sent / job.rate) * 1_000);
      }
    };
    const timer = setInterval(tick, TICK_MS * (job.rate === null ? 50 : 1));
    if (job.rate !== null) return;
    for (const connection of connections) if (!isOver()) send(connection, performance.now());
  });
}

/** One event of an answer, each time another. */
function sampled(
  body: string,
  { number, sentAt }: { readonly number: number; readonly sentAt: number },
): readonly Sample[] {
  const { ids } = JSON.parse(body) as { readonly ids: readonly string[] }; // the relay's own answer
  const id = ids[number % ids.length];
  return id === undefined ? [] : [{ id, sentAt, acceptedAt: Date.now() }];
}
