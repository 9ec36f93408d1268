/** Fields that the relay calls, with a scheme or without. */
const ADDRESSES: ReadonlySet<string> = new Set(["endpoint", "api_url", "hec_url", "rest_url"]);

/**
 * Destinations that requests make are really sent to. So a body that names an address which is not this test's own sink
 * is not sent at all: nothing that is made at random may reach another program, on this machine or elsewhere.
 */
export function leadsElsewhere(body: Buffer, sinkUrl: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return false; // what is not JSON is no destination
  }
  const waiting: unknown[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === "string") {
      if (isElsewhere(next, sinkUrl)) return true;
    } else if (typeof next === "object" && next !== null) {
      for (const [name, inner] of Object.entries(next)) {
        if (name === "site") return true; // stands for a host of a vendor
        if (ADDRESSES.has(name) && typeof inner === "string" && isElsewhere(withScheme(inner), sinkUrl))
          return true;
        if (inner !== null && inner !== undefined) waiting.push(inner);
      }
    }
  }
  return false;
}

/** The same with every address led to the sink, so that it may be sent. */
export function ledToSink(value: unknown, sinkUrl: string): unknown {
  if (typeof value === "string") {
    const url = isElsewhere(value, sinkUrl) ? URL.parse(value.trim()) : null;
    return url === null ? value : `${sinkUrl}/attacker${url.pathname}`;
  }
  if (Array.isArray(value)) return value.map((each: unknown) => ledToSink(each, sinkUrl));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      if (name === "site") return [];
      const text = ADDRESSES.has(name) && typeof inner === "string" ? withScheme(inner) : inner;
      return [[name, ledToSink(text, sinkUrl)]];
    }),
  );
}

function isElsewhere(text: string, sinkUrl: string): boolean {
  const url = URL.parse(text.trim());
  return url !== null && /^https?:$/.test(url.protocol) && url.origin !== new URL(sinkUrl).origin;
}

/** An address may be written without its scheme. */
function withScheme(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text.trim()) ? text : `https://${text.trim()}`;
}
