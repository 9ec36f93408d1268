/**
 * A stand-in for Cloudflare's API on loopback: what a deployment of Sluice calls, and nothing more.
 *
 * It keeps state, refuses wrong tokens, accounts and bodies, and answers a route that it does not know with an
 * error in Cloudflare's shape, so that a rehearsal cannot pass by calling something that was never thought of.
 * What it cannot show: whether Cloudflare itself behaves as its documentation and wrangler's source say.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { z } from "zod";
import { type Account, emptyAccount } from "./account.ts";
import { type Answer, Refusal, refused } from "./answers.ts";
import { d1Routes } from "./d1.ts";
import { queueRoutes } from "./queues.ts";
import { isReady } from "./ready.ts";
import type { Route } from "./route.ts";
import { workerRoutes } from "./workers.ts";

/** The next `times` calls whose "METHOD /path" contains `call` are answered with `status`, before any effect. */
export interface Fault {
  readonly call: string;
  readonly status: number;
  times: number;
}

export interface StandIn {
  readonly baseUrl: string;
  readonly origin: string;
  readonly account: Account;
  readonly token: string;
  /** Every call in order, as "METHOD /path below the account". */
  readonly calls: string[];
  readonly faults: Fault[];
  close(): Promise<void>;
}

const ROUTES: readonly Route[] = [...d1Routes, ...queueRoutes, ...workerRoutes];
const API = "/client/v4";

export async function startStandIn(): Promise<StandIn> {
  const account = emptyAccount("0123456789abcdef0123456789abcdef");
  const token = "standin-token-0123456789abcdefghijklmnopqr";
  const calls: string[] = [];
  const faults: Fault[] = [];

  const server = createServer((request, response) => {
    handle(request)
      .catch((error: unknown) => refused(asRefusal(error)))
      .then((answer) => {
        response.writeHead(answer.status, { "content-type": "application/json" });
        response.end(JSON.stringify(answer.body));
      });
  });

  async function handle(request: IncomingMessage): Promise<Answer> {
    const body = await buffer(request);
    const url = new URL(request.url ?? "/", "http://standin");
    const method = request.method ?? "GET";
    if (url.pathname.startsWith("/worker/")) {
      return isReady(account, url.pathname)
        ? { status: 200, body: "ready" }
        : { status: 503, body: "not yet" };
    }
    checkToken(request.headers.authorization, token);
    const prefix = `${API}/accounts/${account.id}`;
    if (url.pathname.startsWith(`${API}/accounts/`) && !url.pathname.startsWith(`${prefix}/`)) {
      throw new Refusal(403, 10000, "Authentication error");
    }
    const path = url.pathname.slice(prefix.length);
    calls.push(`${method} ${path}`);
    const fault = faults.find(
      (candidate) => candidate.times > 0 && `${method} ${path}`.includes(candidate.call),
    );
    if (fault !== undefined) {
      fault.times -= 1;
      throw new Refusal(fault.status, 10001, "An unknown error has occurred (asked for by the test)");
    }
    for (const route of ROUTES) {
      const parts = route.method === method ? match(route.path, path) : null;
      if (parts !== null) {
        return await route.answer({
          account,
          parts,
          query: url.searchParams,
          json: () => JSON.parse(body.toString("utf8")),
          form: () => formOf(body, request.headers["content-type"]),
        });
      }
    }
    throw new Refusal(
      404,
      7003,
      `Could not route to ${method} ${url.pathname}, perhaps your object identifier is invalid?`,
    );
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has an AddressInfo
  const origin = `http://127.0.0.1:${port}`;
  return {
    baseUrl: `${origin}${API}`,
    origin,
    account,
    token,
    calls,
    faults,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function checkToken(header: string | undefined, token: string): void {
  if (header === undefined) {
    throw new Refusal(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
  }
  if (header !== `Bearer ${token}`) {
    throw new Refusal(401, 10000, "Authentication error");
  }
}

function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) {
    return null;
  }
  const parts: Record<string, string> = {};
  for (const [at, segment] of wanted.entries()) {
    const value = given[at] ?? "";
    if (segment.startsWith(":")) {
      parts[segment.slice(1)] = decodeURIComponent(value);
    } else if (segment !== value) {
      return null;
    }
  }
  return parts;
}

function formOf(body: Buffer, contentType: string | undefined): Promise<FormData> {
  if (contentType?.startsWith("multipart/form-data") !== true) {
    throw new Refusal(415, 10021, "A script is uploaded as multipart/form-data");
  }
  return new Response(new Uint8Array(body), { headers: { "content-type": contentType } }).formData();
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) {
    return error;
  }
  if (error instanceof z.ZodError) {
    return new Refusal(400, 10026, `The request body is not acceptable: ${z.prettifyError(error)}`);
  }
  return new Refusal(500, 10013, error instanceof Error ? error.message : String(error));
}
