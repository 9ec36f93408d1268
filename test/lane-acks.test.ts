import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, it, vi } from "vitest";
import { hours, minutes, seconds } from "../src/base/clock.ts";
import { MAX_PENDING } from "../src/flow/acknowledge/pending.ts";
import { Indexers, isEvent } from "./support/indexers.ts";
import { aPart } from "./support/lines.ts";
import { type Call, type Json, Outside, WholeRelay } from "./support/whole-relay.ts";

let outside = new Outside();
let made = 0;

beforeEach(() => {
  outside = new Outside();
  outside.now = Date.now() + hours(1);
  vi.stubGlobal("fetch", outside.fetch);
  vi.spyOn(Date, "now").mockImplementation(() => outside.now);
  for (const level of ["info", "error"] as const) vi.spyOn(console, level).mockReturnValue(undefined);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A lane of a Splunk that acknowledges. */
async function aLane(splunk: Indexers, config: Json = {}) {
  made += 1;
  const host = `acks-${made}.example.com`;
  const calls: readonly Call[] = outside.host(host, splunk.behave);
  const relay = await WholeRelay.withTenant();
  const id = await relay.connect({
    ...{ provider: "splunk", endpoint: `https://${host}`, token: "your-hec-token", config },
    routes: [{ match: "user.*" }],
  });
  const submit = (batch: string) => relay.submit(id, aPart(batch, 1, { acceptedAt: outside.now }));
  return { relay, id, submit, sent: () => calls.filter(isEvent).length };
}

describe("a lane that waits for acknowledgements", () => {
  it("sends nothing more while too many are pending, and goes on when they are confirmed or lost", async ({
    expect,
  }) => {
    const { relay, id, submit, sent } = await aLane(new Indexers(1));
    await submit("first");
    expect(sent()).toBe(1);
    const lane = env.LANES.getByName(`${relay.tenantId}/${id}`);
    await runInDurableObject(lane, (_, { storage }) => {
      for (let n = 0; n < MAX_PENDING; n += 1) {
        storage.sql.exec(
          "INSERT INTO pending_acks (id, channel, cookie, ack_id, delivery_id, sent_at, next_poll_at, polls, told) VALUES (?, NULL, NULL, ?, 999, ?, ?, 0, 0)",
          ...[1_000 + n, 1_000 + n, outside.now, outside.now],
        );
      }
    });
    await relay.evict(id);
    await submit("second");
    expect(sent()).toBe(1);
    expect((await relay.report(id)).backlog.events).toBe(2);
    await relay.pass(id, outside, minutes(6));
    expect(sent()).toBe(2);
    expect((await relay.report(id)).backlog.events).toBe(0);
  });

  it.for([180, 600])(
    "sends again after the seconds that its destination says: %s",
    async (timeout, { expect }) => {
      const splunk = new Indexers(1);
      splunk.working = [];
      const { relay, id, submit, sent } = await aLane(splunk, { ack_timeout_seconds: timeout });
      await submit("a");
      await relay.pass(id, outside, seconds(timeout) - 1);
      expect(sent()).toBe(1);
      await relay.pass(id, outside, seconds(5));
      expect(sent()).toBe(2);
    },
  );

  it("asks again after an eviction, and sends nothing twice for it", async ({ expect }) => {
    const { relay, id, submit, sent } = await aLane(new Indexers(1));
    await submit("a");
    await relay.evict(id);
    expect((await relay.report(id)).backlog.events).toBe(1);
    await relay.pass(id, outside, seconds(30));
    expect((await relay.report(id)).totals).toMatchObject({ delivered: 1, possibleDuplicates: 0 });
    expect(sent()).toBe(1);
  });
});
