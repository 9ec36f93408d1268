/**
 * The layout as rules. Each rule is a function from sources to complaints; it is run on the program, and once on
 * sources that break it, so that a rule which can no longer complain is noticed.
 */
import { describe, it } from "vitest";

/** A template with some code inside, as it stands in a file. */
const inTemplate = (code: string): string => ["`$", "{", code, "}`"].join("");

/** Path from the repository's root, like `src/base/clock.ts`, → text. */
type Sources = Readonly<Record<string, string>>;

const found = import.meta.glob<string>("../src/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});
/** Everything written by hand: `env.d.ts` is generated. */
const SOURCES: Sources = Object.fromEntries(
  Object.entries(found)
    .map(([path, text]) => [path.replace("../", ""), text] as const)
    .filter(([path]) => path !== "src/env.d.ts"),
);

/** What sources import that is no source. */
const OTHER_FILES = Object.keys(import.meta.glob("../src/**/*.{css,wasm}")).map((path) =>
  path.replace("../", ""),
);

/**
 * Folders of programs beside the Worker: `npm start` and `npm test`, `npm run deploy`, `npm run cost`,
 * `npm run client:pack`, and the page in the browser.
 */
const OTHER_PROGRAMS = ["local", "deploy", "cost", "pack", "console"];
/** What such a program may reach outside itself. */
const PROGRAM_REACH: Readonly<Record<string, readonly string[]>> = {
  local: ["test/simulator/"],
  // A table whose only import is a type, so that form and routing cannot disagree.
  console: ["src/model/catalog.ts"],
};

/** Who may look into a secret: who compares it, who signs or seals with it, who reads it from the environment. */
const REVEALERS = [
  "src/access/operator.ts",
  "src/flow/accept/signature.ts",
  "src/flow/accept/splunk-proof.ts",
  "src/vault/relay-keys.ts",
  "src/vault/root-key.ts",
  "src/vault/seal-v1.ts",
  "src/vault/vault.ts",
  "src/wire-vault.ts",
];
/** Who may name the platform's `fetch`: the door to the outside, who hands it the key, and who runs elsewhere. */
const FETCHERS = ["src/client/options.ts", "src/egress/", "src/wire.ts"];
/** Who packs or unpacks bytes: what waits in the relay, what goes out, what comes in. */
const PACKERS = ["src/base/zstd.ts", "src/egress/send.ts", "src/flow/accept/body.ts"];
/** Who hashes by itself: everybody else takes `sha256Hex`, or `sha256HexMany` for many texts. */
const HASHERS = [
  "src/base/bytes.ts",
  "src/flow/accept/idempotency.ts",
  "src/model/envelope-bytes.ts",
  "src/model/incident-event.ts",
];
/** Lint rules that are switched off for a line, each by a person with a reason beside it. Formatting a table may always be. */
const LINT_IGNORES: Readonly<Record<string, readonly string[]>> = {
  "src/providers/shared/words.ts": ["lint/suspicious/noControlCharactersInRegex"],
};

/** `src/flow/queue/consume.ts` → `flow/queue`: each stage is a folder. A root file has none. */
function folderOf(path: string): string {
  const [, ...names] = path.split("/");
  return names
    .slice(0, names[0] === "flow" ? 2 : 1)
    .slice(0, names.length - 1)
    .join("/");
}

function isWorkerCode(path: string): boolean {
  return !OTHER_PROGRAMS.includes(folderOf(path));
}

const COMMENT_OR_TEXT =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g;

function withoutComments(source: string): string {
  return source.replace(COMMENT_OR_TEXT, (token) => (token.startsWith("/") ? "" : token));
}

/** Without comments and without what strings say; the code inside a template stays. */
function codeOf(source: string): string {
  return source.replace(COMMENT_OR_TEXT, (token) => {
    if (token.startsWith("/")) return "";
    const insides = token.startsWith("`") ? token.matchAll(/\$\{([^}]*)\}/g) : [];
    return `""${[...insides].map(([, inside]) => ` + (${inside})`).join("")}`;
  });
}

/** Files of ours that a file imports, for their types too. */
function importsOf(path: string, source: string): string[] {
  const named = withoutComments(source).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g);
  return [...named].map(([, name]) => new URL(String(name), `file:///${path}`).pathname.slice(1));
}

