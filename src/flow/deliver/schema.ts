import { days, hours } from "../../base/clock.ts";
import { DELIVERY_WINDOW_HOURS, RECEIPT_RETENTION_DAYS } from "../../model/lane.ts";

/**
 * A row with events that were more than a minute old when they were accepted. Indexed apart, because such a row can
 * expire before rows that came before it; rows of the usual sort cost no index. Part of the schema, so never edited.
 */
export const IS_LATE = "first_event_at < accepted_at - 60000";

/** Ordered steps of a lane's own schema. A step is never edited once released; a new one is added. */
const STEPS: readonly string[] = [
  `CREATE TABLE outbox (
     id INTEGER PRIMARY KEY, accepted_at INTEGER NOT NULL, first_event_at INTEGER NOT NULL,
     attempts INTEGER NOT NULL, in_group INTEGER, awaiting INTEGER,
     events INTEGER NOT NULL, bytes INTEGER NOT NULL, manifest TEXT NOT NULL, lines TEXT NOT NULL);
   CREATE TABLE deliveries (
     id INTEGER PRIMARY KEY, accepted_at INTEGER NOT NULL, at INTEGER NOT NULL, outcome TEXT NOT NULL, trouble TEXT,
     events INTEGER NOT NULL, delivered INTEGER NOT NULL, bytes INTEGER NOT NULL,
     http_status INTEGER, code TEXT, message TEXT NOT NULL, latency INTEGER NOT NULL,
     retry_at INTEGER, maybe_taken INTEGER NOT NULL, ack TEXT, acked_at INTEGER, manifest TEXT NOT NULL, settled TEXT);
   CREATE TABLE pending_acks (
     id INTEGER PRIMARY KEY, channel TEXT, cookie TEXT, ack_id INTEGER NOT NULL, delivery_id INTEGER NOT NULL,
     sent_at INTEGER NOT NULL, next_poll_at INTEGER NOT NULL, polls INTEGER NOT NULL, told INTEGER NOT NULL);
   CREATE TABLE dead_letters (
     id INTEGER PRIMARY KEY AUTOINCREMENT, batch_id TEXT NOT NULL, part INTEGER NOT NULL, reason TEXT NOT NULL,
     message TEXT NOT NULL, http_status INTEGER, code TEXT, attempts INTEGER NOT NULL,
     accepted_at INTEGER NOT NULL, parked_at INTEGER NOT NULL, event_id TEXT NOT NULL, line TEXT NOT NULL);
   CREATE TABLE minutes (
     minute INTEGER PRIMARY KEY, delivered INTEGER NOT NULL, retried INTEGER NOT NULL, dead INTEGER NOT NULL,
     latencies TEXT NOT NULL, totals TEXT NOT NULL);`,
  `CREATE INDEX outbox_late ON outbox (first_event_at) WHERE ${IS_LATE};
   CREATE INDEX outbox_groups ON outbox (in_group) WHERE in_group IS NOT NULL;`,
];

/** Brings a lane's SQLite to the present schema, from any earlier one. Runs before anything else touches it. */
export function migrate(storage: DurableObjectStorage): void {
  storage.sql.exec(
    "CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
  );
  const row = storage.sql.exec("SELECT value FROM facts WHERE key = 'schema'").toArray()[0];
  const applied = Number(row?.["value"] ?? 0);
  if (applied >= STEPS.length) return;
  storage.transactionSync(() => {
    for (const step of STEPS.slice(applied)) storage.sql.exec(step);
    storage.sql.exec("INSERT OR REPLACE INTO facts VALUES ('schema', ?)", String(STEPS.length));
  });
}

/** How long an undelivered event is tried. */
export const DELIVERY_WINDOW = hours(DELIVERY_WINDOW_HOURS);
/** How long receipts are kept. */
export const RECEIPT_RETENTION = days(RECEIPT_RETENTION_DAYS);
