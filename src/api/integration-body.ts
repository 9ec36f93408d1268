import type { Fault } from "../base/errors.ts";
import { isObject } from "./destination-input.ts";
import { ProblemError, refuseInput } from "./problem.ts";

/*
 * An integration is a destination in other words: `system_type` for `provider`, and the address inside `config`.
 * What the words mean is translated here, and faults are translated back.
 */

type Body = Readonly<Record<string, unknown>>;

/** A body in a destination's words, and where its address stood. */
export interface Translated {
  readonly body: Body;
  /** `config.hec_url`, `config.endpoint`, … */
  readonly addressName: string;
}

/** Names for the address within an integration's config; `hec_url` for Splunk only. */
export function addressNames(systemType: unknown): readonly string[] {
  return systemType === "splunk" ? ["hec_url", "endpoint"] : ["endpoint"];
}

/** Ends the request where the body names the same thing twice, or in a destination's words. */
export function toDestinationBody(given: Body, systemType: unknown): Translated {
  const { system_type, config, ...rest } = given;
  const faults: Fault[] = [];
  if ("provider" in given) faults.push({ path: "provider", message: "It is called system_type here" });
  const names = addressNames(systemType);
  const inside = isObject(config) ? names.filter((name) => Object.hasOwn(config, name)) : [];
  const named = [
    ...inside.map((name) => ({ path: `config.${name}`, value: isObject(config) ? config[name] : null })),
    ...("endpoint" in given ? [{ path: "endpoint", value: given["endpoint"] }] : []),
  ];
  for (const { path } of named.slice(1)) {
    faults.push({ path, message: `Expected one address; ${named[0]?.path} names it already` });
  }
  if (faults.length > 0) refuseInput(faults);
  const [address] = named;
  return {
    body: {
      ...rest,
      ...(system_type === undefined ? {} : { provider: system_type }),
      ...(config === undefined ? {} : { config: isObject(config) ? without(config, inside) : config }),
      ...(address === undefined ? {} : { endpoint: address.value }),
    },
    addressName: address?.path ?? `config.${names[0]}`,
  };
}

/** Does it, and says what is wrong with it in an integration's words. */
export async function inItsWords<T>({ addressName }: Translated, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof ProblemError) || error.refusal.errors === undefined) throw error;
    const errors = error.refusal.errors.map((fault) => {
      if (fault.path === "provider") return { ...fault, path: "system_type" };
      return fault.path === "endpoint" ? { ...fault, path: addressName } : fault;
    });
    throw new ProblemError({ ...error.refusal, errors }, error.headers);
  }
}

function without(config: Body, names: readonly string[]): Body {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !names.includes(name)));
}
