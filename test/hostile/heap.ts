import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, runtimeOf, start } from "../bench/processes.ts";
import { ADMIN_TOKEN, RelayProcess } from "../node/support/relay.ts";

/** Megabytes of one isolate, as V8 counts them. */
export interface Heap {
  readonly isolate: string;
  /** With what could be thrown away. */
  readonly used: number;
  /** After everything that can be thrown away has been. */
  readonly kept: number;
  /** Bytes beside the heap: the buffers of bodies. */
  readonly buffers: number;
}

interface HeapUsage {
  readonly usedSize?: number;
  readonly backingStorageSize?: number;
}

/** The same relay in the same runtime, with the inspector's door open, so that its isolates can be looked into. */
export class InspectedRelay extends RelayProcess {
  #process: Child | null = null;
  #inspector = "";

  override async start(): Promise<void> {
    const child = await start(
      "test/bench/runtime.ts",
      ["--worker", "relay", "--inspect", "--state-dir", this.stateDir],
      { side: "relay", env: { ADMIN_TOKEN }, ready: /^(\{"url":.*\})$/m },
    );
    this.#process = child;
    const { url, inspector } = JSON.parse(child.ready) as { url: string; inspector: string }; // as it prints it
    this.url = url;
    this.#inspector = inspector.replace("ws:", "http:");
    writeFileSync(join(this.stateDir, "runtime.pid"), String(runtimeOf(child.pid)));
  }

  override async dispose(): Promise<void> {
    await this.#process?.stop();
    await super.dispose();
  }

  /** The relay's own isolate and that of the local queue. */
  async heaps(): Promise<readonly Heap[]> {
    const targets = (await (await fetch(new URL("/json", this.#inspector))).json()) as readonly {
      readonly id: string;
      readonly webSocketDebuggerUrl: string;
    }[]; // by the inspector's protocol
    const own = targets.filter(({ id }) => /sluice|local-queue/.test(id));
    return Promise.all(own.map(async ({ id, webSocketDebuggerUrl }) => lookInto(id, webSocketDebuggerUrl)));
  }
}

async function lookInto(isolate: string, url: string): Promise<Heap> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error(`No inspector at ${url}`)), { once: true });
  });
  let next = 0;
  const ask = (method: string): Promise<HeapUsage> =>
    new Promise((resolve) => {
      next += 1;
      const id = next;
      socket.addEventListener("message", function listen({ data }) {
        const message = JSON.parse(String(data)) as { id?: number; result?: HeapUsage };
        if (message.id !== id) return;
        socket.removeEventListener("message", listen);
        resolve(message.result ?? {});
      });
      socket.send(JSON.stringify({ id, method }));
    });
  const before = await ask("Runtime.getHeapUsage");
  await ask("HeapProfiler.collectGarbage");
  const after = await ask("Runtime.getHeapUsage");
  socket.close();
  return {
    isolate,
    used: megabytes(before.usedSize),
    kept: megabytes(after.usedSize),
    buffers: megabytes(before.backingStorageSize),
  };
}

function megabytes(bytes: number | undefined): number {
  return bytes === undefined ? Number.NaN : bytes / 1_000_000;
}
