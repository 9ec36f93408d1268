import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Miniflare } from "miniflare";

/** For `npm run prove` alone: the local runtime then obeys orders to misbehave. */
export const hasFaults = process.env["SLUICE_FAULTS"] === "true";

const RELAY_MODULE = "./sluice.mjs";
const CLOCK_PATH = "/_faults/clock";
const ABORT_PATH = "/_faults/abort";

/**
 * The Worker as it is, on a clock that can be set: everything that it asks the time is shifted, and alarms are shifted
 * back, because the runtime keeps its own time. Entry of the local relay with `SLUICE_FAULTS=true`, never otherwise.
 */
export const FAULTY_ENTRY = `
import worker, { Lane as RealLane } from "${RELAY_MODULE}";
export { Poller } from "${RELAY_MODULE}";
let shift = 0;
const RealDate = Date;
globalThis.Date = class Date extends RealDate {
  constructor(...given) { if (given.length === 0) super(RealDate.now() + shift); else super(...given); }
  static now() { return RealDate.now() + shift; }
};
let isPatched = false;
function patch(storage) {
  if (isPatched) return;
  isPatched = true;
  const prototype = Object.getPrototypeOf(storage);
  const { setAlarm, getAlarm } = prototype;
  prototype.setAlarm = function (at, options) { return setAlarm.call(this, Number(at) - shift, options); };
  prototype.getAlarm = async function (options) {
    const at = await getAlarm.call(this, options);
    return at === null ? null : at + shift;
  };
}
export class Lane extends RealLane {
  constructor(ctx, env) { patch(ctx.storage); super(ctx, env); }
  fall() { this.ctx.abort("A fault that was asked for"); }
}
export default {
  ...worker,
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "${CLOCK_PATH}") shift = Number(searchParams.get("ms"));
    else if (pathname === "${ABORT_PATH}") await env.LANES.getByName(searchParams.get("lane")).fall().catch(() => {});
    else return worker.fetch(request, env, ctx);
    return new Response(null, { status: 204 });
  },
};
`;

/**
 * A loopback port for orders to misbehave; its address is in the file `faults.url` of the state folder.
 *
 * `POST /queue` takes `QueueFaults`; `GET /queue` tells how much waits; `GET /next-batch` answers when the queue is about
 * to hand over a batch; `POST /evict` takes `{"lane"}` and sends that object out of memory once its requests are
 * answered, `POST /abort` at once; `POST /clock` takes `{"ms"}`, which the Worker's clock is ahead from then on.
 */
export async function openFaultHook(hook: {
  readonly miniflare: Miniflare;
  readonly relayUrl: string;
  readonly stateDir: string;
}): Promise<void> {
  const { miniflare, relayUrl, stateDir } = hook;
  const queue = await miniflare.getWorker("local-queue");
  const acts: Readonly<Record<string, (order: string) => Promise<string>>> = {
    "POST /queue": async (body) =>
      (await queue.fetch("http://queue/misbehave", { method: "POST", body })).text(),
    "GET /queue": async () => (await queue.fetch("http://queue/")).text(),
    "GET /next-batch": async () => (await queue.fetch("http://queue/next-batch")).text(),
    "POST /evict": async (order) => {
      const { lane } = JSON.parse(order) as { lane: string }; // from `npm run prove` alone, like the next
      await miniflare.unsafeEvictDurableObject("sluice", "Lane", { name: lane });
      return "{}";
    },
    "POST /abort": async (order) => {
      const { lane } = JSON.parse(order) as { lane: string };
      await fetch(`${relayUrl}${ABORT_PATH}?lane=${encodeURIComponent(lane)}`);
      return "{}";
    },
    "POST /clock": async (order) => {
      const { ms } = JSON.parse(order) as { ms: number };
      await fetch(`${relayUrl}${CLOCK_PATH}?ms=${ms}`);
      return "{}";
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const act = acts[`${request.method} ${request.url}`];
    try {
      response.end(act === undefined ? "{}" : await act(Buffer.concat(chunks).toString("utf8")));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const { port } = server.address() as AddressInfo; // a server that listens on a port has an address of this form
  writeFileSync(join(stateDir, "faults.url"), `http://127.0.0.1:${port}`);
}
