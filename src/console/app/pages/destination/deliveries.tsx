import { useState } from "preact/hooks";
import { useQuery } from "../../hooks.ts";
import { Pager, usePaged } from "../../ui/pager.tsx";
import { Badge, Empty, Facts, Field, Loading, ProblemBox, Table } from "../../ui/parts.tsx";
import { bytes, count, milliseconds, moment, plural } from "../../words.ts";
import { fixFor } from "./attention.ts";
import type { Delivery, Provider } from "./model.ts";
import { apiOf } from "./places.ts";

const EVERY_MS = 3_000;
const PAGE = 50;

interface Decision {
  readonly word: string;
  readonly tone: string;
  /** What the relay does next because of it. */
  readonly follows: string;
}

/** What became of a request, by its `outcome`. */
const DECISIONS: Readonly<Record<string, Decision>> = {
  delivered: { word: "delivered", tone: "good", follows: "Nothing: the provider has taken all of it." },
  retry: {
    word: "tried again",
    tone: "warn",
    follows: "Nothing is known to be taken: the same events are sent again, later each time.",
  },
  hold: {
    word: "held",
    tone: "bad",
    follows:
      "Settings or credentials are refused, not the events. Everything is kept and tried again; a change to the destination makes it try at once.",
  },
  isolate: {
    word: "event at fault",
    tone: "warn",
    follows:
      "What precedes the event at fault is delivered, it is set aside as a dead letter, and the rest goes on. Where the provider does not name it, it is found by halves.",
  },
  partial: {
    word: "in part",
    tone: "warn",
    follows:
      "What the provider took is done with, what it refused is a dead letter, and the rest is sent again.",
  },
  split: { word: "too large", tone: "info", follows: "The same events are sent again in halves." },
  fault: {
    word: "malformed",
    tone: "bad",
    follows: "The provider calls the request malformed: its events are set aside as dead letters.",
  },
  parked: {
    word: "not sent",
    tone: "bad",
    follows: "The events are set aside as dead letters, for the reason in the message.",
  },
};

const ACKNOWLEDGEMENTS: Readonly<Record<string, string>> = {
  pending: "Splunk has taken it and has not yet confirmed that it is indexed.",
  indexed: "Splunk has confirmed that it is indexed.",
  accepted: "Taken; it will not be confirmed any more.",
  lost: "Never confirmed in time, so it was sent again.",
};

export function DeliveriesTab({ id }: { id: string }) {
  const list = usePaged<Delivery>(apiOf(id, "/deliveries"), EVERY_MS, PAGE);
  const providers = useQuery<{ data: readonly Provider[] }>("/v1/audit/providers");
  const destination = useQuery<{ provider: string }>(apiOf(id));
  const [outcome, setOutcome] = useState("");
  const [open, setOpen] = useState<number | null>(null);
  const codes = providers.data?.data.find(({ kind }) => kind === destination.data?.provider)?.codes ?? [];
  if (list.data === null) return list.problem === null ? <Loading /> : <ProblemBox problem={list.problem} />;
  const all = list.data.data;
  const shown = all.filter((each) => outcome === "" || outcomeGroup(each) === outcome);
  return (
    <>
      <ProblemBox problem={list.problem} />
      <div class="filters">
        <Field label="Outcome">
          {(ids) => (
            <select {...ids} value={outcome} onChange={(event) => setOutcome(event.currentTarget.value)}>
              <option value="">Every outcome</option>
              <option value="delivered">Delivered</option>
              <option value="waiting">Tried again</option>
              <option value="aside">Set aside, wholly or in part</option>
            </select>
          )}
        </Field>
        <p class="quiet" role="status">
          {outcome === "" ? "" : `${shown.length} of the ${all.length} attempts on this page`}
        </p>
      </div>
      {all.length === 0 ? (
        <Empty title="Nothing has been sent yet">
          <p>Each request to the provider is listed here, with its answer.</p>
        </Empty>
      ) : shown.length === 0 ? (
        <Empty title="No attempt on this page matches" />
      ) : (
        <Table
          label="Delivery attempts"
          head={["Time", "Outcome", "Events", "Size", "Answer", "Took", "Provider's words"]}
          numbers={["Events", "Size", "Took"]}
        >
          {shown.map((each) => (
            <Attempt
              key={each.id}
              attempt={each}
              meaning={codes.find(({ code }) => code === each.provider_code)?.meaning ?? null}
              isOpen={open === each.id}
              onToggle={() => setOpen(open === each.id ? null : each.id)}
            />
          ))}
        </Table>
      )}
      <Pager paged={list} />
    </>
  );
}

