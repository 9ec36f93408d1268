/** As wrangler bundles it: compiled ahead, because a Worker may not compile at run time. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
