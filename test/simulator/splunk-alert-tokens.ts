/**
 * Fills an alert's template. A token that nothing stands for stays as it is written, `$` signs and all.
 *
 * @see https://docs.splunk.com/Documentation/Splunk/latest/Alert/EmailNotificationTokens (read 2026-11)
 */
import type { FieldValue } from "./control.ts";

export interface TokenValues {
  readonly name: string | null;
  readonly app: string;
  readonly owner: string;
  readonly sid: string;
  readonly resultsLink: string;
  readonly resultCount: number;
  readonly triggerTime: string;
  readonly row: Readonly<Record<string, FieldValue>>;
}

const TOKEN = /\$([A-Za-z_][\w.:{}@-]*)\$/g;

/** @param isEscaped false writes values as they are: a quote or a newline in one then breaks the JSON around it */
export function expand(template: string, values: TokenValues, isEscaped: boolean): string {
  return template.replace(TOKEN, (token, name: string) => {
    const value = wordFor(name, values);
    if (value === null) return token;
    return isEscaped ? JSON.stringify(value).slice(1, -1) : value;
  });
}

function wordFor(token: string, values: TokenValues): string | null {
  if (token.startsWith("result.")) {
    const value = values.row[token.slice("result.".length)];
    return value === undefined ? null : [value].flat().join("\n");
  }
  switch (token) {
    case "name":
      return values.name;
    case "app":
      return values.app;
    case "owner":
      return values.owner;
    case "results_link":
      return values.resultsLink;
    case "trigger_time":
      return values.triggerTime;
    case "job.sid":
      return values.sid;
    case "job.resultCount":
      return String(values.resultCount);
    default:
      return null;
  }
}
