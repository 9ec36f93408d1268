-- Low-rate configuration only: there is never a row per event here.
-- Times are epoch milliseconds. Lists page on (created_at, id), so each list has that index.

CREATE TABLE tenants (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tenants_in_order ON tenants (created_at, id);

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,                -- JSON array
  prefix TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,           -- SHA-256 of the key; the key itself is nowhere
  require_signature INTEGER NOT NULL,
  sealed_signing_secret TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;
CREATE INDEX api_keys_in_order ON api_keys (tenant_id, created_at, id);

CREATE TABLE destinations (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  provider TEXT NOT NULL,
  name TEXT NOT NULL,
  endpoint TEXT NOT NULL,              -- empty where the provider derives it from its config
  enabled INTEGER NOT NULL,
  config TEXT NOT NULL,                -- JSON object
  routes TEXT NOT NULL,                -- JSON
  allowed_operations TEXT NOT NULL,    -- JSON array
  sealed_secrets TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  disabled_at INTEGER,
  deleted_at INTEGER,
  status TEXT NOT NULL,                -- as last reported by its lane
  status_reason TEXT                   -- JSON object
) STRICT;
CREATE INDEX destinations_in_order ON destinations (tenant_id, created_at, id);
CREATE INDEX destinations_alive ON destinations (created_at, id) WHERE deleted_at IS NULL;

-- Queue messages that could not be handed over to a lane in all their retries.
CREATE TABLE stranded (
  id TEXT PRIMARY KEY,
  tenant_id TEXT,                      -- null where the message could not be read
  reason TEXT NOT NULL,
  body TEXT NOT NULL,
  at INTEGER NOT NULL,
  tried_at INTEGER NOT NULL            -- the one longest untried has its turn first
) STRICT;
CREATE INDEX stranded_in_order ON stranded (tried_at, id);
