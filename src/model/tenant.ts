import { z } from "zod";
import type { EpochMs } from "../base/clock.ts";
import type { Secret } from "../base/secret.ts";

/** Everything a key can be allowed to do. A name is never changed once published. */
export const SCOPES = [
  "events:write",
  "destinations:read",
  "destinations:write",
  "sources:write",
  "incidents:read",
  "incidents:write",
  "vault:seal",
  "vault:unseal",
  "proxy:invoke",
  "audit:read",
  "keys:write",
  "*",
] as const;
export const Scope = z.enum(SCOPES).meta({ id: "Scope", description: "`*` grants every scope" });
export type Scope = z.infer<typeof Scope>;

/** One customer organisation. */
export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly createdAt: EpochMs;
}

/** A key as it is stored: its SHA-256 alone, never the key. */
export interface ApiKey {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The first characters of the key, so that a person can tell keys apart. */
  readonly prefix: string;
  readonly requireSignature: boolean;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs | null;
  readonly revokedAt: EpochMs | null;
}

/** Who is asking. */
export type Principal =
  | { readonly kind: "operator" }
  | {
      readonly kind: "key";
      readonly keyId: string;
      readonly tenantId: string;
      readonly scopes: readonly Scope[];
      /** Present when requests with this key must be signed. */
      readonly signingSecret: Secret<string> | null;
    };
