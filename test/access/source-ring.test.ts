import { beforeEach, describe, it } from "vitest";
import {
  createSourceRing,
  MAX_REMEMBERED,
  SOURCE_TTL,
  type SourceRing,
  UNKNOWN_SOURCE_TTL,
} from "../../src/access/source-ring.ts";
import { mintSourceSecret, secretMac } from "../../src/access/source-secret.ts";
import { err, ok } from "../../src/base/result.ts";
import type { Source } from "../../src/model/source.ts";
import { source } from "../support/fake-sources.ts";

let now: number;
let asked: string[];
let opens: boolean;
let rows: Map<string, readonly Source[]>;
let ring: SourceRing;

beforeEach(() => {
  now = 1_000_000;
  asked = [];
  opens = true;
  rows = new Map([
    ["m1", [source()]],
    ["m2", [source(), source({ id: "src_2", tenantId: "ten_b" })]],
  ]);
  ring = createSourceRing({
    now: () => now,
    async findById(id) {
      asked.push(id);
      return id === "src_1" ? source() : null;
    },
    async findByMacs(macs) {
      asked.push(macs.join());
      return macs.flatMap((mac) => (rows.get(mac) ?? []).map((each) => ({ mac, source: each })));
    },
    open: async () => (opens ? ok('{"secret":"s"}') : err("no")),
  });
});

describe("a source", () => {
  it("is asked for once in ten seconds, by its id and by its secret", async ({ expect }) => {
    for (let count = 0; count < 3; count += 1) {
      expect((await ring.byId("src_1"))?.secrets.reveal()).toEqual({ secret: "s" });
      expect((await ring.byMacs(["m1"])).map((held) => held.source.id)).toEqual(["src_1"]);
    }
    expect(asked).toEqual(["src_1", "m1"]);
    now += SOURCE_TTL;
    await ring.byId("src_1");
    await ring.byMacs(["m1"]);
    expect(asked).toEqual(["src_1", "m1", "src_1", "m1"]);
  });

  it("that is unknown is asked for again after a second", async ({ expect }) => {
    expect([await ring.byId("src_9"), await ring.byMacs(["m9"])]).toEqual([null, []]);
    await ring.byId("src_9");
    await ring.byMacs(["m9"]);
    expect(asked).toEqual(["src_9", "m9"]);
    now += UNKNOWN_SOURCE_TTL;
    await ring.byId("src_9");
    expect(asked).toEqual(["src_9", "m9", "src_9"]);
  });

  it("is found with all others that have the same secret", async ({ expect }) => {
    for (let count = 0; count < 2; count += 1) {
      expect((await ring.byMacs(["m9", "m2"])).map((held) => held.source.id)).toEqual(["src_1", "src_2"]);
    }
    expect(asked).toEqual(["m9,m2"]);
  });

  it("is forgotten when something was changed here", async ({ expect }) => {
    await ring.byId("src_1");
    await ring.byMacs(["m9"]);
    ring.forget();
    await ring.byId("src_1");
    await ring.byMacs(["m9"]);
    expect(asked).toEqual(["src_1", "m9", "src_1", "m9"]);
  });

  it("whose secrets do not open is nobody's fault outside, and never believed", async ({ expect }) => {
    opens = false;
    await expect(ring.byId("src_1")).rejects.toThrow("do not open");
    await expect(ring.byMacs(["m1"])).rejects.toThrow("do not open");
  });

  it("is not pushed out by guesses", async ({ expect }) => {
    await ring.byMacs(["m1"]);
    await ring.byMacs(Array.from({ length: MAX_REMEMBERED + 10 }, (_, index) => `guess${index}`));
    asked = [];
    await ring.byMacs(["m1"]);
    expect(asked).toEqual([]);
  });
});

describe("a source's secret", () => {
  it("has 256 random bits and needs no escaping", ({ expect }) => {
    expect(mintSourceSecret()).toMatch(/^slsec_[A-Za-z0-9_-]{43}$/);
    expect(mintSourceSecret()).not.toBe(mintSourceSecret());
  });

  it("is looked up by RFC 4231's HMAC", ({ expect }) => {
    // Test case 2 of https://www.rfc-editor.org/rfc/rfc4231
    const mac = secretMac(new TextEncoder().encode("Jefe"), "what do ya want for nothing?");
    expect(mac).toBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  });
});
