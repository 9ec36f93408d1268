import type { Shape } from "./bodies.ts";

/** What the load generator is told to do. Travels between processes as JSON. */
export interface LoadJob {
  /** Where to POST. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `whsec_…`: each request is signed with it, under an id of its own. Null: none is. */
  readonly signingSecret: string | null;
  readonly shape: Shape;
  readonly connections: number;
  readonly until: { readonly seconds: number } | { readonly requests: number };
  /** Requests a second, sent when they are due; null: each connection sends as soon as it has its answer. */
  readonly rate: number | null;
  /** Remember when one event of each request was accepted, and under which id. */
  readonly samplesIds: boolean;
}

/** When an event was on its way, in epoch milliseconds. */
export interface Sample {
  readonly id: string;
  readonly sentAt: number;
  readonly acceptedAt: number;
}

export interface LoadResult {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Processor seconds before that: making bodies and signatures. */
  readonly preparing: number;
  /** Requests by the status of their answer; "0": the connection broke. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Events of requests that were answered 202. */
  readonly accepted: number;
  /** Milliseconds from sending (or from when it was due) to the answer, of 202 answers. */
  readonly latencies: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  readonly samples: readonly Sample[];
}
