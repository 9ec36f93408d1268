/**
 * How Cloudflare's API answers: one envelope for success and failure, errors as a code and a sentence.
 *
 * @see https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/ (read 2026-11)
 */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A refusal thrown by a handler and turned into an answer by the server. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function ok(result: unknown): Answer {
  return { status: 200, body: { success: true, errors: [], messages: [], result } };
}

/** One page of a list; the stand-in never has more than one, and an empty second page ends every reader. */
export function page(all: readonly unknown[], query: URLSearchParams): Answer {
  const number = Number(query.get("page") ?? "1");
  const result = number === 1 ? all : [];
  return {
    status: 200,
    body: {
      success: true,
      errors: [],
      messages: [],
      result,
      result_info: {
        page: number,
        per_page: 100,
        count: result.length,
        total_count: all.length,
        total_pages: 1,
      },
    },
  };
}

export function refused(refusal: Refusal): Answer {
  return {
    status: refusal.status,
    body: {
      success: false,
      errors: [{ code: refusal.code, message: refusal.message }],
      messages: [],
      result: null,
    },
  };
}
