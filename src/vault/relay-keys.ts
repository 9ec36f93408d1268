import { AES_KEY_BYTES } from "../base/aes-gcm.ts";
import { randomBytes, utf8 } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { Unavailable } from "../base/errors.ts";
import { hkdfSha256 } from "../base/hkdf.ts";
import { Secret, wipe } from "../base/secret.ts";
import type { RelayKey } from "../model/tenant-key.ts";
import { describeWrapFault, type WrapContext, type Wrapping } from "./wrap-key.ts";

/** The one secret that all of the relay's own keys are derived from. */
export const RELAY_SECRET = "relay-secret";

/** Where the relay's own secrets are kept. May reject when the store cannot be reached. */
export interface RelayKeyStore {
  get(name: string): Promise<RelayKey | null>;
  /** Does nothing where one of that name is there already. */
  insertIfAbsent(key: RelayKey): Promise<void>;
}

export interface RelayKeysDeps {
  readonly now: Clock;
  readonly keys: RelayKeyStore;
  readonly wrapping: Wrapping;
}

/** Keys of the relay itself, such as the one that tags batch ids. They stay the same when the root key changes. */
export interface RelayKeys {
  /**
   * A key of its own for each purpose; none of them tells anything of another.
   *
   * The first call in an isolate reads the database; what was derived stays in memory.
   *
   * @param purpose like `batch-tag/v1`
   * @returns 32 bytes; not to be changed, since others get the same ones
   * @throws Unavailable when the secret can be neither read nor made now
   */
  derive(purpose: string): Promise<Uint8Array<ArrayBuffer>>;
}

export function relayKeyContext(name: string): WrapContext {
  return { purpose: "sluice/relay-key/v1", name };
}

export function createRelayKeys(deps: RelayKeysDeps): RelayKeys {
  const derived = new Map<string, Secret<Uint8Array<ArrayBuffer>>>();

  async function stored(): Promise<RelayKey> {
    const found = await deps.keys.get(RELAY_SECRET);
    if (found !== null) return found;
    const secret = randomBytes(AES_KEY_BYTES);
    const wrapped = await deps.wrapping.present.wrap(secret, relayKeyContext(RELAY_SECRET));
    wipe(secret);
    if (!wrapped.ok) throw new Unavailable(`The relay's secret: ${describeWrapFault(wrapped.error)}`);
    const made = {
      name: RELAY_SECRET,
      wrapped: wrapped.value,
      wrappedBy: deps.wrapping.present.id,
      createdAt: deps.now(),
    };
    await deps.keys.insertIfAbsent(made);
    return (await deps.keys.get(RELAY_SECRET)) ?? made;
  }

  return {
    async derive(purpose) {
      const known = derived.get(purpose);
      if (known !== undefined) return known.reveal();
      const found = await stored().catch((error: unknown) => {
        throw new Unavailable(`The relay's secret cannot be read: ${String(error).slice(0, 200)}`);
      });
      const secret = await deps.wrapping.unwrap(found, relayKeyContext(RELAY_SECRET));
      if (!secret.ok) throw new Unavailable(`The relay's secret: ${describeWrapFault(secret.error)}`);
      const key = await hkdfSha256({
        secret: secret.value,
        salt: utf8("sluice/derived"),
        info: utf8(purpose),
        length: AES_KEY_BYTES,
      });
      wipe(secret.value);
      derived.set(purpose, new Secret(key));
      return key;
    },
  };
}
