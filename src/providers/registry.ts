import type { Provider } from "../model/provider.ts";
import { cloudwatch } from "./cloudwatch.ts";
import { datadog } from "./datadog.ts";
import { elastic } from "./elastic.ts";
import { splunk } from "./splunk.ts";
import { webhook } from "./webhook.ts";

/*
 * Adapters: what a SIEM wants to be told and what its answers mean, as pure functions. They promise that any
 * answer becomes an `Outcome` and that no secret leaves but in the request; sending, waiting and keeping are
 * the business of others.
 */

/** Every kind of destination. Adding a provider is one line here, its own file, and its test. */
export const PROVIDERS: readonly Provider[] = [splunk, datadog, cloudwatch, webhook, elastic];

export function findProvider(kind: string): Provider | null {
  return PROVIDERS.find((provider) => provider.kind === kind) ?? null;
}
