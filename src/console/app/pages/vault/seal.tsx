import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useAct } from "../../hooks.ts";
import { Button, Field, ProblemBox } from "../../ui/parts.tsx";
import { type Credential, KINDS, valuesOf } from "./model.ts";
import { ValueFields } from "./value-fields.tsx";

const FIRST = "api_key";

export function SealForm({ onSealed }: { onSealed: (credential: Credential) => void }) {
  const [name, setName] = useState("");
  const [type, setType] = useState(FIRST);
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const act = useAct();
  const fields = KINDS[type]?.fields ?? [];
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const body = { name, credential_type: type, values: valuesOf(fields, typed) };
    const sealed = await act.run(() => call<Credential>("POST", "/api/v2/vault/seal", { body }));
    if (sealed === null) return;
    setName("");
    setTyped({});
    onSealed(sealed);
  };
  return (
    <details class="card">
      <summary>Seal a credential</summary>
      <p class="quiet">
        It is encrypted before it is stored. Destinations and integrations then use it by its id, and nobody
        has to type it again.
      </p>
      <form onSubmit={submit}>
        <ProblemBox problem={act.problem} />
        <Field
          label="Name"
          hint="What it opens, for people: like Splunk HEC, production."
          fault={act.problem?.errors?.find(({ path }) => path === "name")?.message}
        >
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
        <Field label="Type" hint={KINDS[type]?.hint}>
          {(ids) => (
            <select
              {...ids}
              value={type}
              onChange={(event) => {
                setType(event.currentTarget.value);
                setTyped({});
              }}
            >
              {Object.entries(KINDS).map(([each, { label }]) => (
                <option key={each} value={each}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        <ValueFields fields={fields} typed={typed} problem={act.problem} onChange={setTyped} />
        <Button kind="primary" type="submit" busy={act.isBusy}>
          Seal
        </Button>
      </form>
    </details>
  );
}
