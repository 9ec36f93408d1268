import { parseJson } from "../../base/json.ts";
import type { HttpAnswer } from "../../model/http.ts";

export type HttpResponse = Extract<HttpAnswer, { kind: "response" }>;
export type HttpFailure = Extract<HttpAnswer, { kind: "failure" }>;
export type JsonObject = Readonly<Record<string, unknown>>;

/** The body as a JSON object; null for anything else, and for a body that broke off. */
export function jsonObject(answer: HttpResponse): JsonObject | null {
  if (answer.bodyIncomplete) return null;
  const parsed = parseJson(answer.body);
  if (!parsed.ok || typeof parsed.value !== "object" || parsed.value === null) return null;
  return Array.isArray(parsed.value) ? null : (parsed.value as JsonObject); // an object that is no array
}

/** A page for people: what a login form, a proxy or a default site answers, and an API does not. */
export function isHtml(answer: HttpResponse): boolean {
  return (
    /text\/html/i.test(answer.headers["content-type"] ?? "") || /^\s*<(?:!doctype|html)/i.test(answer.body)
  );
}
