/** Which token does a HEC request carry, and may it be used? */
import type { IncomingHttpHeaders } from "node:http";
import type { SplunkConfig, SplunkToken } from "./control.ts";
import { header } from "./receiver.ts";

export type HecAuth =
  | { readonly ok: true; readonly token: SplunkToken }
  | { readonly ok: false; readonly code: 1 | 2 | 3 | 4 | 16 };

/**
 * Schemes: `Splunk <token>`, Basic with the token as password, `?token=` where switched on.
 * A header wins over the query.
 * @see https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data/format-events-for-http-event-collector (read 2026-11)
 */
export function authenticate(
  config: SplunkConfig,
  headers: IncomingHttpHeaders,
  query: URLSearchParams,
): HecAuth {
  const authorization = header(headers, "authorization");
  const inQuery = query.get("token");
  if (authorization === null && inQuery === null) return { ok: false, code: 2 };
  if (authorization === null && !config.query_string_auth) return { ok: false, code: 16 };
  const given = authorization === null ? inQuery : tokenIn(authorization, config.bearer === true);
  if (given === null) return { ok: false, code: 3 };
  const token = config.tokens.find((known) => known.token === given);
  if (token === undefined) return { ok: false, code: 4 };
  return token.disabled ? { ok: false, code: 1 } : { ok: true, token };
}

function tokenIn(authorization: string, takesBearer: boolean): string | null {
  const [scheme = "", value = "", ...rest] = authorization.trim().split(/\s+/);
  if (value === "" || rest.length > 0) return null;
  switch (scheme.toLowerCase()) {
    case "splunk":
      return value;
    case "bearer":
      return takesBearer ? value : null;
    case "basic": {
      const pair = Buffer.from(value, "base64").toString("utf8");
      return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : null;
    }
    default:
      return null;
  }
}
