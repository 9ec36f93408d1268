import { describe, it } from "vitest";
import { idBytes, readEnvelopes } from "./hec-envelopes.ts";
import { Mould } from "./hec-mould.ts";

interface Seen {
  readonly texts: readonly string[];
  readonly code: number;
  readonly taken: number;
  readonly rules: readonly string[];
}

/** Reads with a mould that many such envelopes have gone through, or without one. */
function read(text: string, mould: Mould | null): Seen {
  const body = Buffer.from(text);
  const texts: string[] = [];
  const rules: string[] = [];
  const { code, taken } = readEnvelopes(
    body,
    { indexes: null, strict: false, mould, poison: null, stopAt: Number.POSITIVE_INFINITY },
    {
      take(envelope) {
        const id = idBytes(body, envelope);
        texts.push(body.toString("utf8", envelope.event, envelope.eventEnd));
        texts.push(id === null ? "no id" : body.toString("utf8", id.start, id.end));
      },
      violate: (rule) => rules.push(rule),
    },
  );
  return { texts, code, taken, rules };
}

function learned(): Mould {
  const mould = new Mould();
  read(good(0), mould);
  return mould;
}

const good = (number: number): string =>
  `{"time":1700000000.${String(number).padStart(3, "0")},"host":"h","event":{"id":"evt_${number}","list":[{}]}}\n`;

describe("envelopes read by their likeness", () => {
  it("are found where reading each would find them", ({ expect }) => {
    const text = Array.from({ length: 40 }, (_, number) => good(number)).join("");
    expect(read(text, learned())).toEqual(read(text, null));
    expect(read(text, learned()).taken).toBe(40);
  });

  it("have their ids found wherever they are, also where they were not before", ({ expect }) => {
    const text = [
      '{"a":{"id":"no"},"id":"evt_11","t":"x"}',
      '{"a":{"id":"no"},"b":"longer","id":"evt_12","t":"x"}',
      '{"a":{"id":"no"},"id":"evt_1","t":"other"}',
      '{"id":"evt_14","a":{"id":"evt_99"},"t":"x"}',
      '{"a":{"id":"no"},"t":"x"}',
    ]
      .map((event) => `{"time":1700000000.1,"host":"h","event":${event}}\n`)
      .join("");
    expect(read(text, learned())).toEqual(read(text, null));
  });

  it.for([
    ["another key", '{"time":1700000000.1,"hots":"h","event":{"id":"1"}}'],
    ["a time in milliseconds", '{"time":1700000000000,"host":"h","event":{"id":"1"}}'],
    ["no time", '{"host":"h","event":{"id":"1"}}'],
    ["an event that is empty", '{"time":1700000000.1,"host":"h","event":""}'],
    ["an end that is missing", '{"time":1700000000.1,"host":"h","event":{"id":"1"}'],
    ["a text for an event", '{"time":1700000000.1,"host":"h","event":"{}}"}'],
  ] as const)("are judged as ever with %s", ([, odd], { expect }) => {
    const text = `${good(0)}${odd}\n${good(2)}`;
    expect(read(text, learned())).toEqual(read(text, null));
  });

  it("are read in full one time in sixteen, the first of a body always", ({ expect }) => {
    const broken = good(7).replace('"evt_7"', "evt_7");
    expect(read(broken, learned()).code).toBe(6);
    expect(read(good(0).repeat(16) + broken, learned()).code).toBe(6);
    const nested = '{"time":1700000000.1,"host":"h","event":{"id":"1"},"fields":{"a":{}}}\n';
    expect(read(good(0) + nested.repeat(16), learned()).code).toBe(15);
  });
});
