import { useEffect, useState } from "preact/hooks";
import { call, get } from "../api.ts";
import { useAct, useQuery } from "../hooks.ts";
import { useMay } from "../session.tsx";
import type { Destination, Page } from "../types.ts";
import { milliseconds } from "../words.ts";
import { Button, CodeBlock, LinkButton, ProblemBox } from "./parts.tsx";

const EVERY_MS = 2_500;
const SAMPLE_KEY = "sl_live_your-key";

interface Batch {
  readonly state: string;
  readonly destinations: readonly {
    readonly name: string;
    readonly state: string;
    readonly accepted_at: string | null;
    readonly buffered_at: string | null;
  }[];
}

interface Attempt {
  readonly time: string;
  readonly delivered: number;
  readonly latency_ms: number;
}

/** Three steps for a tenant that has sent nothing yet. The last one is noticed, whoever sends the event. */
export function FirstEvent() {
  const may = useMay();
  const { data } = useQuery<Page<Destination>>(
    may("destinations:read") ? "/v1/audit/siem?limit=100" : null,
    EVERY_MS,
  );
  const [key, setKey] = useState<string | null>(null);
  const [batchId, setBatchId] = useState<string | null>(null);
  // What the relay itself puts on the stream from then on: the making of a key.
  const [from, setFrom] = useState(() => Date.now());
  const first = data?.data[0] ?? null;
  const arrived = useArrival({ destination: first, batchId, from, ownActs: key === null ? 0 : 1 });
  return (
    <section aria-labelledby="first-event">
      <h2 id="first-event">Send your first event</h2>
      <ol class="steps">
        <li class={first === null ? "" : "done"}>
          <h3>Add a destination</h3>
          {first !== null ? (
            <p class="clamp" dir="auto">
              {first.name}
            </p>
          ) : (
            <>
              <p>The SIEM that your audit events are to reach.</p>
              {may("destinations:write") ? (
                <LinkButton to="#/settings/audit/siem/new" kind="primary">
                  Add destination
                </LinkButton>
              ) : (
                <p class="quiet">Someone with the scope destinations:write can add one.</p>
              )}
            </>
          )}
        </li>
        <li class={arrived === null && batchId === null ? "" : "done"}>
          <h3>Send an event</h3>
          <SendStep
            apiKey={key}
            onKey={(made) => {
              setKey(made);
              setFrom(Date.now());
            }}
            onSent={setBatchId}
          />
        </li>
        <li class={arrived === null ? "" : "done"}>
          <h3>It arrives</h3>
          <div role="status">
            {arrived !== null ? (
              <p>
                <strong>{arrived}</strong>
              </p>
            ) : first === null ? (
              <p class="quiet">As soon as there is a destination, this page waits for the event.</p>
            ) : (
              <p class="quiet">
                <span class="spinner" aria-hidden="true" /> Waiting for the event. This page notices by
                itself.
              </p>
            )}
          </div>
        </li>
      </ol>
    </section>
  );
}

function SendStep({
  apiKey,
  onKey,
  onSent,
}: {
  apiKey: string | null;
  onKey: (key: string) => void;
  onSent: (batchId: string) => void;
}) {
  const may = useMay();
  const act = useAct();
  const make = async (): Promise<void> => {
    const body = { name: "First event", scopes: ["events:write"] };
    const made = await act.run(() => call<{ key: string }>("POST", "/v1/keys", { body }));
    if (made !== null) onKey(made.key);
  };
  const send = async (): Promise<void> => {
    const body = { action: "user.login", actor_id: "user-1" };
    const sent = await act.run(() => call<{ batch_id: string }>("POST", "/v1/audit/events", { body }));
    if (sent !== null) onSent(sent.batch_id);
  };
  return (
    <>
      <p>From your program, or pasted into a terminal:</p>
      <CodeBlock label="Command that sends an event" text={curl(apiKey ?? SAMPLE_KEY)} />
      {apiKey === null ? null : (
        <p>
          <strong>The key is in the command, and is shown this once.</strong> It can send events and nothing
          else.
        </p>
      )}
      <ProblemBox problem={act.problem} />
      <div class="actions">
        {apiKey === null && may("keys:write") && may("events:write") ? (
          <Button busy={act.isBusy} onClick={() => void make()}>
            Make a key and put it in
          </Button>
        ) : null}
        {may("events:write") ? (
          <Button busy={act.isBusy} onClick={() => void send()}>
            Send it from here
          </Button>
        ) : null}
      </div>
    </>
  );
}

function curl(key: string): string {
  return `curl ${location.origin}/v1/audit/events \\
  -H 'X-API-Key: ${key}' \\
  -H 'Content-Type: application/json' \\
  -d '{"action":"user.login","actor_id":"user-1"}'`;
}

interface Expected {
  readonly destination: Destination | null;
  /** Sent from here: then its way is known exactly. */
  readonly batchId: string | null;
  readonly from: number;
  /** Events that this page causes itself, which are delivered as well. */
  readonly ownActs: number;
}

/** @returns one sentence once it has arrived */
function useArrival({ destination, batchId, from, ownActs }: Expected): string | null {
  const [arrived, setArrived] = useState<string | null>(null);
  const id = destination?.id ?? null;
  useEffect(() => {
    if (id === null || arrived !== null) return;
    let isCurrent = true;
    const look = async (): Promise<void> => {
      const found = batchId === null ? await lookForAny(id, from, ownActs) : await lookForBatch(batchId);
      if (isCurrent && found !== null) setArrived(found);
    };
    const timer = window.setInterval(() => void look(), EVERY_MS);
    return () => {
      isCurrent = false;
      window.clearInterval(timer);
    };
  }, [id, batchId, from, ownActs, arrived]);
  return arrived;
}

async function lookForBatch(batchId: string): Promise<string | null> {
  const answer = await get<Batch>(`/v1/audit/batches/${encodeURIComponent(batchId)}`, true);
  const taken = answer.ok
    ? answer.value.destinations.find(({ state }) => state === "accepted" || state === "indexed")
    : undefined;
  if (taken === undefined) return null;
  const took = Date.parse(taken.accepted_at ?? "") - Date.parse(taken.buffered_at ?? "");
  return `It has arrived at ${taken.name}${Number.isNaN(took) ? "" : `, ${milliseconds(took)} after it was accepted`}.`;
}

/** An event sent from elsewhere: more was delivered since then than what this page has caused. */
async function lookForAny(id: string, from: number, ownActs: number): Promise<string | null> {
  const destination = `/v1/audit/siem/${encodeURIComponent(id)}`;
  const answer = await get<Page<Attempt>>(`${destination}/deliveries?limit=20`, true);
  if (!answer.ok) return null;
  const since = answer.value.data.filter(({ time }) => Date.parse(time) > from);
  const delivered = since.reduce((sum, attempt) => sum + attempt.delivered, 0);
  if (delivered === 0 || (delivered <= ownActs && (await takesKeyActs(destination)))) return null;
  return `It has arrived: the provider answered in ${milliseconds(since[0]?.latency_ms ?? null)}.`;
}

/** Whether the destination's routes let the making of a key through. */
async function takesKeyActs(destination: string): Promise<boolean> {
  const body = { actions: ["api-key.create"] };
  const answer = await call<{ data: readonly { delivered: boolean }[] }>(
    "POST",
    `${destination}/routes/preview`,
    {
      body,
      isBackground: true,
    },
  );
  return !answer.ok || answer.value.data[0]?.delivered !== false;
}
