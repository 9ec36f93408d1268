import { randomBytes, toBase64 } from "../base/bytes.ts";
import type { EpochMs } from "../base/clock.ts";
import { ID_PREFIX, newId } from "../base/ids.ts";
import { ML_DSA_65, mlDsaKeyPair } from "../base/ml-dsa.ts";
import { ML_KEM_768, mlKemKeyPair } from "../base/ml-kem.ts";
import { err, ok, type Result } from "../base/result.ts";
import { Secret, wipe } from "../base/secret.ts";
import type { TenantKey, TenantKeyAlgorithm } from "../model/tenant-key.ts";
import type { WrapContext, WrapFault, Wrapping } from "./wrap-key.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A key pair in the open, as long as it is needed. */
export interface OpenTenantKey {
  readonly id: string;
  readonly version: number;
  readonly publicKey: Bytes;
  readonly secretKey: Secret<Bytes>;
}

/** Seeds are what is wrapped: 64 or 32 bytes, far below what KMS takes in one call. */
const SEED_BYTES: Readonly<Record<TenantKeyAlgorithm, number>> = {
  "ML-KEM-768": ML_KEM_768.seed,
  "ML-DSA-65": ML_DSA_65.seed,
};

type Name = Pick<TenantKey, "tenantId" | "algorithm" | "version">;

/** What a wrapped seed is bound to: another tenant's, algorithm's or version's does not open in its place. */
export function tenantKeyContext({ tenantId, algorithm, version }: Name): WrapContext {
  return { purpose: "sluice/tenant-key/v1", tenant_id: tenantId, algorithm, version: String(version) };
}

/** A fresh key pair, its seed wrapped and gone. */
export async function makeTenantKey(
  name: Name,
  now: EpochMs,
  wrapping: Wrapping,
): Promise<Result<TenantKey, WrapFault>> {
  const seed = randomBytes(SEED_BYTES[name.algorithm]);
  const { publicKey, secretKey } = pairOf(name.algorithm, seed);
  wipe(secretKey);
  const wrapped = await wrapping.present.wrap(seed, tenantKeyContext(name));
  wipe(seed);
  if (!wrapped.ok) return wrapped;
  return ok({
    ...name,
    id: newId(ID_PREFIX.tenantKey, now),
    publicKey: toBase64(publicKey),
    wrapped: wrapped.value,
    wrappedBy: wrapping.present.id,
    createdAt: now,
  });
}

/** The pair of a stored key. One whose public half is not that of its seed is not believed. */
export async function openTenantKey(
  key: TenantKey,
  wrapping: Wrapping,
): Promise<Result<OpenTenantKey, WrapFault>> {
  const seed = await wrapping.unwrap(key, tenantKeyContext(key));
  if (!seed.ok) return seed;
  if (seed.value.byteLength !== SEED_BYTES[key.algorithm]) return err({ reason: "does_not_open" });
  const { publicKey, secretKey } = pairOf(key.algorithm, seed.value);
  wipe(seed.value);
  // Who can write to the database must not have secrets sealed to a key of their own.
  if (toBase64(publicKey) !== key.publicKey) {
    wipe(secretKey);
    return err({ reason: "does_not_open" });
  }
  return ok({ id: key.id, version: key.version, publicKey, secretKey: new Secret(secretKey) });
}

function pairOf(algorithm: TenantKeyAlgorithm, seed: Bytes) {
  return algorithm === "ML-KEM-768" ? mlKemKeyPair(seed) : mlDsaKeyPair(seed);
}
