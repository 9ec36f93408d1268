import type { z } from "zod";
import type { DurationMs, EpochMs } from "../base/clock.ts";
import { err, type Result } from "../base/result.ts";
import type { Outcome, ProviderWords } from "./delivery.ts";
import type { RelayEvent } from "./event.ts";
import type { HttpAnswer, HttpRequestSpec } from "./http.ts";
import { ShardConfig } from "./shards.ts";

/**
 * The one file that an adapter author has to read.
 *
 * A provider is data in, data out: it never fetches, and never sees a table, a queue or the clock.
 * Adding one is `src/providers/<kind>.ts`, one line in `src/providers/registry.ts` and
 * `test/providers/<kind>.test.ts`; the contract suite picks it up from the registry.
 */

/** The most that one request may carry. The engine fills requests up to this, and splits when told that it was too much. */
export interface RequestLimits {
  readonly events: number;
  /** UTF-8 bytes of the uncompressed body. */
  readonly bytes: number;
}

/** Where a request belongs for a provider that acknowledges later: its channel, and the balancer's cookie. */
export interface Session {
  /** Null: the provider's own, the same for every request. */
  readonly channel: string | null;
  /** As a `Cookie` header; null where the balancer has given none. */
  readonly cookie: string | null;
}

/** What an answer to "is it indexed?" says. Null: nothing at all, which changes nothing. */
export type AckAnswer =
  | { readonly kind: "answers"; readonly indexed: readonly number[] }
  /** The provider does not acknowledge any more: what it took counts as delivered. */
  | { readonly kind: "off" }
  | null;

/** How a provider acknowledges what it has taken, after the answer. */
export interface Acknowledgement {
  /** Not acknowledged for so long: sent again. */
  readonly timeout: DurationMs;
  readonly query: (session: Session, ackIds: readonly number[]) => HttpRequestSpec;
  readonly read: (answer: HttpAnswer, ackIds: readonly number[]) => AckAnswer;
  /** The cookie that an answer sets, as a `Cookie` header, or null. */
  readonly cookieOf: (answer: HttpAnswer) => string | null;
}

export interface EncodeContext {
  readonly now: EpochMs;
  /** Absent: the provider's own channel, no cookie. */
  readonly session?: Session;
  /** The index of the route that an action takes, or null for the destination's own. */
  readonly indexFor: (action: string) => string | null;
}

/** One line of a diagnosis. `detail` is one sentence, and for a failed check it is the fix. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** What one step of a diagnosis found. The first step whose `finding` is set ends the diagnosis. */
export interface ProbeReading {
  readonly checks: readonly Check[];
  /** Set by the step that decides; `ok` false names what is wrong and how to mend it. */
  readonly verdict: {
    readonly ok: boolean;
    readonly words: ProviderWords;
    readonly hint: string | null;
    readonly acknowledgement: "on" | "off" | null;
  } | null;
}

/** One request of a diagnosis and how to read its answer. Steps run in order until one has a verdict; the last always has. */
export interface ProbeStep {
  readonly request: HttpRequestSpec | Promise<HttpRequestSpec>;
  readonly read: (answer: HttpAnswer) => ProbeReading;
}

/** Which of the oldest waiting events may travel in one request now. Indexes are into the events that were offered. */
export interface Selection {
  /** In the order in which they are to be sent; empty only when all are parked. */
  readonly send: readonly number[];
  /** Would be thrown away by the provider: set aside beforehand, with the reason for people. */
  readonly park: readonly { readonly index: number; readonly message: string }[];
}

/** Requests that may mend what an answer complains of, like creating a missing log stream. */
export interface Repair {
  /** @param round from 0; after each round the original request is sent once more. Empty: nothing to mend */
  readonly requests: (
    answer: HttpAnswer,
    round: number,
    context: EncodeContext,
  ) => readonly HttpRequestSpec[] | Promise<readonly HttpRequestSpec[]>;
  /** Whether one of them did its work, or found it done already. */
  readonly isMended: (answer: HttpAnswer) => boolean;
}

