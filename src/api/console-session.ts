import { z } from "zod";
import { isoTime } from "../base/clock.ts";
import { endOf } from "../model/session.ts";
import { Scope } from "../model/tenant.ts";
import { readBody } from "./body.ts";
import type { ApiContext, ApiDeps, SignedIn } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { resumeSession } from "./guard.ts";
import { notFound, ProblemError } from "./problem.ts";

const Credential = z
  .strictObject({
    credential: z
      .string()
      .trim()
      .min(1, "Expected a key or the operator token")
      .max(500, "Expected a key or the operator token")
      .meta({ description: "A tenant's API key, or the operator token", example: "sl_live_…" }),
  })
  .meta({ id: "ConsoleCredential" });

const Entry = z
  .strictObject({
    tenant_id: z.string().max(200).nullable().meta({ description: "Null leaves the tenant" }),
  })
  .meta({ id: "ConsoleEntry" });

const Ended = z.object({ ended: z.int() }).meta({ id: "SessionsEnded" });

const SessionView = z
  .object({
    kind: z.enum(["key", "operator"]),
    name: z.string().meta({ description: "Of the key" }),
    key_id: z.string().nullable(),
    tenant: z
      .object({ id: z.string(), name: z.string() })
      .nullable()
      .meta({ description: "Null for an operator who has entered none" }),
    scopes: z.array(Scope),
    csrf_token: z
      .string()
      .meta({ description: "Repeated in `X-CSRF-Token` by requests that change something" }),
    ends_at: z.iso.datetime().meta({ description: "Unless somebody does something before" }),
    expires_at: z.iso.datetime().meta({ description: "Whatever anybody does" }),
  })
  .meta({ id: "ConsoleSession" });

/** Signing in to the console: a key or the operator token is exchanged for a cookie that scripts cannot read. */
export function consoleSessionEndpoints(deps: ApiDeps): readonly Endpoint[] {
  const common = { tag: "Console", access: { kind: "proof", by: "session" } } as const;
  const shown = { schema: SessionView, description: "Who is signed in" };
  return [
    {
      ...common,
      access: { kind: "public" },
      method: "post",
      path: "/console/session",
      summary: "Sign in",
      description:
        "The cookie is `HttpOnly` and `SameSite=Strict`; it ends after an hour without an act and after 12 hours. A revoked key ends its sessions.",
      body: { content: { "application/json": { schema: Credential } } },
      answers: { 201: { ...shown, headers: { "Set-Cookie": "The session" } } },
      refusals: ["unauthenticated"],
      handle: (c) => signIn(c, deps),
    },
    {
      ...common,
      method: "get",
      path: "/console/session",
      summary: "Who is signed in",
      answers: { 200: shown },
      isQuiet: true,
      handle: async (c) => c.json(await viewSession(await requireSession(c, deps), deps)),
    },
    {
      ...common,
      method: "delete",
      path: "/console/session",
      summary: "Sign out",
      answers: { 204: { description: "The session has ended" } },
      refusals: ["operation_not_allowed"],
      async handle(c) {
        const signedIn = await requireSession(c, deps);
        await deps.sessions.signOut(signedIn.session);
        await tell("console.sign_out", signedIn, deps);
        return c.body(null, 204, { "set-cookie": deps.sessionCookie(null) });
      },
    },
    {
      ...common,
      method: "delete",
      path: "/console/sessions",
      summary: "Sign out everywhere",
      description: "Ends every session of the same key, or of the operator, this one included.",
      answers: { 200: { schema: Ended, description: "How many have ended" } },
      refusals: ["operation_not_allowed"],
      async handle(c) {
        const signedIn = await requireSession(c, deps);
        const ended = await deps.sessions.signOutEverywhere(signedIn.session);
        await tell("console.sign_out_everywhere", signedIn, deps);
        return c.json({ ended }, 200, { "set-cookie": deps.sessionCookie(null) });
      },
    },
    {
      ...common,
      method: "post",
      path: "/console/session/tenant",
      summary: "Enter a tenant, as the operator",
      description:
        "The session may then do there what a key with every scope may. Each entry is an event on the tenant's stream.",
      body: { content: { "application/json": { schema: Entry } } },
      answers: { 200: shown },
      refusals: ["operation_not_allowed", "not_found"],
      handle: (c) => enter(c, deps),
    },
  ];
}

async function signIn(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { credential } = await readBody(c, Credential);
  const signedIn = await deps.sessions.signIn(credential);
  if (signedIn === null) {
    throw new ProblemError({
      code: "unauthenticated",
      detail: "That is neither a key that works nor the operator token. It may have expired or been revoked.",
    });
  }
  await tell("console.sign_in", signedIn, deps);
  const cookie = { "set-cookie": deps.sessionCookie(signedIn.value) };
  return c.json(await viewSession(signedIn, deps), 201, cookie);
}

async function enter(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { session, key } = await requireSession(c, deps);
  if (session.kind !== "operator") {
    throw new ProblemError({ code: "operation_not_allowed", detail: "A key stays in its own tenant." });
  }
  const { tenant_id: tenantId } = await readBody(c, Entry);
  if (tenantId !== null && (await deps.tenants.get(tenantId)) === null) return notFound("tenant");
  await deps.sessions.enter(session, tenantId);
  const entered = { session: { ...session, tenantId }, key };
  await tell("console.enter", entered, deps);
  return c.json(await viewSession(entered, deps));
}

async function requireSession(c: ApiContext, deps: ApiDeps): Promise<SignedIn> {
  const signedIn = await resumeSession(c.req.raw, deps);
  if (signedIn !== null) return signedIn;
  throw new ProblemError({ code: "unauthenticated", detail: "Nobody is signed in, or no longer." });
}

/** On the stream of the tenant concerned; an operator outside all tenants has none. */
async function tell(action: string, { session, key }: SignedIn, deps: ApiDeps): Promise<void> {
  if (session.tenantId === null) return;
  const actorId = key?.keyId ?? "operator";
  await deps.record({
    tenantId: session.tenantId,
    actorId,
    action,
    resourceType: "console_session",
    resourceId: session.hash.slice(0, 16),
    metadata: { name: session.name },
  });
}

async function viewSession({ session, key }: SignedIn, deps: ApiDeps): Promise<z.input<typeof SessionView>> {
  const tenant = session.tenantId === null ? null : await deps.tenants.get(session.tenantId);
  return {
    kind: session.kind,
    name: session.name,
    key_id: key?.keyId ?? null,
    tenant: tenant === null ? null : { id: tenant.id, name: tenant.name },
    scopes: key === null ? ["*"] : [...key.scopes],
    csrf_token: session.csrf,
    ends_at: isoTime(endOf(session)),
    expires_at: isoTime(session.expiresAt),
  };
}
