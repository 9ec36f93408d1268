/** What the simulator's own tests share: one simulator a file, one instance a test. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { type DatadogConfig, SimulatorClient, type SplunkConfig } from "./client.ts";
import { type Simulator, startSimulator } from "./server.ts";

export const TOKEN = "11111111-2222-3333-4444-555555555555";
export const CHANNEL = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
export const API_KEY = "0123456789abcdef";
export const ACK_TOKEN = { token: TOKEN, acknowledge: true } as const;

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Null where the answer is not JSON. */
  readonly json: unknown;
  readonly headers: Headers;
}

export interface Destination {
  readonly name: string;
  readonly client: SimulatorClient;
  send(path: string, init?: RequestInit): Promise<Answer>;
  /** POST with the destination's own credentials. */
  post(path: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<Answer>;
}

export interface Simulated {
  client(): SimulatorClient;
  splunk(config?: Partial<SplunkConfig>): Promise<Destination>;
  datadog(config?: Partial<DatadogConfig>): Promise<Destination>;
}

/** Call at the top of a test file. */
export function useSimulator(): Simulated {
  let simulator: Simulator | null = null;
  beforeAll(async () => {
    simulator = await startSimulator();
  });
  afterAll(async () => simulator?.close());
  const client = (): SimulatorClient => new SimulatorClient(simulator?.url ?? "");
  return {
    client,
    async splunk(config = {}) {
      const name = `splunk-${randomUUID()}`;
      await client().splunk(name, { tokens: [{ token: TOKEN }], ...config });
      return destination(client(), name, { authorization: `Splunk ${TOKEN}` });
    },
    async datadog(config = {}) {
      const name = `datadog-${randomUUID()}`;
      await client().datadog(name, { api_keys: [API_KEY], ...config });
      return destination(client(), name, { "dd-api-key": API_KEY });
    },
  };
}

function destination(client: SimulatorClient, name: string, own: Record<string, string>): Destination {
  const send = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${client.endpoint(name)}${path}`, { redirect: "manual", ...init });
    const text = await response.text();
    return { status: response.status, text, json: parsed(text), headers: response.headers };
  };
  return {
    name,
    client,
    send,
    // A string body would bring a content-type that senders of these vendors need not send.
    post: (path, body, headers = {}) =>
      send(path, { method: "POST", body: Buffer.from(body), headers: { ...own, ...headers } }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** One envelope that breaks no rule. */
export function envelope(id: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ time: 1_782_823_456.789, event: { id }, ...more });
}

export async function rulesBroken({ client, name }: Destination): Promise<readonly string[]> {
  return (await client.summary(name)).violations.map(({ rule }) => rule);
}

export async function idsOf({ client, name }: Destination): Promise<readonly string[]> {
  return (await client.events(name)).order;
}