/** One thing that a caller may have done at a provider, directly and at once. What is not listed cannot be called. */
export interface Operation {
  /** For people: one sentence. */
  readonly description: string;
  /** Strict: an unknown field is a fault. Has an example in its `meta`; JSON Schema and forms come from it. */
  readonly payload: z.ZodType;
  /**
   * What is wrong with a payload by itself, without settings and secrets; `perform` finds all of it too, and what
   * depends on those. Paths like `payload.title`.
   */
  readonly check: (payload: unknown) => readonly SettingsFault[];
}

export interface PerformContext {
  readonly now: EpochMs;
  /** A fresh event id, for events that bring none. */
  readonly newId: () => string;
}

/** A checked operation: one request, and what its answer comes to. Indexes in the outcome are into the payload's list. */
export interface Performance {
  /** A promise only where signing needs one. */
  readonly request: HttpRequestSpec | Promise<HttpRequestSpec>;
  readonly interpret: (answer: HttpAnswer) => Outcome;
}

/** A destination's settings and secrets, checked and ready to use. */
export interface Connector {
  readonly kind: string;
  readonly limits: RequestLimits;
  /** Bytes that the envelope adds around one event's JSON, at most; with `limits.bytes` it bounds a request before encoding. */
  readonly envelopeBytes: (event: RelayEvent) => number;
  /** The endpoint as it will be called, for the guard and for people. */
  readonly origin: string;
  /** Other addresses that operations call, each with the setting that names it: for the guard. */
  readonly alsoCalls?: readonly { readonly path: string; readonly url: string }[];
  /** A promise only where signing needs one. Indexes in an outcome are into these events. */
  readonly encode: (
    events: readonly RelayEvent[],
    context: EncodeContext,
  ) => HttpRequestSpec | Promise<HttpRequestSpec>;
  readonly interpret: (
    answer: HttpAnswer,
    sent: { readonly events: number; readonly bytes: number },
  ) => Outcome;
  /**
   * Absent: everything offered may travel, in the order offered. At most one request's worth is offered.
   * For providers with a window of age, a span or an order of their own.
   */
  readonly select?: (events: readonly RelayEvent[], now: EpochMs) => Selection;
  /**
   * False: the stored rows are never joined to fill a request, so that a delivery has the same events on every retry
   * and an id derived from them stays the same. Joined when absent.
   */
  readonly joins?: boolean;
  readonly repair?: Repair;
  readonly acknowledgement?: Acknowledgement;
  /** How old an event may be when it is sent, by its own time; absent where the provider takes any age. Known before it bites. */
  readonly maxAge?: DurationMs;
  readonly probe: (event: RelayEvent, context: EncodeContext) => readonly ProbeStep[];
  /**
   * One of the provider's operations as a request. Whether the caller may is asked before, elsewhere.
   * Faults name `operation`, or the field: `payload.events.3.time`.
   */
  readonly perform: (
    operation: string,
    payload: unknown,
    context: PerformContext,
  ) => Result<Performance, readonly SettingsFault[]>;
  /** Parts of a saved configuration to show, with everything the provider filled in; never a secret. */
  readonly publicConfig: Readonly<Record<string, unknown>>;
}

export interface SettingsFault {
  /** `endpoint`, `config.site`, `token`, `payload.title`, … */
  readonly path: string;
  readonly message: string;
}

/** What a person gives for a destination: where, how, and the secrets. All three come from outside and are checked here. */
export interface ConnectInput {
  readonly destinationId: string;
  /** Which of the destination's lanes asks; the first when absent. What a provider counts apart must not be shared by two. */
  readonly shard?: number;
  /** May be absent where the provider derives it from its config (Datadog's site). */
  readonly endpoint: string | null;
  readonly config: unknown;
  readonly secrets: unknown;
}

