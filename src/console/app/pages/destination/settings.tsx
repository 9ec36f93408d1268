import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useAct, useQuery } from "../../hooks.ts";
import { useMay } from "../../session.tsx";
import type { DestinationDetail, TestReport } from "../../types.ts";
import { Ago, Button, CodeBlock, Confirm, Facts, LinkButton, ProblemBox } from "../../ui/parts.tsx";
import { plural } from "../../words.ts";
import { DeleteCard, type Removal } from "./delete.tsx";
import type { Provider } from "./model.ts";
import { apiOf, placeOf, providerName } from "./places.ts";
import { RotateCredential } from "./rotate.tsx";
import { TestReportView } from "./test-report.tsx";

export function SettingsTab({
  destination,
  removal,
  onChange,
}: {
  destination: DestinationDetail;
  removal: Removal;
  onChange: () => void;
}) {
  const mayWrite = useMay()("destinations:write");
  const { data } = useQuery<{ data: readonly Provider[] }>("/v1/audit/providers");
  const provider = data?.data.find(({ kind }) => kind === destination.provider) ?? null;
  return (
    <>
      <section class="card" aria-labelledby="settings">
        <div class="page-title">
          <h2 id="settings">Settings</h2>
          {mayWrite ? <LinkButton to={placeOf(destination.id, "edit")}>Edit</LinkButton> : null}
        </div>
        <SettingsFacts destination={destination} provider={provider} />
      </section>
      {mayWrite ? (
        <>
          <TestCard destination={destination} />
          {provider === null ? null : (
            <RotateCredential destination={destination} provider={provider} onChange={onChange} />
          )}
          <PauseCard destination={destination} onChange={onChange} />
          <DeleteCard destination={destination} removal={removal} />
        </>
      ) : null}
    </>
  );
}

function SettingsFacts({
  destination,
  provider,
}: {
  destination: DestinationDetail;
  provider: Provider | null;
}) {
  const { config, routes, allowed_operations: operations } = destination;
  const fields = provider?.config.properties ?? {};
  const settings = Object.entries(config).map(
    ([name, value]) => [fields[name]?.title ?? name, shown(value)] as const,
  );
  return (
    <>
      <Facts
        rows={[
          ["Provider", provider?.title ?? providerName(destination.provider)],
          [provider?.endpoint.label ?? "Endpoint", <code>{destination.endpoint}</code>],
          ...settings,
          ["Takes", takes(routes)],
          ["The proxy may", operations.length === 0 ? "do nothing" : operations.join(", ")],
          ["Secrets", "Kept sealed and never shown"],
          ["Id", <code>{destination.id}</code>],
          ["Made", <Ago at={destination.created_at} />],
          ["Changed", <Ago at={destination.updated_at} />],
        ]}
      />
      {typeof routes === "string" || routes.length === 0 ? null : (
        <details>
          <summary>Routes</summary>
          <CodeBlock label="Routes" text={JSON.stringify(routes, null, 2)} />
        </details>
      )}
    </>
  );
}

function shown(value: unknown): ComponentChildren {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" || typeof value === "number") return <code>{String(value)}</code>;
  return <code>{JSON.stringify(value)}</code>;
}

function takes(routes: DestinationDetail["routes"]): string {
  if (routes === "categories") return "the categories, each into its index";
  if (routes.length === 0) return "everything";
  return `what ${plural(routes.length, "route")} let through`;
}

function TestCard({ destination }: { destination: DestinationDetail }) {
  const act = useAct();
  const [report, setReport] = useState<TestReport | null>(null);
  const test = async (): Promise<void> => {
    setReport(null);
    setReport(await act.run(() => call<TestReport>("POST", apiOf(destination.id, "/test"))));
  };
  return (
    <section class="card" aria-labelledby="test">
      <h2 id="test">Test connection</h2>
      <p class="quiet">
        Sends one event, <code>siem.test_connection</code>, past the backlog with the saved settings, and says
        stage by stage what works.
      </p>
      <ProblemBox problem={act.problem} />
      {act.isBusy ? <p role="status">Testing; this can take half a minute where nothing answers …</p> : null}
      {report === null ? null : <TestReportView report={report} />}
      <Button busy={act.isBusy} onClick={() => void test()}>
        Test connection
      </Button>
    </section>
  );
}

function PauseCard({ destination, onChange }: { destination: DestinationDetail; onChange: () => void }) {
  const { id, enabled, backlog } = destination;
  const act = useAct();
  const [isAsked, setAsked] = useState(false);
  const set = async (wanted: boolean): Promise<void> => {
    const done = await act.run(() => call("PATCH", apiOf(id), { body: { enabled: wanted } }));
    setAsked(false);
    if (done !== null) onChange();
  };
  const waiting = backlog?.events ?? 0;
  return (
    <section class="card" aria-labelledby="pause">
      <h2 id="pause">{enabled ? "Pause" : "Paused"}</h2>
      <p class="quiet">
        {enabled
          ? "While it is paused, nothing new is kept for it, and nothing is sent."
          : "Nothing new is kept for it. When it is resumed it gets the events that are sent from then on."}
      </p>
      <ProblemBox problem={act.problem} />
      {enabled ? (
        <Button onClick={() => setAsked(true)}>Pause</Button>
      ) : (
        <Button kind="primary" busy={act.isBusy} onClick={() => void set(true)}>
          Resume
        </Button>
      )}
      {isAsked ? (
        <Confirm
          title="Pause this destination?"
          word="Pause"
          busy={act.isBusy}
          onYes={() => void set(false)}
          onNo={() => setAsked(false)}
        >
          <p>
            <strong>Events that are sent while it is paused never reach it</strong>, also not later. Other
            destinations are not touched.
          </p>
          <p>
            {waiting === 0
              ? "Nothing waits for it at the moment."
              : `${plural(waiting, "event")} that wait for it stay, for up to 24 hours since they were accepted.`}
          </p>
        </Confirm>
      ) : null}
    </section>
  );
}
