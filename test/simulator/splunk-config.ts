/** Settings of a Splunk instance, checked when the control API sets them. */
import type { InstanceConfig } from "./control.ts";
import {
  amount,
  BadInput,
  checkShape,
  flag,
  oneOf,
  required,
  type Shape,
  STORAGE_SHAPE,
  text,
  texts,
} from "./shape.ts";

const TOKEN_SHAPE: Shape = {
  token: required(text),
  disabled: flag,
  indexes: texts,
  default_index: text,
  acknowledge: flag,
};

const SHAPE: Shape = {
  ...STORAGE_SHAPE,
  kind: required(oneOf("splunk")),
  tokens: required({ test: (value) => Array.isArray(value), expected: "a list of tokens" }),
  indexers: oneOf(1, 2),
  balance: oneOf("request", "connection"),
  cookies: flag,
  ack_delay_ms: amount,
  max_pending_acks: amount,
  ack_idle_ms: amount,
  max_content_length: amount,
  cloud: flag,
  query_string_auth: flag,
  bearer: flag,
};

export type SplunkInstance = Extract<InstanceConfig, { kind: "splunk" }>;

/** @throws BadInput */
export function parseSplunkConfig(config: unknown): SplunkInstance {
  const checked = checkShape("a splunk instance", config, SHAPE);
  const tokens = Array.isArray(checked["tokens"]) ? checked["tokens"] : [];
  if (tokens.length === 0) throw new BadInput("a splunk instance needs at least one token");
  for (const token of tokens) checkShape("a token", token, TOKEN_SHAPE);
  // Checked member by member just above; the compiler cannot follow a table of checks.
  return checked as unknown as SplunkInstance;
}
