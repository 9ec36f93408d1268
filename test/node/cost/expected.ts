/** One delivery of the queue, as full as it can be: what it carries and what it costs. */
export interface Expected {
  readonly eventsPerRequest: number;
  readonly destinations: number;
  readonly events: number;
  /** Messages on the queue, none larger than the 64 KB of one operation: each is written, read and deleted. */
  readonly messages: number;
  /** Rows inserted, replaced and deleted, over all lanes. */
  readonly laneRowsWritten: number;
  readonly laneRowsRead: number;
  readonly siemRequests: number;
}

function row(
  ...[eventsPerRequest = 0, destinations = 0, events = 0, messages = 0, ...rest]: number[]
): Expected {
  const [laneRowsWritten = 0, laneRowsRead = 0, siemRequests = 0] = rest;
  return { eventsPerRequest, destinations, events, messages, laneRowsWritten, laneRowsRead, siemRequests };
}

/**
 * The one place to change when the cost is meant to change. Events are of 500 bytes; requests come one after the other, so
 * that none shares a message with another.
 */
// biome-ignore format: a table is read by its columns
export const EXPECTED: readonly Expected[] = [
  //  events     desti-   events  messages  lane rows  lane rows  requests
  //  a request  nations                    written    read       to SIEMs
  row(1,         1,       100,    100,      4,         10,        1),
  row(10,        1,       1_000,  100,      8,         23,        2),
  row(100,       1,       10_000, 100,      52,        144,       13),
  row(1_000,     1,       25_000, 75,       140,       386,       35),
  row(1,         5,       100,    100,      20,        50,        5),
  row(10,        5,       1_000,  100,      40,        115,       10),
  row(100,       5,       10_000, 100,      260,       720,       65),
  row(1_000,     5,       25_000, 75,       700,       1_930,     175),
];
