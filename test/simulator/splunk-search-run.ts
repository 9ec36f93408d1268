/**
 * Runs a search over the notables: the few commands that a poller needs. A command that is not here does not exist, and
 * is refused as Splunk refuses one.
 *
 * @see https://docs.splunk.com/Documentation/Splunk/latest/SearchReference/ListOfSearchCommands (read 2026-11)
 */
import type { SearchMessage } from "./control.ts";
import { columnsIn, dedup, fields, head, rename, sort, table } from "./splunk-search-commands.ts";
import { type Expression, type Row, readExpression, type Table } from "./splunk-search-eval.ts";
import { readTerms, type Window } from "./splunk-search-terms.ts";
import { SearchFault, stagesOf, type Token, tokensOf } from "./splunk-search-tokens.ts";

export interface SearchWorld {
  /** Splunk's clock, in epoch seconds. */
  readonly now: number;
  /** Bounds given beside the search; those inside it win. */
  readonly window: Window;
  /** What the index holds at this moment, in any order. */
  readonly notables: readonly Row[];
  /** Macros that are seen where the search runs. */
  readonly macros: readonly string[];
  readonly missingMacro: "refused" | "messages" | "messages_and_rows";
}

export interface Found {
  readonly rows: readonly Row[];
  readonly columns: readonly string[];
  readonly messages: readonly SearchMessage[];
  /** The job fails: it has messages and no rows. */
  readonly isFailed: boolean;
}

type Step = (given: Table) => Table;

const NOTABLE = "notable";

