/** What the endpoints about destinations answer, as far as these pages show it. */
import type { Route } from "../../types.ts";

/** The part of JSON Schema that the relay's providers are written in. */
export interface JsonField {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonField[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}

export interface JsonObjectSchema {
  readonly properties?: Readonly<Record<string, JsonField>>;
  readonly required?: readonly string[];
}

export interface Provider {
  readonly kind: string;
  readonly title: string;
  readonly summary: string;
  readonly endpoint: {
    readonly label: string;
    readonly example: string;
    readonly help: string;
    readonly required: boolean;
    readonly derived_from: readonly string[];
  };
  readonly config: JsonObjectSchema;
  readonly secrets: JsonObjectSchema;
  readonly can_overlap_secrets: boolean;
  readonly operations: readonly { readonly name: string; readonly description: string }[];
  readonly steps: readonly string[];
  readonly notes: readonly string[];
  readonly codes: readonly { readonly code: string; readonly meaning: string }[];
}

export interface CatalogEntry {
  readonly action: string;
  readonly description: string;
  readonly category: string | null;
  readonly default_index: string | null;
  readonly enabled_by_default: boolean;
}

export interface PreviewItem {
  readonly action: string;
  readonly delivered: boolean;
  readonly index: string | null;
  readonly route: { readonly position: number; readonly match: string; readonly enabled: boolean } | null;
  readonly reason: string;
}

export interface Delivery {
  readonly id: number;
  readonly time: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly events: number;
  readonly delivered: number;
  readonly bytes: number;
  readonly http_status: number | null;
  readonly provider_code: string | null;
  readonly latency_ms: number;
  readonly message: string;
  readonly retry_at: string | null;
  readonly acknowledgement: string | null;
  readonly maybe_taken: boolean;
}

export interface Stats {
  readonly minutes: readonly {
    readonly time: string;
    readonly delivered: number;
    readonly retried: number;
    readonly dead: number;
  }[];
  readonly totals: { readonly delivered: number; readonly retried: number; readonly dead: number };
  readonly latency_ms: { readonly p50: number | null; readonly p95: number | null };
}

export interface DeadLetter {
  readonly id: string;
  readonly event_id: string;
  readonly batch_id: string;
  readonly action: string;
  readonly reason: string;
  readonly message: string;
  readonly http_status: number | null;
  readonly provider_code: string | null;
  readonly attempts: number;
  readonly accepted_at: string;
  readonly parked_at: string;
  readonly event: Readonly<Record<string, unknown>>;
}

export type Routes = "categories" | readonly Route[];
