import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

/*
 * Builds the client library as an npm package of its own: one ES module with everything in it, the declarations, the
 * README and the licences. Nothing of Node's is in the module, so that it runs in browsers and Workers as well.
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** What is bundled into the module, and asks to be named. */
const BUNDLED = ["@noble/post-quantum", "@noble/hashes", "@noble/curves"];

/** Makes the folder anew. `npm pack` in it gives what is published. */
export async function buildClient(out: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await Promise.all([writeModule(out), writeDeclarations(out), writeManifest(out), writeTexts(out)]);
}

async function writeModule(out: string): Promise<void> {
  await build({
    entryPoints: [join(root, "src/client/index.ts")],
    outfile: join(out, "index.js"),
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2023",
    legalComments: "eof",
    logLevel: "warning",
  });
}

/** Declarations of what the entry reaches; the others say nothing to a user. */
async function writeDeclarations(out: string): Promise<void> {
  const all = join(out, ".types");
  const config = join(out, ".tsconfig.json");
  await writeFile(config, JSON.stringify(declarationConfig(all)));
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", config]);
  for (const path of await reachable(join(all, "client/index.d.ts"))) {
    const target = join(out, "types", path.slice(all.length));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, (await readFile(path, "utf8")).replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"'));
  }
  await rm(all, { recursive: true });
  await rm(config);
}

/** Only what a browser has: a platform's own types would be missed by whoever installs the package. */
function declarationConfig(outDir: string) {
  return {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      lib: ["es2024", "dom"],
      types: [],
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: join(root, "src"),
      outDir,
    },
    include: [],
    files: [join(root, "src/client/index.ts")],
  };
}

async function reachable(entry: string): Promise<ReadonlySet<string>> {
  const found = new Set([entry]);
  for (const path of found) {
    const text = await readFile(path, "utf8");
    for (const [, name = ""] of text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)\.[jt]s"/g))
      found.add(`${resolve(dirname(path), name)}.d.ts`);
  }
  return found;
}

async function writeManifest(out: string): Promise<void> {
  const { version, license }: { version: string; license: string } = JSON.parse(
    await readFile(join(root, "package.json"), "utf8"),
  );
  const manifest = {
    name: "sluice-client",
    version,
    description:
      "Sends audit events to a Sluice relay, calls providers through it, and verifies its webhooks.",
    license,
    type: "module",
    engines: { node: ">=20" },
    sideEffects: false,
    exports: { ".": { types: "./types/client/index.d.ts", default: "./index.js" } },
    types: "./types/client/index.d.ts",
    files: ["index.js", "types", "THIRD-PARTY-LICENSES"],
  };
  await writeFile(join(out, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function writeTexts(out: string): Promise<void> {
  const readme = await readFile(join(root, "src/client/README.md"), "utf8");
  // Links into this repository lead nowhere from the package.
  await writeFile(join(out, "README.md"), readme.replaceAll(/\[([^\]]+)\]\(\.\.\/[^)]+\)/g, "$1"));
  await cp(join(root, "LICENSE"), join(out, "LICENSE"));
  const licenses = BUNDLED.map(async (name) => {
    const folder = join(root, "node_modules", name);
    const file = (await readdir(folder)).find((one) => one.startsWith("LICENSE"));
    return `${name}\n\n${await readFile(join(folder, file ?? "LICENSE"), "utf8")}`;
  });
  await writeFile(join(out, "THIRD-PARTY-LICENSES"), (await Promise.all(licenses)).join("\n---\n\n"));
}
