import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useAct } from "../../hooks.ts";
import { Button, Field, Modal, ProblemBox } from "../../ui/parts.tsx";
import { plural } from "../../words.ts";
import { type Credential, credentialApi, fieldsToRotate, valuesOf } from "./model.ts";
import { ValueFields } from "./value-fields.tsx";

const HOUR = 3_600;
const DAY = 24 * HOUR;
const OVERLAPS = [
  [HOUR, "1 hour"],
  [DAY, "1 day"],
  [7 * DAY, "7 days"],
  [0, "Not at all"],
] as const;

/** New values in the second slot. A destination that refuses them ends it, and its words are shown. */
export function RotateDialog({
  credential,
  onDone,
  onClose,
}: {
  credential: Credential;
  onDone: (rotated: Credential) => void;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [ttl, setTtl] = useState<number>(DAY);
  const act = useAct();
  const fields = fieldsToRotate(credential);
  const users = credential.used_by.length;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const body = { values: valuesOf(fields, typed), previous_ttl_seconds: ttl };
    const path = `${credentialApi(credential.credential_id)}/rotate`;
    const rotated = await act.run(() => call<Credential>("POST", path, { body }));
    if (rotated !== null) onDone(rotated);
  };
  return (
    <Modal title="New values" onClose={onClose}>
      <p class="clamp" dir="auto">
        <strong>{credential.name}</strong>
      </p>
      <p>
        {users === 0
          ? "Nothing uses it at the moment, so nothing can be tried."
          : `They are tried first, with a test event at ${users === 1 ? "the destination that uses it" : `each of the ${plural(users, "destination")} that use it`}. One that refuses them ends it, and nothing is changed.`}{" "}
        Afterwards there are two slots: the new values are preferred, and the old ones stand in wherever the
        new ones are refused, until they end.
      </p>
      <form onSubmit={submit}>
        <ProblemBox problem={act.problem} />
        <ValueFields fields={fields} typed={typed} problem={act.problem} onChange={setTyped} />
        <Field label="Keep the old values for">
          {(ids) => (
            <select {...ids} value={ttl} onChange={(event) => setTtl(Number(event.currentTarget.value))}>
              {OVERLAPS.map(([seconds, word]) => (
                <option key={seconds} value={seconds}>
                  {word}
                </option>
              ))}
            </select>
          )}
        </Field>
        {act.isBusy && users > 0 ? <p role="status">Sending a test event with the new values …</p> : null}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={act.isBusy}>
            {users === 0 ? "Rotate" : "Try and rotate"}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
