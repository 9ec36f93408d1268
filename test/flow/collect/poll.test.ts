import { describe, it } from "vitest";
import { days, hours, minutes } from "../../../src/base/clock.ts";
import { MAX_ROWS, PAGE_ROWS } from "../../../src/flow/collect/read.ts";
import { makeNotables } from "../../simulator/splunk-search-notables.ts";
import { type Asked, aNotable, START, type TestPoller, USER, withPoller } from "../../support/poller.ts";

const SEED_SEARCH =
  "index=notable | search status=new earliest=-15m | table event_id, rule_name, severity, dest, src, owner";

/** Notables that were all indexed in the minutes before the first poll. */
const crowd = (count: number) => makeNotables({ count, startAt: START / 1_000 - 600, spanSeconds: 500 });

const ids = (poller: TestPoller): readonly string[] => poller.raised.map(({ dedupKey }) => dedupKey);

const jsonResponse = (body: unknown, status = 200) => Response.json(body, { status });
const isSearch = ({ path, form }: Asked): boolean =>
  path.endsWith("/jobs") && !form["search"]?.includes("makeresults");
const isResults = ({ path }: Asked): boolean => path.endsWith("/results");

describe("a poll", () => {
  it("asks for the clock, then for what was indexed in its window, however old that says it is", async ({
    expect,
  }) => {
    await withPoller(async (poller) => {
      poller.load(aNotable("old", { at: -86_400, late: 86_000 }));
      expect(await poller.poll()).toMatchObject({ kind: "done", fresh: 1, rows: 1, clock: { by: "search" } });
      const jobs = poller.asked.filter(isSearch);
      expect(jobs).toHaveLength(1);
      expect(jobs[0]?.form).toMatchObject({
        search: expect.stringContaining("search `notable`"),
        index_earliest: String(START / 1_000 - 900),
        index_latest: String(START / 1_000),
        output_mode: "json",
        exec_mode: "normal",
      });
      expect(Number(jobs[0]?.form["earliest_time"])).toBe(START / 1_000 - 900 - days(30) / 1_000);
      expect(poller.paths).toEqual([
        "POST /servicesNS/nobody/SplunkEnterpriseSecuritySuite/search/v2/jobs",
        "POST /servicesNS/nobody/SplunkEnterpriseSecuritySuite/search/v2/jobs",
        "GET /servicesNS/nobody/SplunkEnterpriseSecuritySuite/search/v2/jobs/<sid>",
        "POST /servicesNS/nobody/SplunkEnterpriseSecuritySuite/search/v2/jobs/<sid>/results",
        "POST /servicesNS/nobody/SplunkEnterpriseSecuritySuite/search/v2/jobs/<sid>/control",
      ]);
      expect(poller.splunk.jobs()).toEqual([]);
    });
  });

  it("makes of a notable what it says", async ({ expect }) => {
    await withPoller(async (poller) => {
      poller.load(aNotable("n-1", { at: -60 }));
      await poller.poll();
      expect(poller.raised).toEqual([
        expect.objectContaining({
          alertKey: expect.stringMatching(/^n-1@@notable@@[0-9a-f]{32}#[0-9a-f]{16}$/),
          dedupKey: "n-1@@notable@@0123456789abcdef0123456789abcdef",
          dedupScope: "forever",
          at: START - 60_000,
          shortDescription: "Brute force on host-1",
          priority: "P2",
          severity: "high",
          ciIdentifier: "host-1",
          sourceIp: "198.51.100.7",
          searchName: "Brute Force Access Behavior Detected",
        }),
      ]);
    });
  });

  it("raises a notable once, though the overlap shows it again, and one that is indexed late when it is there", async ({
    expect,
  }) => {
    await withPoller(async (poller) => {
      poller.load(aNotable("early", { at: -60 }), aNotable("late", { at: -60, late: 840 }));
      await poller.poll();
      expect(ids(poller)).toHaveLength(1);
      for (let polls = 0; polls < 4; polls += 1) {
        poller.now += minutes(5);
        expect(await poller.poll()).toMatchObject({ kind: "done" });
      }
      expect(ids(poller).map((id) => id.split("@")[0])).toEqual(["early", "late"]);
    });
  });

  it("takes what an analyst changes for one more occurrence of the same", async ({ expect }) => {
    await withPoller(async (poller) => {
      const notable = aNotable("n-1", { at: -60 });
      poller.load(notable);
      await poller.poll();
      for (const change of [
        { status: "2" },
        { owner: "kim" },
        { urgency: "critical" },
        { comment: "seen" },
      ]) {
        poller.splunk.notables.update(notable.event_id, change);
        poller.now += minutes(1);
        await poller.poll();
      }
      expect(new Set(ids(poller)).size).toBe(1);
      expect(new Set(poller.raised.map(({ alertKey }) => alertKey)).size).toBe(4);
      expect(poller.raised.at(-1)).toMatchObject({ priority: "P1" });
    });
  });

  it("forgets what no later window can show", async ({ expect }) => {
    await withPoller(async (poller) => {
      poller.load(...crowd(50));
      await poller.poll();
      expect(poller.memory.seen).toBe(50);
      for (const seen of [50, 0]) {
        poller.now += minutes(16);
        await poller.poll();
        expect(poller.memory.seen).toBe(seen);
      }
    });
  });

  it("reads Splunk's clock off the Date header where the search for it is refused", async ({ expect }) => {
    await withPoller(async (poller) => {
      const theirs = START + minutes(3);
      poller.instead = ({ form }) =>
        form["search"]?.includes("makeresults") === true
          ? new Response('{"messages":[{"type":"FATAL","text":"not allowed"}]}', {
              status: 403,
              headers: { date: new Date(theirs).toUTCString() },
            })
          : null;
      expect(await poller.round()).toMatchObject({
        kind: "done",
        clock: { by: "date_header", splunk: theirs / 1_000 },
      });
      expect(poller.memory.place.checkpoint).toBe(theirs / 1_000);
    });
  });
});

describe("pages", () => {
  it("are read one after the other, at most ten in a round", async ({ expect }) => {
    await withPoller(async (poller) => {
      poller.load(...crowd(11 * PAGE_ROWS));
      const first = await poller.round();
      expect(first).toMatchObject({ kind: "unfinished", again: 0, rows: 10 * PAGE_ROWS });
      expect(await poller.round()).toMatchObject({ kind: "done", rows: PAGE_ROWS });
      expect(new Set(ids(poller)).size).toBe(11 * PAGE_ROWS);
      expect(poller.asked.filter(isResults).map(({ form }) => Number(form["offset"]))).toEqual(
        Array.from({ length: 11 }, (_, page) => page * PAGE_ROWS),
      );
      expect(poller.asked.filter(isSearch)).toHaveLength(1);
    });
  });

  it("go on after a restart where they were, within the same window", async ({ expect }) => {
    await withPoller(async (poller) => {
      poller.load(...crowd(3 * PAGE_ROWS));
      let pages = 0;
      poller.beforeRaise = () => {
        pages += 1;
        if (pages === 3) throw new Error("the object was evicted here");
      };
      await expect(poller.round()).rejects.toThrow("evicted");
      const { window } = poller.memory.place;
      poller.restart();
      poller.now += minutes(2);
      poller.load(aNotable("meanwhile", { at: 60 }));
      expect(await poller.round()).toMatchObject({ kind: "done", fresh: PAGE_ROWS });
      expect(ids(poller)).toHaveLength(3 * PAGE_ROWS);
      expect(new Set(ids(poller)).size).toBe(3 * PAGE_ROWS);
      expect(poller.memory.place.checkpoint).toBe(window?.goal);
      await poller.poll();
      expect(ids(poller)).toHaveLength(3 * PAGE_ROWS + 1);
    });
  });

  it("begin anew when Splunk has forgotten the job, and nothing is raised twice", async ({ expect }) => {
    await withPoller(async (poller) => {
      poller.load(...crowd(2 * PAGE_ROWS));
      let raised = 0;
      poller.beforeRaise = () => {
        raised += 1;
        if (raised === 1) poller.splunk.expireJobs();
      };
      expect(await poller.poll()).toMatchObject({
        kind: "failed",
        failure: { trouble: "provider_error", held: false },
      });
      expect(await poller.poll()).toMatchObject({ kind: "done" });
      expect(ids(poller)).toHaveLength(2 * PAGE_ROWS);
      expect(poller.asked.filter(isSearch).map(({ form }) => form["index_latest"])).toEqual([
        String(START / 1_000),
        String(START / 1_000),
      ]);
    });
  });

  it("may be shorter than was asked for", async ({ expect }) => {
    for (const mode of ["job", "oneshot"] as const) {
      await withPoller(
        async (poller) => {
          poller.load(...crowd(100));
          poller.play = { mode: "short_page", rows: 30 };
          expect(await poller.poll()).toMatchObject({ kind: "done" });
          expect(new Set(ids(poller)).size).toBe(100);
        },
        { settings: { mode } },
      );
    }
  });

  it("are made smaller when one is too large to be read", async ({ expect }) => {
    await withPoller(async (poller) => {
      poller.load(...crowd(40).map((notable) => ({ ...notable, padding: "x".repeat(1_000_000) })));
      expect(await poller.poll()).toMatchObject({ kind: "done" });
      expect(new Set(ids(poller)).size).toBe(40);
      expect(poller.memory.get("page_rows")).toBe(7);
    });
  });

  it("say so when a single row is too large", async ({ expect }) => {
    await withPoller(async (poller) => {
      poller.load({ ...aNotable("huge", { at: -60 }), padding: "x".repeat(8_000_000) });
      expect(await poller.poll()).toMatchObject({
        kind: "failed",
        failure: { trouble: "search_rejected", held: true },
      });
      expect(poller.memory.place.checkpoint).toBeNull();
    });
  });
});

describe("a window that holds more rows than Splunk shows", () => {
  /** Splunk with so many rows a second, which it only counts. */
  const crowded = (poller: TestPoller, perSecond: number): void => {
    const jobs = new Map<string, number>();
    poller.instead = ({ method, path, form }) => {
      if (form["search"]?.includes("makeresults") === true) return null;
      const sid = path.split("/").at(-1) ?? "";
      if (path.endsWith("/control")) return jsonResponse({});
      if (path.endsWith("/jobs")) {
        const made = `${jobs.size + 1}`;
        jobs.set(made, (Number(form["index_latest"]) - Number(form["index_earliest"])) * perSecond);
        read.push([Number(form["index_earliest"]), Number(form["index_latest"])]);
        return jsonResponse({ sid: made }, 201);
      }
      const rows = jobs.get(sid) ?? 0;
      if (method === "GET")
        return jsonResponse({
          entry: [{ content: { isDone: true, resultCount: Math.min(MAX_ROWS, rows) } }],
        });
      return jsonResponse({
        results: Array.from({ length: Number(form["count"]) }, () => ({ event_id: "same" })),
      });
    };
  };
  let read: [from: number, to: number][] = [];

  it("is halved until it fits, and read to its end without a gap", async ({ expect }) => {
    read = [];
    await withPoller(async (poller) => {
      crowded(poller, 60); // 54,000 in the quarter of an hour
      expect(await poller.poll()).toMatchObject({ kind: "done" });
      const fitting = read.filter(([from, to]) => (to - from) * 60 < MAX_ROWS);
      expect(fitting[0]?.[0]).toBe(START / 1_000 - 900);
      expect(fitting.at(-1)?.[1]).toBe(START / 1_000);
      for (const [at, [from]] of fitting.slice(1).entries()) expect(from).toBe(fitting[at]?.[1]);
    });
  });

  it("is held when a single second is too much, and nothing is skipped", async ({ expect }) => {
    await withPoller(async (poller) => {
      crowded(poller, MAX_ROWS);
      expect(await poller.poll()).toMatchObject({
        kind: "failed",
        failure: { trouble: "search_rejected", held: true },
      });
      expect(poller.memory.place).toMatchObject({ checkpoint: null, window: { goal: START / 1_000 } });
    });
  });
});

describe("a failure", () => {
  it("is what Splunk says inside a 200, even beside rows", async ({ expect }) => {
    for (const mode of ["job", "oneshot"] as const) {
      for (const rows of [true, false]) {
        await withPoller(
          async (poller) => {
            poller.load(aNotable("n-1", { at: -60 }));
            await poller.poll();
            poller.load(aNotable("n-2", { at: 30 }));
            poller.now += minutes(5);
            poller.play = {
              mode: "messages",
              rows,
              messages: [{ type: "ERROR", text: "Peer idx-2 is down" }],
            };
            const checkpoint = poller.memory.place.checkpoint;
            expect(await poller.poll()).toMatchObject({
              kind: "failed",
              failure: { trouble: "provider_error", held: false, message: "Splunk says: Peer idx-2 is down" },
            });
            expect(poller.memory.place.checkpoint).toBe(checkpoint);
            expect(ids(poller)).toHaveLength(1);
            poller.play = null;
            expect(await poller.poll()).toMatchObject({ kind: "done" });
            expect(ids(poller)).toHaveLength(2);
          },
          { settings: { mode } },
        );
      }
    }
  });

  it("of the search itself is held until a person changes it", async ({ expect }) => {
    for (const missing_macro of ["refused", "messages", "messages_and_rows"] as const) {
      await withPoller(
        async (poller) => {
          expect(await poller.poll()).toMatchObject({
            kind: "failed",
            failure: {
              trouble: "search_rejected",
              held: true,
              message: expect.stringContaining("macro 'notable'"),
            },
          });
        },
        { splunk: { macros: [], missing_macro } },
      );
    }
  });

  it("of any kind leaves the window as it was, and later takes it up again", async ({ expect }) => {
    const answers: readonly (readonly [string, () => Response])[] = [
      ["unreachable", () => new Response("error 522", { status: 521 })],
      ["tls_untrusted", () => new Response("", { status: 526 })],
      [
        "credentials_rejected",
        () => jsonResponse({ messages: [{ type: "ERROR", text: "Unauthorized" }] }, 401),
      ],
      ["throttled", () => new Response("", { status: 429, headers: { "retry-after": "30" } })],
      [
        "throttled",
        () =>
          jsonResponse({ messages: [{ type: "FATAL", text: "maximum number of concurrent searches" }] }, 503),
      ],
      ["provider_error", () => new Response("", { status: 500 })],
      ["config_rejected", () => new Response("<!doctype html><title>Login</title>")],
      [
        "config_rejected",
        () => new Response("", { status: 303, headers: { location: "/en-US/account/login" } }),
      ],
      ["config_rejected", () => jsonResponse({ text: "The requested URL was not found", code: 404 }, 404)],
    ];
    await withPoller(async (poller) => {
      poller.load(...crowd(PAGE_ROWS + 1));
      let calls = 0;
      poller.instead = () => {
        calls += 1;
        // The clock is told; then every other request fails.
        return calls > 1 && calls % 2 === 0
          ? (answers[(calls / 2 - 1) % answers.length]?.[1]() ?? null)
          : null;
      };
      const troubles: string[] = [];
      for (let round = await poller.poll(); round.kind === "failed"; round = await poller.poll())
        troubles.push(round.failure.trouble);
      expect(troubles.length).toBeGreaterThan(2);
      expect(ids(poller)).toHaveLength(PAGE_ROWS + 1);
      expect(poller.memory.place.checkpoint).toBe(START / 1_000);
    });
    for (const [trouble, answer] of answers) {
      await withPoller(async (poller) => {
        poller.instead = answer;
        expect(await poller.poll()).toMatchObject({ kind: "failed", failure: { trouble } });
      });
    }
  });

  it("to take the notables moves nothing", async ({ expect }) => {
    await withPoller(async (poller) => {
      poller.load(aNotable("n-1", { at: -60 }));
      poller.beforeRaise = () => {
        throw new Error("D1 is away");
      };
      await expect(poller.poll()).rejects.toThrow("D1 is away");
      poller.beforeRaise = () => undefined;
      await poller.poll();
      expect(ids(poller)).toHaveLength(1);
    });
  });

  it("of a search that does not end gives the job up and tries a smaller slice", async ({ expect }) => {
    await withPoller(
      async (poller) => {
        expect(await poller.poll()).toMatchObject({ kind: "failed", failure: { trouble: "timeout" } });
        expect(poller.now - START).toBeGreaterThan(minutes(10));
        expect(poller.splunk.jobs()).toEqual([]);
        const { window } = poller.memory.place;
        expect((window?.to ?? 0) - (window?.from ?? 0)).toBe(450);
      },
      { splunk: { polls_until_done: 1_000 } },
    );
  });
});

describe("who asks", () => {
  const modes = [
    ["a token", { token: "t" }, {}, /^Bearer t$/],
    ["user and password with each request", USER, {}, /^Basic c2x1aWNlOnBhc3Mgd29yZDrDvA==$/],
    ["a session key", USER, { auth: "session" as const }, /^Splunk \S+$/],
  ] as const;

  it.for(modes)("proves it with %s", async ([, secrets, settings, header], { expect }) => {
    await withPoller(
      async (poller) => {
        poller.load(aNotable("n-1", { at: -60 }));
        expect(await poller.poll()).toMatchObject({ kind: "done", fresh: 1 });
        const shown = poller.asked.filter(({ path }) => !path.endsWith("/login"));
        expect(shown.every(({ authorization }) => header.test(authorization ?? ""))).toBe(true);
      },
      { secrets, settings },
    );
  });

  it("logs in once, and again when the session has run out, even between two pages", async ({ expect }) => {
    await withPoller(
      async (poller) => {
        poller.load(...crowd(2 * PAGE_ROWS));
        let pages = 0;
        poller.beforeRaise = () => {
          pages += 1;
          if (pages === 1) poller.splunk.endSessions();
        };
        expect(await poller.poll()).toMatchObject({ kind: "done", fresh: 2 * PAGE_ROWS });
        expect(poller.paths.filter((path) => path.endsWith("/login"))).toHaveLength(2);
        poller.now += hours(2);
        expect(await poller.poll()).toMatchObject({ kind: "done" });
        expect(poller.paths.filter((path) => path.endsWith("/login"))).toHaveLength(3);
      },
      { secrets: USER, settings: { auth: "session" } },
    );
  });

  it("does not log in again and again with a password that is wrong", async ({ expect }) => {
    await withPoller(
      async (poller) => {
        expect(await poller.poll()).toMatchObject({
          failure: { trouble: "credentials_rejected", held: true },
        });
        expect(poller.paths).toEqual(["POST /services/auth/login"]);
      },
      { secrets: { username: "sluice", password: "wrong" }, settings: { auth: "session" } },
    );
  });

  it("holds when good credentials may not search", async ({ expect }) => {
    await withPoller(
      async (poller) => {
        expect(await poller.poll()).toMatchObject({
          failure: { trouble: "credentials_rejected", held: true },
        });
      },
      { splunk: { forbidden: true } },
    );
  });
});

describe("an older Splunk", () => {
  it("is asked by version 1, which is remembered for a day", async ({ expect }) => {
    await withPoller(
      async (poller) => {
        poller.load(aNotable("n-1", { at: -60 }));
        expect(await poller.poll()).toMatchObject({ kind: "done", fresh: 1 });
        const app = "/servicesNS/nobody/SplunkEnterpriseSecuritySuite/search";
        expect(poller.paths.slice(0, 3)).toEqual([
          `POST ${app}/v2/jobs`,
          `POST ${app}/jobs`,
          `POST ${app}/jobs`,
        ]);
        expect(poller.paths).toContain(`GET ${app}/jobs/<sid>/results`);
        const refused = (): number => poller.paths.filter((path) => path.includes("/v2/")).length;
        expect(refused()).toBe(1);
        poller.now += hours(23);
        poller.restart();
        await poller.poll();
        expect(refused()).toBe(1);
        poller.now += hours(2);
        await poller.poll();
        expect(refused()).toBe(2);
      },
      { splunk: { disable_v2: true } },
    );
  });

  it("without the app is asked in the user's own context", async ({ expect }) => {
    await withPoller(
      async (poller) => {
        poller.instead = ({ path }) =>
          path.includes("servicesNS")
            ? jsonResponse({ messages: [{ type: "ERROR", text: "Application does not exist: SOC" }] }, 404)
            : null;
        poller.load(aNotable("n-1", { at: -60 }));
        expect(await poller.poll()).toMatchObject({ kind: "done", fresh: 1 });
        expect(poller.paths.slice(0, 3)).toEqual([
          "POST /servicesNS/nobody/SOC/search/v2/jobs",
          "POST /services/search/v2/jobs",
          "POST /services/search/v2/jobs",
        ]);
      },
      { settings: { app: "SOC", search: "`notable`" } },
    );
  });
});

describe("a search of one's own", () => {
  it("runs as it is written, like that of the set-up page", async ({ expect }) => {
    await withPoller(
      async (poller) => {
        poller.load(
          aNotable("n-1", { at: -60, status_label: "new" }),
          aNotable("n-2", { at: -60, status: "5" }),
        );
        expect(await poller.poll()).toMatchObject({ kind: "done", fresh: 1 });
        expect(poller.asked.find(isSearch)?.form["search"]).toBe(`search ${SEED_SEARCH}`);
        expect(poller.raised[0]).toMatchObject({
          shortDescription: "Brute Force Access Behavior Detected",
          ciIdentifier: "host-1",
          sourceIp: "198.51.100.7",
          priority: "P3",
        });
        expect(poller.paths[0]).toBe("POST /services/search/v2/jobs");
      },
      { settings: { search: SEED_SEARCH } },
    );
  });

  it("may give rows without an id: each is known by what does not change", async ({ expect }) => {
    await withPoller(
      async (poller) => {
        poller.load(
          aNotable("a", { at: -60 }),
          aNotable("b", { at: -50 }),
          aNotable("c", { at: -50, dest: "host-2" }),
        );
        await poller.poll();
        poller.splunk.notables.update(aNotable("a").event_id, { owner: "kim" });
        poller.now += minutes(5);
        await poller.poll();
        expect(new Set(ids(poller)).size).toBe(3);
        expect(ids(poller)).toHaveLength(4);
      },
      { settings: { search: "index=notable | table _time, rule_name, dest, owner" } },
    );
  });

  it("without a job is read in pages too, and once more because its rows move meanwhile", async ({
    expect,
  }) => {
    await withPoller(
      async (poller) => {
        const notables = crowd(3 * PAGE_ROWS);
        poller.load(...notables);
        let pages = 0;
        // After the first page an analyst closes five notables: those behind move up, and five are not shown.
        poller.beforeRaise = () => {
          pages += 1;
          if (pages !== 1) return;
          for (const { event_id } of notables.slice(-5))
            poller.splunk.notables.update(event_id, { status: "5" });
        };
        expect(await poller.poll()).toMatchObject({ kind: "done" });
        expect(new Set(ids(poller)).size).toBe(3 * PAGE_ROWS);
      },
      { settings: { mode: "oneshot", search: "index=notable status=1" } },
    );
  });
});
