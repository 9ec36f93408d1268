-- A destination may have several lanes. A lane that is out of use may still hold events, so the most that it ever had
-- are remembered. `status` is what the first lane says of itself; the others say it here where it is not "active", so
-- that none overwrites another.
ALTER TABLE destinations ADD COLUMN most_shards INTEGER NOT NULL DEFAULT 1;
ALTER TABLE destinations ADD COLUMN shard_status TEXT; -- JSON object: shard → status and reason
