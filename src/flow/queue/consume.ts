import type { DurationMs } from "../../base/clock.ts";
import { minutes, seconds } from "../../base/clock.ts";
import type { BatchPart } from "../../model/lane.ts";
import { decodeMessage, type QueuedPart } from "./message.ts";

/** What is used of a platform message. */
export interface Message {
  readonly id: string;
  readonly body: unknown;
  readonly attempts: number;
  ack(): void;
  retry(options: { delaySeconds: number }): void;
}

/** The outcome of handing a tenant's parts over: which of them some lane could not take. */
export interface HandedOver {
  readonly failed: ReadonlySet<BatchPart>;
}

export interface ConsumeDeps {
  /** Gives each lane concerned what it is owed. A part is fine when every lane that wants it has it. */
  handOver(tenantId: string, parts: readonly BatchPart[]): Promise<HandedOver>;
  /** Something a person should see: an unreadable message, a failed hand-over. */
  complain(what: string, facts: Readonly<Record<string, unknown>>): void;
}

/** Pause before a message that could not be handed over comes again: 2 s, doubling, at most 15 minutes. */
export function handOverDelay(attempts: number): DurationMs {
  return Math.min(minutes(15), seconds(2) * 2 ** Math.min(attempts - 1, 20));
}

/**
 * One delivery of the queue → lanes. Every message is acknowledged or retried on its own, and acknowledged only after
 * the lanes have it: a crash between the two repeats the hand-over, and lanes ignore what they have taken.
 */
export async function consume(messages: readonly Message[], deps: ConsumeDeps): Promise<void> {
  const tenants = new Map<string, { message: Message; part: BatchPart }[]>();
  for (const message of messages) {
    const decoded = decodeMessage(message.body);
    if (decoded.ok) add(tenants, message, decoded.value);
    else {
      deps.complain("message.unreadable", {
        id: message.id,
        reason: decoded.error,
        attempts: message.attempts,
      });
      retry(message); // ends in the dead-letter queue, whose consumer keeps it for a person
    }
  }
  await Promise.all([...tenants].map(([tenantId, entries]) => handOverTenant(tenantId, entries, deps)));
}

async function handOverTenant(
  tenantId: string,
  entries: readonly { message: Message; part: BatchPart }[],
  deps: ConsumeDeps,
): Promise<void> {
  try {
    const { failed } = await deps.handOver(
      tenantId,
      entries.map(({ part }) => part),
    );
    for (const { message, part } of entries) {
      if (failed.has(part)) retry(message);
      else message.ack();
    }
  } catch (fault) {
    deps.complain("hand_over.failed", {
      tenant_id: tenantId,
      messages: entries.length,
      error: String(fault).slice(0, 300),
    });
    for (const { message } of entries) retry(message);
  }
}

function add(
  tenants: Map<string, { message: Message; part: BatchPart }[]>,
  message: Message,
  queued: QueuedPart,
): void {
  const entries = tenants.get(queued.tenantId) ?? [];
  entries.push({ message, part: queued.part });
  tenants.set(queued.tenantId, entries);
}

function retry(message: Message): void {
  message.retry({ delaySeconds: Math.ceil(handOverDelay(message.attempts) / 1_000) });
}
