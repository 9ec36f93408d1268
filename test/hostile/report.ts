import type { Answer, Reply, Shot } from "./shot.ts";

/** One thing that was wrong, with the first request that showed it. */
export interface Failure {
  readonly complaint: string;
  readonly shot: Shot;
  readonly reply: Reply;
  count: number;
}

/** What was sent and what came back, counted. */
export class Tally {
  readonly byRoute = new Map<string, number>();
  readonly byKind = new Map<string, number>();
  readonly byStatus = new Map<string, number>();
  readonly failures = new Map<string, Failure>();
  sent = 0;
  cutOff = 0;
  slowest = { milliseconds: 0, route: "", kind: "" };

  count(shot: Shot, reply: Reply, ofWorker: (answer: Answer) => boolean): void {
    this.sent += shot.answers ?? 1;
    increase(this.byRoute, shot.route, shot.answers ?? 1);
    increase(this.byKind, shot.kind, shot.answers ?? 1);
    for (const answer of reply.answers) {
      increase(this.byStatus, `${answer.status}${ofWorker(answer) ? "" : " by the server"}`);
    }
    if (reply.answers.length === 0) increase(this.byStatus, "none");
    if (shot.answers !== null && reply.answers.length < shot.answers) this.cutOff += 1;
    if (shot.answers === 1 && shot.delivery === "shared" && reply.milliseconds > this.slowest.milliseconds) {
      this.slowest = { milliseconds: reply.milliseconds, route: shot.route, kind: shot.kind };
    }
  }

  /** @returns whether this is the first of its sort */
  complain(complaint: string, shot: Shot, reply: Reply): boolean {
    const sort = `${shot.route}: ${complaint.replaceAll(/\d+/g, "#")}`;
    const known = this.failures.get(sort);
    if (known !== undefined) {
      known.count += 1;
      return false;
    }
    this.failures.set(sort, { complaint, shot, reply, count: 1 });
    return true;
  }
}

function increase(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

const SHOWN_BYTES = 600;

/** Bytes as hex and as text, cut where they would fill the screen. */
export function showBytes(bytes: Buffer): string {
  const part = bytes.subarray(0, SHOWN_BYTES);
  const more = bytes.length > part.length ? ` … (${bytes.length} bytes in all)` : "";
  const text = JSON.stringify(part.toString("latin1"))
    .slice(1, -1)
    .replaceAll(/[\x7f-\xff]/g, (each) => `\\x${each.charCodeAt(0).toString(16)}`);
  return `    text ${text}${more}\n    hex  ${part.toString("hex")}${more}`;
}

/** Everything that is needed to see it again. */
export function showFailure(
  { complaint, shot, reply, count }: Failure,
  seed: number,
  smallest: Buffer,
): string {
  const [answer] = reply.answers;
  const heads = [...(answer?.headers ?? [])].map((each) => each.join(": ")).join("\n      ");
  return [
    `✗ ${complaint} (${count}×)`,
    `  ${shot.route}, ${shot.kind}, as ${shot.party}; again with --seed ${seed} --only ${shot.index}`,
    "  request",
    showBytes(shot.bytes),
    ...(smallest.length < shot.bytes.length
      ? ["  smaller, with the same complaint", showBytes(smallest)]
      : []),
    `  answer ${answer?.status ?? "none"} (${reply.end} after ${Math.round(reply.milliseconds)} ms)`,
    `      ${heads}`,
    showBytes(answer?.body ?? reply.rest),
  ].join("\n");
}

/** A list of counts, the largest first. */
export function showCounts(title: string, counts: ReadonlyMap<string, number>): string {
  const lines = [...counts].sort(([, left], [, right]) => right - left);
  return `${title}\n${lines.map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`).join("\n")}`;
}
