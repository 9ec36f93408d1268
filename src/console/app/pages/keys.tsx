import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { useAct } from "../hooks.ts";
import { useSession } from "../session.tsx";
import type { ApiKey, MadeKey } from "../types.ts";
import { Pager, usePaged } from "../ui/pager.tsx";
import {
  Ago,
  Badge,
  Button,
  CodeBlock,
  Confirm,
  Field,
  Loading,
  Notice,
  PageHead,
  ProblemBox,
  Table,
} from "../ui/parts.tsx";
import { moment } from "../words.ts";
import { faultAt } from "./source-new.tsx";

const SCOPES: readonly (readonly [scope: string, meaning: string])[] = [
  ["events:write", "Send events"],
  ["audit:read", "Ask what became of events"],
  ["destinations:read", "See destinations and their deliveries"],
  ["destinations:write", "Make, change and test destinations"],
  ["sources:write", "Make and change sources"],
  ["incidents:read", "See incidents"],
  ["incidents:write", "Acknowledge, resolve and note incidents"],
  ["vault:seal", "Seal and rotate credentials"],
  ["vault:unseal", "See a credential's values again"],
  ["proxy:invoke", "Call a provider through the proxy"],
  ["keys:write", "Make and revoke keys"],
  ["*", "Everything, also what comes later"],
];

export function KeysPage() {
  const { session } = useSession();
  const paged = usePaged<ApiKey>("/v1/keys");
  const act = useAct();
  const [made, setMade] = useState<MadeKey | null>(null);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const revoke = async (): Promise<void> => {
    if (revoking === null) return;
    await act.run(() => call("DELETE", `/v1/keys/${encodeURIComponent(revoking.id)}`));
    setRevoking(null);
    paged.reload();
  };
  return (
    <>
      <PageHead title="API keys" />
      <ProblemBox problem={act.problem ?? paged.problem} />
      {made === null ? null : <ShownOnce made={made} />}
      {revoking === null ? null : (
        <Confirm
          title={`Revoke ${revoking.name}?`}
          word="Revoke"
          busy={act.isBusy}
          onNo={() => setRevoking(null)}
          onYes={() => void revoke()}
        >
          <p>
            Whoever uses the key that begins with <code>{revoking.prefix}</code> is refused everywhere within
            15 seconds. It cannot be brought back.
          </p>
          {revoking.id === session.key_id ? (
            <p>You are signed in with this key: you will be signed out.</p>
          ) : null}
        </Confirm>
      )}
      <NewKeyForm
        onMade={(key) => {
          setMade(key);
          paged.reload();
        }}
      />
      <h2>Keys in use</h2>
      {paged.data === null ? (
        <Loading />
      ) : (
        <Table label="Keys" head={["Name", "Begins with", "May", "Made", "Expires", "Revoke"]}>
          {paged.data.data.map((key) => (
            <tr key={key.id}>
              <td class="name">
                <span class="clamp" dir="auto">
                  {key.name}
                </span>
                {key.require_signature ? <span class="sub">requests must be signed</span> : null}
              </td>
              <td>
                <code>{key.prefix}…</code>
              </td>
              <td>
                {key.scopes.map((scope) => (
                  <span key={scope}>
                    <Badge word={scope} tone="quiet" />{" "}
                  </span>
                ))}
              </td>
              <td>
                <Ago at={key.created_at} />
              </td>
              <td>{key.expires_at === null ? "never" : moment(key.expires_at)}</td>
              <td>
                <Button kind="danger" aria-label={`Revoke ${key.name}`} onClick={() => setRevoking(key)}>
                  Revoke
                </Button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <Pager paged={paged} />
    </>
  );
}

function ShownOnce({ made }: { made: MadeKey }) {
  return (
    <Notice kind="warn">
      <strong>{made.name}: the key is shown this once.</strong>
      <CodeBlock label="The key" text={made.key} />
      {made.signing_secret === undefined ? null : (
        <>
          <strong>And the secret that its requests are signed with:</strong>
          <CodeBlock label="The signing secret" text={made.signing_secret} />
        </>
      )}
    </Notice>
  );
}

function NewKeyForm({ onMade }: { onMade: (key: MadeKey) => void }) {
  const { session } = useSession();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly string[]>(["events:write"]);
  const [isSigned, setSigned] = useState(false);
  const act = useAct();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const body = { name, scopes, require_signature: isSigned };
    const made = await act.run(() => call<MadeKey>("POST", "/v1/keys", { body }));
    if (made === null) return;
    setName("");
    onMade(made);
  };
  const mayGrant = (scope: string): boolean => session.scopes.includes("*") || session.scopes.includes(scope);
  return (
    <details class="card">
      <summary>Make a key</summary>
      <form onSubmit={submit}>
        <ProblemBox problem={act.problem} />
        <Field label="Name" hint="Who or what will use it." fault={faultAt(act.problem, "name")}>
          {(ids) => (
            <input
              {...ids}
              required
              maxLength={200}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <fieldset>
          <legend>It may</legend>
          {SCOPES.filter(([scope]) => mayGrant(scope)).map(([scope, meaning]) => (
            <label key={scope} class="check">
              <input
                type="checkbox"
                checked={scopes.includes(scope)}
                onChange={(event) =>
                  setScopes(
                    event.currentTarget.checked
                      ? [...scopes, scope]
                      : scopes.filter((each) => each !== scope),
                  )
                }
              />
              <span>
                {meaning} <code>{scope}</code>
              </span>
            </label>
          ))}
        </fieldset>
        <p>
          <label class="check">
            <input
              type="checkbox"
              checked={isSigned}
              onChange={(event) => setSigned(event.currentTarget.checked)}
            />
            Its requests must be signed (Standard Webhooks)
          </label>
        </p>
        <Button kind="primary" type="submit" busy={act.isBusy} disabled={scopes.length === 0}>
          Make key
        </Button>
      </form>
    </details>
  );
}
