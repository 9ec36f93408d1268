/** What a handler is given, and how it says which calls are its own. */
import type { Account } from "./account.ts";
import type { Answer } from "./answers.ts";

export interface Call {
  readonly account: Account;
  readonly parts: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  json(): unknown;
  form(): Promise<FormData>;
}

export interface Route {
  readonly method: string;
  /** Below `/accounts/:account`; `:name` matches one segment. */
  readonly path: string;
  answer(call: Call): Answer | Promise<Answer>;
}
