/** What one Cloudflare account holds, as far as a deployment touches it. Plain data, so that tests can look. */
import type { DatabaseSync } from "node:sqlite";

export interface Database {
  readonly uuid: string;
  readonly name: string;
  readonly jurisdiction: string | null;
  readonly primaryLocationHint: string | null;
  readonly sqlite: DatabaseSync;
}

export interface Consumer {
  readonly consumer_id: string;
  readonly type: string;
  readonly script: string;
  dead_letter_queue: string | undefined;
  settings: Readonly<Record<string, unknown>>;
}

export interface Queue {
  readonly queue_id: string;
  readonly queue_name: string;
  readonly jurisdiction: string | null;
  readonly consumers: Consumer[];
}

/** A binding as the upload's metadata carries it; the other fields depend on the type. */
export interface Binding {
  readonly name: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Version {
  readonly id: string;
  readonly number: number;
  readonly bindings: readonly Binding[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly modules: readonly string[];
}

export interface Script {
  readonly name: string;
  readonly tag: string;
  readonly durableClasses: Set<string>;
  readonly versions: Version[];
  readonly deployments: { readonly id: string; readonly versionId: string }[];
  migrationTag: string | null;
  observability: unknown;
  tags: readonly string[];
  schedules: readonly string[];
  subdomain: { enabled: boolean; previews_enabled: boolean };
}

export interface Account {
  readonly id: string;
  readonly databases: Database[];
  readonly queues: Queue[];
  readonly scripts: Map<string, Script>;
  workersDevSubdomain: string | null;
}

export function emptyAccount(id: string): Account {
  return { id, databases: [], queues: [], scripts: new Map(), workersDevSubdomain: null };
}

/** The version that answers requests now. */
export function liveVersion(script: Script): Version | undefined {
  const deployed = script.deployments.at(-1)?.versionId;
  return script.versions.find((version) => version.id === deployed);
}
