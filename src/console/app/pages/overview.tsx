import { useRef } from "preact/hooks";
import { useNow } from "../hooks.ts";
import { useAll } from "../lists.ts";
import { useMay } from "../session.tsx";
import type { Destination } from "../types.ts";
import { FirstEvent } from "../ui/first-event.tsx";
import { Pager } from "../ui/pager.tsx";
import { Empty, LinkButton, Loading, Notice, PageHead, ProblemBox } from "../ui/parts.tsx";
import { count, plural } from "../words.ts";
import { type Attention, attentionOf } from "./destination/attention.ts";
import { Loss } from "./destination/loss.tsx";
import { LIST, placeOf, providerName } from "./destination/places.ts";
import { DestinationTable } from "./destination/table.tsx";
import { usePageOf } from "./destination/use-page-of.ts";

const EVERY_MS = 5_000;
/** So long after the first destination was made, the first steps are offered. */
const FRESH_MS = 60 * 60_000;
/** More would push the destinations themselves off the screen. */
const MOST_URGENT = 6;

/** What needs a person first, then one line for each destination. */
export function OverviewPage() {
  const may = useMay();
  if (!may("destinations:read")) return <NotForThisKey />;
  return <Destinations />;
}

function Destinations() {
  const { data, problem } = useAll<Destination>("/v1/audit/siem", EVERY_MS);
  const now = useNow(5_000);
  const { rows, paged } = usePageOf(data ?? []);
  const isNew = useRef(false);
  if (data === null) {
    return (
      <>
        <PageHead title="Overview" />
        {problem === null ? <Loading /> : <ProblemBox problem={problem} />}
      </>
    );
  }
  // Once shown it stays, so that what it waits for can be seen to arrive.
  if (!isNew.current) isNew.current = data.length === 0 || (data.length === 1 && data.every(isFresh));
  return (
    <>
      <PageHead title="Overview" />
      <ProblemBox problem={problem} />
      {data.length === 0 ? null : <NeedsYou items={attentionOf(data, now)} now={now} />}
      {isNew.current ? (
        <div class="card">
          <FirstEvent />
        </div>
      ) : null}
      {data.length === 0 ? null : (
        <>
          <Sums data={data} />
          <DestinationTable rows={rows} />
          <Pager paged={paged} />
        </>
      )}
    </>
  );
}

/** The relay's own acts are delivered from the first minute on, so deliveries do not tell whether anything was sent yet. */
function isFresh({ created_at }: Destination): boolean {
  return Date.now() - Date.parse(created_at) < FRESH_MS;
}

function NeedsYou({ items, now }: { items: readonly Attention[]; now: number }) {
  if (items.length === 0) return <Notice kind="good">Nothing needs you.</Notice>;
  const more = items.length - MOST_URGENT;
  return (
    <section class="needs" aria-labelledby="needs">
      <h2 id="needs">Needs you ({count(items.length)})</h2>
      <ul>
        {items.slice(0, MOST_URGENT).map((item) => (
          <NeedsYouItem key={item.destination.id} item={item} now={now} />
        ))}
      </ul>
      {more > 0 ? (
        <p>
          <a href={`${LIST}?status=trouble`}>{plural(more, "more destination")}</a>
        </p>
      ) : null}
    </section>
  );
}

function NeedsYouItem({ item, now }: { item: Attention; now: number }) {
  const { destination, tone, what, fix, tab, link } = item;
  const { id, name, provider, backlog, first_loss_at: loss, status_reason: reason } = destination;
  const waits =
    backlog === null || backlog.events === 0 ? "" : `${plural(backlog.events, "event")} waiting. `;
  const isLosing = loss !== null && destination.status !== "active";
  return (
    <li class={tone}>
      <div>
        <strong>
          <span class="clamp line" dir="auto" title={name.slice(0, 300)}>
            {name}
          </span>{" "}
          ({providerName(provider)}): {what}.
        </strong>
        <p>{fix}</p>
        {reason === null ? null : (
          <p class="quiet clamp" dir="auto">
            “{reason.message}”
          </p>
        )}
        {waits === "" && !isLosing ? null : (
          <p class="quiet">
            {waits}
            {isLosing ? (
              <>
                First loss <Loss at={loss} now={now} />.
              </>
            ) : null}
          </p>
        )}
      </div>
      <LinkButton to={placeOf(id, tab)}>{link}</LinkButton>
    </li>
  );
}

function Sums({ data }: { data: readonly Destination[] }) {
  const of = (status: string): number => data.filter((each) => each.status === status).length;
  const waiting = data.reduce((sum, { backlog }) => sum + (backlog?.events ?? 0), 0);
  const dead = data.reduce((sum, { dead_letters }) => sum + (dead_letters ?? 0), 0);
  return (
    <p class="quiet sums">
      {plural(data.length, "destination")}: {of("active")} active, {of("degraded")} degraded, {of("failed")}{" "}
      failed, {of("disabled")} disabled. {plural(waiting, "event")} waiting, {plural(dead, "dead letter")}.
    </p>
  );
}

function NotForThisKey() {
  return (
    <>
      <PageHead title="Overview" />
      <Empty title="This key does not read destinations">
        <p>It lacks the scope destinations:read. What it may do is in the menu.</p>
      </Empty>
    </>
  );
}
