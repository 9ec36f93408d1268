import { mlDsaSign } from "../base/ml-dsa.ts";
import { ok, type Result } from "../base/result.ts";
import type { Keyring } from "./keyring.ts";
import type { RootKey } from "./root-key.ts";
import {
  openText,
  parseSealed,
  SEAL_VERSION,
  type SealBinding,
  type SealFault,
  sealText,
  versionOf,
} from "./seal.ts";
import { openV1, V1 } from "./seal-v1.ts";
import type { WrapFault } from "./wrap-key.ts";

/** Why something does not open: at the moment, or ever again; `isLasting` tells which. */
export type OpenFault = SealFault | WrapFault;

/**
 * Whether the text is not what was sealed, so that only saving the secret anew helps. Everything else can be mended by
 * waiting or by the operator, and whatever needs the secret is kept and tried again until then.
 */
export function isLasting({ reason }: OpenFault): boolean {
  return reason === "malformed" || reason === "does_not_open";
}

/** Seals with a tenant's newest key, opens with the one that it was sealed to. Never throws or rejects. */
export interface Vault {
  seal(binding: SealBinding, plaintext: string): Promise<Result<string, WrapFault>>;
  open(binding: SealBinding, sealed: string): Promise<Result<string, OpenFault>>;
  /** The tenant's key for answers, made when it is first needed. */
  signer(tenantId: string): Promise<Result<Signer, WrapFault>>;
}

/** Signs with ML-DSA-65 for one tenant. */
export interface Signer {
  readonly keyId: string;
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** `context` is what the signature is for: at least a byte. */
  readonly sign: (message: Uint8Array, context: Uint8Array) => Uint8Array<ArrayBuffer>;
}

export interface VaultDeps {
  readonly keyring: Keyring;
  /** For what was sealed in the first format: the present root key and those before it. */
  readonly rootKeys: readonly RootKey[];
}

export function createVault({ keyring, rootKeys }: VaultDeps): Vault {
  return {
    async seal(binding, plaintext) {
      const key = await keyring.newest(binding.tenantId, "ML-KEM-768");
      return key.ok ? ok(await sealText(key.value, binding, plaintext)) : key;
    },
    async open(binding, sealed) {
      const version = versionOf(sealed);
      if (!version.ok) return version;
      if (version.value === V1) return openV1(rootKeys, binding, sealed);
      if (version.value !== SEAL_VERSION) {
        return { ok: false, error: { reason: "unknown_version", version: version.value } };
      }
      const parsed = parseSealed(sealed);
      if (!parsed.ok) return parsed;
      const key = await keyring.version(binding.tenantId, parsed.value.keyVersion);
      return key.ok ? openText(key.value.secretKey.reveal(), binding, parsed.value) : key;
    },
    async signer(tenantId) {
      const key = await keyring.newest(tenantId, "ML-DSA-65");
      if (!key.ok) return key;
      const { id, publicKey, secretKey } = key.value;
      return ok({
        keyId: id,
        publicKey,
        sign: (message, context) => mlDsaSign(secretKey.reveal(), { message, context }),
      });
    },
  };
}

/** One sentence for the log; holds no secret. */
export function describeOpenFault(fault: OpenFault): string {
  const detail =
    "message" in fault
      ? fault.message
      : "keyId" in fault
        ? fault.keyId
        : "version" in fault
          ? fault.version
          : null;
  return detail === null ? fault.reason : `${fault.reason}: ${detail}`;
}
