import { ERRORS } from "../../src/base/errors.ts";
import { CANARIES, MARKS } from "./scene.ts";
import type { Answer, Party, Reply, Shot } from "./shot.ts";

/** What may not be in an answer, beyond the planted strings. */
export interface Forbidden {
  readonly credentials: readonly string[];
}

/** Words of the machinery. No generated request holds any of them, so an answer that does has them from inside; a log file is what alerts are about. */
const INSIDES: readonly RegExp[] = [
  /\b(?:Type|Range|Syntax|Reference|Eval|URI|Internal|Zod|Problem)?Error:/,
  /^\s+at .+[:(]/m,
  /\.(?:m?js|ts):\d+/,
  /node_modules|file:\/\/|\/(?:home|tmp|usr|var(?!\/log\/)|root|work)\/|\bsluice\.mjs\b|\bworker\.js\b/,
  /D1_|SQLITE_|SQLSTATE|constraint failed|no such (?:table|column)/i,
  /\[object \w+\]/,
  /Cannot read propert|is not a function|is not iterable|is not defined|undefined is not/,
  /Maximum call stack|out of memory|internal error; reference/i,
];

/** Codes with a status of 500 or more: nothing is broken here, so none of them is right. */
const SERVER_FAULT = 500;
/** What the HTTP server itself may say to what is not HTTP: `501` to a method that it does not know, `505` to a version. */
const SERVER_REFUSALS: ReadonlySet<number> = new Set([501, 505]);

/** Everything that is wrong with what came back, one sentence each; empty when nothing is. */
export function judge(shot: Shot, reply: Reply, forbidden: Forbidden): readonly string[] {
  const complaints = reply.answers.flatMap((answer) => [
    ...judgeAnswer(answer, shot),
    ...leaksIn(answer, shot.party, forbidden),
  ]);
  if (shot.answers !== null && reply.answers.length !== shot.answers) {
    // After a refusal that left a body unread the server says "close", and reads no further request.
    const isClosed = reply.answers.at(-1)?.headers.get("connection") === "close";
    if (reply.end === "timeout") complaints.push("No answer in time");
    else if (!isClosed && !mayBeCutOff(shot) && !isBrokenOff(reply))
      complaints.push(`${reply.answers.length} answers instead of ${shot.answers}`);
  }
  if (reply.rest.length > 0 && shot.answers !== null) {
    if (!isBrokenOff(reply)) complaints.push("Bytes that are no answer");
    complaints.push(...leaksIn({ status: 0, headers: new Map(), body: reply.rest }, shot.party, forbidden));
  }
  return complaints;
}

/**
 * A long answer to a request whose body was not read, as of `GET /metrics` with one: the server says that it closes, and
 * TCP throws away what is still on the way.
 */
function isBrokenOff({ end, rest }: Reply): boolean {
  return (
    end === "closed" && /^HTTP\/1\.1 \d{3} [\s\S]*?\r\nConnection: close\r\n/.test(rest.toString("latin1"))
  );
}

/**
 * A refusal before the end of a large body ends the connection, and then TCP may throw the answer away that has
 * already come. That is no fault of the relay's, and a crash shows elsewhere.
 */
export function mayBeCutOff(shot: Shot): boolean {
  return shot.bytes.length > 65_536;
}

/** Whether the Worker made the answer, and not the HTTP server before it. */
export function isOfWorker(answer: Answer): boolean {
  return answer.headers.has("x-request-id");
}

function judgeAnswer(answer: Answer, shot: Shot): readonly string[] {
  const { status, headers } = answer;
  if (!isOfWorker(answer)) {
    if (shot.answers !== null) return [`Status ${status} without X-Request-Id`];
    if (status >= SERVER_FAULT && !SERVER_REFUSALS.has(status)) return [`Status ${status} of the server`];
    return status >= 400 ? [] : [`Status ${status} without X-Request-Id`];
  }
  if (status >= SERVER_FAULT) return [`Status ${status}`];
  if (status >= 300 && status < 400) return [`Status ${status}, a redirect`];
  const complaints: string[] = [];
  if (!/^req_[0-9a-f]{32}$/.test(headers.get("x-request-id") ?? "")) complaints.push("Odd X-Request-Id");
  if (headers.get("x-content-type-options") !== "nosniff") complaints.push("No nosniff");
  if (shot.isHead || answer.body.length === 0) {
    if (status >= 400 && !shot.isHead) complaints.push(`Status ${status} without a problem document`);
    return complaints;
  }
  const json = /\bjson\b/.test(headers.get("content-type") ?? "") ? parse(answer.body) : null;
  if (json?.ok === false) complaints.push("Says JSON and is none");
  return status < 400 ? complaints : [...complaints, ...judgeProblem(json?.value, answer)];
}

function judgeProblem(document: unknown, { status, headers }: Answer): readonly string[] {
  if (headers.get("content-type") !== "application/problem+json")
    return [`Status ${status} is no problem+json`];
  if (typeof document !== "object" || document === null) return ["The problem is no object"];
  const problem: Readonly<Record<string, unknown>> = { ...document };
  const complaints: string[] = [];
  const code = problem["code"];
  const known = Object.entries(ERRORS).find(([name]) => name === code)?.[1];
  if (known === undefined) complaints.push(`Unknown code ${JSON.stringify(code)}`);
  else if (known.status !== status) complaints.push(`Status ${status} with the code ${JSON.stringify(code)}`);
  else if (known.title !== problem["title"]) complaints.push("A title that is not the code's");
  if (problem["status"] !== status) complaints.push("Two statuses in one answer");
  for (const name of ["type", "title", "detail"]) {
    if (typeof problem[name] !== "string") complaints.push(`The problem has no ${name}`);
  }
  if (!areFaults(problem["errors"])) complaints.push("The problem's errors have another shape");
  if (status === ERRORS.method_not_allowed.status && !headers.has("allow"))
    complaints.push("405 without Allow");
  return complaints;
}

function areFaults(errors: unknown): boolean {
  if (errors === undefined) return true;
  return (
    Array.isArray(errors) &&
    errors.every(
      (each: unknown) =>
        typeof each === "object" &&
        each !== null &&
        "path" in each &&
        "message" in each &&
        typeof each.path === "string" &&
        typeof each.message === "string" &&
        (!("index" in each) || Number.isInteger(each.index)),
    )
  );
}

function leaksIn(answer: Answer, party: Party, { credentials }: Forbidden): readonly string[] {
  const text = `${[...answer.headers].map((each) => each.join(": ")).join("\n")}\n\n${answer.body.toString("latin1")}`;
  const complaints: string[] = [];
  for (const canary of Object.values(CANARIES)) {
    if (text.includes(canary)) complaints.push("A destination's secret is in the answer");
  }
  for (const credential of credentials) {
    if (text.includes(credential)) complaints.push("A key is in the answer");
  }
  for (const [tenant, mark] of Object.entries(MARKS)) {
    // The operator lists tenants by their names, and names are all that it may read of them.
    const told = party === "operator" ? text.replaceAll(`${mark} Ltd`, "") : text;
    if (party !== tenant && told.toLowerCase().includes(mark.toLowerCase()))
      complaints.push(`Data of the ${tenant} for the ${party}`);
  }
  // The two pages that are the same for everybody explain errors in words.
  if (answer.headers.get("content-type")?.startsWith("text/html") && answer.status === 200) return complaints;
  for (const pattern of INSIDES) {
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) complaints.push(`Insides of the relay: ${JSON.stringify(found.slice(0, 80))}`);
  }
  return complaints;
}

function parse(body: Buffer): { readonly ok: boolean; readonly value: unknown } {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return { ok: true, value };
  } catch {
    return { ok: false, value: null };
  }
}
