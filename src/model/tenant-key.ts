import type { EpochMs } from "../base/clock.ts";

/** What a tenant's key pairs are for: its secrets are encapsulated to the one, its answers signed with the other. */
export const TENANT_KEY_ALGORITHMS = ["ML-KEM-768", "ML-DSA-65"] as const;
export type TenantKeyAlgorithm = (typeof TENANT_KEY_ALGORITHMS)[number];

/** A key pair of a tenant as it is stored: the private half only wrapped by the operator's key. */
export interface TenantKey {
  /** `tkey_…`; names the pair in public. */
  readonly id: string;
  readonly tenantId: string;
  readonly algorithm: TenantKeyAlgorithm;
  /** From 1. The newest seals and signs, the others only open and verify. */
  readonly version: number;
  /** Standard base64. */
  readonly publicKey: string;
  /** The seed of the pair, wrapped. */
  readonly wrapped: string;
  /** Which key of the operator's wrapped it: `root:…` or `kms:…`. */
  readonly wrappedBy: string;
  readonly createdAt: EpochMs;
}

/** A secret of the relay's own, like the one that batch ids are tagged with; the same under every root key. */
export interface RelayKey {
  readonly name: string;
  readonly wrapped: string;
  readonly wrappedBy: string;
  readonly createdAt: EpochMs;
}
