import { z } from "zod";
import type { ApiDeps } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { notFound } from "./problem.ts";

/**
 * Nothing but the console's own files may act or be asked, and nobody may frame it. `connect-src` is the API of the
 * same host. No `unsafe-inline`: styles that scripts set one by one are allowed without it.
 */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

/** The console: static files of this deployment, and the same for everybody. What it shows it asks the API for. */
export function consolePageEndpoints(deps: Pick<ApiDeps, "consoleFile">): readonly Endpoint[] {
  const common = { method: "get", tag: "Console", access: { kind: "public" }, isQuiet: true } as const;
  return [
    {
      ...common,
      path: "/console",
      summary: "The console",
      answers: { 200: { schema: z.string(), type: "text/html", description: "A page for people" } },
      handle: () => file("index.html", deps),
    },
    {
      ...common,
      path: "/console/assets/{file}",
      summary: "A file of the console",
      answers: { 200: { schema: z.string(), type: "text/javascript", description: "Script or style sheet" } },
      handle: (c) => file(c.req.param("file") ?? "", deps),
    },
  ];
}

async function file(name: string, deps: Pick<ApiDeps, "consoleFile">): Promise<Response> {
  const type = TYPES[name.split(".").at(-1) ?? ""];
  const found = type !== undefined && /^[\w.-]{1,100}$/.test(name) ? await deps.consoleFile(name) : null;
  if (found === null || type === undefined) return notFound("file");
  // The names of scripts and styles hold their digest, so that what a name means never changes.
  const caching = name.endsWith(".html") ? {} : { "cache-control": "public, max-age=31536000, immutable" };
  return new Response(found, { headers: { ...HEADERS, ...caching, "content-type": type } });
}
