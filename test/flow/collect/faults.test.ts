import fc from "fast-check";
import { it } from "vitest";
import { minutes } from "../../../src/base/clock.ts";
import { makeNotables } from "../../simulator/splunk-search-notables.ts";
import { START, type TestPoller, USER, withPoller } from "../../support/poller.ts";

/** What goes wrong at one request, or around it. */
type Fault =
  | "nothing"
  | "status"
  | "refused"
  | "messages"
  | "expired"
  | "sessions"
  | "crash_before"
  | "crash_after";

const ANSWERS: Readonly<Record<string, () => Response>> = {
  status: () => new Response("", { status: 503 }),
  refused: () =>
    Response.json({ messages: [{ type: "WARN", text: "call not properly authenticated" }] }, { status: 401 }),
  messages: () => Response.json({ messages: [{ type: "ERROR", text: "Peer idx-1 is down" }], results: [] }),
};

const fault = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fault>("nothing") },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Fault>(
      "status",
      "refused",
      "messages",
      "expired",
      "sessions",
      "crash_before",
      "crash_after",
    ),
  },
);

const COUNT = 60;

/** Plays one fault after the other, a new one at each request. */
function play(poller: TestPoller, faults: readonly Fault[]): void {
  let next = 0;
  let crash: Fault = "nothing";
  poller.instead = () => {
    const now = faults[next] ?? "nothing";
    next += 1;
    if (now === "expired") poller.splunk.expireJobs();
    if (now === "sessions") poller.splunk.endSessions();
    if (now.startsWith("crash")) crash = now;
    return ANSWERS[now]?.() ?? null;
  };
  const crashOnce = (when: Fault): void => {
    if (crash !== when) return;
    crash = "nothing";
    throw new Error("crashed");
  };
  poller.beforeRaise = () => crashOnce("crash_before");
  poller.afterRaise = () => crashOnce("crash_after");
}

it("every notable is raised, and only what crashed between raising and noting it is raised again, whatever goes wrong", async ({
  expect,
}) => {
  const scenes = fc.record({
    faults: fc.array(fault, { minLength: 40, maxLength: 120 }),
    mode: fc.constantFrom("job" as const, "oneshot" as const),
    auth: fc.constantFrom("basic" as const, "session" as const),
    pageRows: fc.integer({ min: 5, max: 30 }),
    offset: fc.integer({ min: -minutes(10), max: minutes(10) }),
    polls_until_done: fc.integer({ min: 0, max: 7 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(scenes, async ({ faults, mode, auth, pageRows, offset, polls_until_done, seed }) => {
      await withPoller(
        async (poller) => {
          const startAt = (START + offset) / 1_000 - 300;
          poller.load(...makeNotables({ count: COUNT, seed, startAt, spanSeconds: 3_600, lateShare: 1 / 3 }));
          poller.memory.set("page_rows", pageRows);
          play(poller, faults);
          let crashes = 0;
          while (poller.now < START + minutes(100)) {
            try {
              await poller.poll();
            } catch {
              crashes += 1;
              poller.restart();
            }
            poller.now += minutes(4);
          }
          const keys = poller.raised.map(({ alertKey }) => alertKey);
          expect(new Set(poller.raised.map(({ dedupKey }) => dedupKey)).size).toBe(COUNT);
          expect(new Set(keys).size).toBe(COUNT);
          expect(keys.length - COUNT).toBeLessThanOrEqual(crashes * pageRows);
        },
        {
          secrets: USER,
          settings: { mode, auth },
          splunk: { clock_offset_ms: offset, polls_until_done },
        },
      );
    }),
    { numRuns: 8 },
  );
}, 120_000);
