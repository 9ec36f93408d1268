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
 * One delivery of the queue → lanes. Every message is acknowledged or retried on its own, as soon as its tenants' lanes
 * have answered, and acknowledged only after they have all of it: a crash between the two repeats the hand-over, and
 * lanes ignore what they have taken.
 */
export async function consume(messages: readonly Message[], deps: ConsumeDeps): Promise<void> {
  const tenants = new Map<string, BatchPart[]>();
  const readable: { readonly message: Message; readonly queued: readonly QueuedPart[] }[] = [];
  for (const message of messages) {
    const decoded = decodeMessage(message.body);
    if (decoded.ok) {
      for (const { tenantId, part } of decoded.value) add(tenants, tenantId, part);
      readable.push({ message, queued: decoded.value });
      continue;
    }
    const { id, attempts } = message;
    deps.complain("message.unreadable", { id, reason: decoded.error, attempts });
    retry(message); // ends in the dead-letter queue, whose consumer keeps it for a person
  }
  const outcomes = new Map(
    [...tenants].map(([tenantId, parts]) => [tenantId, failedOf(tenantId, parts, deps)] as const),
  );
  const settle = async (message: Message, queued: readonly QueuedPart[]): Promise<void> => {
    const failed = await Promise.all(queued.map(({ tenantId }) => outcomes.get(tenantId)));
    if (queued.some(({ part }, index) => failed[index]?.has(part))) retry(message);
    else message.ack();
  };
  await Promise.all(readable.map(({ message, queued }) => settle(message, queued)));
}

async function failedOf(
  tenantId: string,
  parts: readonly BatchPart[],
  deps: ConsumeDeps,
): Promise<ReadonlySet<BatchPart>> {
  try {
    return (await deps.handOver(tenantId, parts)).failed;
  } catch (fault) {
    deps.complain("hand_over.failed", {
      tenant_id: tenantId,
      parts: parts.length,
      error: String(fault).slice(0, 300),
    });
    return new Set(parts);
  }
}

function add(tenants: Map<string, BatchPart[]>, tenantId: string, part: BatchPart): void {
  const parts = tenants.get(tenantId);
  if (parts === undefined) tenants.set(tenantId, [part]);
  else parts.push(part);
}

function retry(message: Message): void {
  message.retry({ delaySeconds: Math.ceil(handOverDelay(message.attempts) / 1_000) });
}