/** What a person has to know to fill in the form of a destination, in the vendor's own words. */
export interface ProviderGuide {
  /** One sentence: through what events get there. */
  readonly summary: string;
  readonly endpoint: {
    readonly label: string;
    readonly example: string;
    /** Where to find it in the vendor's screens. */
    readonly help: string;
    /** Settings that stand for the endpoint, which may then be left out. Empty: it is always given. */
    readonly derivedFrom: readonly string[];
  };
  /** What to prepare at the vendor, in order. */
  readonly steps: readonly string[];
  /** What surprises people later. */
  readonly notes: readonly string[];
  /** The provider's own codes in its answers, and what they mean. Empty where it has none but HTTP's. */
  readonly codes: readonly { readonly code: string; readonly meaning: string }[];
}

/** A provider as the registry holds it: generics erased, so that the registry is a plain list without casts. */
export interface Provider {
  readonly kind: string;
  /** For people: "Splunk HTTP Event Collector". */
  readonly title: string;
  readonly guide: ProviderGuide;
  /** Zod object of `config`, with what the relay adds to every provider's: form, OpenAPI and strictness come from it. */
  readonly config: z.ZodObject;
  /** Zod object of the secret fields: masking is structural, not a list of names. */
  readonly secrets: z.ZodObject;
  /** What the proxy may be allowed to do with it, by name. */
  readonly operations: Readonly<Record<string, Operation>>;
  readonly connect: (input: ConnectInput) => Result<Connector, readonly SettingsFault[]>;
}

/** What an adapter writes. `build` gets settings that have been checked against the two schemas. */
export interface ProviderDefinition<Config extends z.ZodObject, Secrets extends z.ZodObject> {
  readonly kind: string;
  readonly title: string;
  readonly guide: ProviderGuide;
  readonly config: Config;
  readonly secrets: Secrets;
  /** Each is performed by the connector that `build` makes. */
  readonly operations: Readonly<Record<string, Operation>>;
  readonly build: (input: {
    readonly destinationId: string;
    readonly shard: number;
    readonly endpoint: string | null;
    readonly config: z.infer<Config>;
    readonly secrets: z.infer<Secrets>;
  }) => Result<Connector, readonly SettingsFault[]>;
}

/** Checks stored or given settings against the provider's schemas; faults are values, because stored settings can outlive a schema. */
export function defineProvider<Config extends z.ZodObject, Secrets extends z.ZodObject>(
  definition: ProviderDefinition<Config, Secrets>,
): Provider {
  const { build, ...facts } = definition;
  return {
    ...facts,
    config: definition.config.extend(ShardConfig.shape),
    connect(input) {
      const [lanes, own] = withoutShards(input.config ?? {});
      const shards = ShardConfig.safeParse(lanes);
      const config = definition.config.safeParse(own);
      const secrets = definition.secrets.safeParse(input.secrets ?? {});
      if (!config.success || !shards.success || !secrets.success) {
        return err([
          ...(shards.success ? [] : shards.error.issues.map((issue) => fault(issue, "config."))),
          ...(config.success ? [] : config.error.issues.map((issue) => fault(issue, "config."))),
          ...(secrets.success ? [] : secrets.error.issues.map((issue) => fault(issue, ""))),
        ]);
      }
      return build({
        destinationId: input.destinationId,
        shard: input.shard ?? 0,
        endpoint: input.endpoint,
        config: config.data,
        secrets: secrets.data,
      });
    },
  };
}

/** The adapter sees its own settings alone: how many lanes there are is the relay's business. */
function withoutShards(config: unknown): readonly [lanes: object, own: unknown] {
  if (typeof config !== "object" || config === null || !Object.hasOwn(config, "shards")) return [{}, config];
  const { shards, ...own } = config as { shards: unknown }; // it has that key
  return [{ shards }, own];
}

function fault(issue: z.core.$ZodIssue, prefix: string): SettingsFault {
  return { path: `${prefix}${issue.path.join(".")}`.replace(/\.$/, ""), message: issue.message };
}
