import { describe, it } from "vitest";
import { randomBytes, toBase64, utf8 } from "../src/base/bytes.ts";
import type { Message } from "../src/flow/queue/consume.ts";
import { decodeMessage, encodePart, type QueuedPart, storable } from "../src/flow/queue/message.ts";
import { produce } from "../src/flow/queue/produce.ts";
import type { Destination } from "../src/model/destination.ts";
import { fromLine } from "../src/model/event.ts";
import type { IngestRequest } from "../src/model/ingest.ts";
import type { BatchPart, Submission } from "../src/model/lane.ts";
import { concat } from "../src/model/lines.ts";
import {
  fanOut,
  handOver,
  type IngestDeps,
  ingest,
  retryStranded,
  type StrandDeps,
  type Stranded,
  strand,
} from "../src/pipeline.ts";
import { destination } from "./support/builders.ts";
import { anEvent, aPart, aPartOf, linesOf } from "./support/lines.ts";

const NOW = Date.parse("2026-06-30T12:00:00Z");
const login = '{"action":"user.login","actor_id":"u1"}';

function aRequest(body: string, more: Partial<IngestRequest> = {}): IngestRequest {
  return {
    tenantId: "ten_a",
    keyId: "key_1",
    signingSecret: null,
    headers: new Headers(),
    body: new Response(body).body,
    onInvalid: "refuse",
    ...more,
  };
}

/** The stages before the queue, over a queue that keeps what it was sent and fails from a call on. */
function aProducer(failFrom = Number.POSITIVE_INFINITY): IngestDeps & { readonly bodies: Uint8Array[] } {
  const bodies: Uint8Array[] = [];
  let calls = 0;
  const sendBatch = async (messages: readonly { readonly body: Uint8Array }[]): Promise<void> => {
    calls += 1;
    if (calls > failFrom) throw new Error("Queue is overloaded");
    bodies.push(...messages.map(({ body }) => body));
  };
  return {
    bodies,
    now: () => NOW,
    random: randomBytes,
    batchTagKey: utf8("tag"),
    produce: (outgoing) => produce(outgoing, { sendBatch }),
  };
}

interface Troubles {
  /** Destinations whose lanes throw. */
  readonly lanes?: readonly string[];
  readonly destinations?: boolean;
  readonly stranded?: boolean;
}

/** The stages behind the queue, in memory. `fails` may be changed on the way. */
class World implements StrandDeps {
  readonly submissions: Submission[] = [];
  readonly kept = new Map<string, Stranded>();
  readonly logged: string[] = [];
  fails: Troubles = {};
  readonly #destinations: readonly Destination[];

  constructor(...destinations: readonly Destination[]) {
    this.#destinations = destinations;
  }

  readonly now = (): number => NOW;

  /** Every tenant has the same. */
  async destinations(tenantId: string): Promise<readonly Destination[]> {
    if (this.fails.destinations === true) throw new Error("database unreachable");
    return this.#destinations.map((each) => ({ ...each, tenantId }));
  }

  lane(tenantId: string, destinationId: string) {
    return {
      submit: async (submission: Submission) => {
        if (tenantId !== submission.tenantId) throw new Error("Another tenant's lane");
        if (this.fails.lanes?.includes(destinationId)) throw new Error("object overloaded");
        this.submissions.push(submission);
        return { taken: submission.parts.length, repeated: 0, unwanted: 0 };
      },
    };
  }

  readonly log = (what: string): void => {
    this.logged.push(what);
  };

  readonly stranded = {
    put: async (message: Stranded): Promise<void> => {
      if (this.fails.stranded === true) throw new Error("database unreachable");
      this.kept.set(message.id, message);
    },
    oldest: async (limit: number): Promise<readonly Stranded[]> => [...this.kept.values()].slice(0, limit),
    remove: async (id: string): Promise<void> => {
      this.kept.delete(id);
    },
    postpone: async (id: string): Promise<void> => {
      const message = this.kept.get(id);
      if (message === undefined) return;
      this.kept.delete(id);
      this.kept.set(id, message);
    },
  };

  /** Batches that a destination was given. */
  batchesOf(destinationId: string): string[] {
    return this.submissions
      .filter((submission) => submission.destinationId === destinationId)
      .flatMap(({ parts }) => parts.map(({ batchId }) => batchId));
  }
}

/** A message, and what was decided about it. */
function aMessage(id: string, body: unknown, attempts = 1) {
  const decisions: string[] = [];
  const message: Message = {
    id,
    body,
    attempts,
    ack: () => decisions.push("ack"),
    retry: ({ delaySeconds }) => decisions.push(`retry in ${delaySeconds} s`),
  };
  return { message, decisions };
}

