import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useAct } from "../../hooks.ts";
import { useMay } from "../../session.tsx";
import type { DestinationDetail } from "../../types.ts";
import { Pager, usePaged } from "../../ui/pager.tsx";
import { Button, Confirm, Empty, Loading, Outcome, ProblemBox, Table } from "../../ui/parts.tsx";
import { count, plural } from "../../words.ts";
import { DeadLetterRow } from "./dead-letter-row.tsx";
import { ExportButton } from "./export.tsx";
import type { DeadLetter } from "./model.ts";
import { apiOf, placeOf } from "./places.ts";

const EVERY_MS = 4_000;
const PAGE = 50;

type Selection = { readonly all: true } | { readonly ids: readonly string[] };
interface Asked {
  readonly what: "replay" | "discard";
  readonly selection: Selection;
  readonly events: number;
}

export function DeadLettersTab({
  destination,
  onChange,
}: {
  destination: DestinationDetail;
  onChange: () => void;
}) {
  const { id } = destination;
  const mayWrite = useMay()("destinations:write");
  const list = usePaged<DeadLetter>(apiOf(id, "/dead-letters"), EVERY_MS, PAGE);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<Asked | null>(null);
  const [done, setDone] = useState<{ readonly text: string; readonly isSent: boolean } | null>(null);
  const act = useAct();
  if (list.data === null) return list.problem === null ? <Loading /> : <ProblemBox problem={list.problem} />;
  const letters = list.data.data;
  const here = letters.filter((letter) => chosen.has(letter.id)).map((letter) => letter.id);
  const total = destination.dead_letters ?? letters.length;

  const changed = (text: string, isSent: boolean): void => {
    setDone({ text, isSent });
    setAsked(null);
    setChosen(new Set());
    list.reload();
    onChange();
  };
  const carryOut = async ({ what, selection }: Asked): Promise<void> => {
    const isReplay = what === "replay";
    const answer = await act.run(() =>
      call<{ replayed?: number; discarded?: number }>(
        isReplay ? "POST" : "DELETE",
        apiOf(id, isReplay ? "/replay" : "/dead-letters"),
        { body: selection },
      ),
    );
    setAsked(null);
    if (answer === null) return;
    changed(
      isReplay
        ? `${plural(answer.replayed ?? 0, "event")} ${answer.replayed === 1 ? "waits" : "wait"} for delivery again.`
        : `${plural(answer.discarded ?? 0, "event")} discarded.`,
      isReplay,
    );
  };
  const replayOne = (letter: DeadLetter): void =>
    void carryOut({ what: "replay", selection: { ids: [letter.id] }, events: 1 });
  const toggle = (letterId: string): void => {
    const next = new Set(chosen);
    if (!next.delete(letterId)) next.add(letterId);
    setChosen(next);
  };

  return (
    <>
      <p class="quiet">
        Events that are not retried by themselves. The whole event is kept, with the reason and the provider's
        own words.
      </p>
      <ProblemBox problem={act.problem ?? list.problem} />
      {done === null ? null : (
        <Outcome key={done}>
          {done.text} {done.isSent ? <a href={placeOf(id, "deliveries")}>See the deliveries</a> : null}
        </Outcome>
      )}
      {letters.length === 0 && list.page === 1 ? (
        <Empty title="There are no dead letters">
          <p>Whatever this destination wanted was delivered, or still waits.</p>
        </Empty>
      ) : (
        <>
          <div class="actions bar">
            {mayWrite && destination.enabled ? (
              <>
                <Button
                  kind="primary"
                  onClick={() => setAsked({ what: "replay", selection: { all: true }, events: total })}
                >
                  Replay all ({count(total)})
                </Button>
                <Button
                  disabled={here.length === 0}
                  onClick={() => setAsked({ what: "replay", selection: { ids: here }, events: here.length })}
                >
                  Replay selected ({here.length})
                </Button>
              </>
            ) : null}
            {mayWrite ? (
              <>
                <Button
                  kind="danger"
                  disabled={here.length === 0}
                  onClick={() => setAsked({ what: "discard", selection: { ids: here }, events: here.length })}
                >
                  Discard selected ({here.length})
                </Button>
                <Button
                  kind="danger"
                  onClick={() => setAsked({ what: "discard", selection: { all: true }, events: total })}
                >
                  Discard all
                </Button>
              </>
            ) : null}
            <ExportButton id={id} />
          </div>
          {mayWrite && !destination.enabled ? (
            <p class="quiet">The destination is paused: resume it, then its dead letters can be replayed.</p>
          ) : null}
          <Table
            label="Dead letters"
            head={[
              ...(mayWrite ? ["Choose"] : []),
              "Set aside",
              "Event",
              "Reason",
              "Answer",
              "Provider's words",
            ]}
          >
            {letters.map((letter) => (
              <DeadLetterRow
                key={letter.id}
                letter={letter}
                destinationId={id}
                mayWrite={mayWrite}
                mayReplay={mayWrite && destination.enabled}
                isChosen={chosen.has(letter.id)}
                isBusy={act.isBusy}
                onChoose={() => toggle(letter.id)}
                onReplay={() => replayOne(letter)}
                onDiscard={() => setAsked({ what: "discard", selection: { ids: [letter.id] }, events: 1 })}
                onFixed={() => changed("The corrected event was accepted and the old one discarded.", true)}
              />
            ))}
          </Table>
        </>
      )}
      <Pager paged={list} />
      {asked === null ? null : (
        <Ask
          asked={asked}
          isTroubled={destination.status !== "active"}
          busy={act.isBusy}
          onYes={() => void carryOut(asked)}
          onNo={() => setAsked(null)}
        />
      )}
    </>
  );
}

function Ask({
  asked: { what, events },
  isTroubled,
  busy,
  onYes,
  onNo,
}: {
  asked: Asked;
  isTroubled: boolean;
  busy: boolean;
  onYes: () => void;
  onNo: () => void;
}) {
  const number = plural(events, "event");
  if (what === "replay") {
    return (
      <Confirm
        title={`Replay ${number}?`}
        word="Replay"
        isDanger={false}
        busy={busy}
        onYes={onYes}
        onNo={onNo}
      >
        <p>
          Replayed events wait for delivery again, unchanged and with the same ids, and get 24 hours anew.
        </p>
        {isTroubled ? (
          <p>This destination is not well at the moment: mend it first, or they wait with the rest.</p>
        ) : null}
      </Confirm>
    );
  }
  return (
    <Confirm title={`Discard ${number}?`} word={`Discard ${number}`} busy={busy} onYes={onYes} onNo={onNo}>
      <p>
        They are gone for good and this destination never gets them. Export them first if you may need them.
      </p>
    </Confirm>
  );
}
