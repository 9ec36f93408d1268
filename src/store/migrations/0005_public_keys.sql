-- What callers of the outbound proxy have registered for their answers. Public, so nothing here is sealed.
CREATE TABLE public_keys (
  id TEXT PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants (id),
  api_key_id TEXT NOT NULL,            -- who registered it, and for whom alone it is used
  name TEXT NOT NULL,
  public_key TEXT NOT NULL,            -- ML-KEM-768, base64
  created_at INTEGER NOT NULL,         -- when it was last registered
  UNIQUE (tenant_id, api_key_id, public_key)
) STRICT;
CREATE INDEX public_keys_in_order ON public_keys (tenant_id, created_at, id);
CREATE INDEX public_keys_newest ON public_keys (tenant_id, api_key_id, created_at, id);
