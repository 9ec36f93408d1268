/**
 * The simulator: one HTTP server that is many destinations, told apart by the first part of the path.
 *
 * It is a check and not a mirror: it answers as the real services do, refuses what breaks their rules,
 * and records every broken rule. This file knows sockets; `receiver.ts` says what a vendor knows.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CONTROL_PREFIX, control } from "./control-routes.ts";
import type { Instance, Outcome } from "./instance.ts";
import type { Exchange } from "./receiver.ts";

const MAX_CONTROL_BYTES = 10_000_000;

/** Longer than clients keep idle connections, so that none is closed just as it is used again. */
const KEEP_ALIVE_MS = 120_000;

export interface Simulator {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Immediate: open and hanging connections are dropped. */
  close(): Promise<void>;
}

/** @param options.port 0, the default, takes any free port */
export async function startSimulator(options: { host?: string; port?: number } = {}): Promise<Simulator> {
  const { host = "127.0.0.1", port = 0 } = options;
  const instances = new Map<string, Instance>();
  const server = createServer((request, response) => {
    handle(instances, request, response).catch((error: unknown) => {
      console.error("simulator:", error);
      request.socket.destroy();
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  // A server that listens on a port has an address of this form.
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`,
    port: address.port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function handle(
  instances: Map<string, Instance>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const at = Date.now();
  const { pathname, searchParams: query } = new URL(request.url ?? "/", "http://simulator");
  const method = request.method ?? "GET";
  if (pathname === CONTROL_PREFIX || pathname.startsWith(`${CONTROL_PREFIX}/`)) {
    const body = await readBody(request, MAX_CONTROL_BYTES);
    if (body === null) return;
    const path = pathname.slice(CONTROL_PREFIX.length).replace(/^\/|\/$/g, "");
    const answer = await control(instances, { method, path, query, body: body.bytes.toString("utf8") });
    answerJson(response, answer.status, answer.value);
    return;
  }
  const [, name = "", path = "/"] = /^\/([^/]*)(\/.*)?$/.exec(pathname) ?? [];
  const instance = instances.get(name);
  if (instance === undefined) {
    request.resume();
    answerJson(response, 404, { error: `no instance named ${name || "(none)"}` });
    return;
  }
  const isBroken = instance.faults.at(instance.receiver.door(path))?.mode === "reset";
  const body = isBroken ? await beginBody(request) : await readBody(request, instance.receiver.maxBodyBytes);
  if (body === null) return;
  const { headers, socket } = request;
  const target = request.url ?? "/";
  const exchange = { method, path, target, query, headers, body: body.bytes, at, connection: socket };
  const outcome = body.isCut
    ? instance.refuseTooLarge(body.total)
    : instance.receive(exchange, instance.receiver.door(path));
  send(instance, exchange, outcome, response);
}

function send(
  instance: Instance,
  exchange: Omit<Exchange, "fault">,
  outcome: Outcome,
  response: ServerResponse,
): void {
  const { reply, way, delayMs } = outcome;
  if (way === "hang" || way === "reset") {
    instance.log(exchange, outcome, null);
    if (way === "hang") hang(instance, response);
    else response.socket?.resetAndDestroy();
    return;
  }
  const bytes = Buffer.from(reply.body);
  const write = (): void => {
    instance.log(exchange, outcome, way === "half" ? null : reply.status);
    response.writeHead(reply.status, { ...reply.headers, "content-length": bytes.length });
    if (way === "answer") response.end(bytes);
    else response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
  };
  if (delayMs === 0) write();
  else holdBack(instance, response, { delayMs, write, gone: () => instance.log(exchange, outcome, null) });
}

/** Leaves the request unanswered until the sender gives up or the instance recovers. */
function hang(instance: Instance, response: ServerResponse): void {
  const drop = (): void => {
    response.destroy();
  };
  instance.held.add(drop);
  response.once("close", () => instance.held.delete(drop));
}

/** Answers late, or at recovery if that comes first, or not at all if the sender gives up. */
function holdBack(
  instance: Instance,
  response: ServerResponse,
  { delayMs, write, gone }: { delayMs: number; write: () => void; gone: () => void },
): void {
  const release = (): void => {
    clearTimeout(timer);
    instance.held.delete(release);
    write();
  };
  const timer = setTimeout(release, delayMs);
  instance.held.add(release);
  response.once("close", () => {
    clearTimeout(timer);
    if (instance.held.delete(release)) gone();
  });
}

interface Body {
  readonly bytes: Buffer;
  /** Bytes received, of which only the first `maxBytes` were kept if it is cut. */
  readonly total: number;
  readonly isCut: boolean;
}

/** The whole body; null if the sender went away. Reads to the end even past the limit, so that an answer arrives. */
function readBody(request: IncomingMessage, maxBytes: number): Promise<Body | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let total = 0;
    request.on("data", (chunk: Buffer) => {
      total += chunk.length;
      if (total <= maxBytes) chunks.push(chunk);
    });
    request.on("end", () => {
      const [only] = chunks;
      const bytes = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
      resolve({ bytes, total, isCut: total > maxBytes });
    });
    request.on("error", () => resolve(null));
    request.on("close", () => resolve(null));
  });
}

/** The first bytes of a body, for a connection that is about to break in the middle of it. */
function beginBody(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    const begin = (bytes: Buffer): void => {
      request.pause();
      resolve({ bytes, total: bytes.length, isCut: false });
    };
    request.once("data", begin);
    request.once("end", () => begin(Buffer.alloc(0)));
    request.once("close", () => begin(Buffer.alloc(0)));
  });
}

function answerJson(response: ServerResponse, status: number, value: unknown): void {
  const bytes = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length });
  response.end(bytes);
}