function edgesOf(sources: Sources): (readonly [from: string, to: string])[] {
  return Object.entries(sources).flatMap(([path, source]) =>
    importsOf(path, source).map((to) => [path, to] as const),
  );
}

/** A folder imports itself, `model` and `base`; `model` only `base`; `base` nothing of ours. Root files join folders. */
function strayImports(sources: Sources): string[] {
  return edgesOf(sources)
    .filter(([from, to]) => {
      const [own, other] = [folderOf(from), folderOf(to)];
      if (own === "" || !isWorkerCode(from) || (to.startsWith("src/") && other === own)) return false;
      const allowed = own === "base" ? [] : own === "model" ? ["base"] : ["model", "base"];
      return !to.startsWith("src/") || !allowed.includes(other);
    })
    .map(([from, to]) => `${from} imports ${to}`);
}

/** The Worker and the programs beside it know nothing of each other, nor do those of one another. */
function mixedPrograms(sources: Sources): string[] {
  return edgesOf(sources)
    .filter(([from, to]) => {
      if (isWorkerCode(from)) return !to.startsWith("src/") || !isWorkerCode(to);
      const own = folderOf(from);
      const reach = [`src/${own}/`, ...(PROGRAM_REACH[own] ?? [])];
      return !reach.some((start) => to.startsWith(start));
    })
    .map(([from, to]) => `${from} imports ${to}`);
}

function brokenImports(sources: Sources): string[] {
  return edgesOf(sources)
    .filter(([, to]) => to.startsWith("src/") && !OTHER_FILES.includes(to) && !Object.hasOwn(sources, to))
    .map(([from, to]) => `${from} imports ${to}`);
}

/** Loops file by file, type imports included: each as `a → b → a`. */
function loops(sources: Sources): string[] {
  const next = new Map(Object.entries(sources).map(([path, source]) => [path, importsOf(path, source)]));
  const done = new Set<string>();
  const complaints: string[] = [];
  const walk = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) complaints.push([...way.slice(start), path].join(" → "));
    if (start >= 0 || done.has(path)) return;
    for (const to of next.get(path) ?? []) walk(to, [...way, path]);
    done.add(path);
  };
  for (const path of next.keys()) walk(path, []);
  return complaints;
}

/** Files of which `isIt` says that they break a rule. */
function filesThat(sources: Sources, isIt: (source: string, path: string) => boolean): string[] {
  return Object.entries(sources)
    .filter(([path, source]) => isIt(source, path))
    .map(([path]) => path);
}

