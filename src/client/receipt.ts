import type { Fault } from "../base/errors.ts";

/** What the relay said to one request: these events are durably buffered. */
export interface Receipt {
  readonly accepted: number;
  /** In the order of the input, without those that were rejected. */
  readonly ids: readonly string[];
  /** `GET /v1/audit/batches/{batchId}` tells what became of them. */
  readonly batchId: string;
  /** With `onInvalid: "skip"`: what was not accepted. */
  readonly rejected: readonly RejectedEvent[];
}

export interface RejectedEvent {
  /** From 0 in the list given. */
  readonly index: number;
  readonly errors: readonly Fault[];
}

/** @returns null for an answer that is no receipt */
export function readReceipt(body: unknown): Receipt | null {
  if (!isRecord(body)) return null;
  const { accepted, ids, batch_id, rejected } = body;
  if (typeof accepted !== "number" || typeof batch_id !== "string" || !Array.isArray(ids)) return null;
  if (!ids.every((id) => typeof id === "string")) return null;
  return {
    accepted,
    ids,
    batchId: batch_id,
    rejected: Array.isArray(rejected) ? readRejected(rejected) : [],
  };
}

function readRejected(list: readonly unknown[]): readonly RejectedEvent[] {
  return list.filter(isRecord).map(({ index, errors }) => ({
    index: typeof index === "number" ? index : -1,
    errors: readFaults(errors),
  }));
}

/** The `errors` of a problem document; what has another form is left out. */
export function readFaults(errors: unknown): readonly Fault[] {
  if (!Array.isArray(errors)) return [];
  return errors.filter(isRecord).map(({ index, path, message }) => ({
    ...(typeof index === "number" ? { index } : {}),
    path: typeof path === "string" ? path : "",
    message: typeof message === "string" ? message : "",
  }));
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
