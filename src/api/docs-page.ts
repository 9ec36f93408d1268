import { z } from "zod";
import { ERRORS } from "../base/errors.ts";

/** The page's only style sheet; the content security policy names its digest. */
export const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --soft: color-mix(in srgb, currentColor 6%, transparent); }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 5rem; }
h1 { margin: 0 0 .5rem; } h2 { margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
nav ul { list-style: none; padding: 0; columns: 18rem; } nav a { text-decoration: none; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .6rem .8rem; overflow-wrap: anywhere; }
details > div { padding: 0 .8rem .8rem; border-top: 1px solid var(--line); }
code, pre { font: 13px/1.5 ui-monospace, monospace; background: var(--soft); border-radius: .3rem; }
code { padding: .1rem .25rem; } pre { padding: .7rem; overflow: auto; max-height: 30rem; }
.method { display: inline-block; min-width: 4.2rem; font: 600 13px/1 ui-monospace, monospace; text-transform: uppercase; }
.summary { opacity: .75; margin-left: .5rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .5rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
`;

const Media = z.looseObject({ schema: z.unknown().optional(), example: z.unknown().optional() });
const Operation = z.looseObject({
  operationId: z.string(),
  tags: z.array(z.string()).default([]),
  summary: z.string().default(""),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))).default([]),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.string(),
        required: z.boolean().default(false),
        description: z.string().optional(),
        schema: z.looseObject({ description: z.string().optional() }).optional(),
      }),
    )
    .default([]),
  requestBody: z
    .looseObject({ description: z.string().optional(), content: z.record(z.string(), Media) })
    .optional(),
  responses: z.record(
    z.string(),
    z.looseObject({ description: z.string(), content: z.record(z.string(), Media).optional() }),
  ),
});
type Operation = z.infer<typeof Operation>;

const OpenApi = z.looseObject({
  info: z.looseObject({ title: z.string(), version: z.string(), description: z.string() }),
  tags: z.array(z.looseObject({ name: z.string(), description: z.string().default("") })),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()).default({}) }),
});

interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The OpenAPI document as one page that works without scripts and without another host. */
export function docsPage(document: unknown): string {
  const { info, tags, paths, components } = OpenApi.parse(document);
  const all: Described[] = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const sections = tags.map(({ name, description }) => {
    const own = all.filter(({ operation }) => operation.tags.includes(name));
    return `<section id="${html(name)}"><h2>${html(name)}</h2><p>${prose(description)}</p>${own.map(viewOperation).join("")}</section>`;
  });
  const contents = tags.map(({ name }) => `<li><a href="#${html(name)}">${html(name)}</a></li>`).join("");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(info.title)} API</title><style>${STYLE}</style></head><body>
<header><h1>${html(info.title)} API</h1>${paragraphs(info.description)}<p><a href="/openapi.json">openapi.json</a></p></header>
<nav aria-label="Contents"><ul>${contents}<li><a href="#errors">Errors</a></li><li><a href="#schemas">Schemas</a></li></ul></nav>
<main>${sections.join("")}${errorTable()}${schemaList(components.schemas)}</main>
</body></html>`;
}

function viewOperation({ method, path, operation }: Described): string {
  const roles = [...new Set(operation.security.flatMap((each) => Object.values(each).flat()))];
  const isOperators = operation.security.some((each) => Object.hasOwn(each, "operator"));
  const needs = isOperators
    ? "the operator token"
    : roles.length === 0
      ? "nothing"
      : `a key with ${roles.map((role) => `<code>${html(role)}</code>`).join(", ")}`;
  return `<details id="${html(operation.operationId)}"><summary><span class="method">${html(method)}</span> <code>${html(path)}</code><span class="summary">${html(operation.summary)}</span></summary><div>
${paragraphs(operation.description ?? "")}<p>Needs ${needs}.</p>${parameterTable(operation)}${requestPart(operation)}${answerTable(operation)}</div></details>`;
}

function parameterTable({ parameters }: Operation): string {
  if (parameters.length === 0) return "";
  const rows = parameters.map(({ name, in: place, required, description, schema }) => {
    const text = description ?? schema?.description ?? "";
    return `<tr><td><code>${html(name)}</code></td><td>${html(place)}${required ? ", required" : ""}</td><td>${prose(text)}</td></tr>`;
  });
  return `<h3>Parameters</h3><table>${rows.join("")}</table>`;
}

function requestPart({ requestBody }: Operation): string {
  if (requestBody === undefined) return "";
  const parts = Object.entries(requestBody.content).map(
    ([type, media]) => `<p><code>${html(type)}</code></p>${mediaPart(media)}`,
  );
  return `<h3>Body</h3>${paragraphs(requestBody.description ?? "")}${parts.join("")}`;
}

function answerTable({ responses }: Operation): string {
  const rows = Object.entries(responses).map(([status, { description, content }]) => {
    const isGood = status.startsWith("2");
    const media = isGood
      ? Object.values(content ?? {})
          .map(mediaPart)
          .join("")
      : "";
    return `<tr><td><code>${html(status)}</code></td><td>${prose(description)}${media}</td></tr>`;
  });
  return `<h3>Answers</h3><table>${rows.join("")}</table>`;
}

function mediaPart({ schema, example }: z.infer<typeof Media>): string {
  const shown = typeof example === "string" ? example : JSON.stringify(example, null, 2);
  const sample = example === undefined ? "" : `<pre>${html(shown)}</pre>`;
  return `${sample}<details><summary>Schema</summary><div><pre>${html(JSON.stringify(schema ?? {}, null, 2))}</pre></div></details>`;
}

/** Each code has an anchor: the `type` of a problem document points here. */
function errorTable(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, title, again }]) =>
      `<tr id="${html(code)}"><td><code>${html(code)}</code></td><td>${status}</td><td>${html(title)}</td><td>${again ? "later, yes" : "no"}</td></tr>`,
  );
  return `<section id="errors"><h2>Errors</h2><table><tr><th>Code</th><th>Status</th><th>Meaning</th><th>Send the same again?</th></tr>${rows.join("")}</table></section>`;
}

function schemaList(schemas: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(schemas).map(
    ([name, schema]) =>
      `<details id="schema-${html(name)}"><summary><code>${html(name)}</code></summary><div><pre>${html(JSON.stringify(schema, null, 2))}</pre></div></details>`,
  );
  return `<section id="schemas"><h2>Schemas</h2>${parts.join("")}</section>`;
}

function paragraphs(text: string): string {
  return text === ""
    ? ""
    : text
        .split("\n\n")
        .map((each) => `<p>${prose(each)}</p>`)
        .join("");
}

/** Text with `code` in it. */
function prose(text: string): string {
  return html(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

function html(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
