import type { DurationMs } from "../base/clock.ts";
import { SluiceError } from "./errors.ts";
import { type AuditEvent, MAX_BODY_BYTES, MAX_EVENTS } from "./event.ts";
import { byteLength, type Post, writeEvent } from "./events.ts";
import type { Settings } from "./options.ts";

export interface BatcherOptions {
  /** A request goes out with so many events, at most and by default 1,000. */
  readonly maxEvents?: number;
  /** Or with so many bytes: default 1,000,000, at most 5,000,000. */
  readonly maxBytes?: number;
  /** Or when its first event has waited so long. Default 1,000. */
  readonly maxDelayMs?: DurationMs;
  /** How many events may wait, those under way included; beyond, `add` throws. Default 100,000. */
  readonly maxPendingEvents?: number;
  /**
   * Called with events that were not accepted: after the last retry, or because the relay refuses these very events.
   * They are gone from the batcher: keep them, or they are lost. Must not throw.
   */
  readonly onError: (error: SluiceError, events: readonly AuditEvent[]) => void;
}

/** Collects events and sends them in few requests, one at a time and in order. */
export interface Batcher {
  /** Takes the event as it is now. @throws SluiceError `buffer_full`, `closed` or `payload_too_large`: nothing was added */
  add(event: AuditEvent): void;
  /** Sends what is there. @returns when everything added before is accepted or was given to `onError` */
  flush(): Promise<void>;
  /** The last flush. */
  close(): Promise<void>;
}

interface Batch {
  readonly texts: string[];
  bytes: number;
}

type Deps = Pick<Settings, "sleep" | "newIdempotencyKey"> & { readonly post: Post };

export function createBatcher(deps: Deps, options: BatcherOptions): Batcher {
  const limits = readLimits(options);
  let filling: Batch = { texts: [], bytes: 0 };
  let pendingEvents = 0;
  let lastSent: Promise<void> = Promise.resolve();
  let isClosed = false;

  const cut = (): void => {
    const batch = filling;
    if (batch.texts.length === 0) return;
    filling = { texts: [], bytes: 0 };
    const send = async (): Promise<void> => {
      try {
        await sendBatch(deps, batch.texts, options.onError);
      } finally {
        pendingEvents -= batch.texts.length;
      }
    };
    lastSent = lastSent.then(send, send); // a bug in one batch keeps no other from being sent
  };
  const cutLater = async (batch: Batch): Promise<void> => {
    await deps.sleep(limits.maxDelayMs);
    if (filling === batch) cut();
  };
  const flush = (): Promise<void> => {
    cut();
    return lastSent;
  };

  return {
    add(event) {
      if (isClosed) throw refusal("closed", "The batcher is closed");
      if (pendingEvents >= limits.maxPendingEvents)
        throw refusal("buffer_full", `${pendingEvents} events are waiting: the relay takes them too slowly`);
      const text = writeEvent(event);
      const size = byteLength(text) + 1; // with its comma
      if (filling.bytes + size > limits.maxBytes - 1) cut();
      filling.texts.push(text);
      filling.bytes += size;
      pendingEvents += 1;
      if (filling.texts.length === 1) void cutLater(filling);
      if (filling.texts.length >= limits.maxEvents) cut();
    },
    flush,
    close() {
      isClosed = true;
      return flush();
    },
  };
}

/** Never rejects for an expected failure: what was not accepted goes to `onError`. */
async function sendBatch(
  { post, newIdempotencyKey }: Deps,
  texts: readonly string[],
  onError: BatcherOptions["onError"],
): Promise<void> {
  const idempotencyKey = newIdempotencyKey();
  try {
    // Events of many callers travel together: one that is invalid must not take the others with it.
    const { rejected } = await post({ texts, idempotencyKey, onInvalid: "skip" });
    if (rejected.length === 0) return;
    const errors = rejected.flatMap(({ errors }, index) => errors.map((fault) => ({ ...fault, index })));
    const fields = { code: "invalid_event", status: 202, errors, idempotencyKey } as const;
    const events = rejected.map(({ index }) => readBack(texts[index] ?? "null"));
    onError(new SluiceError(`${rejected.length} events were not acceptable`, fields), events);
  } catch (failure) {
    if (!(failure instanceof SluiceError)) throw failure;
    onError(failure, texts.map(readBack));
  }
}

function readBack(text: string): AuditEvent {
  return JSON.parse(text) as AuditEvent; // written by `writeEvent`, from an event
}

function readLimits(options: BatcherOptions): {
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly maxDelayMs: DurationMs;
  readonly maxPendingEvents: number;
} {
  const {
    maxEvents = MAX_EVENTS,
    maxBytes = 1_000_000,
    maxDelayMs = 1_000,
    maxPendingEvents = 100_000,
  } = options;
  expectRange("maxEvents", maxEvents, MAX_EVENTS);
  expectRange("maxBytes", maxBytes, MAX_BODY_BYTES);
  expectRange("maxDelayMs", maxDelayMs, 3_600_000);
  expectRange("maxPendingEvents", maxPendingEvents, 10_000_000);
  return { maxEvents, maxBytes, maxDelayMs, maxPendingEvents };
}

function expectRange(name: string, value: number, most: number): void {
  if (!(Number.isInteger(value) && value >= 1 && value <= most))
    throw new TypeError(`${name}: expected a whole number from 1 to ${most}`);
}

function refusal(code: "closed" | "buffer_full", message: string): SluiceError {
  return new SluiceError(message, { code, status: null });
}
