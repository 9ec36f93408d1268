import { path } from "../router.ts";
import type { Source } from "../types.ts";
import { Pager, usePaged } from "../ui/pager.tsx";
import { Ago, Badge, Empty, LinkButton, Loading, PageHead, ProblemBox, Table } from "../ui/parts.tsx";
import { count } from "../words.ts";

export const SOURCE_KINDS: Readonly<Record<Source["kind"], string>> = {
  splunk_alert: "Splunk alerts, by webhook",
  splunk_es: "Splunk ES notables, polled",
};

export function SourcesPage() {
  const paged = usePaged<Source>("/v1/sources", 5_000);
  const { data, problem } = paged;
  return (
    <>
      <PageHead title="Sources">
        <LinkButton to="#/settings/sources/new" kind="primary">
          Add source
        </LinkButton>
      </PageHead>
      <ProblemBox problem={problem} />
      {data === null ? (
        problem === null ? (
          <Loading />
        ) : null
      ) : data.data.length === 0 ? (
        <Empty title="No source yet">
          <p>A source turns Splunk alerts or Enterprise Security notables into incidents.</p>
        </Empty>
      ) : (
        <Table label="Sources" numbers={["Alerts"]} head={["Name", "Kind", "Status", "Alerts", "Last seen"]}>
          {data.data.map((source) => (
            <tr key={source.id}>
              <td class="name">
                <a class="clamp" dir="auto" href={path("settings", "sources", source.id)}>
                  {source.name}
                </a>
              </td>
              <td>{SOURCE_KINDS[source.kind]}</td>
              <td>
                <Badge word={source.status} />
                {source.status_reason === null ? null : (
                  <span class="sub">{source.status_reason.message}</span>
                )}
              </td>
              <td class="number">{count(source.alerts)}</td>
              <td>
                <Ago at={source.last_seen_at} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      <Pager paged={paged} />
    </>
  );
}