/** A message of these parts. */
const messageOf = (...parts: readonly QueuedPart[]): Uint8Array<ArrayBuffer> => concat(parts.map(encodePart));
const bodyOf = (part: BatchPart): Uint8Array<ArrayBuffer> => messageOf({ tenantId: "ten_a", part });
/** As the relay wrote it before lines were packed. */
const textOf = (part: BatchPart): string =>
  [
    JSON.stringify({ v: 1, tenant: "ten_a", batch: part.batchId, part: part.part, at: part.acceptedAt }),
    ...linesOf([part]),
  ].join("\n");
const partWith = (batchId: string, action: string): BatchPart =>
  aPartOf(batchId, [anEvent(`${batchId}-0`, { action })], { acceptedAt: NOW });

const everything = destination({ id: "siem_all" });
const onlyUsers = destination({ id: "siem_users", routes: [{ match: "user.*", enabled: true }] });

describe("a request that is accepted", () => {
  it("gets its receipt when the queue has every event, under the ids of the receipt", async ({ expect }) => {
    const producer = aProducer();
    const receipt = await ingest(aRequest(`[${login},${login}]`), producer);
    if (!receipt.ok) throw new Error(receipt.error.detail);
    const sent = producer.bodies.flatMap((body) => {
      const decoded = decodeMessage(body);
      if (!decoded.ok) throw new Error(decoded.error);
      return decoded.value;
    });
    expect(sent.map(({ tenantId, part }) => [tenantId, part.batchId, part.acceptedAt])).toEqual([
      ["ten_a", receipt.value.batchId, NOW],
    ]);
    const lines = linesOf(sent.map(({ part }) => part));
    expect(lines.map((line) => fromLine(line).id)).toEqual(receipt.value.ids);
    expect(receipt.value).toMatchObject({ accepted: 2, rejected: [] });
  });

  it("and skips invalid events says which, and queues the others", async ({ expect }) => {
    const producer = aProducer();
    const receipt = await ingest(aRequest(`[{},${login}]`, { onInvalid: "skip" }), producer);
    if (!receipt.ok) throw new Error(receipt.error.detail);
    expect(receipt.value.accepted).toBe(1);
    expect(receipt.value.rejected.map(({ index }) => index)).toEqual([0]);
    expect(producer.bodies).toHaveLength(1);
  });
});

describe("a request that is not accepted", () => {
  it("because the queue fails is told to come again, and that nothing was accepted", async ({ expect }) => {
    const refused = await ingest(aRequest(login), aProducer(0));
    expect(refused).toMatchObject({
      ok: false,
      error: { code: "buffer_unavailable", retryAfterSeconds: 5 },
    });
    if (!refused.ok) expect(refused.error.detail).toMatch(/not accepted.*same request again/);
  });

  it("because the queue failed half way is not accepted either", async ({ expect }) => {
    // Random, because what repeats itself is one message.
    const large = () => JSON.stringify({ ...JSON.parse(login), note: toBase64(randomBytes(45_000)) });
    const producer = aProducer(1);
    const refused = await ingest(aRequest(`[${Array.from({ length: 12 }, large).join(",")}]`), producer);
    expect(refused).toMatchObject({ ok: false, error: { code: "buffer_unavailable" } });
    expect(producer.bodies.length).toBeGreaterThan(0);
  });

  it("because it is invalid never reaches the queue", async ({ expect }) => {
    const producer = aProducer();
    expect(await ingest(aRequest(`[{},${login}]`), producer)).toMatchObject({
      ok: false,
      error: { code: "invalid_event" },
    });
    expect(producer.bodies).toEqual([]);
  });
});

