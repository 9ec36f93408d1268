import { z } from "zod";
import type { Tenant } from "../model/tenant.ts";
import { moment } from "./columns.ts";
import { one, type Page, type PageRequest, page, run } from "./database.ts";

const TenantRow = z
  .object({ id: z.string(), name: z.string(), created_at: moment })
  .transform((row): Tenant => ({ id: row.id, name: row.name, createdAt: row.created_at }));

/** The customer organisations; only the operator lists them. */
export interface TenantStore {
  insert(tenant: Tenant): Promise<void>;
  get(id: string): Promise<Tenant | null>;
  page(request: PageRequest): Promise<Page<Tenant>>;
}

export function createTenantStore(db: D1Database): TenantStore {
  return {
    async insert(tenant) {
      await run(
        db,
        "INSERT INTO tenants (id, name, created_at) VALUES (?, ?, ?)",
        tenant.id,
        tenant.name,
        tenant.createdAt,
      );
    },
    get: (id) => one(db, TenantRow, "SELECT * FROM tenants WHERE id = ?", id),
    page: (request) => page(db, { row: TenantRow, table: "tenants", where: "1", values: [] }, request),
  };
}
