import { useNow } from "../../hooks.ts";
import type { Destination } from "../../types.ts";
import { Badge, Sparkline, Table } from "../../ui/parts.tsx";
import { count, duration, milliseconds, short, until } from "../../words.ts";

import { whatIsWrong } from "./attention.ts";
import { Loss } from "./loss.tsx";
import { placeOf, providerName } from "./places.ts";

const HEAD = [
  "Destination",
  "Status",
  "Events a minute",
  "Backlog",
  "Oldest waiting",
  "p95",
  "Next attempt",
  "First loss",
] as const;

/** One line for each destination. What the lane did not tell in time is a dash. */
export function DestinationTable({ rows }: { rows: readonly Destination[] }) {
  const now = useNow(5_000);
  return (
    <Table label="Destinations" head={HEAD} numbers={HEAD.slice(3)}>
      {rows.map((each) => (
        <DestinationRow key={each.id} destination={each} now={now} />
      ))}
    </Table>
  );
}

function DestinationRow({ destination, now }: { destination: Destination; now: number }) {
  const { id, name, provider, status, status_reason: reason, backlog, dead_letters: dead } = destination;
  const oldest = backlog?.oldest_at ?? null;
  const isWaiting = destination.next_attempt_at !== null && backlog !== null && backlog.events > 0;
  return (
    <tr>
      <td class="name">
        <a class="clamp" href={placeOf(id)} dir="auto" title={name.slice(0, 300)}>
          {name}
        </a>
        <span class="sub">{providerName(provider)}</span>
      </td>
      <td class="why">
        {status === null ? "–" : <Badge word={status} />}
        {reason === null || status === "active" ? null : (
          <span class="sub clamp" title={reason.message}>
            {whatIsWrong(destination)}, for {duration(now - Date.parse(reason.since))}
          </span>
        )}
      </td>
      <td>
        <Activity destination={destination} />
      </td>
      <td class="number">
        {backlog === null ? "–" : short(backlog.events)}
        {dead === null || dead === 0 ? null : (
          <a class="sub" href={placeOf(id, "dead-letters")}>
            {short(dead)} dead {dead === 1 ? "letter" : "letters"}
          </a>
        )}
      </td>
      <td class="number">{oldest === null ? "–" : duration(now - Date.parse(oldest))}</td>
      <td class="number">{milliseconds(destination.activity?.p95_ms ?? null)}</td>
      <td class="number">
        {isWaiting && destination.next_attempt_at !== null ? until(destination.next_attempt_at, now) : "–"}
      </td>
      <td class="number">
        <FirstLoss destination={destination} now={now} />
      </td>
    </tr>
  );
}

function Activity({ destination }: { destination: Destination }) {
  const values = destination.activity?.per_minute;
  if (values === undefined) return <>–</>;
  const latest = values.at(-1) ?? 0;
  const label = `Events a minute over the last hour: ${count(latest)} now, ${count(Math.max(0, ...values))} at most`;
  return (
    <div class="activity">
      <Sparkline values={values} label={label} />
      <span class="number">{short(latest)}</span>
    </div>
  );
}

/** While all is well, what waits for a moment will be delivered: only trouble makes a loss worth telling. */
function FirstLoss({ destination, now }: { destination: Destination; now: number }) {
  const { first_loss_at: at, status } = destination;
  if (at === null || status === "active" || status === "disabled") return <>–</>;
  return <Loss at={at} now={now} />;
}
