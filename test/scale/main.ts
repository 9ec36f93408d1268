/**
 * `npm run simulate`: what a destination carries, by its lanes and the deployment's queues. The tables of docs/scale.md
 * are this output; a test compares the quick ones.
 */
import { TABLES } from "./tables.ts";

for (const { title, rows } of TABLES) console.log(`\n${title}\n\n${rows()}`);
