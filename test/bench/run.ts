/** One run of one case; null where it was not looked at. A "copy" is an event at one destination. */
export interface Run {
  /** Events a second answered 202 while the load lasted. */
  readonly accepted: number | null;
  /** Copies a second, from the start of the load until the last one had arrived; of a backlog, of the draining alone. */
  readonly delivered: number | null;
  /** Copies a second that arrived while the load lasted. */
  readonly deliveredMeanwhile: number | null;
  /** `delivered` for each destination that was well. */
  readonly deliveredEach: number | null;
  /** Processor seconds of the whole runtime for a million accepted events, until the last one had arrived. */
  readonly cpuPerMillion: number | null;
  /** Share of its core that the runtime had while the load lasted. */
  readonly busy: number | null;
  /** The same of the load generator, the simulator and the bench itself together; near 1, they are what is measured. */
  readonly loadBusy: number | null;
  readonly peakMegabytes: number | null;
  /** Milliseconds to the 202. */
  readonly answerP50: number | null;
  readonly answerP99: number | null;
  /** Milliseconds from the 202 to the destinations that are well, under a paced load. */
  readonly deliveryP50: number | null;
  readonly deliveryP99: number | null;
  /** Seconds from the mending of a destination to the last arrival of what had waited. */
  readonly recoveredAfter: number | null;
  /** Seconds from the last arrival until everything was confirmed to be indexed. */
  readonly confirmedAfter: number | null;
  /** Copies a second from a small backlog, and how the large one's rate compares with it. */
  readonly deliveredSmall: number | null;
  readonly linearity: number | null;
  /** Events that waited when the large backlog began to be drained. */
  readonly waiting: number | null;
  /** Accepted and never arrived; must be 0. */
  readonly lost: number;
  /** Copies beyond the first. */
  readonly duplicates: number;
  /** What must not happen, in words: the command fails. */
  readonly faults: readonly string[];
  /** Everything else unusual. */
  readonly remarks: readonly string[];
}

export const NOTHING: Run = {
  accepted: null,
  delivered: null,
  deliveredMeanwhile: null,
  deliveredEach: null,
  cpuPerMillion: null,
  busy: null,
  loadBusy: null,
  peakMegabytes: null,
  answerP50: null,
  answerP99: null,
  deliveryP50: null,
  deliveryP99: null,
  recoveredAfter: null,
  confirmedAfter: null,
  deliveredSmall: null,
  linearity: null,
  waiting: null,
  lost: 0,
  duplicates: 0,
  faults: [],
  remarks: [],
};

/** What is known of the fate of a load's events. */
export interface Fates {
  readonly expected: number;
  readonly distinct: number;
  readonly copies: number;
  /** Requests by the status of their answer. */
  readonly statuses: Readonly<Record<string, number>>;
  /** What the destinations have to say. */
  readonly complaints: readonly string[];
}

/** Lost events and broken rules are faults; duplicates are allowed to happen, and counted. */
export function judged(fates: Fates): Pick<Run, "lost" | "duplicates" | "faults" | "remarks"> {
  const missing = fates.expected - fates.distinct;
  const others = Object.entries(fates.statuses).filter(([status]) => status !== "202");
  return {
    lost: Math.max(0, missing),
    duplicates: fates.copies - fates.distinct,
    faults: [...(missing > 0 ? [`${missing} events lost`] : []), ...fates.complaints],
    remarks: [
      ...others.map(
        ([status, count]) =>
          `${count} requests answered ${status === "0" ? "with a broken connection" : status}`,
      ),
      ...(missing < 0 ? [`${-missing} events arrived without having been accepted`] : []),
    ],
  };
}
