import { it } from "vitest";
import { makeNotables } from "../simulator/splunk-search-notables.ts";
import { eventually, type Json } from "./support/relay.ts";
import { openWorld } from "./support/world.ts";

/*
 * Notables from outside: the relay as its own process, a Splunk whose search it polls, and a Splunk that its events go to.
 */

const HEC_TOKEN = "11111111-1111-4111-8111-111111111111";
const USER = { username: "sluice", password: "a-password" };

const { relay, simulator, siem } = await openWorld();

/** Every incident of the tenant, newest first. */
async function incidents(key: string): Promise<readonly Json[]> {
  const found: Json[] = [];
  for (let cursor: unknown = ""; cursor !== null; ) {
    const after = cursor === "" ? "" : `&cursor=${String(cursor)}`;
    const { body } = await relay.call("GET", `/v1/incidents?limit=100${after}`, { key });
    found.push(...(body["data"] as readonly Json[]));
    cursor = body["next_cursor"];
  }
  return found;
}

const happenedBefore = (seconds: number) => Math.floor(Date.now() / 1_000) - seconds;

it("notables become incidents, and their events reach Splunk's itsm_incidents, over a crash in the middle", async ({
  expect,
}) => {
  const { key } = await relay.tenant();
  await siem.splunk("hec", { tokens: [{ token: HEC_TOKEN }] });
  await siem.splunkSearch("es", { users: [USER] });
  const destination = { provider: "splunk", endpoint: `${simulator.url}/hec`, token: HEC_TOKEN };
  const made = await relay.call("POST", "/v1/audit/siem", {
    key,
    body: { ...destination, routes: "categories" },
  });
  expect(made.status).toBe(201);

  const early = makeNotables({ count: 1_200, startAt: happenedBefore(700), spanSeconds: 600, lateShare: 0 });
  await siem.loadNotables("es", early);
  const source = await relay.call("POST", "/v1/sources", {
    key,
    body: {
      kind: "splunk_es",
      name: "ES",
      rest_url: `${simulator.url}/es`,
      ...USER,
      poll_interval_minutes: 1,
    },
  });
  expect(source.status).toBe(201);
  const path = `/v1/sources/${String(source.body["id"])}`;
  const tested = await relay.call("POST", `${path}/test`, { key });
  expect(tested.body).toMatchObject({ ok: true });

  // The crash comes while pages are being read, or right after.
  await eventually(
    async () => (await relay.call("GET", "/v1/incidents?limit=1", { key })).body["next_cursor"],
  );
  await relay.kill();
  await relay.start();
  const late = makeNotables({ count: 50, seed: 2, startAt: happenedBefore(840), spanSeconds: 60 }).map(
    (notable) => ({ ...notable, _indextime: happenedBefore(1) }),
  );
  await siem.loadNotables("es", late);
  expect((await relay.call("POST", `${path}/poll`, { key })).status).toBeLessThan(300);

  const wanted = new Set([...early, ...late].map(({ event_id }) => event_id));
  const found = await eventually(async () => {
    const list = await incidents(key);
    return list.length >= wanted.size && list;
  });
  expect(found).toHaveLength(wanted.size);
  const numbers = found.map(({ number }) => Number(String(number).slice(3)));
  expect(numbers.toSorted((one, other) => one - other)).toEqual(found.map((_, index) => index + 1));

  // Those of incidents that were there at the crash and not yet told come with their page, long before the schedule.
  const events = await eventually(async () => {
    const arrived = await siem.events("hec");
    return arrived.distinct >= wanted.size && arrived;
  });
  const [first = ""] = events.order;
  const [copy] = await siem.event("hec", first);
  expect(copy).toMatchObject({ index: "itsm_incidents" });
  expect(JSON.stringify(copy)).toContain("incident.create");

  const shown = await relay.call("GET", path, { key });
  expect(shown.body).toMatchObject({ status: "active" });
  expect(JSON.stringify(shown.body)).not.toContain(USER.password);
  expect((await siem.summary("es")).violations).toEqual([]);
}, 120_000);
