import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export const ADMIN_TOKEN = "operator-token-of-the-tests";

/** Anything that comes back over HTTP as JSON. */
export type Json = Record<string, unknown>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

/** The relay as a stranger starts it: `npm start -- --bare`, a process of its own with a state folder of its own. */
export class RelayProcess {
  readonly stateDir = mkdtempSync(join(tmpdir(), "sluice-"));
  url = "";
  output = "";
  #child: ChildProcess | null = null;

  /** @param more variables for this start, like another root key */
  async start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const env = {
      ...process.env,
      PORT: "0",
      ADMIN_TOKEN,
      ALLOW_INSECURE_DESTINATIONS: "true",
      STATE_DIR: this.stateDir,
      LOG_LEVEL: "error",
      ...more,
    };
    // A process group of its own, so that killing it takes the runtime along, as a crash of the machine would.
    const child = spawn("npm", ["start", "--silent", "--", "--bare"], { env, detached: true });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`The relay ended with ${code}: ${this.output}`)));
      const read = (chunk: Buffer): void => {
        this.output += chunk.toString();
        const ready = /Sluice is ready at (\S+)/.exec(this.output.slice(-10_000));
        if (ready?.[1] === undefined) return;
        this.url = ready[1];
        resolve();
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
    });
    this.output = "";
  }

  /** SIGKILL to everything at once: nobody gets to say goodbye. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** SIGTERM to npm alone, as a service manager does. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async dispose(): Promise<void> {
    if (this.#child !== null) await this.kill();
    rmSync(this.stateDir, { recursive: true, force: true });
  }

  async call(
    method: string,
    path: string,
    options: { key?: string; body?: unknown; headers?: Json } = {},
  ): Promise<Answer> {
    const { key = ADMIN_TOKEN, body, headers = {} } = options;
    const isText = typeof body === "string" || body instanceof Uint8Array;
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(headers as Record<string, string>),
      },
      ...(body === undefined ? {} : { body: isText ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? {} : (JSON.parse(text) as Json),
    };
  }

  /** A fresh tenant and a key that may do everything. */
  async tenant(): Promise<{ readonly id: string; readonly key: string }> {
    const tenant = await this.call("POST", "/v1/tenants", { body: { name: "Test" } });
    const id = String(tenant.body["id"]);
    const key = await this.call("POST", `/v1/tenants/${id}/keys`, { body: { name: "all", scopes: ["*"] } });
    return { id, key: String(key.body["key"]) };
  }

  /** Sends events as NDJSON, 1,000 a request; every request must be accepted. @returns the batch ids */
  async send(key: string, events: readonly Json[]): Promise<readonly string[]> {
    const batches: string[] = [];
    for (let at = 0; at < events.length; at += 1_000) {
      const lines = events.slice(at, at + 1_000).map((event) => JSON.stringify(event));
      const headers = { "content-type": "application/x-ndjson" };
      const answer = await this.call("POST", "/v1/audit/events", { key, body: lines.join("\n"), headers });
      if (answer.status !== 202)
        throw new Error(`Not accepted: ${answer.status} ${JSON.stringify(answer.body)}`);
      batches.push(String(answer.body["batch_id"]));
    }
    return batches;
  }

  #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.pid === undefined) return Promise.resolve();
    const { pid } = child;
    return new Promise((resolve) => {
      child.removeAllListeners("exit");
      child.once("close", () => resolve());
      process.kill(signal === "SIGKILL" ? -pid : pid, signal);
    });
  }
}

/** Asks until the answer is to the point. There is no sleeping for a guessed time, and a bound on asking. */
export async function eventually<T>(
  ask: () => Promise<T | null | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await ask();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error("It did not happen in time");
    await pause(50);
  }
}

/** Small audit events with ids `<prefix>-<n>`. */
export function events(
  prefix: string,
  count: number,
  more: (index: number) => Json = () => ({}),
): readonly Json[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}-${index}`,
    action: "user.login",
    actor_id: `user-${index}`,
    ...more(index),
  }));
}
