-- Who is signed in to the console. The cookie's value is nowhere: only its SHA-256.

CREATE TABLE console_sessions (
  hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL,                  -- 'key' or 'operator'
  name TEXT NOT NULL,                  -- of the key, for people
  key_hash TEXT,                       -- the key signed in with; null for the operator
  tenant_id TEXT,                      -- the key's, or the one that the operator has entered
  csrf TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,            -- last act of a person, to the minute
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX console_sessions_by_key ON console_sessions (key_hash);
CREATE INDEX console_sessions_by_end ON console_sessions (expires_at);
