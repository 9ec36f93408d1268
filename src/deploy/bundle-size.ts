/** Bytes of the Worker as it is uploaded. */
export interface BundleSize {
  readonly rawBytes: number;
  readonly gzipBytes: number;
}

/**
 * What the bundle may weigh: what it weighed when this was last decided (1,787,240 and 378,984 bytes, 2026-11-21), and
 * about a twentieth more. A larger Worker starts later, so growth beyond that is a decision: look at what came in, and
 * either leave it out or raise the bound here.
 *
 * Cloudflare's own limit is far away: 3 MB compressed on the free plan, 10 MB on the paid one.
 *
 * @see https://developers.cloudflare.com/workers/platform/limits/#worker-size (read 2026-11)
 */
export const BUNDLE_BOUND: BundleSize = { rawBytes: 1_880_000, gzipBytes: 398_000 };

export interface Verdict {
  readonly passed: boolean;
  readonly says: string;
}

/** Is a bundle within the bound? Says by how much it is not. */
export function judgeBundle(size: BundleSize, bound: BundleSize = BUNDLE_BOUND): Verdict {
  const rawOver = Math.max(0, size.rawBytes - bound.rawBytes);
  const gzipOver = Math.max(0, size.gzipBytes - bound.gzipBytes);
  const says = `bundle ${bytes(size.rawBytes)} of ${bytes(bound.rawBytes)}, gzip ${bytes(size.gzipBytes)} of ${bytes(bound.gzipBytes)} bytes accepted`;
  if (rawOver === 0 && gzipOver === 0) return { passed: true, says };
  const over = `TOO LARGE by ${bytes(rawOver)} bytes, or ${bytes(gzipOver)} compressed; the bound is in src/deploy/bundle-size.ts`;
  return { passed: false, says: `${says}: ${over}` };
}

function bytes(amount: number): string {
  return amount.toLocaleString("en");
}
