import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { bundle, WASM_MODULES } from "../../src/local/bundle.ts";
import { onePassWasm } from "../../src/local/one-pass-wasm.ts";
import { sha256Wasm } from "../../src/local/sha256-wasm.ts";
import { ONE_PASS_WASM, SHA256_WASM } from "../../src/local/wasm-files.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Names of the binaries that a Worker's text imports. */
function importedBy(text: string): readonly string[] {
  return [...text.matchAll(/(?:from|import) ?"([^"]+\.wasm)"/g)].map(([, path = ""]) => basename(path));
}

function sources(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => readFileSync(join(ROOT, folder, name), "utf8"));
}

describe("a program in WebAssembly", () => {
  it.for([
    ["for hashing", sha256Wasm, SHA256_WASM],
    ["for taking a body in one pass", onePassWasm, ONE_PASS_WASM],
  ] as const)("%s is byte for byte what its source makes", async ([, make, file], { expect }) => {
    const written = await make();
    expect(Buffer.from(written).equals(readFileSync(file))).toBe(true);
    expect(Buffer.from(await make()).equals(written)).toBe(true);
  });
});

describe("binaries that the Worker imports", () => {
  const provided = WASM_MODULES.map(({ path }) => path);

  it("are all handed to the runtime beside the bundle", async ({ expect }) => {
    const imported = importedBy(await bundle(join(ROOT, "src/index.ts")));
    expect(imported.length).toBeGreaterThan(0);
    expect([...imported].sort()).toEqual([...provided].sort());
  });

  it("are handed over by every program that runs a bundle which imports one", async ({ expect }) => {
    const programs = ["src", "test"].flatMap(sources).filter((text) => /\bbundle\(join\(/.test(text));
    expect(programs.length).toBeGreaterThan(3);
    for (const program of programs) {
      for (const [call, entry = ""] of program.matchAll(/\bbundle\(join\(\w+, "([^"]+)"\)\)/g)) {
        const isNeeded = importedBy(await bundle(join(ROOT, entry))).length > 0;
        if (isNeeded) expect(program, call).toContain("...WASM_MODULES");
      }
    }
  });

  it("are the only ones anywhere", ({ expect }) => {
    const imported = new Set(sources("src").flatMap(importedBy));
    expect([...imported].sort()).toEqual([...provided].sort());
    const found = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" });
    expect(found.filter((name) => name.endsWith(".wasm")).map((name) => basename(name))).toEqual(provided);
  });
});
