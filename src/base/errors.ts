/**
 * The closed table of public error codes. A code is stable once published; clients switch on it.
 * `again` says whether sending the very same request later can succeed.
 */
export const ERRORS = {
  malformed_json: { status: 400, title: "The body is not valid JSON", again: false },
  invalid_request: { status: 400, title: "The request is not acceptable", again: false },
  unauthenticated: { status: 401, title: "No valid credentials were given", again: false },
  bad_signature: { status: 401, title: "The signature does not match", again: false },
  stale_signature: { status: 401, title: "The signature is too old or too new", again: false },
  missing_scope: { status: 403, title: "The key lacks a scope", again: false },
  operation_not_allowed: { status: 403, title: "The operation is not allowed", again: false },
  not_found: { status: 404, title: "There is no such thing", again: false },
  method_not_allowed: { status: 405, title: "The method is not supported here", again: false },
  conflict: { status: 409, title: "The request conflicts with the present state", again: false },
  payload_too_large: { status: 413, title: "The body or a part of it is too large", again: false },
  unsupported_media_type: {
    status: 415,
    title: "The content type or encoding is not supported",
    again: false,
  },
  invalid_event: { status: 422, title: "An event is not acceptable", again: false },
  invalid_input: { status: 422, title: "A field is not acceptable", again: false },
  rate_limited: { status: 429, title: "Too many requests", again: true },
  internal_error: { status: 500, title: "The relay failed", again: true },
  buffer_unavailable: { status: 503, title: "Events cannot be buffered at the moment", again: true },
  unavailable: { status: 503, title: "The relay cannot answer at the moment", again: true },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** One fault in the input. `index` counts events from 0 in the order they were sent; `path` is dotted, "" for the whole. */
export interface Fault {
  readonly index?: number;
  readonly path: string;
  readonly message: string;
}

/** Something that the relay depends on cannot be reached now. Answered with `unavailable`, so that the caller tries again. */
export class Unavailable extends Error {}
