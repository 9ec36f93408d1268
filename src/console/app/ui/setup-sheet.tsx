import type { SetupSheet } from "../types.ts";
import { CodeBlock } from "./parts.tsx";

/** Everything to paste into Splunk, each piece at the step that needs it. */
export function SetupSheetView({ sheet }: { sheet: SetupSheet }) {
  return sheet.url === undefined ? <PollSteps /> : <AlertSteps sheet={sheet} />;
}

function Piece({ label, text }: { label: string; text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <>
      <h4>{label}</h4>
      <CodeBlock label={label} text={text} />
    </>
  );
}

function AlertSteps({ sheet }: { sheet: SetupSheet }) {
  return (
    <section class="card" aria-label="Set-up sheet">
      <ol class="steps">
        <li>
          <h3>Let Splunk call the relay</h3>
          <p>Splunk 9.0 and newer call only what their webhook allow list matches, where it is on.</p>
          <Piece
            label="Splunk Cloud: Settings, Server settings, Webhook allow list"
            text={sheet.allow_list?.pattern}
          />
          <Piece
            label="Splunk Enterprise: etc/system/local/alert_actions.conf"
            text={sheet.allow_list?.conf}
          />
        </li>
        {sheet.path_url === undefined ? null : (
          <li>
            <h3>Give the alert's webhook action this URL</h3>
            <p>
              Splunk's own action can send no header, so the secret is the end of the URL. Keep it to
              yourself.
            </p>
            <Piece label="URL with the secret" text={sheet.path_url} />
          </li>
        )}
        <li>
          <h3>
            {sheet.path_url === undefined ? "Set up the alert's action" : "Or use an app that sends headers"}
          </h3>
          <p>
            {sheet.signature === undefined
              ? "In an app that sends headers and bodies of your own, like Better Webhooks. Such an app may also send the secret as Authorization: Bearer, or as the password of Basic."
              : "In an app that signs its requests, with the secret as its key."}
          </p>
          <Piece label="Webhook URL" text={sheet.url} />
          <Piece label="Header" text={sheet.header} />
          <Piece label="Signature" text={sheet.signature} />
          <Piece label="Payload template" text={sheet.payload_template_text} />
        </li>
        <li>
          <h3>Trigger the alert once</h3>
          <p>Or try it from a shell. The page of the source notices the first alert by itself.</p>
          <Piece label="Command" text={sheet.curl} />
        </li>
      </ol>
    </section>
  );
}

function PollSteps() {
  return (
    <section class="card" aria-label="Set-up sheet">
      <ol class="steps">
        <li>
          <h3>Let the relay reach Splunk's management port</h3>
          <p>Mostly 8089. On Splunk Cloud the support opens it; trials have none.</p>
        </li>
        <li>
          <h3>Give the account a role that may search the notables</h3>
          <p>
            <code>ess_analyst</code>, or search on <code>index=notable</code>. A token is better than a
            password.
          </p>
        </li>
        <li>
          <h3>Press Test</h3>
          <p>It looks at address, credentials and search one by one. The first poll follows by itself.</p>
        </li>
      </ol>
    </section>
  );
}
