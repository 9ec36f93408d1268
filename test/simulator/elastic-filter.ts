/** `filter_path` of Elasticsearch: what of an answer is shown. Only inclusion is played, no `-` and no `**`. */
import { isRecord } from "./shape.ts";

/** @param paths comma-separated, members joined by dots, `*` for any run of characters; null shows everything */
export function applyFilterPath(value: unknown, paths: string | null): unknown {
  if (paths === null || paths === "") return value;
  return keep(
    value,
    paths.split(",").map((path) => path.split(".")),
  );
}

/** Lists are looked through, not counted as a level; what is left empty is left out. */
function keep(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (paths.some((path) => path.length === 0)) return value;
  if (Array.isArray(value))
    return value.map((item) => keep(item, paths)).filter((item) => item !== undefined);
  if (!isRecord(value)) return undefined;
  const kept = Object.entries(value).flatMap(([name, member]) => {
    const below = paths.filter(([first = ""]) => matches(first, name)).map(([, ...rest]) => rest);
    const shown = below.length === 0 ? undefined : keep(member, below);
    return shown === undefined ? [] : [[name, shown] as const];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function matches(pattern: string, name: string): boolean {
  if (pattern === "*" || pattern === name) return true;
  const [before = "", after] = pattern.split("*");
  return after !== undefined && name.startsWith(before) && name.endsWith(after);
}
