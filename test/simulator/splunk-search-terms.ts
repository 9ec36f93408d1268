/**
 * What the `search` command understands: `field=value` with `*`, comparisons, `IN`, `AND`, `OR`, `NOT`, brackets, bare
 * words against `_raw`, and the bounds of time that may stand among them.
 *
 * @see https://docs.splunk.com/Documentation/Splunk/latest/SearchReference/Search (read 2026-11)
 */
import { compare, type Row, textOf } from "./splunk-search-eval.ts";
import { splunkTime } from "./splunk-search-time.ts";
import { SearchFault, type Token } from "./splunk-search-tokens.ts";

export type Test = (row: Row) => boolean;

/** Epoch seconds; the earliest is part of the window and the latest is not. */
export interface Window {
  readonly earliest?: number;
  readonly latest?: number;
  readonly indexEarliest?: number;
  readonly indexLatest?: number;
}

export interface Terms {
  readonly test: Test;
  /** Bounds among the terms; they win over those of the request. */
  readonly window: Window;
  /** Indexes that are named, and macros. */
  readonly sources: readonly string[];
}

const BOUNDS: Readonly<Record<string, keyof Window>> = {
  earliest: "earliest",
  latest: "latest",
  _index_earliest: "indexEarliest",
  _index_latest: "indexLatest",
};

/** @param now Splunk's clock in epoch seconds. @throws SearchFault */
export function readTerms(tokens: readonly Token[], now: number): Terms {
  const reader = new Reader(tokens, now);
  const test = tokens.length === 0 ? () => true : reader.either();
  reader.end();
  return { test, window: reader.window, sources: reader.sources };
}

class Reader {
  readonly window: { -readonly [bound in keyof Window]: Window[bound] } = {};
  readonly sources: string[] = [];
  readonly #tokens: readonly Token[];
  readonly #now: number;
  #at = 0;

  constructor(tokens: readonly Token[], now: number) {
    this.#tokens = tokens;
    this.#now = now;
  }

  either(): Test {
    const tests = [this.#all()];
    while (this.#isWord("OR")) {
      this.#at++;
      tests.push(this.#all());
    }
    return tests.length === 1 ? first(tests) : (row) => tests.some((test) => test(row));
  }

  #all(): Test {
    const tests = [this.#one()];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined || this.#isWord("OR") || (token.kind === "sign" && token.value === ")"))
        return tests.length === 1 ? first(tests) : (row) => tests.every((test) => test(row));
      if (this.#isWord("AND")) this.#at++;
      tests.push(this.#one());
    }
  }

  #one(): Test {
    if (this.#isWord("NOT")) {
      this.#at++;
      const test = this.#one();
      return (row) => !test(row);
    }
    const token = this.#next();
    if (token.kind === "macro") {
      this.sources.push(`\`${token.value}\``);
      return () => true;
    }
    if (token.kind === "sign") {
      if (token.value !== "(") throw malformed(token.value);
      const inside = this.either();
      this.#sign(")");
      return inside;
    }
    return this.#term(token);
  }

  #term(token: Token): Test {
    const next = this.#tokens[this.#at];
    if (token.kind === "word" && this.#isWord("IN")) {
      this.#at++;
      return this.#list(token.value);
    }
    const isComparison = next?.kind === "sign" && /^[=<>!]/.test(next.value);
    if (!isComparison) {
      const wanted = pattern(token.value, false);
      return (row) => wanted.test(textOf(row["_raw"] ?? ""));
    }
    this.#at++;
    const value = this.#next();
    if (value.kind === "sign") throw malformed(value.value);
    return this.#comparison(token.value, next.value, value.value);
  }

  #comparison(field: string, sign: string, value: string): Test {
    const bound = Object.hasOwn(BOUNDS, field.toLowerCase()) ? BOUNDS[field.toLowerCase()] : undefined;
    if (bound !== undefined && sign === "=") {
      const at = splunkTime(value, this.#now);
      if (at === null) throw new SearchFault(`Invalid value "${value}" for time term '${field}'`);
      this.window[bound] = at;
      return () => true;
    }
    if (field === "index" && sign === "=") this.sources.push(value);
    if (/^[<>]/.test(sign)) return (row) => compare(row[field] ?? null, sign, value);
    const isWanted = matcher(field, value);
    // A field that is absent is no match of `!=` either.
    return sign === "!=" ? (row) => row[field] !== undefined && !isWanted(row) : isWanted;
  }

  #list(field: string): Test {
    this.#sign("(");
    const tests: Test[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === "sign" && token.value === ")") return (row) => tests.some((test) => test(row));
      if (token.kind === "sign" && token.value === ",") continue;
      tests.push(matcher(field, token.value));
    }
  }

  end(): void {
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw malformed(rest.value);
  }

  #isWord(word: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.kind === "word" && token.value === word;
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw malformed("end of search");
    return token;
  }

  #sign(wanted: string): void {
    const token = this.#next();
    if (token.kind !== "sign" || token.value !== wanted) throw malformed(token.value);
  }
}

/** Case does not matter, and any value of a multivalue field will do. */
function matcher(field: string, value: string): Test {
  const wanted = pattern(value, true);
  return (row) => {
    // `status` is a number in what the macro shows; people write its label.
    const given = [row[field], field === "status" ? row["status_label"] : undefined].flat();
    return given.some((one) => one !== undefined && wanted.test(String(one)));
  };
}

function pattern(value: string, isWhole: boolean): RegExp {
  const inside = value.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(isWhole ? `^${inside}$` : inside, "is");
}

function malformed(near: string): SearchFault {
  return new SearchFault(`Error in 'search' command: Unable to parse the search: unexpected '${near}'.`);
}

function first(tests: readonly Test[]): Test {
  return tests[0] ?? (() => true);
}
