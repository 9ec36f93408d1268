import { useState } from "preact/hooks";
import { goTo, path } from "../router.ts";
import type { Incident } from "../types.ts";
import { Pager, usePaged } from "../ui/pager.tsx";
import { Ago, Badge, Button, Empty, Field, Loading, PageHead, ProblemBox, Table } from "../ui/parts.tsx";
import { count } from "../words.ts";

const STATES = ["open,acknowledged", "open", "acknowledged", "resolved", "closed", ""] as const;
const STATE_LABELS: Readonly<Record<string, string>> = {
  "open,acknowledged": "Not resolved",
  open: "Open",
  acknowledged: "Acknowledged",
  resolved: "Resolved",
  closed: "Closed",
  "": "All",
};

/** What the alerts became. The filter is in the address, so that a view can be shared. */
export function IncidentsPage({ query }: { query: URLSearchParams }) {
  const state = query.get("state") ?? "open,acknowledged";
  const priority = query.get("priority") ?? "";
  const q = query.get("q") ?? "";
  const [text, setText] = useState(q);
  const filter = new URLSearchParams();
  if (state !== "") filter.set("state", state);
  if (priority !== "") filter.set("priority", priority);
  if (q !== "") filter.set("q", q);
  const paged = usePaged<Incident>(`/v1/incidents?${filter}`, 5_000);
  const go = (change: Readonly<Record<string, string>>): void => {
    goTo(`#/incidents?${new URLSearchParams({ state, priority, q, ...change })}`);
  };
  const search = (event: Event): void => {
    event.preventDefault();
    go({ q: text });
  };
  const { data, problem } = paged;
  return (
    <>
      <PageHead title="Incidents" />
      <form class="filters" onSubmit={search}>
        <Field label="State">
          {(ids) => (
            <select {...ids} value={state} onChange={(event) => go({ state: event.currentTarget.value })}>
              {STATES.map((each) => (
                <option key={each} value={each}>
                  {STATE_LABELS[each]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Priority">
          {(ids) => (
            <select
              {...ids}
              value={priority}
              onChange={(event) => go({ priority: event.currentTarget.value })}
            >
              {["", "P1", "P2", "P1,P2", "P3", "P4"].map((each) => (
                <option key={each} value={each}>
                  {each === "" ? "All" : each.replace(",", " and ")}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Text or number">
          {(ids) => (
            <input
              {...ids}
              type="search"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <Button type="submit">Search</Button>
      </form>
      <ProblemBox problem={problem} />
      {data === null ? (
        problem === null ? (
          <Loading />
        ) : null
      ) : data.data.length === 0 ? (
        <Empty title="No incident matches">
          <p>Incidents are made from Splunk alerts and Enterprise Security notables.</p>
          <a href="#/settings/sources">To the sources</a>
        </Empty>
      ) : (
        <Table
          label="Incidents"
          numbers={["Alerts"]}
          head={["Number", "Priority", "State", "What", "Group", "Alerts", "Last seen"]}
        >
          {data.data.map((incident) => (
            <tr key={incident.id}>
              <td>
                <a href={path("incidents", incident.number)}>{incident.number}</a>
              </td>
              <td>
                <Badge word={incident.priority} />
              </td>
              <td>
                <Badge word={incident.state} />
              </td>
              <td class="words">
                <span class="clamp" dir="auto">
                  {incident.short_description}
                </span>
                <span class="sub">{incident.ci_identifier ?? incident.search_name}</span>
              </td>
              <td>{incident.assignment_group ?? "–"}</td>
              <td class="number">{count(incident.occurrences)}</td>
              <td>
                <Ago at={incident.last_seen_at} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      <Pager paged={paged} />
    </>
  );
}
