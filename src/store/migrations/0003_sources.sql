-- Inbound webhooks of Splunk alerts, and searches that are polled.

CREATE TABLE sources (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  config TEXT NOT NULL,                -- JSON object, never a secret
  severity_mapping TEXT NOT NULL,      -- JSON object
  field_mapping TEXT NOT NULL,         -- JSON object
  dedup_fields TEXT NOT NULL,          -- JSON array
  sealed_secrets TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  last_seen_at INTEGER,                -- the latest alert, or successful poll
  alerts INTEGER NOT NULL DEFAULT 0,   -- taken, resends not counted
  status TEXT NOT NULL,                -- as last reported by its poller
  status_reason TEXT                   -- JSON object
) STRICT;
CREATE INDEX sources_in_order ON sources (tenant_id, created_at, id);
CREATE INDEX sources_polled ON sources (created_at, id) WHERE kind = 'splunk_es' AND deleted_at IS NULL;

-- By which secret an alert finds its source. HMACs under a key of the relay's: a person may have chosen the secret,
-- so a bare hash of it could be guessed. A replaced secret stays until the next change; when it expires is sealed.
CREATE TABLE source_secrets (
  mac TEXT NOT NULL,
  source_id TEXT NOT NULL REFERENCES sources (id),
  PRIMARY KEY (mac, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_secrets_of ON source_secrets (source_id);
