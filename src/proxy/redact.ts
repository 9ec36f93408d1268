import { toBase64, toBase64Url, utf8 } from "../base/bytes.ts";

/** Shorter texts are no secrets, and taking them out would maim an answer. */
const SHORTEST_SECRET_CHARACTERS = 4;

/**
 * A provider's answer without the secrets that were sent to it: whoever may call an integration must not learn
 * its credential from a server that repeats what it was sent. Takes them out as they are, as JSON writes them,
 * in base64, and percent-encoded.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const spellings = secrets.filter(({ length }) => length >= SHORTEST_SECRET_CHARACTERS).flatMap(spellingsOf);
  // The longest first, so that no rest of one stays behind when a shorter one within it was taken out.
  const inOrder = [...new Set(spellings)].toSorted((left, right) => right.length - left.length);
  return inOrder.reduce((safe, spelling) => safe.replaceAll(spelling, "[redacted]"), text);
}

function spellingsOf(secret: string): readonly string[] {
  const bytes = utf8(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    toBase64(bytes),
    toBase64Url(bytes),
    encodeURIComponent(secret.toWellFormed()),
  ];
}

/** The texts among opened secrets, however they are called. */
export function secretTexts(secrets: unknown): readonly string[] {
  if (typeof secrets !== "object" || secrets === null) return [];
  return Object.values(secrets).filter((value) => typeof value === "string");
}
