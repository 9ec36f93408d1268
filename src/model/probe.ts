import type { DurationMs } from "../base/clock.ts";
import type { Check } from "./provider.ts";

/** What a connection test found, for people. Holds no secret. */
export interface TestReport {
  readonly ok: boolean;
  readonly latencyMs: DurationMs | null;
  /** Of the answer that decided; null when none came. */
  readonly httpStatus: number | null;
  readonly providerCode: string | number | null;
  readonly message: string;
  /** One sentence of fix; null when nothing is wrong. */
  readonly hint: string | null;
  readonly acknowledgement: "on" | "off" | null;
  /** In the order in which they were made. */
  readonly checks: readonly Check[];
}