function outcomeGroup({ outcome }: Delivery): string {
  if (outcome === "delivered") return "delivered";
  return outcome === "retry" || outcome === "hold" || outcome === "split" ? "waiting" : "aside";
}

function Attempt({
  attempt,
  meaning,
  isOpen,
  onToggle,
}: {
  attempt: Delivery;
  meaning: string | null;
  isOpen: boolean;
  onToggle: () => void;
}) {
  const { time, outcome, events, http_status: status, provider_code: code, message } = attempt;
  return (
    <>
      <tr>
        <td class="nowrap">
          <button class="link-button" type="button" aria-expanded={isOpen} onClick={onToggle}>
            <time dateTime={time}>{moment(time)}</time>
          </button>
        </td>
        <td>
          <Badge word={DECISIONS[outcome]?.word ?? outcome} tone={DECISIONS[outcome]?.tone ?? "info"} />
          {attempt.acknowledgement === null ? null : <span class="sub">{attempt.acknowledgement}</span>}
        </td>
        <td class="number">{count(events)}</td>
        <td class="number">{bytes(attempt.bytes)}</td>
        <td class="nowrap">
          {status === null ? "none" : `HTTP ${status}`}
          {code === null ? null : <span class="sub">code {code}</span>}
        </td>
        <td class="number">{milliseconds(attempt.latency_ms)}</td>
        <td class="words">
          <span class="clamp" dir="auto">
            {message}
          </span>
        </td>
      </tr>
      {isOpen ? (
        <tr class="detail">
          <td colSpan={7}>
            <div class="detail-box">
              <AttemptDetail attempt={attempt} meaning={meaning} />
            </div>
          </td>
        </tr>
      ) : null}
    </>
  );
}

function AttemptDetail({ attempt, meaning }: { attempt: Delivery; meaning: string | null }) {
  const { outcome, reason, retry_at: retryAt, provider_code: code } = attempt;
  const fix = reason === null ? "" : fixFor(reason);
  return (
    <Facts
      rows={[
        ["Request", `${plural(attempt.events, "event")}, ${bytes(attempt.bytes)} before compression`],
        [
          "Answer",
          attempt.http_status === null
            ? `None in ${milliseconds(attempt.latency_ms)}`
            : `HTTP ${attempt.http_status} after ${milliseconds(attempt.latency_ms)}`,
        ],
        ["Provider's code", code === null ? "none" : meaning === null ? code : `${code}: ${meaning}`],
        ["Taken by the provider", `${count(attempt.delivered)} of ${plural(attempt.events, "event")}`],
        ["Provider's own words", <span dir="auto">{attempt.message === "" ? "none" : attempt.message}</span>],
        ["What follows", DECISIONS[outcome]?.follows ?? outcome],
        ...(retryAt === null ? [] : [["Tried again", moment(retryAt)] as const]),
        ...(fix === "" ? [] : [["What to do", fix] as const]),
        ...(attempt.acknowledgement === null
          ? []
          : [
              [
                "Acknowledgement",
                ACKNOWLEDGEMENTS[attempt.acknowledgement] ?? attempt.acknowledgement,
              ] as const,
            ]),
        ...(attempt.maybe_taken
          ? [["Possible duplicate", "No answer came, so what is sent again may be there twice."] as const]
          : []),
      ]}
    />
  );
}
