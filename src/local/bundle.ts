import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { build, type Plugin } from "esbuild";
import { ONE_PASS_WASM, SHA256_WASM } from "./wasm-files.ts";

/** Leaves `*.wasm` to the runtime, beside the bundle: `WASM_MODULES`. */
export const beside: Plugin = {
  name: "beside",
  setup({ onResolve }) {
    onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: `./${basename(path)}`, external: true }));
  },
};

/** What a bundle of the relay imports and does not contain. */
export const WASM_MODULES = [SHA256_WASM, ONE_PASS_WASM].map((file) => ({
  type: "CompiledWasm" as const,
  path: basename(file),
  contents: readFileSync(file),
}));

/** Bundles one Worker entry into a single ES module, the way wrangler does. @returns its source text */
export async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    plugins: [beside],
    sourcemap: "inline",
    write: false,
    logLevel: "silent",
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error(`Bundling ${entry} gave no output`);
  return file.text;
}
