import { z } from "zod";
import { utf8 } from "../base/bytes.ts";
import type { EpochMs } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { RelayEvent } from "../model/event.ts";
import type { HttpAnswer, HttpRequestSpec } from "../model/http.ts";
import {
  type Connector,
  defineProvider,
  type EncodeContext,
  type ProbeReading,
  type RequestLimits,
} from "../model/provider.ts";
import { typedUrl } from "./shared/endpoint.ts";
import { EVENT_OPERATIONS, performEvents } from "./shared/event-operations.ts";
import { WEBHOOK_GUIDE } from "./shared/guides.ts";
import { reach } from "./shared/reach.ts";
import { isHtml } from "./shared/reply.ts";
import { signingKey, standardHeaders } from "./shared/standard-webhooks.ts";
import { readWebhookAnswer } from "./shared/webhook-answer.ts";
import { headerNameFault, headerValueFault } from "./shared/webhook-headers.ts";
import { deliveryId, plainSignature } from "./shared/webhook-signature.ts";

/*
 * A receiver of the customer's own: JSON in one POST, signed twice, in the plain form that GitHub made common
 * and by the Standard Webhooks.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11)
 */

// --- Settings -------------------------------------------------------------------------------------------

const MAX_EXTRA_HEADERS = 20;

const Config = z.strictObject({
  mode: z.enum(["batch", "event"]).default("batch").meta({
    title: "Body",
    description: '`batch` sends `{"events":[…]}`, `event` one request for each event with its JSON alone',
  }),
  signature_header: z
    .string()
    .superRefine((name, check) => complain(check, headerNameFault(name)))
    .default("X-Sluice-Signature")
    .meta({
      title: "Signature header",
      description: "What the header with `sha256=<hex>` is called; the Standard Webhooks ones stay",
    }),
  headers: z
    .record(z.string(), z.string())
    .superRefine((headers, check) => {
      const names = Object.keys(headers);
      if (names.length > MAX_EXTRA_HEADERS) complain(check, `Expected at most ${MAX_EXTRA_HEADERS} headers`);
      if (new Set(names.map((name) => name.toLowerCase())).size < names.length)
        complain(check, "Expected each header once, whatever its case");
      for (const [name, value] of Object.entries(headers))
        complain(check, headerNameFault(name) ?? headerValueFault(value), name);
    })
    .optional()
    .meta({
      title: "Extra headers",
      description: "Sent with every request as they are. No place for secrets: settings are shown in answers",
      examples: [{ "X-Audit-Source": "sluice" }],
    }),
});
type Config = z.infer<typeof Config>;

function complain(check: z.core.$RefinementCtx, message: string | null, ...path: string[]): void {
  if (message !== null) check.addIssue({ code: "custom", message, path });
}

const secret = z
  .string({ error: "Expected the secret" })
  .max(512, "Expected a secret of at most 512 characters")
  // No control characters, and nothing invisible at the ends, which pasting brings.
  .regex(
    /^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]*[^\s\p{C}])?$/u,
    "Expected the secret on one line, without spaces around it",
  )
  .refine(
    (text) => signingKey(text) !== null,
    "Expected a secret of at least 8 characters, or whsec_ and the base64 of at least 8 bytes",
  );

const Secrets = z.strictObject({
  secret: secret.meta({
    title: "Signing secret",
    description:
      "Shared with the receiver, which checks the signature with it. Signs both headers: `whsec_` + base64 with the decoded bytes, any other text with its UTF-8 bytes",
    examples: ["whsec_…"],
  }),
  previous_secret: secret.optional().meta({ description: "The one before; kept by the relay" }),
  previous_secret_expires_at: z
    .int({ error: "Expected epoch milliseconds" })
    .min(0)
    .optional()
    .meta({ description: "Until then the previous secret signs as well; kept by the relay" }),
});

// --- Endpoint -------------------------------------------------------------------------------------------

