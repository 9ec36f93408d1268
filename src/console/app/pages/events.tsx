import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { useAct, useQuery } from "../hooks.ts";
import { goTo, path } from "../router.ts";
import { useMay } from "../session.tsx";
import {
  BATCH_STATES,
  type Batch,
  type CatalogEntry,
  type Destination,
  type IngestReceipt,
  type Page,
} from "../types.ts";
import { FirstEvent } from "../ui/first-event.tsx";
import { Badge, Button, Field, Loading, PageHead, ProblemBox, Table } from "../ui/parts.tsx";
import { count, moment, plural } from "../words.ts";
import { providerName } from "./destination/places.ts";

/** Sends an event, follows a batch to each destination, and lists the known names. */
export function EventsPage({ batchId }: { batchId: string | null }) {
  const may = useMay();
  if (batchId !== null) return <BatchPage id={batchId} />;
  return (
    <>
      <PageHead title="Events" />
      <FirstSteps />
      {may("events:write") ? <SendForm /> : null}
      {may("audit:read") ? (
        <>
          <FollowForm />
          <Catalogue />
        </>
      ) : (
        <p class="quiet">This key may send events, but not ask what became of them.</p>
      )}
    </>
  );
}

/** For a tenant that nothing has reached yet. Once shown they stay, so that the event can be seen to arrive. */
function FirstSteps() {
  const maySee = useMay()("destinations:read");
  const { data } = useQuery<Page<Destination>>(maySee ? "/v1/audit/siem?limit=2" : null);
  if (data === null || data.data.length > 1) return null;
  if (data.data.some(({ last_delivered_at: at }) => at !== null)) return null;
  return (
    <div class="card">
      <FirstEvent />
    </div>
  );
}

function SendForm() {
  const may = useMay();
  const [action, setAction] = useState("user.login");
  const [actor, setActor] = useState("console-user");
  const [metadata, setMetadata] = useState('{"note": "Sent from the console"}');
  const [sent, setSent] = useState<IngestReceipt | null>(null);
  const act = useAct();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const body = { action, actor_id: actor, service: "sluice-console", metadata: parsed(metadata) };
    const receipt = await act.run(() => call<IngestReceipt>("POST", "/v1/audit/events", { body }));
    if (receipt === null) return;
    if (may("audit:read")) goTo(path("events", receipt.batch_id));
    else setSent(receipt);
  };
  return (
    <form class="card" onSubmit={submit}>
      <h2>Send a test event</h2>
      <p class="quiet">It goes the way of every other event, to every destination that takes its action.</p>
      <ProblemBox problem={act.problem} />
      {sent === null ? null : (
        <p role="status">
          Accepted as <code>{sent.ids[0]}</code>.
        </p>
      )}
      <div class="filters">
        <Field label="Action">
          {(ids) => (
            <input
              {...ids}
              required
              value={action}
              onInput={(event) => setAction(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label="Actor">
          {(ids) => (
            <input {...ids} required value={actor} onInput={(event) => setActor(event.currentTarget.value)} />
          )}
        </Field>
      </div>
      <Field
        label="Metadata"
        hint="A JSON object."
        fault={parsed(metadata) === undefined ? "This is not a JSON object yet." : undefined}
      >
        {(ids) => (
          <textarea {...ids} value={metadata} onInput={(event) => setMetadata(event.currentTarget.value)} />
        )}
      </Field>
      <Button kind="primary" type="submit" busy={act.isBusy} disabled={parsed(metadata) === undefined}>
        Send
      </Button>
    </form>
  );
}

/** @returns undefined where the text is no JSON object */
function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function FollowForm() {
  const [id, setId] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    goTo(path("events", id.trim()));
  };
  return (
    <form class="card" onSubmit={submit}>
      <h2>Follow a batch</h2>
      <Field label="Batch id" hint="The batch_id of a 202; what became of it can be asked for 7 days.">
        {(ids) => (
          <input {...ids} required value={id} onInput={(event) => setId(event.currentTarget.value)} />
        )}
      </Field>
      <Button type="submit">Follow</Button>
    </form>
  );
}

const STATE_WORDS: Readonly<Record<string, string>> = {
  buffered: "Durably kept, not sent yet",
  sent: "On its way, or sent and not answered",
  accepted: "Taken by the provider",
  indexed: "Acknowledged by Splunk's indexers",
  parked: "Set aside as a dead letter",
  expired: "Set aside because its time was over",
  unknown: "The destination's lane did not answer",
};

function stateWords({ state, attempts }: Batch["destinations"][number]): string {
  if (state === "buffered" && attempts !== null && attempts > 0) return "Durably kept, and tried again";
  return STATE_WORDS[state] ?? "";
}

function BatchPage({ id }: { id: string }) {
  const { data: batch, problem } = useQuery<Batch>(`/v1/audit/batches/${encodeURIComponent(id)}`, 2_000);
  return (
    <>
      <PageHead title="Batch" trail={[{ to: "#/events", label: "Events" }]} />
      <p>
        <code>{id}</code> {batch === null ? null : <Badge word={batch.state} />}
      </p>
      <ProblemBox problem={problem} />
      {batch === null ? (
        problem === null ? (
          <Loading />
        ) : null
      ) : batch.destinations.length === 0 ? (
        <p role="status">
          <span class="spinner" aria-hidden="true" /> It is durably buffered. No destination has it yet; where
          none takes its action, it stays like this.
        </p>
      ) : (
        <Table
          label="What became of it"
          head={["Destination", "State", "Events", "Requests", "Taken", "Indexed", "Set aside"]}
        >
          {batch.destinations.map((each) => (
            <tr key={each.destination_id}>
              <td>
                <a href={path("settings", "audit", "siem", each.destination_id)}>{each.name}</a>
                <span class="sub">{providerName(each.provider)}</span>
              </td>
              <td>
                <Badge word={each.state} />
                <span class="sub">{stateWords(each)}</span>
              </td>
              <td>{each.counts === null ? "–" : <Counts counts={each.counts} />}</td>
              <td class="number">{each.attempts === null ? "–" : count(each.attempts)}</td>
              <td>{moment(each.accepted_at)}</td>
              <td>{moment(each.indexed_at)}</td>
              <td>{moment(each.parked_at)}</td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

function Counts({ counts }: { counts: NonNullable<Batch["destinations"][number]["counts"]> }) {
  const present = BATCH_STATES.filter((state) => counts[state] > 0);
  return <>{present.map((state) => `${count(counts[state])} ${state}`).join(", ")}</>;
}

function Catalogue() {
  const { data, problem } = useQuery<Page<CatalogEntry>>("/v1/audit/catalog");
  const [text, setText] = useState("");
  const all = data?.data ?? [];
  const wanted = all.filter(({ action, description }) =>
    `${action} ${description}`.toLowerCase().includes(text.toLowerCase()),
  );
  return (
    <section aria-label="Catalogue">
      <h2>Catalogue</h2>
      <p class="quiet">The known names. Actions outside it are welcome.</p>
      <ProblemBox problem={problem} />
      <div class="filters">
        <Field label="Find" hint={plural(wanted.length, "name")}>
          {(ids) => (
            <input
              {...ids}
              type="search"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
      </div>
      <Table label="Known event names" head={["Action", "What happened", "Category", "Default index"]}>
        {wanted.map(({ action, description, category, default_index: index }) => (
          <tr key={action}>
            <td>
              <code>{action}</code>
            </td>
            <td>{description}</td>
            <td>{category ?? "–"}</td>
            <td>{index ?? "–"}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
