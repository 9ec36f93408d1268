import { ID_PREFIX } from "../base/ids.ts";

/** One call of the outbound proxy. Who asks is known; nothing else about it is believed yet. */
export interface ProxyCall {
  readonly tenantId: string;
  /** The API key that calls; the answer is encrypted to the newest public key that it registered. */
  readonly apiKeyId: string;
  /** As the caller wrote it: `int_…`, or `siem_…`. */
  readonly integrationId: string;
  readonly operation: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An integration is a destination under another name: the same record, the same digits, another prefix. */
export function integrationIdOf(destinationId: string): string {
  return ID_PREFIX.integration + destinationId.slice(ID_PREFIX.destination.length);
}

/** The destination that an id names, as an integration or by its own name; null where it names neither. */
export function destinationIdOf(id: string): string | null {
  if (id.startsWith(ID_PREFIX.destination)) return id;
  if (!id.startsWith(ID_PREFIX.integration)) return null;
  return ID_PREFIX.destination + id.slice(ID_PREFIX.integration.length);
}