/** `any` as a type. `Promise.any()` and a property of that name are something else. */
const namesAny = (source: string): boolean => /(?<![.\w])any\b(?!\s*[(:])/.test(codeOf(source));

const silencesCompiler = (source: string): boolean => /@ts-(?:ignore|expect-error|nocheck)/.test(source);

/** A note for later says what and why: `TODO: read both versions until every lane has been woken once`. */
const hasBareTodo = (source: string): boolean =>
  /\b(?:TODO|FIXME|XXX|HACK)\b(?!: \S+(?: \S+){3})/.test(source);

function lintIgnores(source: string): string[] {
  return [...source.matchAll(/biome-ignore(?:-\w+)? (\S+?):? /g)].map(([, rule]) => String(rule));
}

const silencesLint = (source: string, path: string): boolean => {
  const allowed = ["format", ...(LINT_IGNORES[path] ?? [])];
  const rules = lintIgnores(source);
  const count = source.split("biome-ignore").length - 1;
  return count !== rules.length || rules.some((rule) => !allowed.includes(rule));
};

/** The time is a parameter: only the clock itself asks the machine. */
const readsClock = (source: string): boolean =>
  /\bDate\s*\.\s*now\b|\bnew Date\b(?:\(\s*\)|(?!\s*\())|\bperformance\s*\.\s*now\b/.test(codeOf(source));

const reveals = (source: string): boolean => /\.\s*reveal\b/.test(codeOf(source));

/** The platform's `fetch`, called or handed on. A handler called `fetch` and a property of that name are not it. */
function namesFetch(source: string): boolean {
  const code = codeOf(source).replace(
    /^\s*(?:(?:override|async|readonly) )*fetch\s*\([^;=]*?\)[^;=()]*\{/gm,
    "",
  );
  return /(?<![.\w])fetch\b(?!\s*\??:)|\b(?:globalThis|self)\s*\.\s*fetch\b/.test(code);
}

const packs = (source: string): boolean =>
  /from "node:zlib"/.test(withoutComments(source)) || /\b(?:Dec|C)ompressionStream\b/.test(codeOf(source));

const hashes = (source: string): boolean => /\bcreateHash\b|\bsubtle\s*\.\s*digest\b/.test(codeOf(source));

const importsBinary = (source: string): boolean => /from "[^"]+\.wasm"/.test(withoutComments(source));

/** Ways in which text could become markup or code in a browser. */
const makesMarkup = (source: string): boolean =>
  /dangerouslySetInnerHTML|\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\s*\.\s*write|\bsrcdoc\b|\beval\s*\(|\bnew Function\b|javascript:/.test(
    source,
  );

const importsHono = (source: string): boolean => /from "(?:hono|@hono)\b/.test(withoutComments(source));

const worker: Sources = Object.fromEntries(Object.entries(SOURCES).filter(([path]) => isWorkerCode(path)));
const isAmong = (path: string, starts: readonly string[]): boolean =>
  starts.some((start) => path.startsWith(start));

describe("the program", () => {
  it("is all there", ({ expect }) => {
    expect(Object.keys(SOURCES).length).toBeGreaterThan(60);
    expect(edgesOf(SOURCES).length).toBeGreaterThan(200);
    expect(brokenImports(SOURCES)).toEqual([]);
  });

  it("is made of folders that know themselves, the model and the base, and no root file", ({ expect }) => {
    expect(strayImports(SOURCES)).toEqual([]);
  });

  it("keeps the Worker and the programs beside it apart", ({ expect }) => {
    expect(mixedPrograms(SOURCES)).toEqual([]);
  });

  it("has no import loops", ({ expect }) => {
    expect(loops(SOURCES)).toEqual([]);
  });

  it("knows the HTTP framework in its endpoints only", ({ expect }) => {
    expect(filesThat(SOURCES, importsHono).filter((path) => folderOf(path) !== "api")).toEqual([]);
  });
});

describe("the console", () => {
  it("never makes markup of text, and never code", ({ expect }) => {
    const page = Object.fromEntries(Object.entries(SOURCES).filter(([path]) => folderOf(path) === "console"));
    expect(Object.keys(page).length).toBeGreaterThan(10);
    expect(filesThat(page, makesMarkup)).toEqual([]);
  });
});

describe("no file", () => {
  it("uses `any`", ({ expect }) => {
    expect(filesThat(SOURCES, namesAny)).toEqual([]);
  });

  it("tells the compiler to look away", ({ expect }) => {
    expect(filesThat(SOURCES, silencesCompiler)).toEqual([]);
  });

  it("tells the linter to look away, but for what is listed above", ({ expect }) => {
    expect(filesThat(SOURCES, silencesLint)).toEqual([]);
  });

  it("leaves something to do without saying what and why", ({ expect }) => {
    expect(filesThat(SOURCES, hasBareTodo)).toEqual([]);
  });
});

describe("of the Worker's files, only", () => {
  it("the clock reads the machine's time", ({ expect }) => {
    expect(filesThat(worker, readsClock)).toEqual(["src/base/clock.ts"]);
  });

  it("the listed ones look into a secret", ({ expect }) => {
    expect(filesThat(worker, reveals).sort()).toEqual(REVEALERS);
  });

  it("the door to the outside names `fetch`, and the wiring that hands it over", ({ expect }) => {
    expect(filesThat(worker, namesFetch).filter((path) => !isAmong(path, FETCHERS))).toEqual([]);
    expect(filesThat(worker, namesFetch).length).toBeGreaterThan(0);
  });

  it("the listed ones compress, and hash by themselves", ({ expect }) => {
    expect(filesThat(worker, packs).sort()).toEqual(PACKERS);
    expect(filesThat(worker, hashes).sort()).toEqual(HASHERS);
  });

  it("those that hash many texts and that take a body in one pass have a binary", ({ expect }) => {
    expect(filesThat(worker, importsBinary).sort()).toEqual([
      "src/base/sha256-many.ts",
      "src/flow/accept/one-pass.ts",
    ]);
  });
});

describe("the rules themselves", () => {
  const importing = (...names: readonly string[]): string =>
    names.map((name) => `import { x } from "${name}";`).join("\n");

  const stray: readonly (readonly [from: string, name: string, isStray: boolean])[] = [
    ["src/base/clock.ts", "./result.ts", false],
    ["src/base/clock.ts", "../model/event.ts", true],
    ["src/model/event.ts", "../base/clock.ts", false],
    ["src/model/event.ts", "./destination.ts", false],
    ["src/model/event.ts", "../providers/splunk.ts", true],
    ["src/providers/shared/status.ts", "../splunk.ts", false],
    ["src/providers/splunk.ts", "../model/provider.ts", false],
    ["src/providers/splunk.ts", "../api/app.ts", true],
    ["src/providers/splunk.ts", "../config.ts", true],
    ["src/providers/splunk.ts", "../../test/support/lines.ts", true],
    ["src/flow/queue/consume.ts", "./message.ts", false],
    ["src/flow/queue/consume.ts", "../../model/lane.ts", false],
    ["src/flow/queue/consume.ts", "../route/plan.ts", true],
    ["src/flow/queue/consume.ts", "../../pipeline.ts", true],
    ["src/wire.ts", "./providers/splunk.ts", false],
  ];

  it.for(stray)("about folders: %s importing %s is wrong: %s", ([from, name, isStray], { expect }) => {
    expect(strayImports({ [from]: importing(name) })).toHaveLength(isStray ? 1 : 0);
  });

  const mixed: readonly (readonly [from: string, name: string, isMixed: boolean])[] = [
    ["src/local/start.ts", "./relay.ts", false],
    ["src/local/worker/queue.ts", "../orphans.ts", false],
    ["src/local/start.ts", "../../test/simulator/server.ts", false],
    ["src/local/start.ts", "../../test/support/lines.ts", true],
    ["src/local/start.ts", "../wire.ts", true],
    ["src/deploy/main.ts", "../local/relay.ts", true],
    ["src/deploy/main.ts", "../../test/simulator/server.ts", true],
    ["src/wire.ts", "./local/relay.ts", true],
    ["src/wire.ts", "./deploy/main.ts", true],
    ["src/wire.ts", "../test/support/lines.ts", true],
    ["src/api/app.ts", "../local/relay.ts", true],
    ["src/console/app/main.tsx", "./api.ts", false],
    ["src/console/app/main.tsx", "../../api/app.ts", true],
    ["src/wire.ts", "./console/app/main.tsx", true],
  ];

  it.for(mixed)("about programs: %s importing %s is wrong: %s", ([from, name, isMixed], { expect }) => {
    expect(mixedPrograms({ [from]: importing(name) })).toHaveLength(isMixed ? 1 : 0);
  });

  const forms = [
    'import { x } from "./b.ts";',
    'import type { X } from "./b.ts";',
    'import {\n  x,\n  type Y,\n} from "./b.ts";',
    'import "./b.ts";',
    'export { x } from "./b.ts";',
    'export * from "./b.ts";',
    'const b = await import("./b.ts");',
    'let b: import("./b.ts").B;',
  ];

  it.for(forms)("see the import in %j", (source, { expect }) => {
    expect(importsOf("src/base/a.ts", source)).toEqual(["src/base/b.ts"]);
  });

  it("see no import in a comment or of somebody else's package", ({ expect }) => {
    const source = '// import { x } from "./b.ts";\n/* from "./b.ts" */\nimport { z } from "zod";';
    expect(importsOf("src/base/a.ts", source)).toEqual([]);
  });

  it("find imports that lead nowhere", ({ expect }) => {
    expect(brokenImports({ "src/base/a.ts": importing("./gone.ts") })).toHaveLength(1);
    expect(brokenImports({ "src/base/a.ts": importing("./gone.wasm") })).toHaveLength(1);
  });

  it("find loops of any length, once each, and none where ways only meet", ({ expect }) => {
    const a = "src/base/a.ts";
    const b = "src/base/b.ts";
    const c = "src/base/c.ts";
    expect(loops({ [a]: importing("./b.ts", "./c.ts"), [b]: importing("./c.ts"), [c]: "" })).toEqual([]);
    expect(loops({ [a]: importing("./a.ts") })).toEqual([`${a} → ${a}`]);
    expect(loops({ [a]: importing("./b.ts"), [b]: importing("./c.ts"), [c]: importing("./a.ts") })).toEqual([
      `${a} → ${b} → ${c} → ${a}`,
    ]);
    const types = { [a]: 'import type { B } from "./b.ts";', [b]: importing("./a.ts") };
    expect(loops(types)).toHaveLength(1);
  });

  type Check = (source: string, path: string) => boolean;
  const checks: readonly (readonly [
    rule: string,
    check: Check,
    bad: readonly string[],
    good: readonly string[],
  ])[] = [
    [
      "any",
      namesAny,
      [
        "let x: any;",
        "x as any",
        "Map<string, any>",
        "any[]",
        "type X = any | null;",
        inTemplate("x as any"),
      ],
      ["// any of them", "/** any */", '"any"', "Promise.any(list)", "many", "{ any: 1 }", "`any`", "x.any"],
    ],
    [
      "the compiler",
      silencesCompiler,
      ["// @ts-ignore", "// @ts-expect-error: why", "// @ts-nocheck"],
      ["// ts"],
    ],
    [
      "the linter",
      silencesLint,
      [
        "// biome-ignore lint/suspicious/noExplicitAny: no time",
        "// biome-ignore-all lint: generated",
        "// biome-ignore lint/style/useConst",
        "// biome-ignore",
      ],
      ["// biome-ignore format: a table is read by rows", "// biome"],
    ],
    [
      "TODO",
      hasBareTodo,
      ["// TODO", "// TODO: later", "// FIXME this", "// HACK"],
      ["// TODO: read both versions until every lane has been woken once", "TODOS"],
    ],
    [
      "the clock",
      readsClock,
      [
        "Date.now()",
        "const now = Date.now;",
        "new Date()",
        "new Date",
        "performance.now()",
        inTemplate("Date.now()"),
      ],
      ["// Date.now()", "new Date(at)", "deps.now()", '"Date.now()"', "Date.parse(text)", "new DateRange()"],
    ],
    [
      "secrets",
      reveals,
      ["secret.reveal()", "secret?.reveal()", "secret\n  .reveal()"],
      ["reveal(): T {", "// x.reveal()"],
    ],
    [
      "fetch",
      namesFetch,
      [
        "await fetch(url)",
        "globalThis.fetch(url)",
        "createSend({ fetch })",
        "send = fetch;",
        "call(fetch, url)",
      ],
      [
        "export default {\n  fetch() {\n    return x;\n  },\n};",
        "  async fetch(request, env): Promise<Response> {",
        "deps.fetch(url)",
        "readonly fetch: Fetch;",
        "app.fetch(request)",
        "// fetch(url)",
        "prefetch(x)",
      ],
    ],
    [
      "compressing",
      packs,
      ['import { gzipSync } from "node:zlib";', 'body.pipeThrough(new CompressionStream("gzip"))'],
      ['// from "node:zlib"', 'import { compress } from "../base/zstd.ts";'],
    ],
    [
      "hashing",
      hashes,
      ['createHash("sha256")', 'await crypto.subtle.digest("SHA-256", bytes)'],
      ["createHmac(name, key)", "// createHash", "sha256Hex(text)", "message.digest()"],
    ],
    [
      "binaries",
      importsBinary,
      ['import program from "./sha256.wasm";'],
      ['// from "./sha256.wasm"', 'import { x } from "./wasm.ts";'],
    ],
    [
      "markup",
      makesMarkup,
      [
        "<div dangerouslySetInnerHTML={{ __html: text }} />",
        "node.innerHTML = text;",
        "node.insertAdjacentHTML('x', text)",
        "document.write(text)",
        "eval(text)",
        "new Function(text)",
        '<a href="javascript:x">',
      ],
      ["<p>{text}</p>", "node.textContent = text;", "document.title = text;"],
    ],
    [
      "the HTTP framework",
      importsHono,
      [
        'import { Hono } from "hono";',
        'import { cors } from "hono/cors";',
        'import { z } from "@hono/zod-openapi";',
      ],
      ['import { z } from "zod";', '// from "hono"'],
    ],
  ];

  it.for(checks)("about %s know good from bad", ([, check, bad, good], { expect }) => {
    expect(bad.filter((source) => !check(source, "src/base/a.ts"))).toEqual([]);
    expect(good.filter((source) => check(source, "src/base/a.ts"))).toEqual([]);
  });
});
