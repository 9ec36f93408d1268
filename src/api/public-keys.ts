import { z } from "zod";
import { fromBase64, sha256Hex } from "../base/bytes.ts";
import { isoTime } from "../base/clock.ts";
import { ID_PREFIX, newId } from "../base/ids.ts";
import { isMlKemPublicKey } from "../base/ml-kem.ts";
import { ENVELOPE_CONTEXT, KEM_PUBLIC_KEY_BYTES } from "../model/envelope.ts";
import { PUBLIC_KEY_ALGORITHM, type PublicKey, type VerificationKey } from "../model/public-key.ts";
import { readBody } from "./body.ts";
import type { ApiContext, ApiDeps } from "./context.ts";
import { callerOf, type Endpoint, pathId } from "./endpoint.ts";
import { PageQuery, pageAnswer, pageRequest } from "./pagination.ts";
import { notFound, ProblemError, refuse } from "./problem.ts";

/** One key is used at a time; more are for the time of a change. */
export const MAX_PUBLIC_KEYS = 50;

/** Strict: a misspelt option must not pass unnoticed. */
const NewPublicKey = z
  .strictObject({
    algorithm: z.literal(PUBLIC_KEY_ALGORITHM, { error: `Expected ${PUBLIC_KEY_ALGORITHM}` }),
    public_key: z
      .string({ error: "Expected the public key in base64" })
      .max(2_000, `Expected the base64 of ${KEM_PUBLIC_KEY_BYTES} bytes`)
      .refine(isPublicKey, `Expected an ML-KEM-768 public key: the base64 of ${KEM_PUBLIC_KEY_BYTES} bytes`)
      .meta({ description: "Standard base64, with padding; checked as FIPS 203, section 7.2, demands" }),
    name: z
      .string({ error: "Expected a name" })
      .trim()
      .max(200, "Expected at most 200 characters")
      .default("")
      .meta({ description: "For people", example: "billing service" }),
  })
  .meta({ id: "NewPublicKey" });

const fields = {
  key_id: z.string().meta({ example: "pk_01978a0c4f2e7d3b8c1a5e6f70819203" }),
  algorithm: z.literal(PUBLIC_KEY_ALGORITHM),
  name: z.string(),
  api_key_id: z.string().meta({ description: "The API key that registered it, and whose answers it is for" }),
  fingerprint: z
    .string()
    .meta({ description: "SHA-256 of the key's bytes", example: `sha256:${"0".repeat(64)}` }),
  created_at: z.iso.datetime().meta({ description: "When it was last registered" }),
};
const PublicKeyView = z.object(fields).meta({ id: "PublicKey" });

