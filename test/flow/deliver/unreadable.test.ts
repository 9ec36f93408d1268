import { describe, it } from "vitest";
import { cutChunks } from "../../../src/flow/deliver/chunk.ts";
import { Outbox, type TakenChunk } from "../../../src/flow/deliver/outbox.ts";
import { aPart } from "../../support/lines.ts";
import { inStorage } from "../../support/storage.ts";

const limits = {
  events: 1_000,
  bytes: 1_000_000,
  envelopeBytes: () => 0,
  exclude: new Set<number>(),
  maxAge: null,
};
const idsOf = (chunks: readonly TakenChunk[] | null): string[] =>
  (chunks ?? []).flatMap(({ events }) => events.map(({ id }) => id));

describe("a row that nobody can read", () => {
  it("stops no row behind it, is complained of once, and waits for a relay that can read it", async ({
    expect,
  }) => {
    await inStorage(({ sql }) => {
      const first = new Outbox(sql);
      for (const batch of ["a", "b", "c"])
        first.append(cutChunks([aPart(batch, 2, { acceptedAt: batch.charCodeAt(0) * 1_000_000 })]));
      const rowOf = (id: number): { id: number; lines: ArrayBuffer } =>
        sql
          .exec<{ id: number; lines: ArrayBuffer }>(
            "SELECT id, lines FROM outbox ORDER BY id LIMIT 1 OFFSET ?",
            id,
          )
          .one();
      const broken = rowOf(1);
      const bytes = new Uint8Array(broken.lines.slice(0));
      bytes[4] = 255; // a frame that is longer than the row
      sql.exec("UPDATE outbox SET lines = ? WHERE id = ?", bytes.buffer, broken.id);

      const complaints: unknown[] = [];
      const outbox = new Outbox(sql, (error) => complaints.push(error));
      expect(idsOf(outbox.take(limits))).toEqual(["a-0", "a-1", "c-0", "c-1"]);
      expect(idsOf(outbox.take(limits))).toEqual(["a-0", "a-1", "c-0", "c-1"]);
      expect(outbox.acceptedUntil(Number.MAX_SAFE_INTEGER, new Set(), 10)).toHaveLength(2);
      expect(complaints).toHaveLength(1);
      expect(outbox.events).toBe(6);

      sql.exec("UPDATE outbox SET lines = ? WHERE id = ?", broken.lines, broken.id);
      expect(idsOf(new Outbox(sql).take(limits))).toEqual(["a-0", "a-1", "b-0", "b-1", "c-0", "c-1"]);
    });
  });

  it("is taken when it is all there is to take, and then nothing is", async ({ expect }) => {
    await inStorage(({ sql }) => {
      new Outbox(sql).append(cutChunks([aPart("a", 2)]));
      sql.exec("UPDATE outbox SET lines = ?", new Uint8Array([9, 9]).buffer);
      expect(new Outbox(sql).take(limits)).toBeNull();
    });
  });
});
