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
        const isAddress = name === "endpoint" || name === "api_url";
        if (isAddress && typeof inner === "string" && isElsewhere(withScheme(inner), sinkUrl)) return true;
        if (inner !== null && inner !== undefined) waiting.push(inner);
      }
    }
  }
  return false;
}

function isElsewhere(text: string, sinkUrl: string): boolean {
  const url = URL.parse(text.trim());
  return url !== null && /^https?:$/.test(url.protocol) && url.origin !== new URL(sinkUrl).origin;
}

/** An address may be written without its scheme. */
function withScheme(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text.trim()) ? text : `https://${text.trim()}`;
}
