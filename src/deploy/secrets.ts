/**
 * The two secrets of a region, from the moment they are chosen until Cloudflare has them.
 *
 * They are written to a private file before anything is created and removed after the upload that carried them,
 * so that a run that stops between the two loses neither: Cloudflare never tells a secret back, and a second
 * root key would leave everything sealed under the first one sealed for ever.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";

export type Secrets = Readonly<Record<string, string>>;

/** Owner may read and write; nobody else may do anything. */
const PRIVATE = 0o600;
const ROOT_KEY_BYTES = 32;
/** Below this a token could be guessed; ours has 256 bits. */
const MIN_TOKEN_CHARACTERS = 24;

const GENERATORS: Readonly<Record<string, () => string>> = {
  ADMIN_TOKEN: () => `sluice_op_${randomBytes(32).toString("base64url")}`,
  ROOT_KEY: () => randomBytes(ROOT_KEY_BYTES).toString("base64"),
};

export function generate(name: string): string {
  const make = GENERATORS[name];
  if (make === undefined) {
    throw new Error(`wrangler.toml requires the secret ${name}, and there is no rule here for making one.`);
  }
  return make();
}

/** @returns what is wrong with a value that the operator brought along, or null */
export function fault(name: string, value: string): string | null {
  if (name === "ROOT_KEY") {
    const bytes = Buffer.from(value, "base64");
    return bytes.length === ROOT_KEY_BYTES && bytes.toString("base64") === value
      ? null
      : `The root key must be ${ROOT_KEY_BYTES} bytes in base64.`;
  }
  return value.length >= MIN_TOKEN_CHARACTERS && !/\s/.test(value)
    ? null
    : `${name} must have at least ${MIN_TOKEN_CHARACTERS} characters and no spaces.`;
}

export async function readKept(file: string): Promise<Secrets> {
  const text = await readFile(file, "utf8").catch(absent);
  return text === null ? {} : z.record(z.string(), z.string()).parse(JSON.parse(text));
}

export async function keep(file: string, secrets: Secrets): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: PRIVATE });
}

export async function forget(file: string): Promise<void> {
  await rm(file, { force: true });
}

export async function readRootKey(file: string): Promise<string> {
  const value = (await readFile(file, "utf8")).trim();
  const wrong = fault("ROOT_KEY", value);
  if (wrong !== null) {
    throw new Error(`${file} does not hold a root key. ${wrong}`);
  }
  return value;
}

/** Never overwrites: the file that is already there may be the only copy of another region's key. */
export async function saveRootKey(file: string, value: string): Promise<void> {
  const there = await readFile(file, "utf8").catch(absent);
  if (there === null) {
    await writeFile(file, `${value}\n`, { mode: PRIVATE, flag: "wx" });
  } else if (there.trim() !== value) {
    throw new Error(`${file} exists and holds something else. Nothing was changed; choose another file.`);
  }
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") {
    return null;
  }
  throw error;
}
