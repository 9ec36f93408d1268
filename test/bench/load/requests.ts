import { bodies } from "./bodies.ts";
import type { LoadJob } from "./job.ts";
import { signatureHeaders } from "./signing.ts";

/** Events a second for which signatures are made beforehand; beyond it they are made as they are needed. */
const PREPARED_EVENTS_PER_SECOND = 200_000;
/** The same for requests, and for how long at most: a signature is good for five minutes, and takes memory. */
const PREPARED_REQUESTS_PER_SECOND = 15_000;
const MAX_PREPARED = 60_000;

/**
 * Makes everything that can be made before the load.
 *
 * @returns the bytes of a request, whole or in parts, by its number from 0
 */
export function prepare(job: LoadJob): (number: number) => readonly Buffer[] {
  const pool = bodies(job.shape);
  const body = (number: number): Buffer => pool[number % pool.length] ?? Buffer.alloc(0);
  if (job.signingSecret === null) {
    const whole = pool.map((each) => [Buffer.concat([head(job, each, ""), each])]);
    return (number) => whole[number % whole.length] ?? [];
  }
  const secret = job.signingSecret;
  // Ids tell this load from the one before: one that comes again is a retry, and is not taken again.
  const run = `${process.pid}-${performance.now()}`;
  const signed = (number: number): readonly Buffer[] => {
    const bytes = body(number);
    const at = Math.floor(Date.now() / 1_000);
    return [
      head(job, bytes, signatureHeaders(secret, { id: `bench-${run}-${number}`, at, body: bytes })),
      bytes,
    ];
  };
  const prepared = Array.from({ length: preparedCount(job) }, (_, number) => signed(number));
  return (number) => prepared[number] ?? signed(number);
}

function preparedCount({ until, rate, shape }: LoadJob): number {
  if ("requests" in until) return Math.min(MAX_PREPARED, until.requests);
  const fastest = Math.min(PREPARED_REQUESTS_PER_SECOND, PREPARED_EVENTS_PER_SECOND / shape.events);
  return Math.min(MAX_PREPARED, Math.ceil(until.seconds * (rate ?? fastest)));
}

/** @param more further header lines, each with its line break */
function head(job: LoadJob, body: Buffer, more: string): Buffer {
  const url = new URL(job.url);
  const headers = {
    host: url.host,
    "content-type": "application/json",
    ...(job.shape.gzip ? { "content-encoding": "gzip" } : {}),
    ...job.headers,
    "content-length": String(body.length),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${url.pathname} HTTP/1.1\r\n${lines.join("")}${more}\r\n`);
}
