import type { EpochMs } from "../base/clock.ts";

/** What answers of the proxy are encrypted to; the only kind there is. */
export const PUBLIC_KEY_ALGORITHM = "ML-KEM-768";

/** A public key that a caller of the proxy has registered. It serves the API key that registered it, and no other. */
export interface PublicKey {
  readonly id: string;
  readonly tenantId: string;
  /** The API key that registered it. */
  readonly apiKeyId: string;
  /** For people; may be empty. */
  readonly name: string;
  /** 1,184 bytes in standard base64, checked as FIPS 203 demands. */
  readonly publicKey: string;
  /** When it was last registered: an API key's newest one is used. */
  readonly createdAt: EpochMs;
}

/** The public half of a tenant's signing key: what envelopes are verified with. */
export interface VerificationKey {
  readonly keyId: string;
  /** ML-DSA-65, 1,952 bytes in standard base64. */
  readonly publicKey: string;
  readonly createdAt: EpochMs;
}
