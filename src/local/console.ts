/** Builds the console: `src/console/app` → static files in `src/console/dist`, which wrangler.toml names as assets. */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const CONSOLE = fileURLToPath(new URL("../console", import.meta.url));
/** What a browser loads first, compressed; more is not a console for a phone. */
const MAX_FIRST_LOAD_BYTES = 150_000;

const CONSOLE_DIST = join(CONSOLE, "dist");

/** @throws when the first load is larger than promised */
export async function buildConsole(): Promise<{ readonly gzipBytes: number }> {
  const result = await build({
    entryPoints: [join(CONSOLE, "app/main.tsx")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    outdir: CONSOLE_DIST,
    entryNames: "[name]-[hash]",
    write: false,
    logLevel: "silent",
  });
  const files = result.outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));
  const page = Buffer.from(documentFor(files.map(({ name }) => name)));
  const all = [...files, { name: "index.html", contents: page }];
  publish(all);
  const gzipBytes = all.reduce((sum, { contents }) => sum + gzipSync(contents).byteLength, 0);
  if (gzipBytes > MAX_FIRST_LOAD_BYTES) {
    throw new Error(
      `The console's first load is ${gzipBytes} bytes; at most ${MAX_FIRST_LOAD_BYTES} are promised`,
    );
  }
  return { gzipBytes };
}

/** Never without a file in between: another relay may be serving them, from this same folder. */
function publish(files: readonly { readonly name: string; readonly contents: Uint8Array }[]): void {
  mkdirSync(CONSOLE_DIST, { recursive: true });
  for (const { name, contents } of files) {
    const half = join(CONSOLE_DIST, `.${name}.${process.pid}`);
    writeFileSync(half, contents);
    renameSync(half, join(CONSOLE_DIST, name));
  }
  const present = new Set(files.map(({ name }) => name));
  for (const name of readdirSync(CONSOLE_DIST)) {
    if (!present.has(name) && !name.startsWith(".")) rmSync(join(CONSOLE_DIST, name), { force: true });
  }
}

/** What the assets binding answers on this machine. */
export async function consoleFile(request: { readonly url: string }): Promise<Response> {
  const name = basename(new URL(request.url).pathname);
  const found = await readFile(join(CONSOLE_DIST, name)).catch(() => null);
  return found === null ? new Response(null, { status: 404 }) : new Response(new Uint8Array(found));
}

/** The only document. Nothing inline: the content security policy allows no such thing. */
function documentFor(names: readonly string[]): string {
  const script = names.find((name) => name.endsWith(".js"));
  const style = names.find((name) => name.endsWith(".css"));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sluice</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/console/assets/${style}">
<script type="module" src="/console/assets/${script}"></script>
</head>
<body><div id="app"></div><noscript>The console needs JavaScript; the API does not: see /docs.</noscript></body>
</html>
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { gzipBytes } = await buildConsole();
  console.log(`Console built: ${(gzipBytes / 1_000).toFixed(1)} kB compressed`);
}
