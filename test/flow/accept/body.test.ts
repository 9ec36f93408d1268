import { gzipSync } from "node:zlib";
import { describe, it } from "vitest";
import { utf8 } from "../../../src/base/bytes.ts";
import { decodeBody, readRaw } from "../../../src/flow/accept/body.ts";
import { MAX_REQUEST_BYTES } from "../../../src/model/event.ts";

/** A stream of chunks that remembers whether it was cancelled and how much was asked for. */
function streamOf(chunks: Iterable<Uint8Array>) {
  const seen = { pulled: 0, isCancelled: false };
  const source = chunks[Symbol.iterator]();
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const next = source.next();
        if (next.done === true) return controller.close();
        seen.pulled += next.value.byteLength;
        controller.enqueue(next.value);
      },
      cancel() {
        seen.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

function* endless(size: number): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(size);
}

const code = (result: { ok: boolean; error?: { code: string } }) => (result.ok ? "ok" : result.error?.code);
const none = new Headers();

describe("the bytes on the wire", () => {
  it("are the same however they were cut", async ({ expect }) => {
    const whole = utf8("a body of several chunks");
    for (const size of [1, 3, 7, 100]) {
      const cut = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
        whole.slice(index * size, (index + 1) * size),
      );
      expect(await readRaw(streamOf(cut).stream, none)).toEqual({ ok: true, value: whole });
    }
  });

  it("are not read at all when Content-Length exceeds the cap", async ({ expect }) => {
    const { stream, seen } = streamOf(endless(1_000));
    const headers = new Headers({ "content-length": String(MAX_REQUEST_BYTES + 1) });
    expect(code(await readRaw(stream, headers))).toBe("payload_too_large");
    expect(seen).toEqual({ pulled: 0, isCancelled: true });
  });

  it("are read no further than the cap when no length is given, or a false one", async ({ expect }) => {
    for (const headers of [none, new Headers({ "content-length": "10" })]) {
      const { stream, seen } = streamOf(endless(1_000_000));
      expect(code(await readRaw(stream, headers))).toBe("payload_too_large");
      expect(seen).toEqual({ pulled: MAX_REQUEST_BYTES + 1_000_000, isCancelled: true });
    }
  });

  it("are the same from a real request, with and without a declared length", async ({ expect }) => {
    const whole = new Uint8Array(300_000).map((_, index) => index % 251);
    for (const length of [null, 300_000, 299_999, 300_001, 0, Number.NaN]) {
      const headers = length === null ? none : new Headers({ "content-length": String(length) });
      expect(await readRaw(new Response(whole).body, headers)).toEqual({ ok: true, value: whole });
    }
    expect(await readRaw(new Response("").body, new Headers({ "content-length": "0" }))).toEqual({
      ok: true,
      value: new Uint8Array(0),
    });
    const large = new Response(new Uint8Array(MAX_REQUEST_BYTES + 1));
    expect(code(await readRaw(large.body, none))).toBe("payload_too_large");
  });

  it("may be exactly as many as the cap", async ({ expect }) => {
    const { stream } = streamOf([new Uint8Array(MAX_REQUEST_BYTES)]);
    expect((await readRaw(stream, none)).ok).toBe(true);
  });

  it("that break off are the sender's fault", async ({ expect }) => {
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("gone")),
    });
    expect(code(await readRaw(stream, none))).toBe("malformed_json");
  });

  it("may be none, which is no JSON", async ({ expect }) => {
    const raw = await readRaw(null, none);
    expect(raw.ok && code(decodeBody(raw.value, false))).toBe("malformed_json");
  });
});

describe("the text", () => {
  it("is that of the inflated body, beside the compressed bytes", ({ expect }) => {
    const sent = gzipSync('{"é":1}');
    expect(decodeBody(sent, true)).toEqual({
      ok: true,
      value: { raw: sent, bytes: Buffer.from('{"é":1}'), text: '{"é":1}' },
    });
  });

  it("is that of every gzip member in a row", ({ expect }) => {
    const sent = Buffer.concat([gzipSync("[1,"), gzipSync("2]")]);
    const body = decodeBody(sent, true);
    expect(body.ok && body.value.text).toBe("[1,2]");
  });

  it("has no byte order mark", ({ expect }) => {
    const body = decodeBody(new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), false);
    expect(body.ok && body.value.text).toBe("{}");
  });

  it("is refused when it is not UTF-8", ({ expect }) => {
    for (const bytes of [[0x22, 0xff, 0x22], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
      expect(code(decodeBody(new Uint8Array(bytes), false))).toBe("malformed_json");
    }
  });

  it("is refused when the gzip is corrupt, cut off, followed by garbage, empty or none", ({ expect }) => {
    const good = gzipSync(JSON.stringify({ text: "some text ".repeat(30) }));
    const corrupt = Buffer.from(good);
    corrupt[good.length >> 1] = (corrupt[good.length >> 1] ?? 0) ^ 0xff;
    const wrongSum = Buffer.from(good);
    wrongSum[good.length - 6] = (wrongSum[good.length - 6] ?? 0) ^ 1;
    const garbage = Buffer.concat([good, Buffer.from("garbage")]);
    for (const bad of [
      corrupt,
      wrongSum,
      good.subarray(0, -4),
      good.subarray(0, 5),
      garbage,
      utf8("{}"),
      utf8(""),
    ]) {
      expect(code(decodeBody(bad, true))).toBe("malformed_json");
    }
  });

  it("may be exactly as long as the cap, and not a byte longer", ({ expect }) => {
    const inflatedTo = (bytes: number) => code(decodeBody(gzipSync(new Uint8Array(bytes).fill(0x20)), true));
    expect(inflatedTo(MAX_REQUEST_BYTES)).toBe("ok");
    expect(inflatedTo(MAX_REQUEST_BYTES + 1)).toBe("payload_too_large");
  });

  it("is cut off while a bomb inflates", ({ expect }) => {
    // 4 GB, in members of 1 MB each: inflating all of it would take seconds and more memory than there is.
    const member = gzipSync(new Uint8Array(1_000_000));
    const bomb = Buffer.concat(Array.from({ length: 4_000 }, () => member));
    expect(bomb.byteLength).toBeLessThan(MAX_REQUEST_BYTES);
    expect(code(decodeBody(bomb, true))).toBe("payload_too_large");
  });
});
