import fc from "fast-check";
import { it } from "vitest";
import { newId, uuidV7 } from "../../src/base/ids.ts";

it("a UUIDv7 is that of the example in RFC 9562, A.6", ({ expect }) => {
  const tail = new Uint8Array(Buffer.from("0cc318c4dc0c0c07398f", "hex"));
  expect(uuidV7(0x017f22e279b0, tail)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
});

it("a UUIDv7 has its version, its variant and its time, whatever the bytes", ({ expect }) => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
  fc.assert(
    fc.property(time, fc.uint8Array({ minLength: 10, maxLength: 10 }), (at, tail) => {
      const id = uuidV7(at, tail);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(at);
    }),
  );
});

it("ids sort by the time they were made", ({ expect }) => {
  const times = [0, 1, 1_000, 1_700_000_000_000, 1_700_000_000_001];
  const ids = times.map((at) => newId("siem_", at));
  expect(ids.toSorted()).toEqual(ids);
  expect(ids.every((id) => /^siem_[0-9a-f]{32}$/.test(id))).toBe(true);
});
