import type { Connector, Performance } from "../../src/model/provider.ts";
import { plain } from "./answers.ts";

/** When direct calls are made in these tests. */
export const NOW = 1_782_823_500_500;

const context = { now: NOW, newId: () => "evt_new" };

/** Performs or throws with the faults, for tests that are about what is sent. */
export function perform(connector: Connector, operation: string, payload: unknown): Performance {
  const performed = connector.perform(operation, payload, context);
  if (!performed.ok) throw new Error(JSON.stringify(performed.error));
  return performed.value;
}

/** Where it goes and what it carries, for providers that encode without waiting. */
export function sent(connector: Connector, operation: string, payload: unknown) {
  const { url, body = "", headers, gzip } = plain(perform(connector, operation, payload).request);
  return { url, body, headers, gzip };
}

/** The fields that faults name; empty when it is performed. */
export function refusals(connector: Connector, operation: string, payload: unknown): readonly string[] {
  const performed = connector.perform(operation, payload, context);
  return performed.ok ? [] : performed.error.map(({ path }) => path);
}