describe("handing over to the lanes", () => {
  it("gives each lane everything that it is owed in one call", async ({ expect }) => {
    const world = new World(everything, onlyUsers);
    const parts = [partWith("bat_1", "user.login"), partWith("bat_2", "api.call")];
    expect((await handOver("ten_a", parts, world)).failed.size).toBe(0);
    expect(world.submissions).toHaveLength(2);
    expect(world.batchesOf("siem_all")).toEqual(["bat_1", "bat_2"]);
    expect(world.batchesOf("siem_users")).toEqual(["bat_1"]);
  });

  it("marks, when one lane throws, only the parts that this lane wanted", async ({ expect }) => {
    const world = new World(everything, onlyUsers);
    world.fails = { lanes: ["siem_users"] };
    const [users, api] = [partWith("bat_1", "user.login"), partWith("bat_2", "api.call")];
    const { failed } = await handOver("ten_a", [users, api], world);
    expect([failed.has(users), failed.has(api)]).toEqual([true, false]);
    expect(world.batchesOf("siem_all")).toEqual(["bat_1", "bat_2"]);
    expect(world.logged).toEqual(["submit.failed"]);
  });

  it("marks every copy of a part that came twice", async ({ expect }) => {
    const world = new World(everything);
    world.fails = { lanes: ["siem_all"] };
    const copies = [aPart("bat_1", 1), aPart("bat_1", 1), aPart("bat_1", 1, { part: 1 })];
    const { failed } = await handOver("ten_a", copies, world);
    expect(copies.map((part) => failed.has(part))).toEqual([true, true, true]);
  });

  it("has nothing to do for events that nobody wants", async ({ expect }) => {
    const world = new World(onlyUsers);
    expect((await handOver("ten_a", [partWith("bat_1", "api.call")], world)).failed.size).toBe(0);
    expect(world.submissions).toEqual([]);
  });
});

describe("a delivery of the queue", () => {
  it("is settled message by message by what the lanes took", async ({ expect }) => {
    const world = new World(everything, onlyUsers);
    world.fails = { lanes: ["siem_users"] };
    const users = aMessage("m1", bodyOf(partWith("bat_1", "user.login")));
    const api = aMessage("m2", bodyOf(partWith("bat_2", "api.call")));
    await fanOut([users.message, api.message], world);
    expect([users.decisions, api.decisions]).toEqual([["retry in 2 s"], ["ack"]]);
  });

  it("comes again as a whole when the destinations cannot be read", async ({ expect }) => {
    const world = new World(everything);
    world.fails = { destinations: true };
    const { message, decisions } = aMessage("m1", bodyOf(aPart("bat_1", 1)), 2);
    await fanOut([message], world);
    expect(decisions).toEqual(["retry in 4 s"]);
    expect(world.logged).toEqual(["hand_over.failed"]);
  });
});

describe("a text message with an unreadable line among good ones", () => {
  const body = `${textOf(aPart("bat_1", 1))}\nevt_2\t1\n${linesOf([aPart("bat_1", 1)]).join()}`;

  it("does not reach a lane, where it would stop everything behind it", async ({ expect }) => {
    const world = new World(everything);
    const bad = aMessage("m1", body);
    const fine = aMessage("m2", bodyOf(aPart("bat_2", 1)));
    await fanOut([bad.message, fine.message], world);
    expect(world.batchesOf("siem_all")).toEqual(["bat_2"]);
    expect([bad.decisions, fine.decisions]).toEqual([["retry in 2 s"], ["ack"]]);
    expect(world.logged).toEqual(["message.unreadable"]);
  });

  it("is kept for a person when the queue gives up on it", async ({ expect }) => {
    const world = new World(everything);
    const { message, decisions } = aMessage("m1", body);
    await strand([message], world);
    await retryStranded(world);
    expect(world.submissions).toEqual([]);
    expect([...world.kept.values()].map(({ reason, body: kept }) => [reason, kept])).toEqual([
      ["unreadable events", body],
    ]);
    expect(decisions).toEqual(["ack"]);
  });
});

describe("a part whose packed lines have changed on their way", () => {
  const part = aPart("bat_1", 200);
  const { packed } = part.lines;
  const changed = packed.with(packed.byteLength - 5, (packed.at(-5) ?? 0) ^ 1);
  const garbled: readonly (readonly [string, BatchPart])[] = [
    ["a flipped bit", { ...part, lines: { ...part.lines, packed: changed } }],
    ["an end that is missing", { ...part, lines: { ...part.lines, packed: packed.slice(0, -1) } }],
    ["fewer events than it says", { ...part, lines: { ...part.lines, count: 201 } }],
    ["no lines in it", { ...part, lines: { ...part.lines, packed: utf8("\0\0\0\0\u0001?") } }],
  ];

  it.for(garbled)(
    "by %s is kept for a person and never put into a lane, when the queue gives up",
    async ([, bad], { expect }) => {
      const world = new World(everything, onlyUsers);
      const { message, decisions } = aMessage(
        "m1",
        messageOf({ tenantId: "ten_a", part: aPart("bat_0", 1) }, { tenantId: "ten_a", part: bad }),
      );
      await strand([message], world);
      await retryStranded(world);
      expect([world.batchesOf("siem_all"), world.batchesOf("siem_users")]).toEqual([["bat_0"], ["bat_0"]]);
      expect([...world.kept.values()].map(({ id, tenantId, reason }) => [id, tenantId, reason])).toEqual([
        ["m1/1", "ten_a", "unreadable events"],
      ]);
      expect(decisions).toEqual(["ack"]);
    },
  );
});