const VerificationKeyView = z
  .object({
    key_id: z.string().meta({ description: "As envelopes name it in `signing_key_id`" }),
    algorithm: z.literal("ML-DSA-65"),
    public_key: z.string().meta({ description: "Standard base64 of 1,952 bytes" }),
    context: z.literal(ENVELOPE_CONTEXT).meta({ description: "The context string of FIPS 204" }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "VerificationKey", description: "What the relay's signatures for this tenant verify with" });

const KeyList = z.object({
  data: z.array(PublicKeyView),
  next_cursor: z.string().nullable(),
  verification_key: VerificationKeyView.meta({ description: "The one that signs now" }),
  verification_keys: z
    .array(VerificationKeyView)
    .meta({ description: "All, newest first; older ones verify envelopes that they have signed" }),
});

const access = { kind: "tenant", scope: "proxy:invoke" } as const;
const body = { content: { "application/json": { schema: NewPublicKey } } };

export function publicKeyEndpoints(deps: ApiDeps): readonly Endpoint[] {
  const one = { schema: PublicKeyView };
  return [
    {
      method: "post",
      path: "/api/v2/keys",
      access,
      tag: "Proxy",
      summary: "Register a public key for answers",
      description:
        "Answers of the proxy are encrypted to the newest key that the calling API key has registered. The same key again keeps its id and becomes the newest.",
      body,
      answers: {
        201: { ...one, description: "It is used from now on" },
        200: { ...one, description: "It was registered already, and is the newest now" },
      },
      refusals: ["conflict"],
      handle: (c) => register(c, deps),
    },
    {
      method: "get",
      path: "/api/v2/keys",
      access,
      tag: "Proxy",
      summary: "List registered keys, and the keys that verify answers",
      query: PageQuery,
      answers: { 200: { schema: KeyList, description: "Registered keys of the tenant, newest first" } },
      handle: (c) => list(c, deps),
    },
    {
      method: "delete",
      path: "/api/v2/keys/{id}",
      access,
      tag: "Proxy",
      summary: "Forget a registered key",
      description:
        "An API key forgets keys that it has registered itself; those of others need the scope `keys:write` as well.",
      answers: { 204: { description: "Nothing is encrypted to it any more" } },
      handle: (c) => forget(c, deps),
    },
  ];
}

function isPublicKey(text: string): boolean {
  const bytes = fromBase64(text);
  return bytes !== null && isMlKemPublicKey(bytes);
}

async function register(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId, keyId } = callerOf(c);
  const wanted = await readBody(c, NewPublicKey);
  if ((await deps.publicKeys.count(tenantId, keyId)) >= MAX_PUBLIC_KEYS) {
    refuse("conflict", `An API key has at most ${MAX_PUBLIC_KEYS} public keys. Delete one first.`);
  }
  const now = deps.now();
  const fresh: PublicKey = {
    id: newId(ID_PREFIX.publicKey, now),
    tenantId,
    apiKeyId: keyId,
    name: wanted.name,
    publicKey: wanted.public_key,
    createdAt: now,
  };
  const registered = await deps.publicKeys.register(fresh);
  const shown = viewKey(registered);
  await deps.record({
    tenantId,
    actorId: keyId,
    action: "public-key.register",
    resourceType: "public_key",
    resourceId: registered.id,
    metadata: { name: shown.name, algorithm: shown.algorithm, fingerprint: shown.fingerprint },
  });
  return c.json(shown, registered.id === fresh.id ? 201 : 200);
}

async function list(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const { tenantId } = callerOf(c);
  const name = { list: "public-keys", of: tenantId };
  const page = pageAnswer(await deps.publicKeys.page(tenantId, pageRequest(c, name)), name, viewKey);
  const keys = await deps.verificationKeys(tenantId);
  const [current] = keys.ok ? keys.value : [];
  if (!keys.ok || current === undefined) {
    const detail = "The verification key cannot be read at the moment. Ask again.";
    throw new ProblemError({ code: "unavailable", detail, retryAfterSeconds: 5 });
  }
  return c.json({
    ...page,
    verification_key: viewVerificationKey(current),
    verification_keys: keys.value.map(viewVerificationKey),
  });
}

async function forget(c: ApiContext, deps: ApiDeps): Promise<Response> {
  const caller = callerOf(c);
  const { tenantId, keyId } = caller;
  const id = pathId(c, "public key");
  const found = await deps.publicKeys.get(tenantId, id);
  if (found === null) return notFound("public key");
  if (found.apiKeyId !== keyId && !deps.hasScope(caller, "keys:write")) {
    refuse("missing_scope", "Another API key has registered this one; this needs the scope keys:write.");
  }
  if (!(await deps.publicKeys.remove(tenantId, id))) return notFound("public key");
  await deps.record({
    tenantId,
    actorId: keyId,
    action: "public-key.delete",
    resourceType: "public_key",
    resourceId: id,
    metadata: { api_key_id: found.apiKeyId, fingerprint: viewKey(found).fingerprint },
  });
  return c.body(null, 204);
}

function viewKey(key: PublicKey): z.input<typeof PublicKeyView> {
  return {
    key_id: key.id,
    algorithm: PUBLIC_KEY_ALGORITHM,
    name: key.name,
    api_key_id: key.apiKeyId,
    fingerprint: `sha256:${sha256Hex(fromBase64(key.publicKey) ?? new Uint8Array())}`,
    created_at: isoTime(key.createdAt),
  };
}

function viewVerificationKey(key: VerificationKey): z.input<typeof VerificationKeyView> {
  return {
    key_id: key.keyId,
    algorithm: "ML-DSA-65",
    public_key: key.publicKey,
    context: ENVELOPE_CONTEXT,
    created_at: isoTime(key.createdAt),
  };
}
