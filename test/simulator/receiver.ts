/**
 * What one kind of destination must be able to do. A new kind is one file that exports a
 * `ReceiverKind`, and one line in `receivers.ts`.
 *
 * A receiver knows its vendor's rules and nothing of sockets: it is handed a whole request and gives
 * back a whole reply. Faults that any server can have are played by the server; a receiver plays only
 * those that speak its vendor's language (`code`, `poison`, `messages`, `short_page`).
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Door, Fault, InstanceConfig, LoggedRequest, StoredEvent } from "./control.ts";
import type { Copy, Ledger } from "./ledger.ts";

export interface Exchange {
  readonly method: string;
  /** Below the instance: `/services/collector/event`. */
  readonly path: string;
  /** Path and query exactly as requested, the instance's name included: what AWS signs. */
  readonly target: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Epoch milliseconds of receipt. */
  readonly at: number;
  /** Stands for the connection: the same object for each of its requests. */
  readonly connection: object;
  /** The fault in force, if it is one that the receiver plays. */
  readonly fault: Extract<Fault, { mode: "code" | "poison" | "messages" | "short_page" }> | null;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The vendor's own result code, if it has such. */
  readonly code?: number;
  /** Events stored from the request. */
  readonly events?: number;
  readonly channel?: string | null;
  readonly indexer?: number;
  /** True if the receiver played the fault that it was handed. */
  readonly struck?: boolean;
}

export interface ReceiverCall {
  readonly method: string;
  readonly noun: string;
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface Receiver {
  /** Largest body as it travels, in bytes. */
  readonly maxBodyBytes: number;
  /** Null: a path that this vendor does not have. */
  door(path: string): Door | null;
  receive(exchange: Exchange): Reply;
  /** Looks at every answered request, also where a fault swallowed it, and says what to log of it. */
  witness?(exchange: Omit<Exchange, "fault">): LoggedRequest["webhook"];
  /** A body over `maxBodyBytes`. */
  tooLarge(bytes: number): Reply;
  /** What the vendor answers with this HTTP status, for the fault `status`. */
  refusal(status: number, retryAfter: string | null): Reply;
  describe(id: string | null, copy: Copy): StoredEvent;
  /**
   * Control calls that only this kind has, below its name. Undefined: it has no such call. Throws `BadInput`.
   *
   * @param call.noun `notables`, or with an id after it `notables/*`
   * @param call.body parsed, or undefined if there was none
   */
  control?(call: ReceiverCall): unknown;
  /** Takes changed settings and keeps its state. Throws `BadInput`. */
  configure(config: InstanceConfig): void;
  /** Forgets everything but its settings. */
  forget(): void;
}

export interface ReceiverKind {
  /** Throws `BadInput` with the offending setting. */
  parse(config: unknown): InstanceConfig;
  create(config: InstanceConfig, ledger: Ledger): Receiver;
}

export const JSON_TYPE = { "content-type": "application/json; charset=UTF-8" } as const;

/** Value of a header that has one; the first if it was repeated. */
export function header(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
