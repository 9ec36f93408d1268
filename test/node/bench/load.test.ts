import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { Webhook } from "standardwebhooks";
import { describe, it, onTestFinished } from "vitest";
import { auditEvent, bodies } from "../../bench/load/bodies.ts";
import type { LoadJob } from "../../bench/load/job.ts";
import { prepare } from "../../bench/load/requests.ts";
import { runLoad } from "../../bench/load/run.ts";

describe("the load", () => {
  it("is of events of 500 bytes, each different, the same in every run but for their times", ({ expect }) => {
    const events = Array.from({ length: 200 }, (_, number) => auditEvent(number));
    expect(new Set(events.map((event) => Buffer.byteLength(event)))).toEqual(new Set([500]));
    expect(new Set(events).size).toBe(200);
    expect(JSON.parse(auditEvent(7)).actor_id).toBe(JSON.parse(auditEvent(7)).actor_id);
  });

  it("carries an object for one event and an array for several, compressed where asked", ({ expect }) => {
    const [single] = bodies({ events: 1, gzip: false });
    const [several] = bodies({ events: 10, gzip: true });
    expect(JSON.parse(String(single)).action).toBeTypeOf("string");
    expect(JSON.parse(String(gunzipSync(several ?? Buffer.alloc(0))))).toHaveLength(10);
  });

  it("counts events by the answer to their request, and goes on after a connection that broke", async ({
    expect,
  }) => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      if (requests === 3) response.destroy();
      else if (requests === 5) response.writeHead(503).end("no");
      else response.writeHead(202, { "content-length": 2 }).end("{}");
    });
    const result = await runLoad(job({ url, shape: { events: 10, gzip: false }, until: { requests: 8 } }));
    expect(result.statuses).toEqual({ "0": 1, "202": 6, "503": 1 });
    expect(result.accepted).toBe(60);
  });

  it("does not wait for ever for a relay that no longer answers", async ({ expect }) => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests += 1;
      if (requests <= 3) response.writeHead(202, { "content-length": 2 }).end("{}");
    });
    const result = await runLoad(job({ url, connections: 2, until: { requests: 50 } }), { patienceMs: 100 });
    expect(result.statuses).toEqual({ "0": 2, "202": 3 });
  });

  it("reads answers that come in chunks, and connects anew after one that says close", async ({ expect }) => {
    const url = await serve((_, response) => {
      response.writeHead(202, { connection: "close" });
      response.write("{");
      response.end("}");
    });
    const result = await runLoad(job({ url, until: { requests: 5 } }));
    expect(result.statuses).toEqual({ "202": 5 });
  });

  it("is signed where asked, each request under an id of its own, also beyond what was made beforehand", async ({
    expect,
  }) => {
    const secret = `whsec_${Buffer.from("a key of the bench, 32 bytes lon").toString("base64")}`;
    const ids = new Set<string>();
    const url = await serve((request, response, body) => {
      new Webhook(secret).verify(body, request.headers as Record<string, string>); // throws: no answer, and no 202
      ids.add(String(request.headers["webhook-id"]));
      response.writeHead(202, { "content-length": 2 }).end("{}");
    });
    const signed = { url, signingSecret: secret, shape: { events: 10, gzip: false } };
    const all = await runLoad(job({ ...signed, connections: 2, until: { requests: 7 } }));
    const paced = await runLoad(job({ ...signed, until: { seconds: 0.05 }, rate: 1_000 }));
    const next = prepare(job({ ...signed, until: { requests: 1 } }));
    expect(all.statuses).toEqual({ "202": 7 });
    expect(Object.keys(paced.statuses)).toEqual(["202"]);
    expect(ids.size).toBe(7 + (paced.statuses["202"] ?? 0));
    expect(String(next(5))).toContain("webhook-id: bench-");
  });

  it("remembers under which id an event was accepted", async ({ expect }) => {
    const url = await serve((_, response) => {
      const body = '{"ids":["evt_1"]}';
      response.writeHead(202, { "content-length": body.length }).end(body);
    });
    const result = await runLoad(job({ url, until: { requests: 1 }, samplesIds: true }));
    expect(result.samples.map(({ id }) => id)).toEqual(["evt_1"]);
  });
});

function job(given: Partial<LoadJob> & Pick<LoadJob, "url">): LoadJob {
  return {
    headers: {},
    signingSecret: null,
    shape: { events: 1, gzip: false },
    connections: 1,
    until: { requests: 1 },
    rate: null,
    samplesIds: false,
    ...given,
  };
}

type Answering = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function serve(answer: Answering): Promise<string> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (bytes: Buffer) => parts.push(bytes));
    request.on("end", () => answer(request, response, Buffer.concat(parts).toString("utf8")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`; // it listens on a port
}
