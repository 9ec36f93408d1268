import type { ProviderWords } from "../../model/delivery.ts";
import type { HttpAnswer } from "../../model/http.ts";

/** As `ProviderWords` promises; longer texts are cut. */
export const MAX_MESSAGE_CHARACTERS = 500;

/** What a provider said, with the secrets that it may have repeated taken out, on one line, cut to length. */
export function providerText(text: string, secrets: readonly string[]): string {
  let safe = text;
  for (const secret of secrets) if (secret !== "") safe = safe.replaceAll(secret, "[redacted]");
  return oneLine(safe);
}

/** Words about an answer. `message` has been through `providerText`, or is a sentence of ours. */
export function wordsOf(
  answer: HttpAnswer,
  message: string,
  code: string | number | null = null,
): ProviderWords {
  const httpStatus = answer.kind === "response" ? answer.status : null;
  const unsaid = httpStatus === null ? "No answer" : `HTTP ${httpStatus}`;
  return { httpStatus, code, message: oneLine(message) || unsaid };
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const plain = text.slice(0, 4 * MAX_MESSAGE_CHARACTERS).replace(/[\u0000-\u001f\u007f\s]+/g, " ");
  return plain.trim().slice(0, MAX_MESSAGE_CHARACTERS).toWellFormed();
}
