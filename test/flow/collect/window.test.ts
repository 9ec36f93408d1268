import fc from "fast-check";
import { describe, it } from "vitest";
import { minutes } from "../../../src/base/clock.ts";
import {
  type ClockReading,
  halve,
  nextSlice,
  openSpan,
  type Span,
} from "../../../src/flow/collect/window.ts";

const OVERLAP = 15 * 60;
const reading = (splunk: number, at: number): ClockReading => ({ splunk, askedAt: at, answeredAt: at });

describe("a span", () => {
  it("begins the overlap before Splunk's now where nothing was read yet", ({ expect }) => {
    const span = openSpan({
      checkpoint: null,
      last: null,
      reading: reading(10_000, 0),
      overlapSeconds: OVERLAP,
    });
    expect(span).toEqual({ from: 10_000 - OVERLAP, to: 10_000, goal: 10_000 });
  });

  it("begins the overlap before the checkpoint, whatever our own clock says", ({ expect }) => {
    const last = reading(10_000, 77);
    const next = reading(10_300, 77 + minutes(5));
    expect(openSpan({ checkpoint: 10_000, last, reading: next, overlapSeconds: OVERLAP })).toEqual({
      from: 10_000 - OVERLAP,
      to: 10_300,
      goal: 10_300,
    });
  });

  it("begins where Splunk's clock can have stood since, when that was put back", ({ expect }) => {
    const last = reading(10_000, 0);
    const next = reading(6_700, minutes(5));
    const { from } = openSpan({ checkpoint: 10_000, last, reading: next, overlapSeconds: OVERLAP });
    expect(from).toBe(6_400 - OVERLAP);
  });

  it("is halved down to a single second and no further", ({ expect }) => {
    const slices: Span[] = [];
    for (let span: Span | null = { from: 0, to: 900, goal: 900 }; span !== null; span = halve(span))
      slices.push(span);
    expect(slices.at(-1)).toEqual({ from: 0, to: 1, goal: 900 });
    expect(slices).toHaveLength(10);
  });

  it("is read in slices without a gap, whichever of them turn out too large", ({ expect }) => {
    const sizes = fc.record({
      seconds: fc.integer({ min: 1, max: 100_000 }),
      crowds: fc.array(fc.boolean()),
    });
    fc.assert(
      fc.property(sizes, ({ seconds, crowds }) => {
        let at = 0;
        let steps = 0;
        for (let span: Span | null = { from: 0, to: seconds, goal: seconds }; span !== null; steps += 1) {
          expect(span.from).toBe(at);
          const half: Span | null = (crowds[steps] ?? false) ? halve(span) : null;
          if (half === null) at = span.to;
          span = half ?? nextSlice(span);
        }
        expect(at).toBe(seconds);
      }),
    );
  });
});

/** What happens to the world between two polls, in seconds. */
interface Turn {
  readonly waited: number;
  /** Splunk's clock is put back by so much, after so many of the seconds waited. */
  readonly back: number;
  readonly backAfter: number;
  /** The poll fails, so that its window stays open. */
  readonly fails: boolean;
  /** Seconds between asking for Splunk's clock and hearing of it. */
  readonly latency: number;
}

const turn: fc.Arbitrary<Turn> = fc
  .record({
    waited: fc.integer({ min: 1, max: 20_000 }),
    back: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 100_000 })),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    fails: fc.boolean(),
    latency: fc.integer({ min: 0, max: 30 }),
  })
  .map(({ share, ...rest }) => ({ ...rest, backAfter: Math.floor(share * rest.waited) }));

type Stretch = readonly [first: number, last: number];

/** A Splunk whose index times are written down, and a poller that reads them off. */
class Model {
  ours = 0;
  splunk: number;
  checkpoint: number | null = null;
  #last: ClockReading | null = null;
  #open: Span | null = null;
  /** Index times stamped before the open span was opened, and after: only the former are certain to be in it. */
  #due: Stretch[] = [];
  #later: Stretch[] = [];

  constructor(splunk: number) {
    this.splunk = splunk;
  }

  turn({ waited, back, backAfter, fails, latency }: Turn): void {
    this.#pass(backAfter);
    this.splunk -= back;
    this.#pass(waited - backAfter);
    this.#open ??= this.#begin(latency);
    if (fails) return;
    const { from, goal } = this.#open;
    this.#later.push(...this.#due.flatMap((stretch) => without(stretch, from, goal)));
    this.#due = [];
    this.checkpoint = goal;
    this.#open = null;
  }

  /** What was stamped before the checkpoint and never read. */
  get missed(): readonly Stretch[] {
    return this.#later.filter(([first]) => first < (this.checkpoint ?? 0));
  }

  #begin(latency: number): Span {
    const [told, askedAt] = [this.splunk, this.ours];
    if (this.#last === null) this.#later = []; // what was there before the first poll is not owed
    this.#due = this.#later;
    this.#later = [];
    this.#pass(latency);
    const reading: ClockReading = { splunk: told, askedAt, answeredAt: this.ours };
    const span = openSpan({
      checkpoint: this.checkpoint,
      last: this.#last,
      reading,
      // For what becomes visible late; that nothing is left out must not depend on it.
      overlapSeconds: 0,
    });
    this.#last = reading;
    return span;
  }

  #pass(seconds: number): void {
    if (seconds > 0) this.#later.push([this.splunk, this.splunk + seconds - 1]);
    this.ours += seconds * 1_000;
    this.splunk += seconds;
  }
}

it("no second at which Splunk can have indexed something is left out, whatever its clock does and whichever polls fail", ({
  expect,
}) => {
  const offsets = fc.integer({ min: 0, max: 100_000 });
  fc.assert(
    fc.property(fc.array(turn, { minLength: 1, maxLength: 12 }), offsets, (turns, offset) => {
      const model = new Model(1_000_000 + offset);
      for (const each of turns) model.turn(each);
      model.turn(CALM);
      model.turn(CALM);
      expect(model.missed).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

const CALM: Turn = { waited: 300, back: 0, backAfter: 0, fails: false, latency: 1 };

/** What is left of a stretch when the seconds from `from` to before `to` have been read. */
function without([first, end]: Stretch, from: number, to: number): Stretch[] {
  const before: Stretch = [first, Math.min(end, from - 1)];
  const after: Stretch = [Math.max(first, to), end];
  return [before, after].filter(([start, stop]) => start <= stop);
}
