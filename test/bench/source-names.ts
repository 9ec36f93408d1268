import { SourceMap } from "node:module";
import { relative } from "node:path";
import { ROOT } from "./processes.ts";

/** Of the modules that this repository gives to the runtime; its own are called like `node-internal:crypto_hash`. */
const BUNDLE_ENDING = ".mjs";

export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0, as the inspector counts. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** What a function is called: its name, and where it was written; of the runtime's own, the module. */
export function frameNamer(bundled: string): (frame: CallFrame) => string {
  const map = inlineMap(bundled);
  return ({ functionName, url, lineNumber, columnNumber }) => {
    const name = functionName || "(anonymous)";
    if (lineNumber < 0 || url === "") return name;
    if (!url.endsWith(BUNDLE_ENDING)) return `${name} (${url})`;
    const entry = map?.findEntry(lineNumber, columnNumber);
    if (entry === undefined || !("originalSource" in entry))
      return lineNumber === 0 ? name : `${name}:${lineNumber + 1}`;
    return `${name} (${shortPath(entry.originalSource)}:${entry.originalLine + 1})`;
  };
}

function inlineMap(bundled: string): SourceMap | null {
  const [, encoded] =
    /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/.exec(bundled) ?? [];
  return encoded === undefined
    ? null
    : new SourceMap(JSON.parse(Buffer.from(encoded, "base64").toString("utf8")));
}

/** Below the repository, or from the package's name on. */
function shortPath(source: string): string {
  const [, inPackage] = /node_modules\/(?!.*node_modules\/)(.+)$/.exec(source) ?? [];
  if (inPackage !== undefined) return inPackage;
  const absolute = source.startsWith("/") ? source : `${ROOT}${source.replace(/^(?:\.\.?\/)+/, "")}`;
  return relative(ROOT, absolute);
}
