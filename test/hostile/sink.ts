import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { MARKS, type Tenant } from "./scene.ts";

/** Where the tenants' destinations are: takes everything, and notices what has come to the wrong tenant. */
export interface Sink {
  readonly url: string;
  readonly requests: () => number;
  /** One sentence for each request that held another tenant's mark; empty when all is well. */
  readonly leaks: () => readonly string[];
  close(): Promise<void>;
}

const OTHERS: Readonly<Record<Tenant, Tenant>> = { attacker: "victim", victim: "attacker" };

export async function startSink(): Promise<Sink> {
  let requests = 0;
  const leaks: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("error", () => undefined); // a probe that gave up
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      requests += 1;
      const owner = request.url?.split("/")[1] ?? "";
      if (owner === "attacker" || owner === "victim") {
        const sent = Buffer.concat(parts);
        const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
        if (body.includes(MARKS[OTHERS[owner]])) leaks.push(`${request.url} got ${OTHERS[owner]}'s data`);
      }
      response.writeHead(200, { "content-type": "application/json" });
      response.end('{"text":"Success","code":0}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on a port
    requests: () => requests,
    leaks: () => leaks,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
