import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { useAct, useQuery } from "../hooks.ts";
import { goTo } from "../router.ts";
import type { Check, MadeSource, SetupSheet, Source } from "../types.ts";
import {
  Ago,
  Badge,
  Button,
  CodeBlock,
  Confirm,
  Facts,
  Loading,
  Notice,
  PageHead,
  ProblemBox,
} from "../ui/parts.tsx";
import { SetupSheetView } from "../ui/setup-sheet.tsx";
import { count, moment } from "../words.ts";
import { SOURCE_KINDS } from "./sources.tsx";

interface SourceTest {
  readonly ok: boolean;
  readonly message: string;
  readonly hint: string | null;
  readonly checks: readonly Check[];
}

interface Rotated {
  readonly secret?: string;
  readonly setup: SetupSheet;
  readonly previous_secret_expires_at: string;
}

type Asked = "rotate" | "delete" | null;

export function SourcePage({ id }: { id: string }) {
  const at = `/v1/sources/${encodeURIComponent(id)}`;
  const { data: source, problem, reload } = useQuery<Source>(at, 3_000);
  const sheet = useQuery<SetupSheet>(`${at}/setup`);
  const act = useAct();
  const [asked, setAsked] = useState<Asked>(null);
  const [test, setTest] = useState<SourceTest | null>(null);
  const [rotated, setRotated] = useState<Rotated | null>(null);
  const trail = [{ to: "#/settings/sources", label: "Sources" }];
  if (source === null) {
    return (
      <>
        <PageHead title="Source" trail={trail} />
        {problem === null ? <Loading /> : <ProblemBox problem={problem} />}
      </>
    );
  }
  const isPolled = source.kind === "splunk_es";
  const switchTo = async (enabled: boolean): Promise<void> => {
    await act.run(() => call<MadeSource>("PATCH", at, { body: { enabled } }));
    reload();
  };
  const remove = async (): Promise<void> => {
    if ((await act.run(() => call("DELETE", at))) !== null) goTo("#/settings/sources");
    else setAsked(null);
  };
  const rotate = async (): Promise<void> => {
    const done = await act.run(() => call<Rotated>("POST", `${at}/rotate`, { body: {} }));
    setAsked(null);
    if (done !== null) setRotated(done);
  };
  return (
    <>
      <PageHead title={source.name} trail={trail}>
        {isPolled ? (
          <Button
            onClick={() => void act.run(() => call("POST", `${at}/poll`)).then(reload)}
            busy={act.isBusy}
          >
            Poll now
          </Button>
        ) : null}
        <Button
          busy={act.isBusy}
          onClick={() => void act.run(() => call<SourceTest>("POST", `${at}/test`)).then(setTest)}
        >
          Test
        </Button>
        <Button onClick={() => void switchTo(!source.enabled)} busy={act.isBusy}>
          {source.enabled ? "Switch off" : "Switch on"}
        </Button>
        {isPolled ? null : <Button onClick={() => setAsked("rotate")}>Rotate secret</Button>}
        <Button kind="danger" onClick={() => setAsked("delete")}>
          Delete
        </Button>
      </PageHead>
      <ProblemBox problem={act.problem ?? problem} />
      {asked === "delete" ? (
        <Confirm
          title={`Delete ${source.name}?`}
          word="Delete"
          busy={act.isBusy}
          onNo={() => setAsked(null)}
          onYes={() => void remove()}
        >
          <p>
            Its {count(source.alerts)} alerts stay as incidents.{" "}
            {isPolled
              ? "Nothing is polled any more."
              : "Splunk's calls are refused from now on; Splunk does not repeat them."}
          </p>
        </Confirm>
      ) : null}
      {asked === "rotate" ? (
        <Confirm
          title="Replace the secret?"
          word="Replace"
          busy={act.isBusy}
          onNo={() => setAsked(null)}
          onYes={() => void rotate()}
        >
          <p>
            A new secret is made and shown once. The old one works for another 24 hours, so that Splunk can be
            changed in peace.
          </p>
        </Confirm>
      ) : null}
      {rotated === null ? null : (
        <Notice kind="warn">
          <strong>The new secret is shown this once.</strong> The old one works until{" "}
          {moment(rotated.previous_secret_expires_at)}.
          {rotated.secret === undefined ? null : <CodeBlock label="New secret" text={rotated.secret} />}
        </Notice>
      )}
      <div class="card">
        <p aria-live="polite">
          <Badge word={source.status} />{" "}
          {source.status === "waiting" ? (
            <>
              <span class="spinner" aria-hidden="true" /> Waiting for the first {isPolled ? "poll" : "alert"}.
              This page notices it.
            </>
          ) : (
            source.status_reason?.message
          )}
        </p>
        <ul class="checks">
          {source.checks
            .filter(({ ok }) => !ok && source.status !== "waiting")
            .map((check) => (
              <li key={check.name} class="bad">
                {check.detail}
              </li>
            ))}
        </ul>
        <Facts
          rows={[
            ["Kind", SOURCE_KINDS[source.kind]],
            [isPolled ? "Notables taken" : "Alerts taken", count(source.alerts)],
            ...(source.rest_url === undefined
              ? []
              : ([["Splunk's REST address", <code key="rest">{source.rest_url}</code>]] as const)),
            ["Last seen", <Ago key="seen" at={source.last_seen_at} />],
            ["Id", <code key="id">{source.id}</code>],
            ...(source.polling === undefined || source.polling === null
              ? []
              : ([
                  ["Last poll", <Ago key="poll" at={source.polling.last_polled_at} />],
                  ["Next poll", moment(source.polling.next_poll_at)],
                  ["Read up to (Splunk's clock)", moment(source.polling.checkpoint)],
                  ["Failed polls in a row", count(source.polling.failures)],
                ] as const)),
          ]}
        />
      </div>
      {test === null ? null : (
        <Notice kind={test.ok ? "good" : "bad"}>
          <strong>{test.message}</strong>
          {test.hint === null ? null : <p>{test.hint}</p>}
          <ul class="checks">
            {test.checks.map((check) => (
              <li key={check.name} class={check.ok ? "" : "bad"}>
                {check.name.replaceAll("_", " ")}
                <span class="sub">{check.detail}</span>
              </li>
            ))}
          </ul>
        </Notice>
      )}
      <h2>In Splunk</h2>
      {isPolled || rotated !== null ? null : (
        <p class="quiet">
          In capital letters, like YOUR_SECRET, stands what was shown once when the source was made.
        </p>
      )}
      <ProblemBox problem={sheet.problem} />
      {(rotated?.setup ?? sheet.data) === null ? null : (
        <SetupSheetView sheet={rotated?.setup ?? sheet.data ?? { steps: [] }} />
      )}
    </>
  );
}
