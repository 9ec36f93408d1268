import type { Random } from "../random.ts";
import { event, globOf } from "./seeds.ts";

/** Promised limits, and how far from them: the value at the limit, and one less and one more. */
const AROUND = [-1, 0, 1] as const;

/** An event of exactly that many bytes. */
export function eventOf(bytes: number): string {
  const start = '{"action":"user.login","actor_id":"a","metadata":{"fill":"';
  const end = '"}}';
  return start + "f".repeat(Math.max(0, bytes - start.length - end.length)) + end;
}

/** Bodies of events at what is promised: bytes an event, events a request, bytes a request, characters a field. */
export function eventSizes(random: Random, isHeavy: boolean): string {
  const off = random.pick(AROUND);
  if (isHeavy) {
    return random.pick<() => string>([
      () => `[${Array.from({ length: 1_000 + off }, () => JSON.stringify(event(random))).join(",")}]`,
      () => eventOf(5_000_000 + off),
      () =>
        `[${Array.from({ length: 49 }, () => eventOf(100_000)).join(",")},${eventOf(100_000 - 50 + off)}]`,
      () => `[${Array.from({ length: 1_000 }, () => eventOf(4_900)).join(",")}]`,
      () => `${" ".repeat(4_990_000)}{}`,
      () => `[${"{},".repeat(1_600_000)}{}]`,
      () => `{"events":[],"pad":[${"0,".repeat(2_400_000)}0]}`,
    ])();
  }
  const text = (length: number): string => "x".repeat(length);
  return random.pick<() => string>([
    () => eventOf(100_000 + off),
    () => JSON.stringify({ ...event(random), id: text(128 + off) }),
    () => JSON.stringify({ ...event(random), action: `a.${text(198 + off)}` }),
    () => JSON.stringify({ ...event(random), actor_id: text(256 + off) }),
    () => JSON.stringify({ ...event(random), actor_id: "😀".repeat(128) + text(1 + off) }),
    () => `[${"{},".repeat(999 + off)}{}]`,
    () => `[${"0,".repeat(100_000)}0]`,
    () => "[]",
    () => '{"events":[]}',
  ])();
}

/** Settings at their limits. */
export function settingSizes(valid: unknown, random: Random, isHeavy: boolean): string {
  const off = random.pick(AROUND);
  const fields = typeof valid === "object" && valid !== null ? valid : {};
  const text = (length: number): string => "x".repeat(length);
  if (isHeavy) {
    const empty = JSON.stringify({ ...fields, name: "" }).length;
    return JSON.stringify({ ...fields, name: text(1_000_000 - empty + off) });
  }
  const changes: readonly object[] = [
    { name: text(200 + off) },
    { name: ` ${text(200 + off)} ` },
    { scopes: Array.from({ length: 50 + off }, () => "audit:read") },
    { routes: Array.from({ length: 100 + off }, () => ({ match: globOf(random) })) },
    { routes: [{ match: "*".repeat(200 + off) }] },
    { routes: [{ match: "*", index: text(256 + off) }] },
    { allowed_operations: Array.from({ length: 50 + off }, () => text(100 + off)) },
    { config: { index: text(65_536 + off) } },
    { config: Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, n])) },
    { config: { headers: Object.fromEntries(Array.from({ length: 20 + off }, (_, n) => [`X-${n}`, "v"])) } },
    { previous_secret_ttl_seconds: 604_800 + off },
    { ids: Array.from({ length: 1_000 + off }, (_, n) => `dl_${n}`) },
    { expires_at: random.pick(["9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z"]) },
    { token: text(10_000) },
    Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`field${n}`, n])),
  ];
  return JSON.stringify({ ...fields, ...random.pick(changes) });
}
