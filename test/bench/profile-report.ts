import { decimal, percent, table } from "./markdown.ts";
import type { Profile } from "./profile.ts";

/** Rows of the committed document; the terminal shows all that the profile keeps. */
const DOCUMENTED = 30;

export function profileTable(profiles: readonly Profile[]): string {
  return profiles
    .map(({ isolate, samples, top }) => {
      const rows = top.map(({ name, share, whole }) => [name, percent(share), percent(whole)]);
      return `${isolate}: ${decimal(samples)} samples at work\n\n${table(["function", "self", "with callees"], rows)}`;
    })
    .join("\n");
}

export interface ProfileOccasion {
  readonly which: { readonly name: string; readonly title: string };
  readonly startedAt: Date;
  readonly commit: string;
  /** That were profiled. */
  readonly seconds: number;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly workerd: string;
  };
}

/** The same as a page of the documentation. */
export function profileDocument(
  profiles: readonly Profile[],
  { which, startedAt, commit, seconds, machine }: ProfileOccasion,
): string {
  const sections = profiles.map(({ isolate, samples, top }) => {
    const part = (title: string, by: "share" | "whole"): string => {
      const rows = top.toSorted((left, right) => right[by] - left[by]).slice(0, DOCUMENTED);
      const cells = rows.map(({ name, share, whole }) => [code(name), percent(share), percent(whole)]);
      return `### ${title}\n\n${table(["function", "self", "with callees"], cells)}`;
    };
    const work = `At work in ${decimal(samples)} samples.`;
    return `## ${title(isolate)}\n\n${work}\n\n${part("By its own time", "share")}\n${part("With everything it called", "whole")}`;
  });
  const where = `${machine.cores} cores of an ${machine.cpu}, Node ${machine.node.replace(/^v/, "")}, workerd ${machine.workerd}`;
  return [
    "# CPU profile",
    "",
    `Written by \`npm run bench -- --profile ${which.name} --seconds ${seconds} --write-docs\` on ${startedAt.toISOString().slice(0, 10)}`,
    `at commit \`${commit}\`: ${which.title}, under as much load as goes, on ${where}.`,
    "",
    "Shares are of the samples in which the isolate was at work. `(program)` is native code that no script called.",
    "",
    sections.join("\n").trimEnd(),
    "",
  ].join("\n");
}

function title(isolate: string): string {
  return isolate.includes("local-queue") ? "The local stand-in of the queue" : "The relay";
}

function code(name: string): string {
  return `\`${name.replaceAll("|", "\\|")}\``;
}