describe("a message that the queue gave up on", () => {
  it("is handed over after all where that is possible now, and then let go", async ({ expect }) => {
    const world = new World(everything);
    const { message, decisions } = aMessage("m1", bodyOf(aPart("bat_1", 1)));
    await strand([message], world);
    expect(world.batchesOf("siem_all")).toEqual(["bat_1"]);
    expect([world.kept.size, decisions]).toEqual([0, ["ack"]]);
  });

  it("is kept as it was, with its tenant and the reason, before it is let go", async ({ expect }) => {
    const world = new World(everything);
    world.fails = { lanes: ["siem_all"] };
    const body = bodyOf(aPart("bat_1", 2));
    const { message, decisions } = aMessage("m1", body);
    const stranded: Stranded = {
      id: "m1",
      tenantId: "ten_a",
      reason: "a lane could not take it",
      body: storable(body),
      at: NOW,
    };
    await strand([message], world);
    expect([...world.kept.values()]).toEqual([stranded]);
    expect(decisions).toEqual(["ack"]);
    expect(world.logged).toContain("message.stranded");
  });

  it("is kept part by part, each under its own tenant, and only the parts that a lane could not take", async ({
    expect,
  }) => {
    const world = new World(everything, onlyUsers);
    world.fails = { lanes: ["siem_users"] };
    const users = (batchId: string): BatchPart => partWith(batchId, "user.login");
    const parts: readonly QueuedPart[] = [
      { tenantId: "ten_a", part: users("bat_1") },
      { tenantId: "ten_a", part: users("bat_2") },
      { tenantId: "ten_a", part: partWith("bat_3", "api.call") },
      { tenantId: "ten_b", part: users("bat_4") },
    ];
    const { message, decisions } = aMessage("m1", messageOf(...parts));
    await strand([message], world);
    expect([...world.kept.values()].map(({ id, tenantId }) => [id, tenantId])).toEqual([
      ["m1", "ten_a"],
      ["m1/1", "ten_a"],
      ["m1/3", "ten_b"],
    ]);
    const bodies = [...world.kept.values()].map(({ body }) => decodeMessage(body));
    expect(bodies).toEqual([0, 1, 3].map((index) => ({ ok: true, value: [parts[index]] })));
    expect(decisions).toEqual(["ack"]);
  });

  it("comes again, and keeps no part twice, when the database fails half way through it", async ({
    expect,
  }) => {
    const world = new World(everything);
    world.fails = { lanes: ["siem_all"] };
    const body = messageOf(
      { tenantId: "ten_a", part: aPart("bat_1", 1) },
      { tenantId: "ten_b", part: aPart("bat_2", 1) },
    );
    const put = world.stranded.put;
    world.stranded.put = async (message) => {
      if (message.id === "m1/1") throw new Error("database unreachable");
      await put(message);
    };
    const first = aMessage("m1", body);
    await strand([first.message], world);
    expect([first.decisions, [...world.kept.keys()]]).toEqual([["retry in 2 s"], ["m1"]]);
    world.stranded.put = put;
    const again = aMessage("m1", body, 2);
    await strand([again.message], world);
    expect([again.decisions, [...world.kept.keys()]]).toEqual([["ack"], ["m1", "m1/1"]]);
  });

  it("as text, before lines were packed, is handed over or kept like any other", async ({ expect }) => {
    const world = new World(everything);
    const body = textOf(aPart("bat_1", 2));
    world.fails = { lanes: ["siem_all"] };
    await strand([aMessage("m1", body).message], world);
    expect(world.kept.get("m1")).toMatchObject({ tenantId: "ten_a", reason: "a lane could not take it" });
    world.fails = {};
    await retryStranded(world);
    expect(world.kept.size).toBe(0);
    expect(world.submissions.map(({ parts }) => parts)).toEqual([[aPart("bat_1", 2)]]);
  });

  it("that nobody can read is kept too, as nobody's", async ({ expect }) => {
    const world = new World(everything);
    const odd: unknown[] = ["?", { odd: true }, undefined, circular(), utf8('{"v":3}\n?')];
    const messages = odd.map((body, index) => aMessage(`m${index + 1}`, body));
    await strand(
      messages.map(({ message }) => message),
      world,
    );
    expect([...world.kept.values()].map(({ tenantId, reason, body }) => [tenantId, reason, body])).toEqual([
      [null, "no events", "?"],
      [null, "neither text nor bytes", '{"odd":true}'],
      [null, "neither text nor bytes", "undefined"],
      [null, "neither text nor bytes", "[object Object]"],
      [null, "unknown version or header", storable(utf8('{"v":3}\n?'))],
    ]);
    expect(messages.every(({ decisions }) => decisions.join() === "ack")).toBe(true);
  });

  it("goes back to the queue when even the database fails", async ({ expect }) => {
    const world = new World(everything);
    world.fails = { lanes: ["siem_all"], stranded: true };
    const { message, decisions } = aMessage("m1", bodyOf(aPart("bat_1", 1)), 3);
    await strand([message], world);
    expect(decisions).toEqual(["retry in 8 s"]);
    expect(world.logged).toContain("strand.failed");
  });

  it("goes back to the queue when the destinations cannot be read", async ({ expect }) => {
    const world = new World(everything);
    world.fails = { destinations: true };
    const { message, decisions } = aMessage("m1", bodyOf(aPart("bat_1", 1)));
    await strand([message], world);
    expect([decisions, world.kept.size]).toEqual([["retry in 2 s"], 0]);
  });

  it("does not hold back the others", async ({ expect }) => {
    const world = new World(everything, onlyUsers);
    world.fails = { lanes: ["siem_users"], stranded: true };
    const stuck = aMessage("m1", bodyOf(partWith("bat_1", "user.login")));
    const fine = aMessage("m2", bodyOf(partWith("bat_2", "api.call")));
    await strand([stuck.message, fine.message], world);
    expect([stuck.decisions, fine.decisions]).toEqual([["retry in 2 s"], ["ack"]]);
  });
});

