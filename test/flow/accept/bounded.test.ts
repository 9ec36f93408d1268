import fc from "fast-check";
import { describe, it } from "vitest";
import {
  excessOf,
  MAX_BODY_CONTAINERS,
  MAX_BODY_DEPTH,
  parseBounded,
} from "../../../src/flow/accept/bounded.ts";
import { MAX_REQUEST_BYTES } from "../../../src/model/event.ts";

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const many = (containers: number) => `[${Array.from({ length: containers - 1 }, () => "{}").join(",")}]`;

describe("a body out of proportion", () => {
  it("is refused before it is parsed, when its shape would take all memory", ({ expect }) => {
    const half = MAX_REQUEST_BYTES / 2;
    const bombs = [
      nested(half),
      "[".repeat(2 * half),
      '{"":'.repeat(half / 2),
      many(half / 2),
      "[[],".repeat(half / 2),
    ];
    for (const bomb of bombs) {
      const parsed = parseBounded(bomb);
      expect(parsed.ok || parsed.error.message).toMatch(/^(Nested more than|More than)/);
    }
  });

  it("has more levels or more containers than the limit", ({ expect }) => {
    expect(excessOf(nested(MAX_BODY_DEPTH))).toBeNull();
    expect(excessOf(nested(MAX_BODY_DEPTH + 1))).toContain("levels");
    expect(excessOf(many(MAX_BODY_CONTAINERS))).toBeNull();
    expect(excessOf(many(MAX_BODY_CONTAINERS + 1))).toContain("objects and arrays");
  });

  it("is not one with brackets inside strings", ({ expect }) => {
    const text = JSON.stringify([
      `"\\${nested(MAX_BODY_DEPTH * 2)}`,
      "\\",
      '"',
      many(MAX_BODY_CONTAINERS + 1),
    ]);
    expect(excessOf(text)).toBeNull();
    expect(parseBounded(text).ok).toBe(true);
  });
});

it("any text at all is looked through to its end", ({ expect }) => {
  const unit = fc.constantFrom("\\", '"', "[", "]", "{", "}", ",", "x");
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      expect(excessOf(text)).toBeNull();
    }),
  );
  expect(excessOf('"'.repeat(500_001))).toBeNull();
  expect(excessOf(`"${"\\".repeat(500_001)}`)).toBeNull();
});
