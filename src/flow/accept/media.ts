import { err, ok, type Result } from "../../base/result.ts";
import type { Refusal } from "../../model/ingest.ts";

/** How a body is to be read. */
export interface Media {
  readonly format: "json" | "ndjson";
  readonly gzip: boolean;
}

const NDJSON_TYPES = new Set(["application/x-ndjson", "application/ndjson", "application/jsonl"]);
const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.-]+\+json)$/;

/**
 * Reads `Content-Type` and `Content-Encoding`. No content type means JSON; anything but UTF-8 and gzip is
 * refused here, before a byte of the body is read.
 */
export function mediaOf(headers: Headers): Result<Media, Refusal> {
  const [type = "", ...parameters] = (headers.get("content-type") ?? "").split(";").map(tidy);
  const ndjson = NDJSON_TYPES.has(type);
  if (type !== "" && !ndjson && !JSON_TYPE.test(type)) {
    return refuse("Expected Content-Type application/json or application/x-ndjson; nothing was stored");
  }
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  if (charset !== undefined && !/^"?utf-?8"?$/.test(charset)) {
    return refuse("Expected UTF-8, the only character set of JSON; nothing was stored");
  }
  const encoding = tidy(headers.get("content-encoding") ?? "");
  if (!/^(?:|identity|gzip|x-gzip)$/.test(encoding)) {
    return refuse("Expected Content-Encoding gzip or none; nothing was stored");
  }
  return ok({ format: ndjson ? "ndjson" : "json", gzip: encoding.endsWith("gzip") });
}

function tidy(text: string): string {
  return text.trim().toLowerCase();
}

function refuse(detail: string): Result<never, Refusal> {
  return err({ code: "unsupported_media_type", detail });
}
