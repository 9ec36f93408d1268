import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { useAct, useQuery } from "../hooks.ts";
import { useMay, useSession } from "../session.tsx";
import type { Incident, IncidentChange, IncidentState, Page, Priority } from "../types.ts";
import {
  Ago,
  Badge,
  Button,
  CodeBlock,
  Confirm,
  Facts,
  Field,
  Loading,
  PageHead,
  ProblemBox,
} from "../ui/parts.tsx";
import { count, moment } from "../words.ts";

/** Where an incident may go, and the word for going there. */
const STEPS: Readonly<Record<IncidentState, readonly (readonly [to: IncidentState, word: string])[]>> = {
  open: [
    ["acknowledged", "Acknowledge"],
    ["resolved", "Resolve"],
    ["closed", "Close"],
  ],
  acknowledged: [
    ["resolved", "Resolve"],
    ["closed", "Close"],
  ],
  resolved: [
    ["open", "Reopen"],
    ["closed", "Close"],
  ],
  closed: [],
};

const KINDS: Readonly<Record<string, string>> = {
  create: "Opened",
  recur: "Another alert",
  acknowledge: "Acknowledged",
  resolve: "Resolved",
  close: "Closed",
  reopen: "Opened again",
  update: "Changed",
  note: "Note",
};

export function IncidentPage({ id }: { id: string }) {
  const at = `/v1/incidents/${encodeURIComponent(id)}`;
  const { data: incident, problem, reload } = useQuery<Incident>(at, 5_000);
  const timeline = useQuery<Page<IncidentChange>>(`${at}/timeline?limit=100`, 5_000);
  const may = useMay();
  const act = useAct();
  const [isClosing, setClosing] = useState(false);
  const change = async (body: Readonly<Record<string, unknown>>): Promise<boolean> => {
    const done = await act.run(() => call<Incident>("PATCH", at, { body }));
    reload();
    timeline.reload();
    return done !== null;
  };
  if (incident === null) {
    return (
      <>
        <PageHead title={id} trail={[{ to: "#/incidents", label: "Incidents" }]} />
        {problem === null ? <Loading /> : <ProblemBox problem={problem} />}
      </>
    );
  }
  const mayWrite = may("incidents:write");
  return (
    <>
      <PageHead title={incident.number} trail={[{ to: "#/incidents", label: "Incidents" }]}>
        {mayWrite
          ? STEPS[incident.state].map(([to, word]) => (
              <Button
                key={to}
                kind={to === "closed" ? "plain" : "primary"}
                busy={act.isBusy}
                onClick={() => (to === "closed" ? setClosing(true) : void change({ state: to }))}
              >
                {word}
              </Button>
            ))
          : null}
      </PageHead>
      <ProblemBox problem={act.problem ?? problem} />
      {isClosing ? (
        <Confirm
          title={`Close ${incident.number}?`}
          word="Close it"
          busy={act.isBusy}
          onNo={() => setClosing(false)}
          onYes={() => void change({ state: "closed" }).then(() => setClosing(false))}
        >
          <p>
            Closed is the end: it cannot be opened again, and the next alert of the same trouble opens a new
            incident.
          </p>
        </Confirm>
      ) : null}
      <div class="card">
        <p>
          <Badge word={incident.priority} /> <Badge word={incident.state} />
        </p>
        <h2>{incident.short_description}</h2>
        {incident.message === null ? null : <p>{incident.message}</p>}
        <Facts
          rows={[
            ["Alerts", count(incident.occurrences)],
            ["First seen", moment(incident.first_seen_at)],
            ["Last seen", <Ago key="last" at={incident.last_seen_at} />],
            ["Search", incident.search_name ?? "–"],
            ["About", incident.ci_identifier ?? "–"],
            ["Source IP", incident.source_ip ?? "–"],
            ["Severity", incident.severity ?? "–"],
            ["Assignment group", incident.assignment_group ?? "–"],
          ]}
        />
      </div>
      {mayWrite && incident.state !== "closed" ? (
        <ChangeForm key={incident.id} incident={incident} isBusy={act.isBusy} change={change} />
      ) : null}
      <h2>Timeline</h2>
      <ProblemBox problem={timeline.problem} />
      <ol class="timeline" aria-label="Timeline">
        {(timeline.data?.data ?? []).map((each) => (
          <li key={each.id}>
            <strong>{KINDS[each.kind] ?? each.kind}</strong>{" "}
            <span class="quiet">
              {moment(each.at)} · <Actor id={each.actor_id} source={incident.source_id} />
            </span>
            {Object.entries(each.changes).map(([field, { from, to }]) => (
              <div key={field}>
                {field.replaceAll("_", " ")}: {shown(from)} → {shown(to)}
              </div>
            ))}
            {each.note === null ? null : <p class="note">{each.note}</p>}
          </li>
        ))}
      </ol>
      <h2>The latest alert</h2>
      <CodeBlock label="The latest alert" text={JSON.stringify(incident.alert, null, 2)} />
    </>
  );
}

/** Who did it: a name where the page knows one, else the id of the key. */
function Actor({ id, source }: { id: string; source: string }) {
  const { session } = useSession();
  if (id === source) return <>by an alert</>;
  if (id === session.key_id || (id === "operator" && session.kind === "operator")) return <>by you</>;
  return id === "operator" ? <>by the operator</> : <code>{id}</code>;
}

function shown(value: unknown): string {
  return value === null || value === undefined ? "none" : String(value);
}

function ChangeForm({
  incident,
  isBusy,
  change,
}: {
  incident: Incident;
  isBusy: boolean;
  change: (body: Readonly<Record<string, unknown>>) => Promise<boolean>;
}) {
  const [note, setNote] = useState("");
  const [group, setGroup] = useState(incident.assignment_group ?? "");
  const [priority, setPriority] = useState<Priority>(incident.priority);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const wanted = group.trim() === "" ? null : group.trim();
    const body = {
      ...(note.trim() === "" ? {} : { note }),
      ...(wanted === incident.assignment_group ? {} : { assignment_group: wanted }),
      ...(priority === incident.priority ? {} : { priority }),
    };
    if (Object.keys(body).length > 0 && (await change(body))) setNote("");
  };
  return (
    <form class="card" onSubmit={submit}>
      <div class="filters">
        <Field label="Priority">
          {(ids) => (
            <select
              {...ids}
              value={priority}
              onChange={(event) => setPriority(event.currentTarget.value as Priority)} // the options are priorities
            >
              {["P1", "P2", "P3", "P4"].map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Assignment group">
          {(ids) => (
            <input
              {...ids}
              maxLength={200}
              value={group}
              onInput={(event) => setGroup(event.currentTarget.value)}
            />
          )}
        </Field>
      </div>
      <Field label="Note" hint="Goes into the timeline and out with the event.">
        {(ids) => (
          <textarea
            {...ids}
            class="prose"
            maxLength={4_000}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        )}
      </Field>
      <Button type="submit" busy={isBusy}>
        Save
      </Button>
    </form>
  );
}
