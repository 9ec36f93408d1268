import { useQuery } from "../hooks.ts";
import { useMay } from "../session.tsx";
import type { DestinationDetail } from "../types.ts";
import { Badge, Empty, LinkButton, Loading, Notice, PageHead, ProblemBox, Tabs } from "../ui/parts.tsx";
import { count } from "../words.ts";
import { attentionOf, fixFor, whatIsWrong } from "./destination/attention.ts";
import { DeadLettersTab } from "./destination/dead-letters.tsx";
import { Leaving, useRemoval } from "./destination/delete.tsx";
import { DeliveriesTab } from "./destination/deliveries.tsx";
import { HealthTab } from "./destination/health.tsx";
import { apiOf, placeOf, TRAIL } from "./destination/places.ts";
import { SettingsTab } from "./destination/settings.tsx";

const EVERY_MS = 3_000;

export function DestinationPage({ id, tab }: { id: string; tab: string }) {
  const may = useMay();
  const { data, problem, reload } = useQuery<DestinationDetail>(apiOf(id), EVERY_MS);
  const removal = useRemoval(id);
  if (data !== null && (removal.isGoing || removal.result !== null)) {
    return <Leaving destination={data} removal={removal} />;
  }
  if (data === null || problem?.status === 404) {
    if (problem === null) return <Loading />;
    return (
      <>
        <PageHead title="Destination" trail={TRAIL} />
        {problem.status === 404 ? (
          <Empty title="There is no such destination">
            <p>It may have been deleted.</p>
          </Empty>
        ) : (
          <ProblemBox problem={problem} />
        )}
      </>
    );
  }
  const dead = data.dead_letters ?? 0;
  return (
    <>
      <PageHead title={data.name} trail={TRAIL}>
        {data.status === null ? null : <Badge word={data.status} />}
        {may("destinations:write") ? <LinkButton to={placeOf(id, "edit")}>Edit</LinkButton> : null}
      </PageHead>
      <ProblemBox problem={problem} />
      <Trouble destination={data} />
      <Tabs
        tabs={[
          ["health", "Health"],
          ["deliveries", "Deliveries"],
          ["dead-letters", dead === 0 ? "Dead letters" : `Dead letters (${count(dead)})`],
          ["settings", "Settings"],
        ]}
        current={tab}
        to={(each) => placeOf(id, each)}
      />
      {tab === "deliveries" ? (
        <DeliveriesTab id={id} />
      ) : tab === "dead-letters" ? (
        <DeadLettersTab destination={data} onChange={reload} />
      ) : tab === "settings" ? (
        <SettingsTab destination={data} removal={removal} onChange={reload} />
      ) : (
        <HealthTab destination={data} />
      )}
    </>
  );
}

/** What is wrong, in the provider's own words, and the fix. */
function Trouble({ destination }: { destination: DestinationDetail }) {
  const mayWrite = useMay()("destinations:write");
  const [mend] = attentionOf([destination], Date.now());
  const { status, status_reason: reason } = destination;
  if (status === "disabled") {
    return <Notice kind="info">It is paused: nothing new is kept for it until it is resumed.</Notice>;
  }
  if (reason === null || status === "active") return null;
  return (
    <Notice kind={status === "failed" ? "bad" : "warn"}>
      <strong>{whatIsWrong(destination)}.</strong> {fixFor(reason.code)}{" "}
      {mend === undefined || !mayWrite ? null : <a href={placeOf(destination.id, mend.tab)}>{mend.link}</a>}
      <p class="quiet clamp" dir="auto">
        “{reason.message}”
      </p>
    </Notice>
  );
}
