import { build } from "esbuild";

/** Bundles one Worker entry into a single ES module, the way wrangler does. @returns its source text */
export async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    sourcemap: "inline",
    write: false,
    logLevel: "silent",
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error(`Bundling ${entry} gave no output`);
  return file.text;
}
