/**
 * The only door to the relay: the public API with the console's cookie.
 *
 * Every failure becomes a `Problem`, also where no answer came, so that pages have one thing to show.
 */
import type { Problem, Session } from "./types.ts";

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

/** Told to no other site; requests that change something repeat it. */
let csrfToken = "";
let onSignedOut: () => void = () => undefined;

/** @param listener called when the relay says that nobody is signed in any more */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

interface Options {
  readonly body?: unknown;
  /** Asked for by the page itself: it keeps nobody signed in. */
  readonly isBackground?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function call<T>(method: string, path: string, options: Options = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = { ...options.headers };
  if (method !== "GET") headers["x-csrf-token"] = csrfToken;
  if (options.isBackground === true) headers["x-sluice-background"] = "1";
  const isRaw = typeof options.body === "string";
  if (options.body !== undefined && !isRaw) headers["content-type"] ??= "application/json";
  try {
    const response = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      ...(options.body === undefined
        ? {}
        : { body: isRaw ? String(options.body) : JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const value: unknown = text === "" ? null : parse(text);
    if (response.ok) return { ok: true, value: value as T }; // the relay's own document says what it is
    const problem = isProblem(value) ? value : unreadable(response.status);
    if (problem.code === "unauthenticated" && path !== "/console/session") onSignedOut();
    return { ok: false, problem };
  } catch {
    return { ok: false, problem: UNREACHABLE };
  }
}

export function get<T>(path: string, isBackground = false): Promise<Answer<T>> {
  return call<T>("GET", path, { isBackground });
}

/** All pages of a list, up to a bound: for menus and sums, not for long tables. */
export async function getAll<T>(path: string, limit = 500): Promise<Answer<readonly T[]>> {
  const found: T[] = [];
  let cursor: string | null = null;
  do {
    const separator = path.includes("?") ? "&" : "?";
    const at: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer: Answer<{ data: readonly T[]; next_cursor: string | null }> = await call(
      "GET",
      `${path}${separator}limit=100${at}`,
      { isBackground: true },
    );
    if (!answer.ok) return answer;
    found.push(...answer.value.data);
    cursor = answer.value.next_cursor;
  } while (cursor !== null && found.length < limit);
  return { ok: true, value: found };
}

export async function loadSession(): Promise<Answer<Session>> {
  return remember(await call<Session>("GET", "/console/session"));
}

export async function signIn(credential: string): Promise<Answer<Session>> {
  return remember(await call<Session>("POST", "/console/session", { body: { credential } }));
}

export async function enterTenant(tenantId: string | null): Promise<Answer<Session>> {
  return remember(await call<Session>("POST", "/console/session/tenant", { body: { tenant_id: tenantId } }));
}

function remember(answer: Answer<Session>): Answer<Session> {
  if (answer.ok) csrfToken = answer.value.csrf_token;
  return answer;
}

const UNREACHABLE: Problem = {
  title: "The relay cannot be reached",
  status: 0,
  detail: "No answer came. The page goes on trying; nothing that you entered is lost.",
  code: "unreachable",
};

function unreadable(status: number): Problem {
  return {
    title: "An answer could not be read",
    status,
    detail: `The relay answered ${status}.`,
    code: "unreadable",
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === "object" && value !== null && "code" in value && "detail" in value && "title" in value
  );
}
