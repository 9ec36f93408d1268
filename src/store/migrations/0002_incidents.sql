-- Incidents, what was counted towards them, and what happened to them. Times are epoch milliseconds.

CREATE TABLE incidents (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  number INTEGER NOT NULL,             -- from 1 within the tenant, without gaps; rows are never deleted
  source_id TEXT NOT NULL,
  dedup_key TEXT,                      -- which alerts are the same trouble; null while they would open a new incident
  own_dedup_key TEXT NOT NULL,         -- what `dedup_key` was, for opening it again
  dedup_scope TEXT NOT NULL,           -- `while_open` or `forever`
  state TEXT NOT NULL,
  priority TEXT NOT NULL,
  severity TEXT,
  assignment_group TEXT,
  short_description TEXT NOT NULL,
  ci_identifier TEXT,
  source_ip TEXT,
  search_name TEXT,
  message TEXT,
  alert TEXT NOT NULL,                 -- JSON object, the latest
  occurrences INTEGER NOT NULL,
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  acknowledged_at INTEGER,
  resolved_at INTEGER,
  closed_at INTEGER,
  revision INTEGER NOT NULL,           -- that of its latest row in incident_changes
  UNIQUE (tenant_id, number),
  UNIQUE (source_id, dedup_key)
) STRICT;
CREATE INDEX incidents_in_order ON incidents (tenant_id, created_at, id);

-- Every alert that was counted, so that a resend counts nothing. Pruned after 30 days.
CREATE TABLE incident_alerts (
  request_id TEXT NOT NULL,            -- sorts by the time of receipt
  position INTEGER NOT NULL,           -- of the alert within its request
  source_id TEXT NOT NULL,
  alert_key TEXT,                      -- null where nothing tells a resend from a second alert
  incident_id TEXT NOT NULL,
  PRIMARY KEY (request_id, position),
  UNIQUE (source_id, alert_key)
) STRICT, WITHOUT ROWID;

-- Signatures that were used, so that none is used twice. Pruned after 30 days.
CREATE TABLE incident_proofs (
  source_id TEXT NOT NULL,
  proof TEXT NOT NULL,
  request_id TEXT NOT NULL,            -- the request that used it, sorts by the time of receipt
  incident_id TEXT NOT NULL,
  PRIMARY KEY (source_id, proof)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_proofs_in_order ON incident_proofs (request_id);

-- The timelines. Each row is an event on its tenant's stream, and `told_at` is when the queue had it.
CREATE TABLE incident_changes (
  incident_id TEXT NOT NULL,
  revision INTEGER NOT NULL,           -- of the incident after it: 1, 2, 3, …
  tenant_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  actor_type TEXT NOT NULL,
  changes TEXT NOT NULL,               -- JSON object: field → from and to
  note TEXT,
  after TEXT NOT NULL,                 -- JSON object: what can change of an incident, as it was then
  told_at INTEGER,
  PRIMARY KEY (incident_id, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_changes_untold ON incident_changes (at) WHERE told_at IS NULL;