/** What no JSON can say. */
function circular(): unknown {
  const one: { self?: unknown } = {};
  one.self = one;
  return one;
}

describe("the schedule", () => {
  /** One message that two destinations want, one that only one wants, and one that nobody can read. */
  async function aStrandedWorld(): Promise<World> {
    const world = new World(everything, onlyUsers);
    const bodies = [
      storable(bodyOf(partWith("bat_1", "user.login"))),
      textOf(partWith("bat_2", "api.call")), // kept before lines were packed
      "?",
    ];
    for (const [index, body] of bodies.entries()) {
      const at = NOW + index;
      await world.stranded.put({ id: `m${index + 1}`, tenantId: null, reason: "", body, at });
    }
    return world;
  }

  it("removes only what was handed over", async ({ expect }) => {
    const world = await aStrandedWorld();
    world.fails = { lanes: ["siem_users"] };
    await retryStranded(world);
    expect([...world.kept.keys()].toSorted()).toEqual(["m1", "m3"]);
    world.fails = {};
    await retryStranded(world);
    expect([...world.kept.keys()]).toEqual(["m3"]);
  });

  it("keeps everything while nothing can be handed over", async ({ expect }) => {
    const world = await aStrandedWorld();
    world.fails = { destinations: true };
    await retryStranded(world);
    expect(world.kept.size).toBe(3);
  });

  it("gives a good message its turn although a hundred that nobody can read are older", async ({
    expect,
  }) => {
    const world = new World(everything);
    const put = (id: string, body: string): Promise<void> =>
      world.stranded.put({ id, tenantId: null, reason: "", body, at: NOW });
    for (let index = 0; index < 250; index += 1) await put(`unreadable-${index}`, "?");
    await put("good", storable(bodyOf(aPart("bat_1", 1))));
    for (let run = 0; run < 3; run += 1) await retryStranded(world);
    expect(world.batchesOf("siem_all")).toEqual(["bat_1"]);
    expect(world.kept.size).toBe(250);
  });

  it("hands over oldest first", async ({ expect }) => {
    const world = await aStrandedWorld();
    world.fails = {};
    await retryStranded(world);
    expect(world.batchesOf("siem_all")).toEqual(["bat_1", "bat_2"]);
  });

  it("hands over exactly what was kept, packed or as text", async ({ expect }) => {
    const world = new World(everything);
    const [packed, text] = [aPart("bat_1", 300), aPart("bat_2", 3, { part: 4 })];
    for (const [id, body] of Object.entries({ m1: storable(bodyOf(packed)), m2: textOf(text) }))
      await world.stranded.put({ id, tenantId: "ten_a", reason: "", body, at: NOW });
    await retryStranded(world);
    expect(world.submissions.flatMap(({ parts }) => parts)).toEqual([packed, text]);
    expect(world.kept.size).toBe(0);
  });
});
