import type { Shape } from "./load/bodies.ts";

/** A load, and what is looked at. One line more is one case more. */
export interface Case {
  readonly name: string;
  readonly title: string;
  /** `throughput`: as much as goes. `backlog`: accepted while the destination is down, then drained. `latency`: paced. */
  readonly kind: "throughput" | "backlog" | "latency";
  readonly shape: Shape;
  readonly connections: number;
  readonly destinations: number;
  /** The first destination takes connections and never answers, from before the load until it is mended after it. */
  readonly hangs?: true;
  /** Each request is signed (Standard Webhooks). */
  readonly signed?: true;
  /** The destinations' tokens acknowledge what has been indexed, and the relay asks. */
  readonly acknowledged?: true;
  /** After the load, and when it has all arrived, some more at a pace that leaves latencies to be looked at. */
  readonly pacedToo?: true;
}

const single: Shape = { events: 1, gzip: false };
const hundred: Shape = { events: 100, gzip: false };
const hundredGzip: Shape = { events: 100, gzip: true };
const thousand: Shape = { events: 1_000, gzip: true };

/** Events that wait when a destination comes back; `--backlog` changes it. */
export const BACKLOG_EVENTS = 1_000_000;
/** Events that wait in the drains it is compared with. */
export const SMALL_BACKLOG_EVENTS = 10_000;
/** Of the throughput of the reference, for looking at latency. */
export const LATENCY_LOAD = 0.2;

const usual = { kind: "throughput", shape: hundred, connections: 16, destinations: 1 } as const;

/** Bodies towards the SIEM are always compressed; "gzip in" says how they come. */
export const CASES: readonly Case[] = [
  { ...usual, name: "single", title: "1 event a POST", shape: single, connections: 64 },
  { ...usual, name: "hundred", title: "100 a POST" },
  { ...usual, name: "hundred-gzip", title: "100 a POST, gzip in", shape: hundredGzip },
  { ...usual, name: "thousand", title: "1,000 a POST, gzip in", shape: thousand, connections: 4 },
  { ...usual, name: "five", title: "100 a POST, five destinations", destinations: 5, pacedToo: true },
  { ...usual, name: "hanging", title: "five, one hanging", destinations: 5, pacedToo: true, hangs: true },
  { ...usual, name: "signed", title: "100 a POST, signed", signed: true },
  { ...usual, name: "acknowledged", title: "100 a POST, acknowledged", acknowledged: true },
  {
    ...usual,
    name: "backlog",
    title: "recovery from a backlog",
    kind: "backlog",
    shape: thousand, // the fastest way to fill it
    connections: 4,
  },
  { ...usual, name: "latency", title: "100 a POST at 20 % load", kind: "latency", connections: 32 },
];

/**
 * Whose throughput the pace of a case is a share of: the same for cases that are to be compared.
 * Copies a destination, because latency is a matter of the slower end.
 */
export function paceReference({ destinations }: Case): string {
  return destinations > 1 ? "five" : "hundred";
}

/** What a Worker does at the least. */
export type Floor = "empty" | "json";
export const FLOORS: readonly Floor[] = ["empty", "json"];
export const FLOOR_SHAPES: readonly {
  readonly name: string;
  readonly shape: Shape;
  readonly connections: number;
}[] = [
  { name: "1", shape: single, connections: 64 },
  { name: "100", shape: hundred, connections: 16 },
  { name: "100, gzip", shape: hundredGzip, connections: 16 },
  { name: "1,000, gzip", shape: thousand, connections: 4 },
];

/** Name of the floors that take the same bodies. */
export function floorShape({ shape }: Pick<Case, "shape">): string | null {
  const same = FLOOR_SHAPES.find(
    (each) => each.shape.events === shape.events && each.shape.gzip === shape.gzip,
  );
  return same?.name ?? null;
}