/** Called as given: path and query belong to the receiver. Only the fragment goes, which is never sent. */
function addressOf(endpoint: string): Result<string, string> {
  const url = typedUrl(endpoint);
  if (!url.ok) return url;
  url.value.search = /^[^#?]*(\?[^#]*)/.exec(endpoint.trim())?.[1] ?? "";
  return ok(url.value.href);
}

// --- Limits ---------------------------------------------------------------------------------------------

/**
 * Exactly what waits together as one row of a lane: rows are never joined for a webhook, so that a delivery has the
 * same events, and therefore the same id, on every retry. Far below what common receivers take (1 MB and more).
 */
const LIMITS: Readonly<Record<Config["mode"], RequestLimits>> = {
  batch: { events: 250, bytes: 250_000 },
  event: { events: 1, bytes: 250_000 },
};

// --- Encoding -------------------------------------------------------------------------------------------

const HEAD = '{"events":[';
const TAIL = "]}";
/** With one comma; an event alone needs none of it. */
const FRAME_BYTES = HEAD.length + TAIL.length + 1;

function writeBody(events: readonly RelayEvent[], mode: Config["mode"]): string {
  const list = events.map(({ json }) => json).join(",");
  return mode === "event" && events.length === 1 ? list : `${HEAD}${list}${TAIL}`;
}

/** Which keys sign now: the current one, and until it expires the one before. Without an expiry that one is over. */
function createKeys(secrets: z.infer<typeof Secrets>): (now: EpochMs) => readonly Uint8Array[] {
  const current = keysOf(secrets.secret);
  const both = [...current, ...keysOf(secrets.previous_secret)];
  const until = secrets.previous_secret_expires_at ?? 0;
  return (now) => (now < until ? both : current);
}

function keysOf(text: string | undefined): readonly Uint8Array[] {
  const key = text === undefined ? null : signingKey(text);
  return key === null ? [] : [key];
}

// --- Probe ----------------------------------------------------------------------------------------------

/** One step: the signed test event itself, because a receiver of anybody's making has no other question. */
function readProbe(
  answer: HttpAnswer,
  place: { readonly url: string; readonly header: string; readonly secrets: readonly string[] },
): ProbeReading {
  const { checks, verdict } = reach(answer, place.url);
  if (verdict !== null) return { checks, verdict };
  const { kind, words, ...rest } = readWebhookAnswer(answer, place.secrets);
  const decide = (ok: boolean, name: string, detail: string): ProbeReading => ({
    checks: [...checks, { name, ok, detail }],
    verdict: { ok, words, hint: ok ? null : detail, acknowledgement: null },
  });
  const isPage = answer.kind === "response" && isHtml(answer);
  if (kind === "delivered")
    return decide(
      true,
      "receiver",
      isPage
        ? "The address took the test event but answers with a web page: check that it is the receiver's and no site's."
        : "The receiver took the signed test event.",
    );
  const trouble = "trouble" in rest ? rest.trouble : null;
  const status = words.httpStatus ?? 0;
  if (trouble === "credentials_rejected")
    return decide(
      false,
      "signature",
      `Check that the receiver holds the same secret, compares ${place.header} or webhook-signature with the body's raw bytes, and asks for no other login.`,
    );
  if (trouble === "gone") return decide(false, "path", "The receiver was taken away: give its new address.");
  if (status >= 300 && status < 400)
    return decide(false, "path", "Give the address that it redirects to: redirects are not followed.");
  if (status === 404 || status === 405)
    return decide(false, "path", "Check the path, and that it takes POST: it is called exactly as given.");
  if (kind === "retry")
    return decide(
      false,
      "receiver",
      "The receiver fails or is busy at the moment: events are kept and tried again; look at its log if it lasts.",
    );
  return decide(false, "event", "The receiver is reached but refuses the request: its own log says why.");
}

// --- The provider ---------------------------------------------------------------------------------------

export const webhook = defineProvider({
  kind: "webhook",
  title: "Webhook",
  guide: WEBHOOK_GUIDE,
  config: Config,
  secrets: Secrets,
  operations: EVENT_OPERATIONS,
  build({ destinationId, endpoint, config, secrets }) {
    const url = addressOf(endpoint ?? "");
    if (!url.ok) return err([{ path: "endpoint", message: url.error }]);
    const extra = Object.entries(config.headers ?? {}).map(
      ([name, value]) => [name.toLowerCase(), value] as const,
    );
    const signatureHeader = config.signature_header.toLowerCase();
    if (extra.some(([name]) => name === signatureHeader))
      return err([{ path: "config.headers", message: "Expected no header that has the signature's name" }]);
    const keysAt = createKeys(secrets);
    const known = [
      secrets.secret,
      ...(secrets.previous_secret === undefined ? [] : [secrets.previous_secret]),
    ];
    const fixed = Object.fromEntries([...extra, ["content-type", "application/json"] as const]);

    const encode = (events: readonly RelayEvent[], { now }: EncodeContext): HttpRequestSpec => {
      const body = writeBody(events, config.mode);
      const bytes = utf8(body);
      const keys = keysAt(now);
      const message = { id: deliveryId(destinationId, events), at: now, body: bytes };
      const signed = { [signatureHeader]: plainSignature(bytes, keys), ...standardHeaders(message, keys) };
      // Never compressed: receivers verify the raw bytes, and frameworks differ on which those are.
      return { method: "POST", url: url.value, headers: { ...fixed, ...signed }, body };
    };
    const connector: Connector = {
      kind: "webhook",
      limits: LIMITS[config.mode],
      envelopeBytes: () => FRAME_BYTES,
      origin: url.value,
      encode,
      interpret: (answer) => readWebhookAnswer(answer, known),
      joins: false,
      probe: (event, context) => [
        {
          request: encode([event], context),
          read: (answer) =>
            readProbe(answer, { url: url.value, header: config.signature_header, secrets: known }),
        },
      ],
      perform: (...call) => performEvents(connector)(...call),
      publicConfig: config,
    };
    return ok(connector);
  },
});
