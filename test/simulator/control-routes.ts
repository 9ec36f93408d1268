/** The control API: makes, breaks, mends and questions instances. JSON in, JSON out. */

import { parseFault } from "./faults.ts";
import { Instance } from "./instance.ts";
import { BadInput, isRecord } from "./shape.ts";
import { fireAlert, parseFiring } from "./splunk-alerts.ts";

export const CONTROL_PREFIX = "/_control";

const NAME = /^[a-z0-9-]+$/;
const DEFAULT_PAGE = 10_000;
const MAX_PAGE = 100_000;
const DEFAULT_REQUESTS = 100;

export interface ControlCall {
  readonly method: string;
  /** Below `/_control`, without slashes at the ends. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

export interface ControlAnswer {
  readonly status: number;
  readonly value: unknown;
}

/** Never throws: a wrong call is a 400 that says what was wrong. */
export async function control(instances: Map<string, Instance>, call: ControlCall): Promise<ControlAnswer> {
  try {
    return await dispatch(instances, call);
  } catch (error) {
    if (error instanceof BadInput) return refused(400, error.message);
    throw error;
  }
}

function dispatch(
  instances: Map<string, Instance>,
  call: ControlCall,
): ControlAnswer | Promise<ControlAnswer> {
  const [name = "", noun = "", ...rest] = call.path.split("/");
  if (name === "")
    return call.method === "GET"
      ? ok({ instances: [...instances.values()].map((instance) => instance.summary()) })
      : notAllowed(call);
  if (!NAME.test(name)) throw new BadInput("an instance name is made of a-z, 0-9 and -");
  if (noun === "" && call.method === "PUT") return put(instances, name, call.body);
  const instance = instances.get(name);
  if (instance === undefined) return refused(404, `no instance named ${name}`);
  if (noun === "" && call.method === "DELETE") {
    instance.recover();
    instances.delete(name);
    return ok({ removed: name });
  }
  const id = rest.join("/");
  return onInstance(instance, { ...call, noun: id === "" ? noun : `${noun}/*`, id: decode(id) });
}

function onInstance(
  instance: Instance,
  call: ControlCall & { noun: string; id: string },
): ControlAnswer | Promise<ControlAnswer> {
  switch (`${call.method} ${call.noun}`) {
    case "GET ":
      return ok(instance.summary());
    case "PATCH ":
      instance.configure(json(call.body));
      return ok(instance.config);
    case "GET config":
      return ok(instance.config);
    case "GET events":
      return ok(eventsOf(instance, call.query));
    case "GET events/*":
      return ok({ id: call.id, copies: instance.copies(call.id) });
    case "GET arrivals":
      return ok(instance.arrivals());
    case "POST first-seen":
      return ok({ first_seen: instance.ledger.firstSeen(idsIn(json(call.body))) });
    case "GET requests":
      return ok({ requests: instance.requests(amountIn(call.query, "limit", DEFAULT_REQUESTS)) });
    case "POST fault":
      instance.faults.set(parseFault(json(call.body), instance.kind));
      return ok({ fault: instance.faults.current });
    case "GET fault":
      return ok({ fault: instance.faults.current });
    case "DELETE fault":
      instance.recover();
      return ok({ fault: null });
    case "POST reset":
      instance.forget();
      return ok(instance.summary());
    case "POST fire":
      return fire(instance, call.body);
    default:
      return ownCall(instance, call);
  }
}

/** What only this kind of destination can be told. */
function ownCall(instance: Instance, call: ControlCall & { noun: string; id: string }): ControlAnswer {
  const body = call.body === "" ? undefined : json(call.body);
  const value = instance.receiver.control?.({ ...call, body });
  return value === undefined ? notAllowed(call) : ok(value);
}

/** A Splunk fires an alert at somebody, who may well be the relay. */
async function fire(instance: Instance, body: string): Promise<ControlAnswer> {
  if (instance.kind !== "splunk" && instance.kind !== "splunk-search")
    throw new BadInput(`${instance.kind} fires no alerts`);
  return ok({ calls: await fireAlert(parseFiring(json(body))) });
}

function put(instances: Map<string, Instance>, name: string, body: string): ControlAnswer {
  const instance = new Instance(name, json(body));
  instances.get(name)?.recover();
  instances.set(name, instance);
  return ok(instance.summary());
}

function eventsOf({ ledger }: Instance, query: URLSearchParams): unknown {
  if (query.has("count")) return ledger.counts();
  const limit = Math.min(amountIn(query, "limit", DEFAULT_PAGE), MAX_PAGE);
  return ledger.page(amountIn(query, "offset", 0), limit);
}

function idsIn(body: unknown): readonly string[] {
  const ids = isRecord(body) ? body["ids"] : undefined;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string")) throw new BadInput("expected ids");
  return ids;
}

function amountIn(query: URLSearchParams, name: string, usual: number): number {
  const value = Number(query.get(name) ?? usual);
  if (!Number.isSafeInteger(value) || value < 0) throw new BadInput(`${name} must be a whole number from 0`);
  return value;
}

function json(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new BadInput("the body must be JSON");
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new BadInput("the event id is not a well-formed path part");
  }
}

function ok(value: unknown): ControlAnswer {
  return { status: 200, value };
}

function refused(status: number, error: string): ControlAnswer {
  return { status, value: { error } };
}

function notAllowed({ method, path }: ControlCall): ControlAnswer {
  return refused(405, `no ${method} ${CONTROL_PREFIX}/${path}`);
}
