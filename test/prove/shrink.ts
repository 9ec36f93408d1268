/**
 * The shortest history that still fails, by delta debugging: parts of the list are left out as long as it fails without.
 * @see https://doi.org/10.1109/32.988498 (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input")
 */
export async function shrink<T>(
  list: readonly T[],
  stillFails: (part: readonly T[]) => Promise<boolean>,
  mayGoOn: () => boolean,
): Promise<readonly T[]> {
  let current = list;
  let parts = 2;
  while (current.length > 1 && mayGoOn()) {
    const size = Math.ceil(current.length / parts);
    let hasShrunk = false;
    for (let from = 0; from < current.length && mayGoOn(); from += size) {
      const rest = [...current.slice(0, from), ...current.slice(from + size)];
      if (rest.length === 0 || !(await stillFails(rest))) continue;
      current = rest;
      parts = Math.max(2, parts - 1);
      hasShrunk = true;
      break;
    }
    if (hasShrunk) continue;
    if (size === 1) break;
    parts = Math.min(current.length, parts * 2);
  }
  return current;
}
