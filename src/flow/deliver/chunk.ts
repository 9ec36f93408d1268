import { byteLength } from "../../base/bytes.ts";
import { type DurationMs, type EpochMs, minutes } from "../../base/clock.ts";
import type { BatchPart } from "../../model/lane.ts";
import { concat, packLines, unpackLines } from "../../model/lines.ts";
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
  /** UTF-8 bytes of the lines before compression. */
  readonly bytes: number;
  readonly manifest: readonly Segment[];
  /** As in `model/lines.ts`. */
  readonly packed: Uint8Array<ArrayBuffer>;
}

/**
 * Rows are billed by the piece and not by size, so events wait together: as many as the usual request carries
 * (1,000 events, 1 MB with envelopes). A larger row would have to be cut, smaller ones cost more writes: a quarter of
 * this cost 10,800 rows written a million events instead of about 5,000 (100 a request, 2026-11). Envelopes add to the
 * bytes, hence not the whole megabyte.
 */
export const CHUNK_EVENTS = 1_000;
export const CHUNK_BYTES = 640_000;
const USUAL: RequestLimits = { events: CHUNK_EVENTS, bytes: CHUNK_BYTES };
/** Parts accepted further apart than this do not share a chunk, because a chunk expires as one. */
const CHUNK_SPAN: DurationMs = minutes(1);

/**
 * Puts parts together to chunks, in order, and as they are: only a part larger than a chunk is unpacked and cut. A single
 * event larger than a chunk is one by itself.
 *
 * @param most less than usual where a request carries less
 */
export function cutChunks(parts: readonly BatchPart[], most: RequestLimits = USUAL): readonly NewChunk[] {
  const chunks: NewChunk[] = [];
  let open: BatchPart[] = [];
  let events = 0;
  let bytes = 0;
  const close = (): void => {
    if (open.length > 0) chunks.push(chunkOf(open));
    open = [];
    events = 0;
    bytes = 0;
  };
  for (const piece of parts.flatMap((part) => pieces(part, most))) {
    const { count, bytes: more } = piece.lines;
    const oldest = open[0]?.acceptedAt ?? piece.acceptedAt;
    const isFull = events + count > most.events || bytes + more > most.bytes;
    if (isFull || Math.abs(piece.acceptedAt - oldest) > CHUNK_SPAN) close();
    open.push(piece);
    events += count;
    bytes += more;
  }
  close();
  return chunks;
}

function chunkOf(parts: readonly BatchPart[]): NewChunk {
  const lines = parts.map((part) => part.lines);
  return {
    acceptedAt: Math.min(...parts.map(({ acceptedAt }) => acceptedAt)),
    firstEventAt: Math.min(...lines.map(({ firstAt }) => firstAt)),
    events: lines.reduce((sum, { count }) => sum + count, 0),
    bytes: lines.reduce((sum, { bytes }) => sum + bytes, 0),
    manifest: parts.map(({ batchId, part, lines: { count } }) => [batchId, part, count]),
    packed: concat(lines.map(({ packed }) => packed)),
  };
}

/** A part in pieces of which each fits into a chunk. */
function pieces(part: BatchPart, most: RequestLimits): readonly BatchPart[] {
  if (part.lines.count <= most.events && part.lines.bytes <= most.bytes) return [part];
  const found: BatchPart[] = [];
  let lines: string[] = [];
  let bytes = 0;
  for (const line of unpackLines(part.lines.packed)) {
    const lineBytes = byteLength(line) + 1;
    if (lines.length > 0 && (lines.length >= most.events || bytes + lineBytes > most.bytes)) {
      found.push({ ...part, lines: packLines(lines) });
      lines = [];
      bytes = 0;
    }
    lines.push(line);
    bytes += lineBytes;
  }
  found.push({ ...part, lines: packLines(lines) });
  return found;
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
