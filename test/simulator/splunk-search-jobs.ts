/** The search jobs of a Splunk: made, looked at, and forgotten when nobody looks. */
import type { SearchJobSummary } from "./control.ts";
import type { Job } from "./splunk-search-replies.ts";

export class JobDesk {
  readonly #jobs = new Map<string, Job>();
  /** Jobs that were: asking for one of them breaks no rule. */
  readonly #gone = new Set<string>();
  #count = 0;

  /** @param clock Splunk's, in epoch seconds. @returns its `sid` */
  open(job: Omit<Job, "sid" | "usedAt">, clock: number): string {
    const sid = `${Math.floor(clock)}.${++this.#count}`;
    this.#jobs.set(sid, { ...job, sid, usedAt: job.createdAt });
    return sid;
  }

  /** The job, which lives on for having been asked for; "gone" if it ended, null if there never was one. */
  look(sid: string, { now, ttlMs }: { now: number; ttlMs: number }): Job | "gone" | null {
    const job = this.#jobs.get(sid);
    if (job === undefined) return this.#gone.has(sid) ? "gone" : null;
    if (now - job.usedAt > ttlMs) {
      this.close(sid);
      return "gone";
    }
    job.usedAt = now;
    return job;
  }

  /** @returns how many there were: one or none of this `sid`, or all of them */
  close(sid?: string): number {
    const sids = sid === undefined ? [...this.#jobs.keys()] : this.#jobs.has(sid) ? [sid] : [];
    for (const one of sids) {
      this.#jobs.delete(one);
      this.#gone.add(one);
    }
    return sids.length;
  }

  list(): readonly SearchJobSummary[] {
    return [...this.#jobs.values()].map(({ sid, search, createdAt, polls, found }) => ({
      sid,
      search,
      created_at: createdAt,
      polls,
      rows: found.rows.length,
    }));
  }
}
