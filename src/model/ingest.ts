import type { ErrorCode, Fault } from "../base/errors.ts";
import type { Secret } from "../base/secret.ts";
import type { RaisedIncident } from "./incident.ts";
import type { Source } from "./source.ts";

/** A producer's request, before anything about it is believed but the key. */
export interface IngestRequest {
  readonly tenantId: string;
  readonly keyId: string;
  /** Set when the key demands signed requests. */
  readonly signingSecret: Secret<string> | null;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  /** `refuse`: one invalid event refuses the whole request. `skip`: the valid ones are accepted. */
  readonly onInvalid: "refuse" | "skip";
}

/** What a 202 says. The events are durably buffered when this exists. */
export interface IngestReceipt {
  readonly accepted: number;
  /** In the order of the input. */
  readonly ids: readonly string[];
  readonly batchId: string;
  /** With `skip`: the refused ones, by index in the input. */
  readonly rejected: readonly RejectedEvent[];
}

export interface RejectedEvent {
  readonly index: number;
  readonly errors: readonly Fault[];
}

/** Any refusal that a caller sees as a problem document. `detail` is for strangers and says what happened to the rest. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly Fault[];
  readonly retryAfterSeconds?: number;
}

/** An alert as it arrives, before anything about it is believed. */
export interface AlertRequest {
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  /** From the path; null where the secret alone says which source it is. */
  readonly sourceId: string | null;
  readonly pathSecret: string | null;
}

/** What became of an alert that was taken, and whose it was. */
export interface TakenAlert extends RaisedIncident {
  readonly source: Source;
}