/** @throws SearchFault for what Splunk refuses before it makes a job of it */
export function runSearch(search: string, world: SearchWorld): Found {
  const [start = "", ...rest] = stagesOf(search.trim());
  const isGenerated = start === "";
  const messages: SearchMessage[] = [];
  const sees = (macro: string): boolean => {
    const name = macro.replace(/\(.*$/, "");
    if (world.macros.includes(name)) return true;
    const text = missingMacroText(name);
    if (world.missingMacro === "refused") throw new SearchFault(text);
    messages.push({ type: world.missingMacro === "messages" ? "FATAL" : "ERROR", text });
    return false;
  };
  try {
    const first = isGenerated ? generated(rest.shift() ?? "", world) : searched(start, world, sees);
    const steps = rest.map((stage) => stepOf(stage, world, sees));
    if (messages.some(({ type }) => type === "FATAL")) return failed(messages);
    const table = steps.reduce((given, step) => step(given), first);
    return { rows: table.rows, columns: table.columns ?? columnsIn(table.rows), messages, isFailed: false };
  } catch (fault) {
    if (!(fault instanceof SearchFault) || !/^Error in 'EvalCommand'/.test(fault.message)) throw fault;
    // What is wrong with an `eval` shows only when the job runs.
    return failed([
      { type: "FATAL", text: fault.message },
      { type: "ERROR", text: fault.message },
    ]);
  }
}

function failed(messages: readonly SearchMessage[]): Found {
  return { rows: [], columns: [], messages, isFailed: true };
}

/** The whole text is Splunk's. */
function missingMacroText(name: string): string {
  return (
    `Error in 'SearchParser': The search specifies a macro '${name}' that cannot be found. Reasons include: ` +
    'the macro name is misspelled, you do not have "read" permission for the macro, or the macro has not been ' +
    "shared with this application. Click Settings, Advanced search, Search Macros to view macro information."
  );
}

/** A search that begins with a pipe: of the generating commands only `makeresults`. */
function generated(stage: string, { now }: SearchWorld): Table {
  const [command, ...given] = tokensOf(stage);
  if (command?.value !== "makeresults") throw unknown(command?.value ?? "");
  const count = given[0]?.value === "count" ? Number(given[2]?.value) : 1;
  return { rows: Array.from({ length: count }, () => ({ _time: Math.floor(now) })), columns: null };
}

/** Newest first, as an index is read. */
function searched(stage: string, world: SearchWorld, sees: (macro: string) => boolean): Table {
  const [command, ...tokens] = tokensOf(stage);
  if (command?.kind !== "word" || command.value !== "search") throw unknown(command?.value ?? "");
  const { test, window, sources } = readTerms(tokens, world.now);
  const macros = tokens.filter(({ kind }) => kind === "macro").map(({ value }) => sees(value));
  const isOfNotables =
    sources.some((source) => source === `\`${NOTABLE}\`` || isIndex(source)) && macros.every(Boolean);
  const isLenient = world.missingMacro === "messages_and_rows" && macros.includes(false);
  const bounds = { ...world.window, ...window };
  const rows = isOfNotables || isLenient ? world.notables : [];
  return {
    rows: rows
      .filter((row) => isInside(row, bounds) && test(row))
      .sort((one, other) => Number(other["_time"]) - Number(one["_time"])),
    columns: null,
  };
}

function isIndex(source: string): boolean {
  return source.toLowerCase() === NOTABLE || source === "*";
}

function isInside(row: Row, { earliest, latest, indexEarliest, indexLatest }: Window): boolean {
  const [at, indexedAt] = [Number(row["_time"]), Number(row["_indextime"])];
  return (
    at >= (earliest ?? Number.NEGATIVE_INFINITY) &&
    at < (latest ?? Number.POSITIVE_INFINITY) &&
    indexedAt >= (indexEarliest ?? Number.NEGATIVE_INFINITY) &&
    indexedAt < (indexLatest ?? Number.POSITIVE_INFINITY)
  );
}

function stepOf(stage: string, { now, window }: SearchWorld, sees: (macro: string) => boolean): Step {
  const [command, ...given] = tokensOf(stage);
  if (command?.kind === "macro") {
    sees(command.value);
    return (same) => same;
  }
  switch (command?.value) {
    case "search": {
      const { test, window: bounds } = readTerms(given, now);
      return kept((row) => isInside(row, bounds) && test(row));
    }
    case "where": {
      const test = readExpression(expressionIn(stage), "where");
      return kept((row) => test(row, now) === true);
    }
    case "eval":
      return evaluated(expressionIn(stage), now);
    case "addinfo":
      return withInfo(now, window);
    case "table":
      return table(given);
    case "fields":
      return fields(given);
    case "head":
      return head(given);
    case "sort":
      return sort(given);
    case "dedup":
      return dedup(given);
    case "rename":
      return rename(given);
    default:
      throw unknown(command?.value ?? "");
  }
}

function kept(test: (row: Row) => boolean): Step {
  return ({ rows, columns }) => ({ rows: rows.filter(test), columns });
}

function expressionIn(stage: string): readonly Token[] {
  return tokensOf(stage.replace(/^\w+\s*/, ""), true);
}

/** `eval a=…, b=…`: each sees what the one before it made. */
function evaluated(tokens: readonly Token[], now: number): Step {
  const made = assignmentsIn(tokens);
  return ({ rows, columns }) => ({
    rows: rows.map((given) =>
      made.reduce<Row>((row, [name, expression]) => withField(row, name, expression(row, now)), given),
    ),
    columns: columns && [...new Set([...columns, ...made.map(([name]) => name)])],
  });
}

function withField(row: Row, name: string, value: ReturnType<Expression>): Row {
  if (value === null) {
    const { [name]: _, ...rest } = row;
    return rest;
  }
  return { ...row, [name]: typeof value === "boolean" ? String(value) : value };
}

function assignmentsIn(tokens: readonly Token[]): readonly (readonly [string, Expression])[] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === "sign") depth += token.value === "(" ? 1 : token.value === ")" ? -1 : 0;
    if (token.kind === "sign" && token.value === "," && depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts.map(([name, sign, ...rest]) => {
    if (name === undefined || name.kind === "sign" || sign?.value !== "=")
      throw new SearchFault("Error in 'EvalCommand': The expression is malformed.");
    return [name.value, readExpression(rest, "eval")] as const;
  });
}

function withInfo(now: number, { earliest, latest }: Window): Step {
  const info = {
    info_min_time: String(earliest ?? 0),
    info_max_time: latest === undefined ? "+Infinity" : String(latest),
    info_search_time: now.toFixed(3),
  };
  return ({ rows, columns }) => ({ rows: rows.map((row) => ({ ...row, ...info })), columns });
}

function unknown(command: string): SearchFault {
  return new SearchFault(`Unknown search command '${command}'.`);
}
