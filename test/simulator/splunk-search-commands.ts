/** Commands that pick, order and name: `table`, `fields`, `head`, `sort`, `dedup`, `rename`. */
import { compare, type Row, type Table } from "./splunk-search-eval.ts";
import { SearchFault, type Token } from "./splunk-search-tokens.ts";

/** `head` without a number, and `sort` without one: the latter surprises whoever pages through more. */
const DEFAULT_HEAD = 10;
const DEFAULT_SORT_LIMIT = 10_000;

type Command = (given: readonly Token[]) => (table: Table) => Table;

const namesIn = (tokens: readonly Token[]): readonly string[] =>
  tokens.filter(({ value }) => value !== ",").map(({ value }) => value);

/** Every name that a row has, in the order of first sight. */
export function columnsIn(rows: readonly Row[]): readonly string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

export const table: Command = (given) => {
  const names = namesIn(given);
  return ({ rows, columns }) => {
    const chosen = expand(names, columns ?? columnsIn(rows));
    return { rows: rows.map((row) => only(row, chosen)), columns: chosen };
  };
};

/** Without a minus, `_time` and `_raw` stay though nobody names them. */
export const fields: Command = (given) => {
  const [sign, ...rest] = namesIn(given);
  const isMinus = sign === "-";
  const names = isMinus || sign === "+" ? rest : namesIn(given);
  return ({ rows, columns }) => {
    const known = columns ?? columnsIn(rows);
    const named = expand(names, known);
    const chosen = isMinus
      ? known.filter((name) => !named.includes(name))
      : [...new Set([...named, ...["_raw", "_time"].filter((name) => known.includes(name))])];
    return { rows: rows.map((row) => only(row, chosen)), columns: chosen };
  };
};

export const head: Command = (given) => {
  const names = namesIn(given).filter((name) => name !== "limit" && name !== "=");
  const limit = Number(names[0] ?? DEFAULT_HEAD);
  if (!Number.isSafeInteger(limit))
    throw new SearchFault(`Error in 'head' command: The argument '${names[0]}' is invalid.`);
  return ({ rows, columns }) => ({ rows: rows.slice(0, limit), columns });
};

/** 0 is all of them. */
export const sort: Command = (given) => {
  const names = [...namesIn(given)];
  const limit = /^\d+$/.test(names[0] ?? "") ? Number(names.shift()) : DEFAULT_SORT_LIMIT;
  const keys: { name: string; way: 1 | -1 }[] = [];
  let way: 1 | -1 = 1;
  for (const name of names) {
    if (/^[+-]/.test(name)) way = name.startsWith("-") ? -1 : 1;
    const bare = name.replace(/^[+-]/, "");
    if (bare === "") continue;
    keys.push({ name: bare, way });
    way = 1;
  }
  if (keys.length === 0)
    throw new SearchFault("Error in 'sort' command: You must specify at least one field.");
  return ({ rows, columns }) => {
    const sorted = rows.toSorted((one, other) => {
      for (const key of keys) {
        const [a, b] = [one[key.name] ?? "", other[key.name] ?? ""];
        if (compare(a, "!=", b)) return compare(a, "<", b) ? -key.way : key.way;
      }
      return 0;
    });
    return { rows: limit === 0 ? sorted : sorted.slice(0, limit), columns };
  };
};

/** Keeps the first row of each; a row without the field goes. */
export const dedup: Command = (given) => {
  const names = namesIn(given).filter((name) => !/^\d+$/.test(name));
  return ({ rows, columns }) => {
    const seen = new Set<string>();
    const kept = rows.filter((row) => {
      if (names.some((name) => row[name] === undefined)) return false;
      const key = JSON.stringify(names.map((name) => row[name]));
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
    return { rows: kept, columns };
  };
};

export const rename: Command = (given) => {
  const names = namesIn(given);
  const pairs = new Map<string, string>();
  for (let at = 0; at < names.length; at += 3) {
    const [from, word, to] = names.slice(at, at + 3);
    if (from === undefined || to === undefined || word?.toLowerCase() !== "as")
      throw new SearchFault("Error in 'rename' command: Usage: rename [old_name AS/TO/-> new_name]+.");
    pairs.set(from, to);
  }
  const renamed = (name: string): string => pairs.get(name) ?? name;
  return ({ rows, columns }) => ({
    rows: rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [renamed(name), value])),
    ),
    columns: columns?.map(renamed) ?? null,
  });
};

function expand(names: readonly string[], known: readonly string[]): readonly string[] {
  const chosen = names.flatMap((name) => {
    if (!name.includes("*")) return [name];
    const pattern = new RegExp(`^${name.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
    // A star alone does not reach the fields of the house.
    return known.filter((one) => pattern.test(one) && (name.startsWith("_") || !one.startsWith("_")));
  });
  return [...new Set(chosen)];
}

function only(row: Row, names: readonly string[]): Row {
  const picked: Record<string, Row[string]> = {};
  for (const name of names) {
    const value = row[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
