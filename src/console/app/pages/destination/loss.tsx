import { until } from "../../words.ts";

/** From then on it is told in red: an evening may pass before anybody looks again. */
const SOON_MS = 4 * 60 * 60_000;

/** When the first event would be lost if nothing were delivered. */
export function Loss({ at, now }: { at: string; now: number }) {
  const isSoon = Date.parse(at) - now < SOON_MS;
  return <strong class={`loss ${isSoon ? "soon" : ""}`}>{until(at, now)}</strong>;
}
