/** A search text cut into stages, and a stage cut into words. Quotes, brackets and backticks are kept whole. */

export interface Token {
  /** `text` for what stood in double quotes; `macro` for what stood in backticks. */
  readonly kind: "word" | "text" | "macro" | "sign";
  readonly value: string;
}

/** The search cannot be read or run. The message is what Splunk would say. */
export class SearchFault extends Error {}

const WORDS = /"((?:[^"\\]|\\.)*)"|`([^`]*)`|(>=|<=|!=|==|[=<>(),])|([^\s"`=<>!(),]+)|(\S)/g;
const EXPRESSION = /"((?:[^"\\]|\\.)*)"|`([^`]*)`|(>=|<=|!=|==|[=<>(),+.-])|(\d+\.\d+|\w+|'[^']*')|(\S)/g;

/** Stages are told apart by pipes outside quotes. */
export function stagesOf(search: string): readonly string[] {
  const stages: string[] = [];
  let [from, quote] = [0, ""];
  for (let at = 0; at < search.length; at++) {
    const char = search[at] ?? "";
    if (quote !== "") {
      if (char === "\\") at++;
      else if (char === quote) quote = "";
    } else if (char === '"' || char === "`") quote = char;
    else if (char === "|") {
      stages.push(search.slice(from, at).trim());
      from = at + 1;
    }
  }
  if (quote !== "") throw new SearchFault("Error in 'SearchParser': Mismatched quotes and/or parenthesis.");
  return [...stages, search.slice(from).trim()];
}

/**
 * Words of a stage.
 *
 * @param isExpression also cuts at `+`, `-` and `.`, which in `eval` are operators and elsewhere part of a word
 */
export function tokensOf(stage: string, isExpression = false): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = isExpression ? EXPRESSION : WORDS;
  for (const match of stage.matchAll(pattern)) {
    const [, text, macro, sign, word, stray] = match;
    if (text !== undefined) tokens.push({ kind: "text", value: text.replaceAll(/\\(.)/g, "$1") });
    else if (macro !== undefined) tokens.push({ kind: "macro", value: macro });
    else if (sign !== undefined) tokens.push({ kind: "sign", value: sign });
    else if (word !== undefined) tokens.push({ kind: "word", value: isExpression ? unquoted(word) : word });
    else if (stray !== undefined && stray.trim() !== "")
      throw new SearchFault(`Error in 'SearchParser': Unexpected character '${stray}'.`);
  }
  return tokens;
}

/** In an expression single quotes stand around the name of a field. */
function unquoted(word: string): string {
  return word.startsWith("'") ? word.slice(1, -1) : word;
}
