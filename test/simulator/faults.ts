/** Ways of misbehaving: which is in force, for how many requests, and at which doors. */
import type { Door, Fault, Kind } from "./control.ts";
import { doorsOf, HEC_CODES } from "./hec-codes.ts";
import {
  amount,
  BadInput,
  checkShape,
  flag,
  isRecord,
  oneOf,
  required,
  type Shape,
  text,
  textMap,
} from "./shape.ts";

const DOORS: readonly Door[] = ["event", "ack", "health", "login", "search", "job", "results"];
const MESSAGE_TYPES: readonly unknown[] = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/** Timers take no more: 2^31 - 1 ms, some 24 days. */
const MAX_DELAY_MS = 2_147_483_647;

const SCOPE: Shape = {
  mode: required(text),
  times: { test: (v) => Number.isSafeInteger(v) && Number(v) > 0, expected: "a whole number from 1" },
  paths: {
    test: (v) => Array.isArray(v) && v.length > 0 && v.every((door) => DOORS.includes(door)),
    expected: `a list of ${DOORS.join(", ")}`,
  },
};

const MODES: Readonly<Record<Fault["mode"], Shape>> = {
  status: {
    status: required({
      test: (v) => Number.isInteger(v) && Number(v) >= 200 && Number(v) <= 599,
      expected: "200 to 599",
    }),
    retry_after: {
      test: (v) => typeof v === "string" || typeof v === "number",
      expected: "seconds or an HTTP date",
    },
    headers: textMap,
    body: { test: (v) => typeof v === "string", expected: "a string" },
    stored: flag,
  },
  hang: { stored: flag },
  reset: {},
  reset_after: {},
  half_answer: {},
  slow: {
    ms: required({
      test: (v) => typeof v === "number" && v >= 0 && v <= MAX_DELAY_MS,
      expected: `0 to ${MAX_DELAY_MS} milliseconds`,
    }),
  },
  html: {},
  redirect: {},
  code: {
    code: required({
      test: (v) => Number.isInteger(v) && HEC_CODES[Number(v)] !== undefined,
      expected: `a HEC code, 0 to ${HEC_CODES.length - 1}`,
    }),
    stored: flag,
    event_number: amount,
  },
  messages: {
    messages: required({
      test: (v) => Array.isArray(v) && v.length > 0 && v.every(isMessage),
      expected: `a list of {"type", "text"}, the type one of ${MESSAGE_TYPES.join(", ")}`,
    }),
    rows: flag,
  },
  short_page: { rows: required(amount) },
  poison: { pattern: required(text), code: oneOf(6, 7, 12, 13, 15) },
};

/** @throws BadInput */
export function parseFault(value: unknown, kind: Kind): Fault {
  const mode = isRecord(value) ? value["mode"] : undefined;
  if (typeof mode !== "string" || !Object.hasOwn(MODES, mode))
    throw new BadInput(`a fault needs "mode", one of ${Object.keys(MODES).join(", ")}`);
  // Known by the test just above.
  const shape = MODES[mode as Fault["mode"]];
  if (mode === "code" && kind !== "splunk") throw new BadInput("only splunk has result codes");
  if ((mode === "messages" || mode === "short_page") && kind !== "splunk-search")
    throw new BadInput(`only splunk-search has the fault "${mode}"`);
  if (mode === "poison" && kind === "splunk-search")
    throw new BadInput("splunk-search takes no events, and so no poison");
  // Checked member by member here; the compiler cannot follow a table of checks.
  return checkShape(`the fault "${mode}"`, value, { ...SCOPE, ...shape }) as unknown as Fault;
}

function isMessage(value: unknown): boolean {
  return isRecord(value) && MESSAGE_TYPES.includes(value["type"]) && typeof value["text"] === "string";
}

/** Doors that a fault strikes when it does not say. */
function defaultDoors(fault: Fault): readonly Door[] | null {
  if (fault.mode === "poison") return ["event"];
  if (fault.mode === "messages" || fault.mode === "short_page") return ["search", "results"];
  return fault.mode === "code" ? doorsOf(fault.code) : null;
}

/** Holds the one fault in force, and counts it down. */
export class FaultBox {
  #fault: Fault | null = null;
  #left: number | null = null;

  set(fault: Fault): void {
    this.#fault = fault;
    this.#left = fault.times ?? null;
  }

  clear(): void {
    this.#fault = null;
    this.#left = null;
  }

  /** With `times` as what is left of it. */
  get current(): Fault | null {
    if (this.#fault === null) return null;
    return this.#left === null ? this.#fault : { ...this.#fault, times: this.#left };
  }

  /** The fault, if it strikes this door. `spend` it once it has struck. */
  at(door: Door | null): Fault | null {
    const fault = this.#fault;
    if (fault === null) return null;
    const doors = fault.paths ?? defaultDoors(fault);
    return doors === null || (door !== null && doors.includes(door)) ? fault : null;
  }

  spend(): void {
    if (this.#left !== null && --this.#left <= 0) this.clear();
  }
}
