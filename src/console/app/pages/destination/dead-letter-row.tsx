import { useState } from "preact/hooks";
import { Ago, Badge, Button, CodeBlock, Facts } from "../../ui/parts.tsx";
import { moment } from "../../words.ts";
import { FixAndReplay } from "./fix-and-replay.tsx";
import type { DeadLetter } from "./model.ts";

/** Why an event was set aside, and what a person can do about it. */
const REASONS: Readonly<Record<string, string>> = {
  refused:
    "The provider refuses this event as invalid. Fix the event, or what the provider names, and replay it.",
  outside_window:
    "Its own time is outside of what the provider takes. Export it and discard it; one that was ahead of its time can be replayed later.",
  too_large:
    "The provider refuses this single event as too large. Raise its limit and replay, or discard it.",
  expired: "It was not delivered within 24 hours. Mend the destination, then replay.",
  destination_deleted: "It was still owed when the destination was deleted.",
  relay_fault:
    "The provider calls the request malformed. A proxy that changes requests on the way is the usual cause; replay when that is mended.",
};

export function DeadLetterRow({
  letter,
  destinationId,
  mayWrite,
  mayReplay,
  isChosen,
  isBusy,
  onChoose,
  onReplay,
  onDiscard,
  onFixed,
}: {
  letter: DeadLetter;
  destinationId: string;
  mayWrite: boolean;
  mayReplay: boolean;
  isChosen: boolean;
  isBusy: boolean;
  onChoose: () => void;
  onReplay: () => void;
  onDiscard: () => void;
  onFixed: () => void;
}) {
  const [isOpen, setOpen] = useState(false);
  const [isFixing, setFixing] = useState(false);
  return (
    <>
      <tr>
        {mayWrite ? (
          <td>
            <input
              type="checkbox"
              checked={isChosen}
              onChange={onChoose}
              aria-label={`Choose ${letter.action}, ${letter.event_id.slice(0, 60)}`}
            />
          </td>
        ) : null}
        <td class="nowrap">
          <Ago at={letter.parked_at} />
        </td>
        <td class="name">
          <button class="link-button" type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            <span class="clamp">{letter.action}</span>
          </button>
          <span class="sub clamp">{letter.event_id}</span>
        </td>
        <td>
          <Badge word={letter.reason.replaceAll("_", " ")} tone="bad" />
        </td>
        <td class="nowrap">
          {letter.http_status === null ? "none" : `HTTP ${letter.http_status}`}
          {letter.provider_code === null ? null : <span class="sub">code {letter.provider_code}</span>}
        </td>
        <td class="words">
          <span class="clamp" dir="auto">
            {letter.message}
          </span>
        </td>
      </tr>
      {isOpen ? (
        <tr class="detail">
          <td colSpan={mayWrite ? 6 : 5}>
            <div class="detail-box">
              <Facts
                rows={[
                  ["Why", REASONS[letter.reason] ?? letter.reason],
                  ["Provider's own words", <span dir="auto">{letter.message}</span>],
                  ["Attempts", String(letter.attempts)],
                  ["Accepted", moment(letter.accepted_at)],
                  ["Set aside", moment(letter.parked_at)],
                  ["Batch", letter.batch_id],
                ]}
              />
              {isFixing ? (
                <FixAndReplay
                  letter={letter}
                  destinationId={destinationId}
                  onDone={onFixed}
                  onCancel={() => setFixing(false)}
                />
              ) : (
                <>
                  <CodeBlock label="The event" text={JSON.stringify(letter.event, null, 2)} />
                  {mayWrite ? (
                    <div class="actions">
                      {mayReplay ? (
                        <>
                          <Button busy={isBusy} onClick={onReplay}>
                            Replay
                          </Button>
                          <Button onClick={() => setFixing(true)}>Fix and replay</Button>
                        </>
                      ) : null}
                      <Button kind="danger" onClick={onDiscard}>
                        Discard
                      </Button>
                    </div>
                  ) : null}
                </>
              )}
            </div>
          </td>
        </tr>
      ) : null}
    </>
  );
}
