import type { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import { MAX_EVENT_DEPTH } from "../../model/event.ts";
import type {
  Connector,
  Operation,
  Performance,
  PerformContext,
  SettingsFault,
} from "../../model/provider.ts";

/*
 * Direct calls: a payload from outside is checked against its operation's schema, and only then does an adapter
 * see it. Faults name the field as it stands in the request, under `payload`.
 */

export type Performed = Result<Performance, readonly SettingsFault[]>;

/** One operation of a connector; the payload is still unchecked. */
export type Performer = (payload: unknown, context: PerformContext) => Performed;

/** Erases a payload's type: `run` gets what the schema has checked. */
export function performing<Payload extends z.ZodType>(
  schema: Payload,
  run: (payload: z.infer<Payload>, context: PerformContext) => Performed,
): Performer {
  return (payload, context) => {
    const parsed = parse(schema, payload);
    return parsed.ok ? run(parsed.value, context) : parsed;
  };
}

function parse<Payload extends z.ZodType>(
  schema: Payload,
  payload: unknown,
): Result<z.infer<Payload>, readonly SettingsFault[]> {
  if (isDeeperThan(payload, MAX_EVENT_DEPTH)) {
    return refused("", `Expected at most ${MAX_EVENT_DEPTH} levels of objects and lists`);
  }
  const parsed = schema.safeParse(payload);
  return parsed.success ? ok(parsed.data) : err(parsed.error.issues.flatMap(faultsOf));
}

/** All operations of a connector. One that is not among them is a fault, never a call. */
export function performAll(performers: Readonly<Record<string, Performer>>): Connector["perform"] {
  return (operation, payload, context) => {
    const perform = Object.hasOwn(performers, operation) ? performers[operation] : undefined;
    const message = `Expected one of ${Object.keys(performers).join(", ")}`;
    return perform === undefined ? err([{ path: "operation", message }]) : perform(payload, context);
  };
}

/**
 * A schema with an example of itself, for documents and tests.
 *
 * @param shapeOf where the schema is a union: which member a payload is meant to be, so that faults speak of that one
 */
export function operation<Payload extends z.ZodType>(
  description: string,
  payload: Payload,
  example: z.input<Payload>,
  shapeOf: (payload: unknown) => z.ZodType = () => payload,
): Operation & { readonly payload: Payload } {
  return {
    description,
    payload: payload.meta({ examples: [example] }),
    check(given) {
      const parsed = parse(shapeOf(given), given);
      return parsed.ok ? [] : parsed.error;
    },
  };
}

/** Whether a payload names that field: how the members of a union are told apart. */
export function hasField(payload: unknown, name: string): boolean {
  return typeof payload === "object" && payload !== null && name in payload;
}

/** @param path below `payload`: `events.3.time`, or empty */
export function payloadFault(path: string, message: string): SettingsFault {
  return { path: path === "" ? "payload" : `payload.${path}`, message };
}

export function refused(path: string, message: string): Result<never, readonly SettingsFault[]> {
  return err([payloadFault(path, message)]);
}

/** Names of fields come from outside: long ones are cut. */
const MAX_NAME_CHARACTERS = 100;

function faultsOf(issue: z.core.$ZodIssue): readonly SettingsFault[] {
  const path = issue.path.map((name) => String(name).slice(0, MAX_NAME_CHARACTERS)).join(".");
  if (issue.code !== "unrecognized_keys") return [payloadFault(path, issue.message)];
  const prefix = path === "" ? "" : `${path}.`;
  return issue.keys.map((name) =>
    payloadFault(`${prefix}${name.slice(0, MAX_NAME_CHARACTERS)}`, "Expected no such field"),
  );
}

/** Whether objects and lists nest beyond so many levels; looks no deeper than that, so any input is safe. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}
