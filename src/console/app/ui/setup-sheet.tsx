import type { SetupSheet } from "../types.ts";
import { CodeBlock } from "./parts.tsx";

/** Everything to paste into Splunk, in the order in which it is needed. */
export function SetupSheetView({ sheet }: { sheet: SetupSheet }) {
  const blocks: readonly (readonly [string, string | undefined])[] = [
    ["Webhook URL", sheet.url],
    ["Header", sheet.header],
    ["URL with the secret at its end, for Splunk's own webhook action", sheet.path_url],
    ["Signature", sheet.signature],
    ["Payload template", sheet.payload_template_text],
    ["Allow list of Splunk Cloud", sheet.allow_list?.pattern],
    ["alert_actions.conf of Splunk Enterprise", sheet.allow_list?.conf],
    ["Splunk's REST address", sheet.rest_url],
    ["Try it from a shell", sheet.curl],
  ];
  return (
    <section aria-label="Set-up sheet">
      <ol>
        {sheet.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      {blocks.map(([label, text]) =>
        text === undefined ? null : (
          <div key={label}>
            <h3>{label}</h3>
            <CodeBlock label={label} text={text} />
          </div>
        ),
      )}
    </section>
  );
}
