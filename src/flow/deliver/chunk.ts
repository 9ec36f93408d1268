import { byteLength } from "../../base/bytes.ts";
import { type DurationMs, type EpochMs, minutes } from "../../base/clock.ts";
import { timeOfLine } from "../../model/event.ts";
import type { BatchPart } from "../../model/lane.ts";
import type { RequestLimits } from "../../model/provider.ts";

/**
 * Events of one part that lie next to each other in a chunk: batch id, part, how many.
 * In a receipt also when they were accepted, because a request can carry events of hours.
 */
export type Segment = readonly [batchId: string, part: number, count: number, acceptedAt?: EpochMs];

/** What waits together as one row of the outbox. */
export interface NewChunk {
  /** Of its oldest event: the clock of the delivery window. */
  readonly acceptedAt: EpochMs;
  /** The earliest of the events' own times: the clock of a provider that takes nothing old. */
  readonly firstEventAt: EpochMs;
  readonly events: number;
  /** UTF-8 bytes of the lines. */
  readonly bytes: number;
  readonly manifest: readonly Segment[];
  readonly lines: readonly string[];
}

/**
 * Rows are billed by the piece and not by size, so events wait together: as many as the usual request carries
 * (1,000 events, 1 MB with envelopes). A larger row would have to be cut, smaller ones cost more writes: a quarter of
 * this cost 10,800 rows written a million events instead of about 5,000 (100 a request, 2026-11). Envelopes add to the
 * bytes, hence not the whole megabyte.
 */
export const CHUNK_EVENTS = 1_000;
export const CHUNK_BYTES = 600_000;
const USUAL: RequestLimits = { events: CHUNK_EVENTS, bytes: CHUNK_BYTES };
/** Parts accepted further apart than this do not share a chunk, because a chunk expires as one. */
const CHUNK_SPAN: DurationMs = minutes(1);

/**
 * Cuts parts into chunks, in order. A single event larger than a chunk is one by itself.
 *
 * @param most less than usual where a request carries less
 */
export function cutChunks(parts: readonly BatchPart[], most: RequestLimits = USUAL): readonly NewChunk[] {
  const chunks: NewChunk[] = [];
  let lines: string[] = [];
  let manifest: [string, number, number][] = [];
  let bytes = 0;
  let oldest = 0;
  const close = (): void => {
    if (lines.length > 0) {
      const events = lines.length;
      chunks.push({ acceptedAt: oldest, firstEventAt: firstEventAt(lines), events, bytes, manifest, lines });
    }
    lines = [];
    manifest = [];
    bytes = 0;
  };
  for (const { batchId, part, acceptedAt, lines: incoming } of parts) {
    if (lines.length > 0 && Math.abs(acceptedAt - oldest) > CHUNK_SPAN) close();
    let segment: [string, number, number] | null = null;
    for (const line of incoming) {
      const lineBytes = byteLength(line) + 1;
      if (lines.length > 0 && (lines.length >= most.events || bytes + lineBytes > most.bytes)) {
        close();
        segment = null;
      }
      oldest = lines.length === 0 ? acceptedAt : Math.min(oldest, acceptedAt);
      if (segment === null) {
        segment = [batchId, part, 0];
        manifest.push(segment);
      }
      segment[2] += 1;
      lines.push(line);
      bytes += lineBytes;
    }
  }
  close();
  return chunks;
}

/** The part of a manifest that belongs to the kept events. `keep` has one entry an event. */
export function sliceManifest(manifest: readonly Segment[], keep: readonly boolean[]): readonly Segment[] {
  let at = 0;
  return manifest.flatMap(([batchId, part, count]): Segment[] => {
    const kept = keep.slice(at, at + count).filter(Boolean).length;
    at += count;
    return kept === 0 ? [] : [[batchId, part, kept]];
  });
}

/** The earliest of some lines' own times. */
export function firstEventAt(lines: readonly string[]): EpochMs {
  let first = Number.POSITIVE_INFINITY;
  for (const line of lines) first = Math.min(first, timeOfLine(line));
  return first;
}

/** Joins neighbours of the same part. */
export function mergeManifests(manifests: readonly (readonly Segment[])[]): readonly Segment[] {
  const merged: [string, number, number, EpochMs?][] = [];
  for (const [batchId, part, count, ...acceptedAt] of manifests.flat()) {
    const last = merged[merged.length - 1];
    if (last !== undefined && last[0] === batchId && last[1] === part) last[2] += count;
    else merged.push([batchId, part, count, ...acceptedAt]);
  }
  return merged;
}

/** Which segment an event of a chunk belongs to, by its position. */
export function segmentAt(manifest: readonly Segment[], position: number): Segment {
  let at = 0;
  for (const segment of manifest) {
    at += segment[2];
    if (position < at) return segment;
  }
  throw new Error("An event outside its manifest");
}
