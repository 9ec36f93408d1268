/** `npm test`: every check that a change must pass, one named step each; stops at the first that fails. */
import { spawnSync } from "node:child_process";

interface Step {
  readonly promise: string;
  readonly command: readonly [string, ...string[]];
}

const STEPS: readonly Step[] = [
  {
    promise: "The console builds, small enough for a phone",
    command: ["npm", "run", "--silent", "console:build"],
  },
  { promise: "The generated Env matches wrangler.toml", command: ["npm", "run", "--silent", "types:check"] },
  { promise: "Types hold: Worker, tests, Node programs", command: ["npm", "run", "--silent", "typecheck"] },
  { promise: "Lint and format", command: ["npm", "run", "--silent", "lint"] },
  {
    promise: "Every region's bundle builds within its bound",
    command: ["npm", "run", "--silent", "deploy:check"],
  },
  { promise: "Every test", command: ["npx", "vitest", "run", "--config", "test/vitest.config.ts"] },
];

for (const { promise, command } of STEPS) {
  const startedAt = Date.now();
  console.log(`\n── ${promise}`);
  const [program, ...args] = command;
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  if (status !== 0) {
    console.error(`\nFailed: ${promise}`);
    process.exit(status ?? 1);
  }
  console.log(`   ${((Date.now() - startedAt) / 1_000).toFixed(1)} s`);
}
