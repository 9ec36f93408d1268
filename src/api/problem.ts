import { z } from "zod";
import { ERRORS, type ErrorCode, type Fault } from "../base/errors.ts";
import type { Refusal } from "../model/ingest.ts";

/** Faults listed in one answer; a client mends the first few anyway, and the answer stays readable. */
const MAX_FAULTS = 100;
/** Caller's own words can end up in a path or a message; they are cut before they fill a page. */
const MAX_FAULT_CHARACTERS = 300;

export const PROBLEM_TYPE = "application/problem+json";

/** RFC 9457, with our stable `code` and the faults found in the input. */
export const Problem = z
  .object({
    type: z
      .string()
      .meta({ description: "Explains the code", example: "https://relay.example.com/docs#invalid_input" }),
    title: z.string().meta({ example: ERRORS.invalid_input.title }),
    status: z.int().meta({ example: 422 }),
    detail: z.string().meta({
      description: "What was expected, and what happened to the rest",
      example: "The request was not carried out.",
    }),
    code: z
      .enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]) // Object.keys forgets the key type
      .meta({ description: "Stable; switch on this", example: "invalid_input" }),
    errors: z
      .array(
        z.object({
          index: z.int().optional().meta({ description: "Which event, from 0 in the order sent" }),
          path: z.string().meta({ example: "config.index" }),
          message: z.string().meta({ example: "Expected a string" }),
        }),
      )
      .optional(),
  })
  .meta({ id: "Problem", description: "What every refusal looks like" });

/** A refusal on its way out of a handler; `serve` turns it into an answer. */
export class ProblemError extends Error {
  readonly refusal: Refusal;
  readonly headers: Readonly<Record<string, string>>;

  constructor(refusal: Refusal, headers: Readonly<Record<string, string>> = {}) {
    super(refusal.detail);
    this.refusal = refusal;
    this.headers = headers;
  }
}

/** Ends the request with that refusal. */
export function refuse(code: ErrorCode, detail: string, errors?: readonly Fault[]): never {
  throw new ProblemError(errors === undefined ? { code, detail } : { code, detail, errors });
}

/** Ends the request because of what is in its body, query or path. */
export function refuseInput(errors: readonly Fault[]): never {
  return refuse("invalid_input", "The request was not carried out.", errors);
}

/** The same whether a thing never was, is gone, or belongs to another tenant. */
export function notFound(what: string): never {
  return refuse("not_found", `There is no such ${what}.`);
}

/** The answer to a refusal. */
export function problemResponse(
  refusal: Refusal,
  publicUrl: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { status, title } = ERRORS[refusal.code];
  const document = {
    type: `${publicUrl}/docs#${refusal.code}`,
    title,
    status,
    detail: refusal.detail,
    code: refusal.code,
    ...(refusal.errors === undefined ? {} : { errors: refusal.errors.slice(0, MAX_FAULTS).map(trimFault) }),
  };
  const retryAfter =
    refusal.retryAfterSeconds === undefined ? {} : { "retry-after": String(refusal.retryAfterSeconds) };
  return new Response(JSON.stringify(document), {
    status,
    headers: { "content-type": PROBLEM_TYPE, ...retryAfter, ...headers },
  });
}

function trimFault(fault: Fault): Fault {
  return {
    ...fault,
    path: fault.path.slice(0, MAX_FAULT_CHARACTERS),
    message: fault.message.slice(0, MAX_FAULT_CHARACTERS),
  };
}

/** What a schema found wrong, with each unknown field named by itself. */
export function faultsOf(error: z.ZodError, prefix: readonly PropertyKey[] = []): Fault[] {
  return error.issues.flatMap((issue) => faultsOfIssue(issue, prefix));
}

function faultsOfIssue(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): Fault[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: dotted([...path, key]), message: "There is no such field" }));
  }
  if (issue.code === "invalid_union") {
    // The branch that got furthest into the value is the one that was meant.
    const furthest = issue.errors.toSorted((a, b) => depth(b) - depth(a))[0];
    if (furthest !== undefined && depth(furthest) > 0)
      return furthest.flatMap((each) => faultsOfIssue(each, path));
  }
  return [{ path: dotted(path), message: issue.message }];
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map(({ path, code }) => path.length + (code === "unrecognized_keys" ? 1 : 0)));
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join(".");
}
