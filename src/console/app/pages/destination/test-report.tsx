import type { TestReport } from "../../types.ts";
import { Notice } from "../../ui/parts.tsx";
import { milliseconds } from "../../words.ts";

/** A diagnosis: the stages in their order, and the fix of the one that failed. */
export function TestReportView({ report }: { report: TestReport }) {
  const { ok, message, hint, latency_ms: latency, http_status: status, provider_code: code } = report;
  const facts = [
    status === null ? null : `HTTP ${status}`,
    code === null ? null : `code ${code}`,
    latency === null ? null : milliseconds(latency),
  ].filter((each) => each !== null);
  return (
    <Notice kind={ok ? (hint === null ? "good" : "warn") : "bad"}>
      <strong>
        {ok ? "The connection works: the test event was taken." : "The connection does not work yet."}
      </strong>
      <ul class="checks">
        {report.checks.map(({ name, ok: isPassed, detail }) => (
          <li key={name} class={isPassed ? "" : "bad"}>
            <span class="visually-hidden">{isPassed ? "Passed: " : "Failed: "}</span>
            {titled(name)}
            <span class="sub">{detail}</span>
          </li>
        ))}
      </ul>
      {hint === null || report.checks.some(({ detail }) => detail === hint) ? null : <p>{hint}</p>}
      <p class="quiet" dir="auto">
        {message}
        {facts.length === 0 ? "" : ` (${facts.join(", ")})`}
      </p>
    </Notice>
  );
}

/** `tls` → TLS, `token` → Token. */
function titled(name: string): string {
  if (name.length <= 3) return name.toUpperCase();
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}
