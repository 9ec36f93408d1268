import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useAct } from "../../hooks.ts";
import { useMay } from "../../session.tsx";
import { Button, Field, ProblemBox } from "../../ui/parts.tsx";
import type { DeadLetter } from "./model.ts";
import { apiOf } from "./places.ts";

/** What the relay gives a new event: the old one's would be wrong. */
const GIVEN_ANEW: ReadonlySet<string> = new Set(["id", "integrity_hash"]);

/**
 * Edits an event that was refused and sends it as a new one. An accepted event is never changed in place: its hash and
 * its id stand for what was sent.
 */
export function FixAndReplay({
  letter,
  destinationId,
  onDone,
  onCancel,
}: {
  letter: DeadLetter;
  destinationId: string;
  onDone: () => void;
  onCancel: () => void;
}) {
  const mayIngest = useMay()("events:write");
  const [text, setText] = useState(() => JSON.stringify(draftOf(letter), null, 2));
  const [isSent, setSent] = useState(false);
  const act = useAct();
  const unreadable = faultOf(text);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!isSent) {
      const headers = { "content-type": "application/json" };
      const sent = await act.run(() => call("POST", "/v1/audit/events", { body: text, headers }));
      if (sent === null) return;
      setSent(true);
    }
    const body = { ids: [letter.id] };
    const gone = await act.run(() => call("DELETE", apiOf(destinationId, "/dead-letters"), { body }));
    if (gone !== null) onDone();
  };
  if (!mayIngest) {
    return (
      <p>
        Sending a corrected event needs the scope events:write, which this key lacks.{" "}
        <button class="link-button" type="button" onClick={onCancel}>
          Back
        </button>
      </p>
    );
  }
  return (
    <form class="wide" onSubmit={send}>
      <p>
        This is sent as <strong>a new event with a new id</strong>, to every destination whose routes want it:
        one that already has the old event gets the corrected one as well. Then the old one is discarded here.
      </p>
      <Field
        label="Corrected event"
        hint="JSON. `replaces` names the old event and may be taken out."
        fault={unreadable ?? undefined}
      >
        {(ids) => (
          <textarea
            {...ids}
            class="event"
            spellcheck={false}
            readOnly={isSent}
            value={text}
            onInput={(input) => setText(input.currentTarget.value)}
          />
        )}
      </Field>
      <ProblemBox problem={act.problem} />
      {isSent ? <p>The corrected event was accepted; the old one is still here.</p> : null}
      <div class="actions">
        <Button kind="primary" type="submit" busy={act.isBusy} disabled={unreadable !== null}>
          {isSent ? "Discard the old one" : "Send and discard the old one"}
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}

function draftOf({ event, event_id: replaces }: DeadLetter): Readonly<Record<string, unknown>> {
  const kept = Object.entries(event).filter(([name]) => !GIVEN_ANEW.has(name));
  return { ...Object.fromEntries(kept), replaces };
}

function faultOf(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? null : "Expected one event as a JSON object";
  } catch (error) {
    return error instanceof Error ? error.message : "Expected JSON";
  }
}
