import { percentiles } from "../statistics.ts";
import { bodies } from "./bodies.ts";
import { type Answer, Connection } from "./connection.ts";
import type { LoadJob, LoadResult, Sample } from "./job.ts";

/** Latencies kept of one job; beyond it every answer still counts, but is not timed. */
const MAX_LATENCIES = 1_000_000;
/** How often requests that are due are looked for. */
const TICK_MS = 1;

/** Runs one job to its end: until the time or the requests are used up and every answer is there. */
export function runLoad(job: LoadJob): Promise<LoadResult> {
  const url = new URL(job.url);
  const requests = bodies(job.shape).map((body) => request(url, job, body));
  const connections = Array.from(
    { length: job.connections },
    () => new Connection(url, { keepsBodies: job.samplesIds }),
  );
  const statuses: Record<string, number> = {};
  const latencies: number[] = [];
  const samples: Sample[] = [];
  const startedAt = Date.now();
  const started = performance.now();
  const limit = "requests" in job.until ? job.until.requests : Number.POSITIVE_INFINITY;
  const endsAt = "seconds" in job.until ? started + job.until.seconds * 1_000 : Number.POSITIVE_INFINITY;
  let sent = 0;
  let answered = 0;
  let accepted = 0;

  return new Promise((resolve) => {
    const isOver = (): boolean => sent >= limit || performance.now() >= endsAt;
    const finish = (): void => {
      if (!isOver() || answered < sent) return;
      clearInterval(timer);
      for (const connection of connections) connection.close();
      const endedAt = Date.now();
      resolve({ startedAt, endedAt, statuses, accepted, latencies: percentiles(latencies), samples });
    };
    /** @param due when it should have been sent: waiting for a free connection is part of the latency */
    const send = (connection: Connection, due: number): void => {
      const next = requests[sent % requests.length];
      if (next === undefined) return;
      sent += 1;
      const sentAt = Date.now();
      connection.send(next, ({ status, body }: Answer) => {
        answered += 1;
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 202) {
          accepted += job.shape.events;
          if (latencies.length < MAX_LATENCIES) latencies.push(performance.now() - due);
          if (job.samplesIds) {
            const { ids } = JSON.parse(body) as { readonly ids: readonly string[] };
            const id = ids[answered % ids.length];
            if (id !== undefined) samples.push({ id, sentAt, acceptedAt: Date.now() });
          }
        }
        if (job.rate === null && !isOver()) send(connection, performance.now());
        else finish();
      });
    };
    const tick = (): void => {
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

function request(url: URL, job: LoadJob, body: Buffer): Buffer {
  const headers = {
    host: url.host,
    "content-type": "application/json",
    ...(job.shape.gzip ? { "content-encoding": "gzip" } : {}),
    ...job.headers,
    "content-length": String(body.length),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${url.pathname} HTTP/1.1\r\n${lines.join("")}\r\n`), body]);
}
