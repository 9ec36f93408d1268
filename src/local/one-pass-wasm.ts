/**
 * Writes `src/flow/accept/one-pass.wasm` from `src/assembly`, which is AssemblyScript.
 *
 *   npm run wasm:build
 *
 * The binary is committed, so that nothing has to be built to run or deploy the relay; a test holds that it is what the
 * compiler makes of the source.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { ONE_PASS_WASM } from "./wasm-files.ts";

const ASSEMBLY = fileURLToPath(new URL("../assembly", import.meta.url));

/** No collector and no checks of its own: the program allocates nothing, and bounds are its own business. */
const OPTIONS = ["--runtime", "stub", "--noAssert", "--enable", "simd", "--importMemory", "--use", "abort="];
/** Its own texts lie behind what `sha256.wasm` uses of the memory, and before what `layout.ts` gives out. */
const PLACE = ["--memoryBase", "2048"];

/** The binary, the same each time. */
export async function onePassWasm(): Promise<Uint8Array> {
  const files = new Map<string, Uint8Array | string>();
  const built = await asc.main(
    ["one-pass.ts", "--baseDir", ASSEMBLY, "--outFile", "one-pass.wasm", "-O3", ...OPTIONS, ...PLACE],
    { writeFile: (name, contents) => void files.set(name, contents) },
  );
  const binary = files.get("one-pass.wasm");
  if (built.error !== null || !(binary instanceof Uint8Array)) throw new Error(built.stderr.toString());
  return binary;
}

if (import.meta.main) writeFileSync(ONE_PASS_WASM, await onePassWasm());
