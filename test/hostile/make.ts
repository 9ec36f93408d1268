import { BODIES, type Body, isEvents } from "./generate/bodies.ts";
import { leadsElsewhere } from "./generate/containment.ts";
import { brokenFraming } from "./generate/framing.ts";
import { HEAD_LIMIT_BYTES, hostileHeaders, hostileHost, METHODS, signatures } from "./generate/heads.ts";
import { validBody } from "./generate/seeds.ts";
import { hostilePath, hostileQuery, pathOf } from "./generate/targets.ts";
import { Random } from "./random.ts";
import type { Caller, Operation, Scene } from "./scene.ts";
import { bytesOf, type Delivery, type Request, type Shot } from "./shot.ts";

/** Bodies of megabytes are this seldom where nothing else is asked for: two hundred thousand of them would take hours. */
export const HEAVY_SHARE = 0.004;
/** A request line that the server certainly takes. */
const TARGET_LIMIT_CHARACTERS = 8_000;
const BODY_TRIES = 8;

/** What is hostile about a request: usually one thing, so that nothing is refused for another reason before it is met. */
type Part = "nothing" | "body" | "path" | "query" | "headers" | "method" | "framing" | "slow" | "pipeline";

export interface MakeOptions {
  readonly seed: number;
  /** Part of a route like `POST /v1/keys`; all when empty. */
  readonly route: string;
  /** Of the bodies, how many may have megabytes. */
  readonly heavyShare?: number;
}

/** The request of that number. The same seed and number give the same one, but for ids that the relay has made. */
export function makeShot(index: number, scene: Scene, options: MakeOptions): Shot {
  const { seed, route, heavyShare = HEAVY_SHARE } = options;
  const random = new Random(seed, index);
  const operation = pickOperation(random, scene, route);
  const caller = callerFor(operation, random, scene);
  const wanted = pickPart(operation, random);
  const part = caller.party === "victim" && wanted === "method" ? "nothing" : wanted;
  const made = { operation, caller, random, scene, heavyShare };
  const { request, kind } = makeRequest(made, part);
  const about = {
    index,
    route: `${operation.method} ${operation.path}`,
    party: caller.party,
    isHead: request.method === "HEAD",
  };
  if (part === "framing") {
    const bytes = brokenFraming(request, random, scene);
    return { ...about, kind, bytes, delivery: "own", answers: null, request: null, isHead: false };
  }
  const bytes = bytesOf(request);
  const isSound = isWithinLimits(request);
  if (part === "pipeline" && isSound) {
    const count = random.between(2, 8);
    const all = Buffer.concat(new Array<Buffer>(count).fill(bytes));
    return { ...about, kind, bytes: all, delivery: "own", answers: count, request: null };
  }
  // A last flush takes seconds, and must not hold up a shared connection.
  const isPatient = request.method === "DELETE" && operation.path === "/v1/audit/siem/{id}";
  const delivery: Delivery = part === "slow" ? "slow" : isSound && !isPatient ? "shared" : "own";
  return { ...about, kind, bytes, delivery, answers: isSound ? 1 : null, request };
}

/** Whether the server passes it on to the Worker for certain: others it may refuse by itself, as `invalid URI` for one. */
function isWithinLimits({ target, headers }: Request): boolean {
  if (!/^\/[!-~]*$/.test(target)) return false;
  const size = headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  return size <= HEAD_LIMIT_BYTES && target.length <= TARGET_LIMIT_CHARACTERS;
}

function pickOperation(random: Random, scene: Scene, route: string): Operation {
  const wanted = scene.operations.filter(({ method, path }) => `${method} ${path}`.includes(route));
  if (wanted.length === 0) throw new Error(`No route like ${route}`);
  return random.weighted(
    wanted.map((each) => [isEvents(each) ? 14 : each.examples.length > 0 ? 3 : 1, each]),
  );
}

/** Mostly somebody who may, so that more than the lock of the door is tried. */
function callerFor(operation: Operation, random: Random, scene: Scene): Caller {
  if (operation.isForOperator && random.chance(0.7)) return scene.operator;
  const caller = random.weighted(scene.callers);
  // The victim only reads and sends, so that any change to its things is somebody else's doing.
  return caller.party === "victim" && operation.method !== "GET" && !isEvents(operation)
    ? scene.full
    : caller;
}

function pickPart(operation: Operation, random: Random): Part {
  const hasBody = operation.examples.length > 0 || operation.method === "POST";
  return random.weighted<Part>([
    [2, "nothing"],
    [hasBody ? 60 : 5, "body"],
    [operation.path.includes("{") ? 22 : 8, "path"],
    [operation.method === "GET" ? 22 : 5, "query"],
    [10, "headers"],
    [4, "method"],
    [7, "framing"],
    [1, "slow"],
    [1.5, "pipeline"],
  ]);
}

interface Ingredients {
  readonly operation: Operation;
  readonly caller: Caller;
  readonly random: Random;
  readonly scene: Scene;
  readonly heavyShare: number;
}

function makeRequest(made: Ingredients, part: Part): { readonly request: Request; readonly kind: string } {
  const { operation, caller, random, scene } = made;
  const { kind, body } = bodyFor(made, part);
  const extra = [
    ...(part === "headers" ? hostileHeaders(random) : []),
    ...(caller.name === "signed" || random.chance(0.01) ? signatures(random) : []),
  ];
  const chunks =
    body !== null && random.chance(0.12)
      ? Array.from({ length: 3 }, () => random.skewed(1, body.bytes.length + 2))
      : null;
  const path = part === "path" ? hostilePath(operation, random, scene) : pathOf(operation, random, scene);
  const request: Request = {
    method: part === "method" ? random.pick(METHODS) : operation.method,
    target: path + (part === "query" ? hostileQuery(random, scene) : ""),
    headers: [
      ["Host", part === "headers" ? hostileHost(random, scene) : scene.host],
      ...caller.headers,
      ...(body?.headers ?? []),
      ...extra,
    ],
    body: body?.bytes ?? null,
    // Few of them: a chunk costs the sender more than the body is worth.
    chunks: chunks?.some((size) => (body?.bytes.length ?? 0) / size > 5_000) ? null : chunks,
  };
  return { request, kind };
}

function bodyFor(
  { operation, random, scene, heavyShare }: Ingredients,
  part: Part,
): { readonly kind: string; readonly body: Body | null } {
  const hasBody = operation.examples.length > 0;
  if (part !== "body") {
    if (!hasBody) return { kind: nameOf(part), body: null };
    let bytes: Buffer;
    do bytes = Buffer.from(JSON.stringify(validBody(operation, random, scene)));
    while (leadsElsewhere(bytes, scene.sinkUrl));
    return { kind: nameOf(part), body: { bytes, headers: [["Content-Type", "application/json"]] } };
  }
  const kinds = Object.entries(BODIES).map(([kind, [weight, make]]) => [weight, { kind, make }] as const);
  for (let tries = 0; tries < BODY_TRIES; tries += 1) {
    const { kind, make } = random.weighted(kinds);
    const body = make({ operation, random, scene, isHeavy: random.chance(heavyShare) });
    if (isEvents(operation) || !leadsElsewhere(body.bytes, scene.sinkUrl)) return { kind, body };
  }
  return {
    kind: "body",
    body: { bytes: Buffer.from("{}"), headers: [["Content-Type", "application/json"]] },
  };
}

function nameOf(part: Part): string {
  return part === "nothing" ? "valid request" : part;
}
