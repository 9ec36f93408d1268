import { useState } from "preact/hooks";
import { useNow } from "../hooks.ts";
import { useAll } from "../lists.ts";
import { usePlace } from "../router.ts";
import { useMay } from "../session.tsx";
import type { Destination } from "../types.ts";
import { Pager } from "../ui/pager.tsx";
import { Empty, Field, LinkButton, Loading, PageHead, ProblemBox } from "../ui/parts.tsx";
import { plural } from "../words.ts";
import { attentionOf } from "./destination/attention.ts";
import { LIST, providerName } from "./destination/places.ts";
import { DestinationTable } from "./destination/table.tsx";
import { usePageOf } from "./destination/use-page-of.ts";

const EVERY_MS = 5_000;

interface Filter {
  readonly text: string;
  readonly status: string;
  readonly provider: string;
}

const STATUSES = [
  ["", "Every status"],
  ["trouble", "Needs a person"],
  ["active", "Active"],
  ["degraded", "Degraded"],
  ["failed", "Failed"],
  ["disabled", "Disabled"],
] as const;

export function DestinationsPage() {
  const may = useMay();
  const { query } = usePlace();
  const { data, problem } = useAll<Destination>("/v1/audit/siem", EVERY_MS);
  const [filter, setFilter] = useState<Filter>({ text: "", status: query.get("status") ?? "", provider: "" });
  const now = useNow();
  const shown = data === null ? [] : wanted(data, filter, now);
  const { rows, paged, toFirst } = usePageOf(shown);
  const providers = [...new Set((data ?? []).map(({ provider }) => provider))].toSorted();
  const change = (part: Partial<Filter>): void => {
    setFilter({ ...filter, ...part });
    toFirst();
  };
  return (
    <>
      <PageHead title="SIEM destinations" trail={[{ to: LIST, label: "Settings › Audit › SIEM" }]}>
        {may("destinations:write") ? (
          <LinkButton to={`${LIST}/new`} kind="primary">
            Add destination
          </LinkButton>
        ) : null}
      </PageHead>
      <ProblemBox problem={problem} />
      {data === null ? (
        problem === null ? (
          <Loading />
        ) : null
      ) : data.length === 0 ? (
        <NoneYet mayAdd={may("destinations:write")} />
      ) : (
        <>
          <search class="filters">
            <Field label="Search">
              {(ids) => (
                <input
                  {...ids}
                  type="search"
                  placeholder="Name, address or id"
                  value={filter.text}
                  onInput={(event) => change({ text: event.currentTarget.value })}
                />
              )}
            </Field>
            <Field label="Status">
              {(ids) => (
                <select
                  {...ids}
                  value={filter.status}
                  onChange={(event) => change({ status: event.currentTarget.value })}
                >
                  {STATUSES.map(([value, label]) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            <Field label="Provider">
              {(ids) => (
                <select
                  {...ids}
                  value={filter.provider}
                  onChange={(event) => change({ provider: event.currentTarget.value })}
                >
                  <option value="">Every provider</option>
                  {providers.map((kind) => (
                    <option key={kind} value={kind}>
                      {providerName(kind)}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          </search>
          <p class="quiet" role="status">
            {shown.length === data.length
              ? plural(data.length, "destination")
              : `${shown.length} of ${plural(data.length, "destination")}`}
          </p>
          {shown.length === 0 ? <Empty title="No destination matches" /> : <DestinationTable rows={rows} />}
          <Pager paged={paged} />
        </>
      )}
    </>
  );
}

function wanted(all: readonly Destination[], filter: Filter, now: number): readonly Destination[] {
  const text = filter.text.trim().toLowerCase();
  const troubled =
    filter.status === "trouble"
      ? new Set(attentionOf(all, now).map(({ destination }) => destination.id))
      : null;
  return all.filter(
    ({ id, name, endpoint, provider, status }) =>
      (text === "" || [id, name, endpoint].some((word) => word.toLowerCase().includes(text))) &&
      (filter.provider === "" || provider === filter.provider) &&
      (troubled === null ? filter.status === "" || status === filter.status : troubled.has(id)),
  );
}

function NoneYet({ mayAdd }: { mayAdd: boolean }) {
  return (
    <Empty title="There is no destination yet">
      <p>
        A destination is a SIEM that gets your audit events: Splunk, Datadog, CloudWatch, Elastic or a
        webhook.
      </p>
      {mayAdd ? (
        <LinkButton to={`${LIST}/new`} kind="primary">
          Add destination
        </LinkButton>
      ) : (
        <p>Someone with the scope destinations:write can add one.</p>
      )}
    </Empty>
  );
}
