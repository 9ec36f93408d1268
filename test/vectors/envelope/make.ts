import { makeVectors } from "./vectors.ts";

/** `node test/vectors/envelope/make.ts > test/vectors/envelope/v1.json`, and then `npm run format`. */
console.log(JSON.stringify(await makeVectors(), null, 2));
