import { fileURLToPath } from "node:url";
import { buildClient } from "./build.ts";

/** `npm run client:build` */
await buildClient(fileURLToPath(new URL("../../dist/client", import.meta.url)));
