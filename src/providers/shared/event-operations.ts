import { z } from "zod";
import { byteLength } from "../../base/bytes.ts";
import { type EpochMs, isoTime } from "../../base/clock.ts";
import { err, ok } from "../../base/result.ts";
import type { Outcome } from "../../model/delivery.ts";
import { AuditEvent, type RelayEvent } from "../../model/event.ts";
import type { Connector, PerformContext, SettingsFault } from "../../model/provider.ts";
import { operation, type Performed, payloadFault, performAll, performing, refused } from "./perform.ts";

/*
 * `send_event` and `send_batch` for providers that take events of any form: they are encoded like deliveries.
 */

/** Loose, as accepted events are: only what names and dates an event has a form to keep. */
const Event = z.looseObject(
  {
    id: AuditEvent.shape.id,
    timestamp: AuditEvent.shape.timestamp,
    action: AuditEvent.shape.action.optional(),
  },
  { error: "Expected an event as an object" },
);
type Event = z.infer<typeof Event>;

const SendEvent = z.strictObject({ event: Event });
const SendBatch = z.strictObject({
  events: z.array(Event, { error: "Expected a list of events" }).min(1, "Expected at least one event"),
});

const EXAMPLE = { id: "evt_abc123", action: "vault.seal", actor_id: "user-uuid" };

export const EVENT_OPERATIONS = {
  send_event: operation("Sends one event.", SendEvent, { event: EXAMPLE }),
  send_batch: operation("Sends several events in one request.", SendBatch, { events: [EXAMPLE] }),
};

/** What an event without an action of its own is called: all that is known of it. */
const UNNAMED_ACTION = "proxy.send_event";

type Encoding = Pick<Connector, "limits" | "envelopeBytes" | "encode" | "interpret" | "select">;

export function performEvents(connector: Encoding): Connector["perform"] {
  return performAll({
    send_event: performing(SendEvent, ({ event }, context) =>
      send(connector, [event], { ...context, nameOf: () => "event" }),
    ),
    send_batch: performing(SendBatch, ({ events }, context) =>
      send(connector, events, { ...context, nameOf: (index) => `events.${index}` }),
    ),
  });
}

type SendContext = PerformContext & {
  /** Where the event at an index stands in the payload. */
  readonly nameOf: (index: number) => string;
};

function send(connector: Encoding, given: readonly Event[], { now, newId, nameOf }: SendContext): Performed {
  const { limits, envelopeBytes, encode, interpret, select } = connector;
  if (given.length > limits.events) return refused("events", `Expected at most ${limits.events} events`);
  const events = given.map((event) => relayEvent(event, { now, newId }));
  const bytes = events.reduce((sum, event) => sum + byteLength(event.json) + envelopeBytes(event), 0);
  if (bytes > limits.bytes)
    return refused(
      given.length === 1 ? nameOf(0) : "events",
      `Expected at most ${limits.bytes} bytes with what the provider needs around them, not ${bytes}`,
    );
  const { send: order, park } = select?.(events, now) ?? { send: [...events.keys()], park: [] };
  const faults: SettingsFault[] = park.map(({ index, message }) =>
    payloadFault(`${nameOf(index)}.timestamp`, message),
  );
  if (faults.length > 0) return err(faults);
  if (order.length < events.length)
    return refused("events", "Expected events that lie closer together in time: one request spans 24 hours");
  const sent = order.flatMap((index) => events[index] ?? []);
  return ok({
    request: encode(sent, { now, indexFor: () => null }),
    interpret: (answer) => inGivenOrder(interpret(answer, { events: sent.length, bytes }), order),
  });
}

/** What is absent is appended, so that what was given stays in front as it came. */
function relayEvent(event: Event, { now, newId }: PerformContext): RelayEvent {
  const { id = newId(), timestamp = isoTime(now), action = UNNAMED_ACTION } = event;
  const at: EpochMs = Date.parse(timestamp);
  return { id, at, action, json: JSON.stringify({ ...event, id, timestamp }) };
}

/** The provider speaks of events in the order in which they were sent; the caller knows their own. */
function inGivenOrder(outcome: Outcome, order: readonly number[]): Outcome {
  const given = (index: number): number => order[index] ?? index;
  if (outcome.kind === "partial")
    return {
      ...outcome,
      delivered: outcome.delivered.map(given),
      refused: outcome.refused.map((event) => ({ ...event, index: given(event.index) })),
    };
  if (outcome.kind === "isolate" && outcome.offender !== null)
    return { ...outcome, offender: given(outcome.offender) };
  return outcome;
}
