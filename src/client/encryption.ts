import { type DecryptOptions, decryptEnvelope } from "./decrypt.ts";
import type { VerificationKey } from "./envelope.ts";
import { fetchVerificationKeys } from "./keys.ts";
import type { Settings } from "./options.ts";
import type { ProxyResult } from "./proxy-result.ts";
import { isRecord } from "./receipt.ts";
import type { Transport } from "./transport.ts";

/** Opens one envelope. What the options leave out is taken from the client's own. */
export type Decrypt = (envelope: unknown, options?: Partial<DecryptOptions>) => Promise<ProxyResult>;

export interface Reader {
  readonly decrypt: Decrypt;
  /**
   * Makes sure that an answer can be read, before anything is asked for.
   *
   * @throws TypeError where the client has no private key
   */
  prepare(): Promise<void>;
}

/** Reads envelopes with the client's key, and with verification keys that are pinned or asked of the relay. */
export function createReader(settings: Settings, transport: Transport): Reader {
  const own = settings.encryption;
  let known: readonly VerificationKey[] = listOf(own?.verificationKeys);
  const isPinned = known.length > 0;

  /** Asks again when an envelope names a key that is not known: the tenant's may have been changed. */
  const keysFor = async (envelope: unknown): Promise<readonly VerificationKey[]> => {
    const named = isRecord(envelope) ? envelope["signing_key_id"] : null;
    const isKnown = known.some(({ key_id }) => key_id === named);
    if (!isPinned && !isKnown) known = await fetchVerificationKeys(transport);
    return known;
  };

  return {
    async decrypt(envelope, options = {}) {
      const privateKey = options.privateKey ?? own?.privateKey;
      if (privateKey === undefined) throw noPrivateKey();
      const keyId = options.privateKey === undefined ? (options.keyId ?? own?.keyId) : options.keyId;
      const verificationKeys = options.verificationKeys ?? (await keysFor(envelope));
      return await decryptEnvelope(envelope, {
        now: settings.now(),
        ...options,
        privateKey,
        verificationKeys,
        ...(keyId === undefined ? {} : { keyId }),
      });
    },
    async prepare() {
      if (own === null) throw noPrivateKey();
      if (known.length === 0) known = await fetchVerificationKeys(transport);
    },
  };
}

function listOf(keys: VerificationKey | readonly VerificationKey[] | undefined): readonly VerificationKey[] {
  if (keys === undefined) return [];
  return "key_id" in keys ? [keys] : keys;
}

function noPrivateKey(): TypeError {
  return new TypeError("The answer could not be read: give createClient encryption.privateKey");
}
