import type { DestinationDetail } from "../../types.ts";
import { Badge } from "../../ui/parts.tsx";
import { duration, moment } from "../../words.ts";
import { whatIsWrong } from "./attention.ts";

type Change = DestinationDetail["status_changes"][number];

const DAY_MS = 24 * 60 * 60_000;
const SHOWN = 8;

interface Stretch {
  readonly status: string;
  readonly from: number;
  readonly to: number;
}

/** The status over the last 24 hours as a band, and its changes in words, newest first. */
export function StatusTimeline({
  changes,
  createdAt,
  now,
}: {
  changes: readonly Change[];
  createdAt: string;
  now: number;
}) {
  const stretches = stretchesOf(changes, Date.parse(createdAt), now);
  const isWell = stretches.filter(({ status }) => status === "active").reduce(sum, 0);
  const isKnown = stretches.filter(({ status }) => status !== "before").reduce(sum, 0);
  const share = isKnown === 0 ? 100 : (isWell / isKnown) * 100;
  return (
    <section class="card" aria-labelledby="timeline">
      <h2 id="timeline">Status over 24 hours</h2>
      <p class="quiet">
        {share === 100
          ? "Active all the time."
          : `Active ${share.toFixed(share > 99 ? 2 : 0)} % of the time, not well for ${duration(isKnown - isWell)}.`}
      </p>
      <div class="health" aria-hidden="true">
        {stretches.map(({ status, from, to }) => (
          <div
            key={from}
            class={status}
            style={{ flexGrow: to - from }}
            title={`${status} for ${duration(to - from)}`}
          />
        ))}
      </div>
      <div class="ends quiet" aria-hidden="true">
        <span>24 h ago</span>
        <span>now</span>
      </div>
      {changes.length === 0 ? null : (
        <ol class="timeline">
          {changes
            .slice(-SHOWN)
            .toReversed()
            .map((change) => (
              <li key={change.at}>
                <time dateTime={change.at}>{moment(change.at)}</time> <Badge word={change.status} />{" "}
                {change.reason === null ? null : (
                  <>
                    {whatIsWrong({
                      status: change.status,
                      status_reason: { ...change.reason, since: change.at },
                    })}
                    <span class="sub quiet clamp" dir="auto">
                      {change.reason.message}
                    </span>
                  </>
                )}
              </li>
            ))}
        </ol>
      )}
    </section>
  );
}

function sum(total: number, { from, to }: Stretch): number {
  return total + to - from;
}

/** Before the first change that is known, and before the destination was made, nothing can be said against it. */
function stretchesOf(changes: readonly Change[], createdAt: number, now: number): readonly Stretch[] {
  const start = now - DAY_MS;
  const isYoung = createdAt > start;
  const marks = [
    { at: start, status: isYoung ? "before" : "active" },
    ...(isYoung ? [{ at: createdAt, status: "active" }] : []),
    ...changes.map(({ at, status }) => ({ at: Date.parse(at), status: String(status) })),
  ];
  const stretches = marks.map(({ at, status }, index) => ({
    status,
    from: Math.max(at, start),
    to: Math.min(now, marks[index + 1]?.at ?? now),
  }));
  return stretches.filter(({ from, to }) => to > from);
}
