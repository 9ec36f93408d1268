import type { DurationMs } from "../base/clock.ts";

/** A request as plain data: adapters make it, only `egress/` performs it. */
export interface HttpRequestSpec {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent for GET. Compressed by the door on the way out where `gzip` says so. */
  readonly body?: string;
  /** Compress the body with gzip and say so in `Content-Encoding`. */
  readonly gzip?: boolean;
  /** Of the answer's body this much is read instead of 64 KiB; the door has a limit of its own. */
  readonly maxAnswerBytes?: number;
  /** Waited for an answer this long instead of 30 s; the door has a limit of its own. */
  readonly patience?: DurationMs;
}

/** Why no usable answer came. */
export type SendFailureReason = "blocked" | "unreachable" | "tls" | "timeout" | "reset";

/**
 * What came back from one request.
 *
 * A failure says whether the other side may have taken the request: nothing was sent, or nobody knows.
 */
export type HttpAnswer =
  | {
      readonly kind: "response";
      readonly status: number;
      /** Names in lower case. Several `Set-Cookie` are joined by line breaks; a missing `Date` is filled in. */
      readonly headers: Readonly<Record<string, string>>;
      /** At most 64 KiB, or what the request allows; decoded leniently. */
      readonly body: string;
      /** The body broke off or exceeded the cap: the status line is certain, the rest is not. */
      readonly bodyIncomplete: boolean;
      readonly latency: DurationMs;
    }
  | {
      readonly kind: "failure";
      readonly reason: SendFailureReason;
      /** For people; holds no secret and no URL with one. */
      readonly message: string;
      /** True when the request may have reached the other side, so that sending again may repeat it. */
      readonly maybeTaken: boolean;
      readonly latency: DurationMs;
    };

/** The only way an adapter's request reaches the outside. Never throws. */
export type Send = (request: HttpRequestSpec) => Promise<HttpAnswer>;
