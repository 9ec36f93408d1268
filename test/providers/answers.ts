import type { RelayEvent } from "../../src/model/event.ts";
import type { HttpAnswer, HttpRequestSpec, SendFailureReason } from "../../src/model/http.ts";
import type { Connector, EncodeContext, Provider } from "../../src/model/provider.ts";

/** An answer as the door hands it over. An object becomes JSON. */
export function response(
  status: number,
  body: string | object = "",
  headers: Readonly<Record<string, string>> = {},
): Extract<HttpAnswer, { kind: "response" }> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { kind: "response", status, headers, body: text, bodyIncomplete: false, latency: 5 };
}

export function page(status: number, title = "Login"): HttpAnswer {
  const body = `<!doctype html><html><head><title>${title}</title></head><body></body></html>`;
  return response(status, body, { "content-type": "text/html; charset=UTF-8" });
}

export function failure(reason: SendFailureReason, maybeTaken: boolean): HttpAnswer {
  return { kind: "failure", reason, message: `It was ${reason}`, maybeTaken, latency: 5 };
}

export function event(over: Partial<RelayEvent> = {}): RelayEvent {
  const json = '{"id":"evt_1","action":"user.login"}';
  return { id: "evt_1", at: 1_700_000_000_123, action: "user.login", json, ...over };
}

export const context: EncodeContext = { now: 1_700_000_001_000, indexFor: () => null };

export interface Given {
  readonly endpoint?: string | null;
  readonly config?: unknown;
  readonly secrets?: unknown;
}

/** Connects or throws with the faults, for tests that are about something else. */
export function connect(
  provider: Provider,
  {
    endpoint = "https://siem.example.com:8088",
    config = {},
    secrets = { token: "s3cr3t-token" },
  }: Given = {},
): Connector {
  const connected = provider.connect({ destinationId: "siem_1", endpoint, config, secrets });
  if (!connected.ok) throw new Error(JSON.stringify(connected.error));
  return connected.value;
}

export function faults(provider: Provider, given: Given): readonly string[] {
  const { endpoint = "https://siem.example.com", config = {}, secrets = { token: "s3cr3t-token" } } = given;
  const connected = provider.connect({ destinationId: "siem_1", endpoint, config, secrets });
  return connected.ok ? [] : connected.error.map(({ path }) => path);
}

/** For providers that encode without waiting. */
export function plain(request: HttpRequestSpec | Promise<HttpRequestSpec>): HttpRequestSpec {
  if (request instanceof Promise) throw new Error("This provider encodes at once");
  return request;
}

export function encode(
  connector: Connector,
  events: readonly RelayEvent[],
  context: EncodeContext,
): HttpRequestSpec {
  return plain(connector.encode(events, context));
}
