import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, it } from "vitest";
import { eventually } from "./support/relay.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A message as the consumer was handed it. */
interface Seen {
  readonly id: string;
  readonly number: number;
  readonly text: string;
  /** From 1. */
  readonly attempts: number;
  readonly at: number;
  readonly sentAt: number;
  /** Null for a body that is text. */
  readonly bytes: number | null;
}

interface Status {
  readonly depth: number;
  readonly dead: number;
  /** Turns of the queue's loop that have written messages since its start: what is written in one is one commit. */
  readonly turns: number;
}

/** The local queue in a process of its own, with state that outlives it. */
class LocalQueue {
  readonly #stateDir = mkdtempSync(join(tmpdir(), "sluice-queue-"));
  #child: ChildProcess | null = null;
  #url = "";

  async start(): Promise<void> {
    const program = join(ROOT, "test/node/support/local-queue.ts");
    const child = spawn(join(ROOT, "node_modules/.bin/node"), [program, this.#stateDir], { detached: true });
    this.#child = child;
    let output = "";
    this.#url = await new Promise<string>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`The queue ended with ${code}: ${output}`)));
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        const ready = /ready at (\S+)/.exec(output);
        if (ready?.[1] !== undefined) resolve(ready[1]);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
    });
  }

  /** SIGKILL to the runtime too. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.pid === undefined) return;
    child.removeAllListeners("exit");
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    process.kill(-child.pid, "SIGKILL");
    await ended;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }

  async ask<T>(act: string, order: unknown = {}): Promise<T> {
    const answer = await fetch(`${this.#url}/${act}`, { method: "POST", body: JSON.stringify(order) });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as T; // the consumer's own, in support/local-queue.ts
  }

  /** Sends that arrive together, each of these messages. */
  async send(...sends: readonly (readonly (readonly [number: number, text: string])[])[]): Promise<void> {
    await this.ask("send", { sends });
  }

  async seen(): Promise<readonly Seen[]> {
    return this.ask("seen");
  }

  status(): Promise<Status> {
    return this.ask("status");
  }

  /** Those with these numbers, once so many times something was handed over. */
  async seenOf(numbers: readonly number[], times = numbers.length): Promise<readonly Seen[]> {
    return eventually(async () => {
      const own = (await this.seen()).filter(({ number }) => numbers.includes(number));
      return own.length >= times && own;
    });
  }
}

const queue = new LocalQueue();
afterAll(() => queue.dispose());
await queue.start();

const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

