import { useEffect, useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useAct } from "../../hooks.ts";
import type { Destination, Problem } from "../../types.ts";
import { Button, Confirm, LinkButton, Notice, PageHead, ProblemBox } from "../../ui/parts.tsx";
import { count, plural } from "../../words.ts";
import { ExportButton } from "./export.tsx";
import { apiOf, LIST, TRAIL } from "./places.ts";

/** As long as the relay goes on delivering what a deleted destination is owed. */
const LAST_FLUSH_SECONDS = 30;

interface Flushed {
  readonly flushed: number;
  readonly dead_lettered: number;
}

/** The deletion of a destination, on its way or done. */
export interface Removal {
  readonly isGoing: boolean;
  readonly result: Flushed | null;
  readonly problem: Problem | null;
  readonly start: () => void;
}

/** Held by the page and not by the tab: from the first moment on, the destination itself can be read no more. */
export function useRemoval(id: string): Removal {
  const [result, setResult] = useState<Flushed | null>(null);
  const act = useAct();
  const start = async (): Promise<void> => {
    setResult(await act.run(() => call<Flushed>("DELETE", apiOf(id))));
  };
  return { isGoing: act.isBusy, result, problem: act.problem, start: () => void start() };
}

export function DeleteCard({ destination, removal }: { destination: Destination; removal: Removal }) {
  const { name, backlog, dead_letters: dead } = destination;
  const [isAsked, setAsked] = useState(false);
  const waiting = backlog?.events ?? 0;
  return (
    <section class="card" aria-labelledby="delete">
      <h2 id="delete">Delete</h2>
      <ProblemBox problem={removal.problem} />
      <p class="quiet">
        It takes no new events, delivers what is owed for at most {LAST_FLUSH_SECONDS} seconds, and is gone.
      </p>
      <Button kind="danger" onClick={() => setAsked(true)}>
        Delete destination
      </Button>
      {isAsked ? (
        <Confirm
          title="Delete this destination?"
          word="Delete"
          busy={removal.isGoing}
          onYes={removal.start}
          onNo={() => setAsked(false)}
        >
          <p class="clamp" dir="auto">
            <strong>{name}</strong>
          </p>
          <p>
            {waiting === 0
              ? "Nothing waits for it."
              : `Waiting for it: ${plural(waiting, "event")}. They are delivered for at most ${LAST_FLUSH_SECONDS} seconds, and what is left then becomes dead letters.`}
          </p>
          <p>
            {dead === null || dead === 0
              ? "There are no dead letters."
              : `Its ${plural(dead, "dead letter")} can be exported for 7 days, but not replayed any more.`}{" "}
            This cannot be undone.
          </p>
        </Confirm>
      ) : null}
    </section>
  );
}

/** In place of the destination's page while it goes, and when it is gone. */
export function Leaving({ destination, removal }: { destination: Destination; removal: Removal }) {
  const { id, name, backlog, dead_letters: dead } = destination;
  const { result } = removal;
  const kept = (result?.dead_lettered ?? 0) + (dead ?? 0);
  return (
    <>
      <PageHead title={name} trail={TRAIL} />
      {result === null ? (
        <Draining waiting={backlog?.events ?? 0} />
      ) : (
        <Notice kind="good">
          <strong>The destination is deleted.</strong>
          <p>
            {plural(result.flushed, "event")} delivered by the last flush, {count(result.dead_lettered)} set
            aside.
            {kept === 0 ? "" : ` ${plural(kept, "dead letter")} can be exported for 7 days.`}
          </p>
          <div class="actions">
            {kept === 0 ? null : <ExportButton id={id} />}
            <LinkButton to={LIST}>To the destinations</LinkButton>
          </div>
        </Notice>
      )}
    </>
  );
}

/** The relay says how it went at the end; until then the time that it may take is all that is known. */
function Draining({ waiting }: { waiting: number }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setSeconds((before) => before + 1), 1_000);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <section class="card" aria-label="Progress">
      <p role="status">
        {waiting === 0 ? "Deleting …" : `Delivering the last ${plural(waiting, "event")} …`} This page may be
        left: the relay goes on by itself.
      </p>
      <progress
        max={LAST_FLUSH_SECONDS}
        value={Math.min(seconds, LAST_FLUSH_SECONDS)}
        aria-label="Time used of the last flush"
      />
    </section>
  );
}
