-- Secrets have records of their own, and tenants and the relay keys of their own, wrapped by the operator's key.

CREATE TABLE tenant_keys (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  algorithm TEXT NOT NULL,             -- ML-KEM-768 or ML-DSA-65
  version INTEGER NOT NULL,            -- from 1; the newest seals and signs
  public_key TEXT NOT NULL,            -- base64
  wrapped TEXT NOT NULL,               -- the seed, wrapped
  wrapped_by TEXT NOT NULL,            -- which key of the operator's wrapped it
  created_at INTEGER NOT NULL,
  UNIQUE (tenant_id, algorithm, version)
) STRICT;
CREATE INDEX tenant_keys_by_wrapping ON tenant_keys (wrapped_by);

CREATE TABLE relay_keys (
  name TEXT PRIMARY KEY,
  wrapped TEXT NOT NULL,
  wrapped_by TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE credentials (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL,
  credential_type TEXT NOT NULL,
  managed_by TEXT UNIQUE,              -- the destination that it was given with, and that it dies with
  fields TEXT NOT NULL,                -- JSON array: names of the values that are sealed
  sealed TEXT NOT NULL,
  previous_sealed TEXT,                -- the values before the last rotation, used where the new ones are refused
  previous_until INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  rotated_at INTEGER
) STRICT;
CREATE INDEX credentials_in_order ON credentials (tenant_id, created_at, id);
CREATE INDEX credentials_with_previous ON credentials (previous_until) WHERE previous_until IS NOT NULL;

-- What a root key still seals directly, until the schedule has sealed it anew.
CREATE INDEX credentials_first_format ON credentials (id) WHERE sealed < 'v2' OR previous_sealed < 'v2';
CREATE INDEX api_keys_first_format ON api_keys (id) WHERE sealed_signing_secret < 'v2';

-- Secrets given with a destination so far become credentials that it manages. The texts stay sealed to the
-- destination's id, as they were.
INSERT INTO credentials (id, tenant_id, name, credential_type, managed_by, fields, sealed, version, created_at, updated_at)
  SELECT 'cred_' || substr(id, 6), tenant_id, name, 'destination', id, '[]', sealed_secrets, 1, created_at, updated_at
  FROM destinations;

ALTER TABLE destinations ADD COLUMN credential_id TEXT NOT NULL DEFAULT '';
UPDATE destinations SET credential_id = 'cred_' || substr(id, 6);
ALTER TABLE destinations DROP COLUMN sealed_secrets;
-- Where it sends to when its endpoint follows from its config; null until it is next written.
ALTER TABLE destinations ADD COLUMN origin TEXT;
CREATE INDEX destinations_by_credential ON destinations (tenant_id, credential_id);
