/** What sources and their alerts ask for, from `Env`. Part of the composition root. */
import { createSourceRing } from "./access/source-ring.ts";
import { mintSourceSecret, secretMac } from "./access/source-secret.ts";
import { previewAlert, receiveAlert } from "./alerts.ts";
import type { ApiDeps } from "./api/context.ts";
import { type Clock, systemClock } from "./base/clock.ts";
import { createSourceStore } from "./store/sources.ts";

/** What `wire.ts` has made already. */
export interface WiredSources extends Pick<ApiDeps, "open" | "log" | "raiseIncidents"> {
  readonly now?: Clock;
  /** 32 bytes: by their HMAC under it, secrets find their source. */
  lookupKey(): Promise<Uint8Array>;
}

export type SourceDeps = Pick<
  ApiDeps,
  "sources" | "secretMacs" | "mintSourceSecret" | "sourcesChanged" | "receiveAlert" | "previewAlert"
>;

export function sourceDeps(env: Env, wired: WiredSources): SourceDeps {
  const { now = systemClock, open, log } = wired;
  const store = createSourceStore(env.DB);
  const ring = createSourceRing({
    now,
    findById: (id) => store.findById(id),
    findByMacs: (macs) => store.findByMacs(macs),
    open: ({ tenantId, id, sealedSecrets }) =>
      open({ tenantId, recordId: id, purpose: "source-secrets" }, sealedSecrets),
  });
  const secretMacs = async (secrets: readonly string[]): Promise<readonly string[]> => {
    const key = await wired.lookupKey();
    return secrets.map((secret) => secretMac(key, secret));
  };
  return {
    sources: store,
    secretMacs,
    mintSourceSecret: () => mintSourceSecret(),
    sourcesChanged: () => ring.forget(),
    receiveAlert: (request) =>
      receiveAlert(request, {
        now,
        sources: ring,
        secretMacs,
        raise: (source, drafts) => wired.raiseIncidents(source, drafts),
        log: (what, facts) => log("error", what, facts),
      }),
    previewAlert: (source, body) => previewAlert(source, body, now()),
  };
}
