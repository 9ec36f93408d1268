import { type Clock, type DurationMs, type EpochMs, seconds } from "../base/clock.ts";
import { parseJson } from "../base/json.ts";
import type { Result } from "../base/result.ts";
import { Secret } from "../base/secret.ts";
import type { Source } from "../model/source.ts";
import { SourceSecrets } from "../model/source-settings.ts";

/** How long a source that was found is believed. With delivery of the change it keeps the promised 15 s. */
export const SOURCE_TTL: DurationMs = seconds(10);
/** How long an unknown secret or id stays unknown: short, because a new source should work at once. */
export const UNKNOWN_SOURCE_TTL: DurationMs = seconds(1);
/** Sources and secrets remembered in one isolate; the oldest are forgotten first. */
export const MAX_REMEMBERED = 2_000;

/** A source with its secrets opened. */
export interface HeldSource {
  readonly source: Source;
  readonly secrets: Secret<SourceSecrets>;
}

export interface SourceRingDeps {
  readonly now: Clock;
  /** Never a deleted one. May throw when the store cannot be reached. */
  findById(id: string): Promise<Source | null>;
  findByMacs(macs: readonly string[]): Promise<readonly { readonly mac: string; readonly source: Source }[]>;
  /** Opens the sealed secrets of a source. */
  open(source: Source): Promise<Result<string, unknown>>;
}

/** Sources as alerts name them, with a memory of seconds, so that a steady stream of alerts asks for none. */
export interface SourceRing {
  byId(id: string): Promise<HeldSource | null>;
  /** Sources that can be found by one of these; what they are remembered by need not be all that the store knows. */
  byMacs(macs: readonly string[]): Promise<readonly HeldSource[]>;
  /** Forgets what this isolate knows, after sources were changed here. */
  forget(): void;
}

interface Remembered {
  readonly held: readonly HeldSource[];
  readonly until: EpochMs;
}

/**
 * Expiry of a replaced secret is looked at on every use; only a change that the memory has not seen takes up to
 * 10 s.
 *
 * @throws from its methods when the store does, or when a source's secrets do not open: the relay's trouble
 */
export function createSourceRing(deps: SourceRingDeps): SourceRing {
  const found = new Map<string, Remembered>();
  const unknown = new Map<string, EpochMs>();

  function recall(key: string, now: EpochMs): readonly HeldSource[] | null {
    const entry = found.get(key);
    if (entry !== undefined && now < entry.until) return entry.held;
    return now < (unknown.get(key) ?? Number.NEGATIVE_INFINITY) ? [] : null;
  }

  // The time before the question counts: a longer answer must not lengthen what is believed.
  function keep(key: string, held: readonly HeldSource[], askedAt: EpochMs): void {
    found.delete(key);
    unknown.delete(key);
    if (held.length === 0) remember(unknown, key, askedAt + UNKNOWN_SOURCE_TTL);
    else remember(found, key, { held, until: askedAt + SOURCE_TTL });
  }

  async function openAll(sources: readonly Source[]): Promise<readonly HeldSource[]> {
    return Promise.all(sources.map(async (source) => ({ source, secrets: await openSecrets(source, deps) })));
  }

  return {
    async byId(id) {
      const now = deps.now();
      const known = recall(`id/${id}`, now);
      if (known !== null) return known[0] ?? null;
      const source = await deps.findById(id);
      const held = await openAll(source === null ? [] : [source]);
      keep(`id/${id}`, held, now);
      return held[0] ?? null;
    },
    async byMacs(macs) {
      const now = deps.now();
      const known = macs.flatMap((mac) => recall(`mac/${mac}`, now) ?? []);
      // One that is known is enough: who shows the secrets of two sources has proved both.
      if (known.length > 0) return known;
      const asked = macs.filter((mac) => recall(`mac/${mac}`, now) === null);
      if (asked.length === 0) return [];
      const rows = await deps.findByMacs(asked);
      for (const mac of asked) {
        const sources = rows.filter((row) => row.mac === mac).map(({ source }) => source);
        keep(`mac/${mac}`, await openAll(sources), now);
      }
      return asked.flatMap((mac) => found.get(`mac/${mac}`)?.held ?? []);
    },
    forget() {
      found.clear();
      unknown.clear();
    },
  };
}

async function openSecrets(source: Source, deps: SourceRingDeps): Promise<Secret<SourceSecrets>> {
  const opened = await deps.open(source);
  const parsed = opened.ok ? parseJson(opened.value) : null;
  if (!parsed?.ok) throw new Error("The secrets of a source do not open");
  return new Secret(SourceSecrets.parse(parsed.value));
}

/** Sets an entry as the youngest and drops the oldest beyond the limit. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.set(key, value);
  if (map.size <= MAX_REMEMBERED) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}
