/** A simulated Splunk as a `fetch`, for tests in one process: also inside workerd, where no server can be started. */
import type { SearchPlay, SplunkSearch } from "./splunk-search-core.ts";

export interface SearchFetchDeps {
  /** Real time in epoch ms; Splunk's own differs by `clock_offset_ms`. Read once for each request. */
  readonly now: () => number;
  /** The fault in force, asked for each request. Default none. */
  readonly play?: () => SearchPlay | null;
  /** What stands before `/services` in the path of the source's URL. Default nothing. */
  readonly base?: string;
}

export function searchFetch(
  splunk: SplunkSearch,
  { now, play = () => null, base = "" }: SearchFetchDeps,
): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
  return async (input, init) => {
    const request = new Request(input instanceof URL ? input.href : input, init);
    const { pathname, searchParams } = new URL(request.url);
    const answer = splunk.handle(
      {
        method: request.method,
        path: pathname.startsWith(base) ? pathname.slice(base.length) : pathname,
        query: searchParams,
        authorization: request.headers.get("authorization"),
        contentType: request.headers.get("content-type"),
        // workerd warns of text() on a form.
        body: new TextDecoder().decode(await request.arrayBuffer()),
      },
      now(),
      play(),
    );
    const { status, headers } = answer;
    return new Response(status === 204 ? null : answer.body, { status, headers });
  };
}
