import { isRecord } from "./receipt.ts";

/** What is inside an envelope: the provider's answer to one call. */
export interface ProxyResult {
  /** The provider took it. */
  readonly ok: boolean;
  readonly operation: string;
  readonly integration_id: string;
  /** Null where no answer came. */
  readonly http_status: number | null;
  readonly provider_code: string | number | null;
  /** What the answer means, in a sentence. */
  readonly message: string;
  /** `delivered`, or why not: `credentials_rejected`, `throttled`, `timeout`, … */
  readonly outcome: string;
  /** The call may have taken effect although no answer came. */
  readonly maybe_taken: boolean;
  readonly latency_ms: number;
  /** The provider's own words, at most 64 KiB, or null. */
  readonly body: string | null;
}

/** Fields that a newer relay adds are kept. @returns null for anything else */
export function readProxyResult(value: unknown): ProxyResult | null {
  return isProxyResult(value) ? value : null;
}

type Kind = "boolean" | "string" | "number" | "null";

const KINDS: Readonly<Record<keyof ProxyResult, readonly Kind[]>> = {
  ok: ["boolean"],
  operation: ["string"],
  integration_id: ["string"],
  http_status: ["number", "null"],
  provider_code: ["string", "number", "null"],
  message: ["string"],
  outcome: ["string"],
  maybe_taken: ["boolean"],
  latency_ms: ["number"],
  body: ["string", "null"],
};

function isProxyResult(value: unknown): value is ProxyResult {
  if (!isRecord(value)) return false;
  return Object.entries(KINDS).every(([name, kinds]) => {
    const field = value[name];
    return kinds.some((kind) => (kind === "null" ? field === null : typeof field === kind));
  });
}
