import type { Shape } from "./load/bodies.ts";

/** A load, and what is looked at. One line more is one case more. */
export interface Case {
  readonly name: string;
  readonly title: string;
  readonly kind: "throughput" | "backlog" | "latency";
  readonly shape: Shape;
  readonly connections: number;
  readonly destinations: number;
}

const single: Shape = { events: 1, gzip: false };
const hundred: Shape = { events: 100, gzip: false };
const thousand: Shape = { events: 1_000, gzip: true };

/** Events that wait when a destination comes back. */
export const BACKLOG_EVENTS = 200_000;
/** Of the throughput of the same load, for looking at latency. */
export const LATENCY_LOAD = 0.2;
/** The case whose throughput the latency case takes its load from. */
export const LATENCY_REFERENCE = "hundred";

export const CASES: readonly Case[] = [
  {
    name: "single",
    title: "1 event a POST",
    kind: "throughput",
    shape: single,
    connections: 64,
    destinations: 1,
  },
  {
    name: "hundred",
    title: "100 a POST",
    kind: "throughput",
    shape: hundred,
    connections: 16,
    destinations: 1,
  },
  {
    name: "thousand",
    title: "1,000 a POST, gzip",
    kind: "throughput",
    shape: thousand,
    connections: 4,
    destinations: 1,
  },
  {
    name: "five",
    title: "100 a POST, five destinations",
    kind: "throughput",
    shape: hundred,
    connections: 16,
    destinations: 5,
  },
  {
    name: "backlog",
    title: `recovery of ${BACKLOG_EVENTS.toLocaleString("en")} events`,
    kind: "backlog",
    shape: hundred,
    connections: 16,
    destinations: 1,
  },
  {
    name: "latency",
    title: "100 a POST at 20 % load",
    kind: "latency",
    shape: hundred,
    connections: 32,
    destinations: 1,
  },
];

/** What a Worker does at the least. */
export type Floor = "empty" | "json";
export const FLOORS: readonly Floor[] = ["empty", "json"];
export const FLOOR_SHAPES: readonly {
  readonly name: string;
  readonly shape: Shape;
  readonly connections: number;
}[] = [
  { name: "single", shape: single, connections: 64 },
  { name: "hundred", shape: hundred, connections: 16 },
  { name: "thousand", shape: thousand, connections: 4 },
];
