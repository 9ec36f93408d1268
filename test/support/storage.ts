import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

let made = 0;

/** Runs a test over the real SQLite of a fresh Durable Object, schema applied. */
export function inStorage<T>(work: (storage: DurableObjectStorage) => T | Promise<T>): Promise<T> {
  made += 1;
  const stub = env.LANES.getByName(`storage-${made}-${crypto.randomUUID()}`);
  return runInDurableObject(stub, (_, state) => work(state.storage));
}
