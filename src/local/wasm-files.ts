import { fileURLToPath } from "node:url";

/** The binaries of the relay. They are committed; `npm run wasm:build` makes them again. */
export const SHA256_WASM = fileURLToPath(new URL("../base/sha256.wasm", import.meta.url));
export const ONE_PASS_WASM = fileURLToPath(new URL("../flow/accept/one-pass.wasm", import.meta.url));