describe("the local queue", () => {
  it("writes what arrives together in few commits, and hands everything over in the order in which it came", async ({
    expect,
  }) => {
    const before = (await queue.status()).turns;
    const numbers = range(1_000, 200);
    await queue.send(...numbers.map((number) => [[number, ""] as const]));
    expect((await queue.status()).turns - before).toBeLessThan(20);
    const seen = await queue.seenOf(numbers);
    expect(seen.map(({ number }) => number)).toEqual(numbers);
    expect(new Set(seen.map(({ attempts }) => attempts))).toEqual(new Set([1]));
    await eventually(async () => (await queue.status()).depth === 0);
  });

  it("answers a sender only when its message is written, however long it gathers others", async ({
    expect,
  }) => {
    await queue.ask("hold");
    await queue.ask("slow", { ms: 300 });
    await queue.send([[1_500, ""]]);
    expect((await queue.status()).depth).toBe(1);
    await queue.ask("slow", { ms: 0 });
    await queue.ask("release");
    await queue.seenOf([1_500]);
  });

  it("hands bytes and text over as they were sent", async ({ expect }) => {
    await queue.ask("sendText", { body: "text é" });
    await queue.send([[2_000, "bytes é"]]);
    const [text, bytes] = await queue.seenOf([0, 2_000]);
    expect(text).toMatchObject({ text: "text é", bytes: null });
    expect(bytes).toMatchObject({ text: "bytes é", bytes: 40 });
  });

  it("refuses what the platform refuses", async ({ expect }) => {
    await expect(queue.ask("flood", { from: 1, count: 2, bytes: 128_001 })).rejects.toThrow("128 KB");
    await expect(queue.send(range(1, 101).map((number) => [number, ""]))).rejects.toThrow("100");
    await expect(
      queue.ask("send", { sends: [range(1, 3).map((number) => [number, ""])], bytes: 100_000 }),
    ).rejects.toThrow("256 KB");
  });

  it("hands a message over again after the delay that was asked for, and counts its attempts", async ({
    expect,
  }) => {
    await queue.send([
      [3_000, "retry 2 1"],
      [3_001, ""],
    ]);
    const seen = await queue.seenOf([3_000], 3);
    expect(seen.map(({ attempts }) => attempts)).toEqual([1, 2, 3]);
    expect(new Set(seen.map(({ id, sentAt }) => `${id} ${sentAt}`)).size).toBe(1);
    const [first = 0, second = 0, third = 0] = seen.map(({ at }) => at);
    expect(second - first).toBeGreaterThanOrEqual(1_000);
    expect(third - second).toBeGreaterThanOrEqual(1_000);
    expect(await queue.seenOf([3_001])).toHaveLength(1);
    expect(await queue.status()).toMatchObject({ dead: 0 });
  });

  it("gives up after the retries it is told, and keeps the message in the dead-letter queue", async ({
    expect,
  }) => {
    await queue.send([[4_000, "retry 100 0"]]);
    await eventually(async () => (await queue.status()).dead === 1);
    expect((await queue.seenOf([4_000])).map(({ attempts }) => attempts)).toEqual([1, 2, 3]);
    expect(await queue.status()).toMatchObject({ depth: 0, dead: 1 });
  });

  it("delivers more than it holds in memory, completely and in order", async ({ expect }) => {
    await queue.ask("hold");
    await queue.ask("flood", { from: 10_000, count: 420, bytes: 100_000 });
    expect((await queue.status()).depth).toBe(420);
    // Room in memory, which belongs to those that have waited longer than the next ones to come.
    await queue.ask("release", { step: true });
    await eventually(async () => (await queue.status()).depth === 400);
    await queue.ask("flood", { from: 10_420, count: 20, bytes: 100_000 });
    await queue.ask("release");
    const numbers = range(10_000, 440);
    const seen = await queue.seenOf(numbers);
    expect(seen.map(({ number }) => number)).toEqual(numbers);
    expect(seen.every(({ bytes, attempts }) => bytes === 100_000 && attempts === 1)).toBe(true);
    await eventually(async () => (await queue.status()).depth === 0);
  });

  it("has after a SIGKILL every message whose sender was answered, waiting, in hand or put off", async ({
    expect,
  }) => {
    await queue.send([[5_000, "retry 1 3"]]);
    await queue.seenOf([5_000]);
    await queue.ask("hold");
    const answered: number[] = [];
    const senders = range(0, 20).map(async (sender) => {
      for (let number = 6_000 + sender; ; number += 20) {
        await queue.send([[number, ""]]);
        answered.push(number);
        if (answered.length === 200) await queue.kill();
      }
    });
    await Promise.allSettled(senders); // each until its sends fail
    expect(answered.length).toBeGreaterThanOrEqual(200);
    await queue.start();
    const seen = await queue.seenOf([5_000, ...answered]);
    expect(new Set(seen.map(({ number }) => number))).toEqual(new Set([5_000, ...answered]));
    expect(seen.find(({ number }) => number === 5_000)).toMatchObject({ text: "retry 1 3", attempts: 2 });
    await eventually(async () => (await queue.status()).depth === 0);
  });

  it("never gives a message the id of an earlier one or of another queue's, though it was empty when it was started again", async ({
    expect,
  }) => {
    const ids: (string | undefined)[] = [];
    for (const number of [7_000, 7_001, 7_002]) {
      await eventually(async () => (await queue.status()).depth === 0);
      await queue.kill();
      await queue.start();
      await queue.send([[number, ""]]);
      const [seen] = await queue.seenOf([number]);
      ids.push(seen?.id);
    }
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^events\/\d+$/);
  });
});
