/**
 * The little of `eval` and `where` that a poller of notables needs: literals, fields, comparisons, `AND`, `OR`, `NOT`,
 * `+`, `-`, `.`, and the functions below. Any other function is refused in Splunk's words.
 *
 * @see https://docs.splunk.com/Documentation/Splunk/latest/SearchReference/CommonEvalFunctions (read 2026-11)
 */
import type { FieldValue } from "./control.ts";
import { SearchFault, type Token } from "./splunk-search-tokens.ts";

/** A field that is absent is null, as to `isnull()`. */
export type Value = number | boolean | FieldValue | null;
export type Row = Readonly<Record<string, number | FieldValue>>;

export interface Table {
  readonly rows: readonly Row[];
  /** Set by a command that says which columns there are. */
  readonly columns: readonly string[] | null;
}

/** Given a row and Splunk's clock in epoch seconds. */
export type Expression = (row: Row, now: number) => Value;

type Call = (given: readonly Value[], now: number) => Value;

const FUNCTIONS: Readonly<Record<string, Call>> = {
  now: (_, now) => Math.floor(now),
  time: (_, now) => now,
  isnull: ([value]) => value === null || value === undefined,
  isnotnull: ([value]) => value !== null && value !== undefined,
  if: ([test, yes, no]) => (test === true ? (yes ?? null) : (no ?? null)),
  coalesce: (given) => given.find((value) => value !== null) ?? null,
  tostring: ([value]) => (value == null ? null : textOf(value)),
  tonumber: ([value]) => numberOf(value ?? null),
  lower: ([value]) => (value == null ? null : textOf(value).toLowerCase()),
  null: () => null,
};

/** Reads the whole of the tokens. @throws SearchFault */
export function readExpression(tokens: readonly Token[], command: "eval" | "where"): Expression {
  const reader = new Reader(tokens, command);
  const expression = reader.either();
  reader.end();
  return expression;
}

class Reader {
  readonly #tokens: readonly Token[];
  readonly #command: string;
  #at = 0;

  constructor(tokens: readonly Token[], command: "eval" | "where") {
    this.#tokens = tokens;
    this.#command = command === "eval" ? "EvalCommand" : "where";
  }

  either(): Expression {
    const [first, ...rest] = this.#joined("OR", () => this.#both());
    return rest.length === 0 && first !== undefined
      ? first
      : (row, now) => [first, ...rest].some((one) => one?.(row, now) === true);
  }

  #both(): Expression {
    const [first, ...rest] = this.#joined("AND", () => this.#not());
    return rest.length === 0 && first !== undefined
      ? first
      : (row, now) => [first, ...rest].every((one) => one?.(row, now) === true);
  }

  #joined(word: "OR" | "AND", read: () => Expression): readonly Expression[] {
    const parts = [read()];
    while (this.#word(word)) parts.push(read());
    return parts;
  }

  #not(): Expression {
    if (!this.#word("NOT")) return this.#comparison();
    const inside = this.#not();
    return (row, now) => inside(row, now) !== true;
  }

  #comparison(): Expression {
    const left = this.#sum();
    const sign = this.#sign("=", "==", "!=", "<", ">", "<=", ">=");
    if (sign === null) return left;
    const right = this.#sum();
    return (row, now) => compare(left(row, now), sign, right(row, now));
  }

  #sum(): Expression {
    let left = this.#atom();
    for (;;) {
      const sign = this.#sign("+", "-", ".");
      if (sign === null) return left;
      const [first, second] = [left, this.#atom()];
      left = (row, now) => join(first(row, now), sign, second(row, now));
    }
  }

  #atom(): Expression {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw this.#malformed();
    if (token.kind === "text") return () => token.value;
    if (token.kind === "sign" && token.value === "(") {
      const inside = this.either();
      this.#expect(")");
      return inside;
    }
    if (token.kind !== "word") throw this.#malformed();
    if (/^\d+(\.\d+)?$/.test(token.value)) return () => Number(token.value);
    if (this.#sign("(") === null) return (row) => row[token.value] ?? null;
    return this.#call(token.value);
  }

  #call(name: string): Expression {
    const call = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (call === undefined)
      throw new SearchFault(
        `Error in '${this.#command}': The '${name}' function is unsupported or undefined.`,
      );
    const given: Expression[] = [];
    if (this.#sign(")") === null) {
      do given.push(this.either());
      while (this.#sign(",") !== null);
      this.#expect(")");
    }
    return (row, now) =>
      call(
        given.map((argument) => argument(row, now)),
        now,
      );
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw this.#malformed();
  }

  #sign(...wanted: readonly string[]): string | null {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "sign" || !wanted.includes(token.value)) return null;
    this.#at++;
    return token.value;
  }

  #word(wanted: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== "word" || token.value.toUpperCase() !== wanted) return false;
    this.#at++;
    return true;
  }

  #expect(sign: string): void {
    if (this.#sign(sign) === null) throw this.#malformed();
  }

  #malformed(): SearchFault {
    return new SearchFault(`Error in '${this.#command}': The expression is malformed.`);
  }
}

/** Numbers where both sides are numbers, else texts; nothing compares with what is absent. */
export function compare(left: Value, sign: string, right: Value): boolean {
  if (left === null || right === null) return false;
  const [a, b] = [numberOf(left), numberOf(right)];
  const order =
    a !== null && b !== null
      ? a - b
      : textOf(left) < textOf(right)
        ? -1
        : Number(textOf(left) > textOf(right));
  switch (sign) {
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case ">":
      return order > 0;
    case "<=":
      return order <= 0;
    case ">=":
      return order >= 0;
    default:
      return order === 0;
  }
}

function join(left: Value, sign: string, right: Value): Value {
  if (left === null || right === null) return null;
  const [a, b] = [numberOf(left), numberOf(right)];
  if (sign === "." || ((a === null || b === null) && sign === "+")) return textOf(left) + textOf(right);
  return a === null || b === null ? null : sign === "+" ? a + b : a - b;
}

function numberOf(value: Value): number | null {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : null;
}

export function textOf(value: Exclude<Value, null>): string {
  return typeof value === "object" ? value.join(" ") : String(value);
}
