import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const root = new URL("..", import.meta.url).pathname;

export default defineConfig(async () => ({
  root,
  test: {
    maxWorkers: 2, // most of a story's time is waiting, so two run side by side even on two cores
    projects: [
      {
        root,
        plugins: [
          cloudflareTest({
            wrangler: { configPath: `${root}wrangler.toml` },
            miniflare: {
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations(`${root}src/store/migrations`),
                ADMIN_TOKEN: "test-admin-token",
                ROOT_KEY: "dGVzdC1yb290LWtleS0wMTIzNDU2Nzg5YWJjZGVmISE=",
              },
            },
          }),
        ],
        test: {
          name: "workers",
          testTimeout: 30_000, // property tests share two cores with everything else
          include: ["test/**/*.test.ts"],
          exclude: ["test/node/**", "test/simulator/**", "test/bench/**", "test/browser/**"],
          setupFiles: ["test/setup.ts"],
        },
      },
      {
        root,
        test: {
          name: "node",
          testTimeout: 60_000,
          hookTimeout: 60_000,
          environment: "node",
          include: ["test/node/**/*.test.ts", "test/simulator/**/*.test.ts", "test/browser/**/*.test.ts"],
        },
      },
    ],
  },
}));
