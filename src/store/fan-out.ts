import type { DestinationSettings } from "../model/destination.ts";
import type { DestinationStore } from "./destinations.ts";

type Found = readonly DestinationSettings[];

/**
 * Reads the destinations of tenants that are asked for in the same turn with one query: a delivery of the queue can be of
 * a hundred tenants, and a database answers one query after another.
 *
 * Where that query fails, each tenant is asked for alone, so that what is wrong with one holds nobody else up.
 */
export function fanOutReader(
  store: Pick<DestinationStore, "forFanOut" | "forFanOutOf">,
): (tenantId: string) => Promise<Found> {
  let open: {
    readonly tenants: Set<string>;
    readonly found: Promise<(tenantId: string) => Promise<Found>>;
  } | null = null;

  const begin = () => {
    const tenants = new Set<string>();
    const found = Promise.resolve().then(async () => {
      open = null;
      if (tenants.size === 1) return (tenantId: string) => store.forFanOut(tenantId);
      try {
        const all = await store.forFanOutOf([...tenants]);
        return async (tenantId: string) => all.get(tenantId) ?? [];
      } catch {
        return (tenantId: string) => store.forFanOut(tenantId);
      }
    });
    return { tenants, found };
  };

  return async (tenantId) => {
    open ??= begin();
    open.tenants.add(tenantId);
    const read = await open.found;
    return read(tenantId);
  };
}
