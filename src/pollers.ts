/**
 * Sees to it that every polled source has a poller that will wake. A poller sets its own alarms; but one that could not
 * be told of its source when that was made would never set the first.
 */
import type { EpochMs } from "./base/clock.ts";
import type { PollerCalls } from "./model/source.ts";
import type { Page, PageRequest } from "./store/database.ts";
import type { PolledSource } from "./store/sources.ts";

/** Sources in one page of the database. */
const PAGE = 100;
/** Of an hour, the minutes in which the schedule that runs every five of them reminds pollers: each is a billed request. */
const FIRST_MINUTES = 5;

export interface RemindDeps {
  polled(request: PageRequest): Promise<Page<PolledSource>>;
  poller(tenantId: string, sourceId: string): Pick<PollerCalls, "configure">;
  log(what: string, facts: Readonly<Record<string, unknown>>): void;
}

/** Once an hour tells every poller what it should know; one that knows it and will wake does nothing. Never rejects. */
export async function remindPollers(scheduledAt: EpochMs, deps: RemindDeps): Promise<void> {
  if (new Date(scheduledAt).getUTCMinutes() >= FIRST_MINUTES) return;
  try {
    let cursor: PageRequest["cursor"] = null;
    do {
      const page: Page<PolledSource> = await deps.polled({ limit: PAGE, cursor });
      await Promise.all(page.items.map((source) => remind(source, deps)));
      cursor = page.next;
    } while (cursor !== null);
  } catch (error) {
    deps.log("source.pollers_not_reminded", { error: String(error).slice(0, 300) });
  }
}

async function remind({ tenantId, id, revision }: PolledSource, deps: RemindDeps): Promise<void> {
  try {
    await deps.poller(tenantId, id).configure(tenantId, id, revision);
  } catch (error) {
    deps.log("source.poller_not_reminded", { source_id: id, error: String(error).slice(0, 300) });
  }
}
