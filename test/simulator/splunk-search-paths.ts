/** Which endpoint of splunkd a path names. */
import type { Door } from "./control.ts";

export type Endpoint = "login" | "about" | "jobs" | "export" | "job" | "results" | "control";

export interface Place {
  readonly endpoint: Endpoint;
  readonly version: 1 | 2;
  /** Of `/servicesNS/<user>/<app>/`; null for `/services/`. */
  readonly app: string | null;
  /** Of a job's own endpoints, else empty. */
  readonly sid: string;
}

/** The methods of v1 and v2 differ where results are asked for: v2 takes a POST and nothing else. */
export const METHODS: Readonly<Record<Endpoint, readonly [v1: string, v2: string]>> = {
  login: ["POST", "POST"],
  about: ["GET", "GET"],
  jobs: ["POST", "POST"],
  export: ["GET,POST", "POST"],
  job: ["GET,DELETE", "GET,DELETE"],
  results: ["GET", "POST"],
  control: ["POST", "POST"],
};

const DOORS: Readonly<Record<Endpoint, Door>> = {
  login: "login",
  about: "login",
  jobs: "search",
  export: "search",
  job: "job",
  results: "results",
  control: "job",
};

const JOBS = /^search\/(v2\/)?jobs(?:\/([^/]+)(?:\/(results|control))?)?$/;

export function placeOf(path: string): Place | null {
  const [, app, rest = ""] = /^\/services(?:NS\/[^/]+\/([^/]+))?\/(.+?)\/?$/.exec(path) ?? [];
  const at = { app: app ?? null, version: 1, sid: "" } as const;
  if (rest === "auth/login") return { ...at, endpoint: "login" };
  if (rest === "server/info" || rest === "authentication/current-context")
    return { ...at, endpoint: "about" };
  const [whole, v2, sid = "", below] = JOBS.exec(rest) ?? [];
  if (whole === undefined) return null;
  const found = { app: app ?? null, version: v2 === undefined ? 1 : 2, sid: decoded(sid) } as const;
  if (sid === "") return { ...found, endpoint: "jobs" };
  if (sid === "export" && below === undefined) return { ...found, endpoint: "export", sid: "" };
  return { ...found, endpoint: below === "results" || below === "control" ? below : "job" };
}

export function doorOf(path: string): Door | null {
  const place = placeOf(path);
  return place === null ? null : DOORS[place.endpoint];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
