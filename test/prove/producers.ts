/**
 * Producers: they draw events from the oracle, send them in every form that the relay takes, and report as acknowledged
 * only what was answered with a 202.
 */
import { createHmac } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { IssuedEvent, Oracle } from "./oracle.ts";
import type { Random } from "./random.ts";
import type { Tenant, World } from "./world.ts";

const FORMS = ["object", "array", "wrapped", "ndjson"] as const;
type Form = (typeof FORMS)[number];

export interface ProducerKey {
  readonly key: string;
  /** `whsec_…` where the key demands signatures. */
  readonly secret: string | null;
}

export interface Tally {
  requests: number;
  accepted: number;
  refused: number;
  /** Answered 503, each time. */
  unavailable: number;
  /** Sent again with the same idempotency key. */
  repeated: number;
  unknown: number;
}

export const emptyTally = (): Tally => ({
  ...{ requests: 0, accepted: 0, refused: 0, unavailable: 0, repeated: 0, unknown: 0 },
});

export interface Pace {
  readonly eventsPerSecond: number;
  readonly maxBatch: number;
  isOver(): boolean;
}

/** How long a producer goes on with a request whose outcome it does not know, where it may. */
const PATIENCE_MS = 60_000;
/** Not the 5 seconds of `Retry-After`: an impatient producer is the harder one. */
const AGAIN_MS = 400;
const REQUEST_TIMEOUT_MS = 20_000;

export async function keyFor(world: World, tenant: Tenant, isSigned: boolean): Promise<ProducerKey> {
  const body = { name: "producer", scopes: ["events:write"], require_signature: isSigned };
  const made = await world.call("POST", "/v1/keys", { key: tenant.key, body });
  return { key: String(made.body["key"]), secret: isSigned ? String(made.body["signing_secret"]) : null };
}

export class Producer {
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #tenant: Tenant;
  readonly #key: ProducerKey;
  readonly #random: Random;
  readonly tally = emptyTally();
  #sent = 0;

  constructor(
    world: World,
    oracle: Oracle,
    { tenant, key, random }: { readonly tenant: Tenant; readonly key: ProducerKey; readonly random: Random },
  ) {
    this.#world = world;
    this.#oracle = oracle;
    this.#tenant = tenant;
    this.#key = key;
    this.#random = random;
  }

  /** Sends at that pace, catching up after a wait, until it is over; then sees its last request through. */
  async run(pace: Pace): Promise<void> {
    const startedAt = Date.now();
    while (!pace.isOver()) {
      const dueAt = startedAt + (this.#sent / pace.eventsPerSecond) * 1_000;
      if (dueAt > Date.now()) await pause(Math.min(250, dueAt - Date.now()));
      else await this.#sendOne(pace.maxBatch);
    }
  }

  async #sendOne(maxBatch: number): Promise<void> {
    const random = this.#random;
    const form = random.pick(FORMS);
    const count = form === "object" ? 1 : random.between(1, maxBatch);
    const isNamed = random.chance(0.8);
    const isInvalid = random.chance(0.02);
    const issued = Array.from({ length: count }, () => this.#oracle.issue(this.#tenant.id, isNamed));
    this.#sent += count;
    const texts = issued.map(({ text }) => text);
    // One that the relay has to refuse, and all others of the request with it.
    if (isInvalid) texts.push('{"action":"Not An Action"}');
    const isKeyed = this.#key.secret !== null || random.chance(0.7);
    const request = {
      body: bodyOf(isInvalid && form === "object" ? "array" : form, texts),
      type: form === "ndjson" ? "application/x-ndjson" : "application/json",
      isZipped: random.chance(0.5),
      name: isKeyed ? `prove-${this.#tenant.id}-${issued[0]?.event.n}` : null,
    };
    await this.#seeThrough(
      issued.map(({ event }) => event),
      request,
    );
  }

  /** Where the outcome is not known, the same again; without an idempotency key that would be another event. */
  async #seeThrough(events: readonly IssuedEvent[], request: Request): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    const answers: string[] = [request.name === null ? "no key" : `key ${request.name}`];
    for (const event of events) Object.assign(event, { sentAt: Date.now(), answers });
    for (;;) {
      const answer = await this.#post(request);
      this.tally.requests += 1;
      answers.push(`${answer?.status ?? "none"} at ${new Date().toISOString().slice(11, 23)}`);
      if (answer !== null && answer.status === 503) this.tally.unavailable += 1;
      if (answer !== null && answer.status === 202) return this.#acknowledge(events, answer.ids);
      // 401 while the relay starts on a port that was another's, or while its clock is off.
      if (answer !== null && answer.status < 500 && answer.status !== 401) return this.#refuse(events);
      if (request.name === null || Date.now() > deadline) {
        for (const event of events) event.state = "unknown";
        this.tally.unknown += events.length;
        return;
      }
      this.tally.repeated += 1;
      await pause(AGAIN_MS);
    }
  }

  #acknowledge(events: readonly IssuedEvent[], ids: readonly string[]): void {
    if (ids.length !== events.length)
      throw new Error(`${events.length} events were sent, ${ids.length} accepted`);
    for (const [index, event] of events.entries()) {
      const id = ids[index] ?? "";
      if (event.id !== null && event.id !== id) throw new Error(`${event.id} was sent, and ${id} accepted`);
      if (event.id === null) this.#oracle.named(event, id);
      event.state = "acknowledged";
      event.endedAt = Date.now();
    }
    this.#oracle.acknowledgedAt = Date.now();
    this.tally.accepted += events.length;
  }

  #refuse(events: readonly IssuedEvent[]): void {
    for (const event of events) event.state = "refused";
    this.tally.refused += events.length;
  }

  async #post({
    body,
    type,
    isZipped,
    name,
  }: Request): Promise<{ status: number; ids: readonly string[] } | null> {
    const bytes = isZipped ? gzipSync(body) : Buffer.from(body);
    const { key, secret } = this.#key;
    const headers: Record<string, string> = { "x-api-key": key, "content-type": type };
    if (isZipped) headers["content-encoding"] = "gzip";
    if (secret !== null) Object.assign(headers, signature(secret, name ?? "", bytes));
    else if (name !== null) headers["idempotency-key"] = name;
    try {
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      const url = `${this.#world.relay.url}/v1/audit/events`;
      const response = await fetch(url, { method: "POST", headers, body: bytes, signal });
      const answer = (await response.json()) as { ids?: readonly string[] };
      return { status: response.status, ids: answer.ids ?? [] };
    } catch {
      return null; // refused, reset or cut off: nobody knows
    }
  }
}

interface Request {
  readonly body: string;
  readonly type: string;
  readonly isZipped: boolean;
  /** Idempotency key, or `webhook-id` of a signed request. */
  readonly name: string | null;
}

function bodyOf(form: Form, texts: readonly string[]): string {
  switch (form) {
    case "object":
      return texts.join("");
    case "array":
      return `[${texts.join(",")}]`;
    case "wrapped":
      return `{"events":[${texts.join(", ")}]}`;
    case "ndjson":
      return `${texts.join("\n")}\n`;
  }
}

/** Standard Webhooks, over the bytes on the wire. */
function signature(secret: string, id: string, body: Buffer): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const mac = createHmac("sha256", Buffer.from(secret.slice("whsec_".length), "base64"));
  mac.update(`${id}.${timestamp}.`).update(body);
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${mac.digest("base64")}`,
  };
}
