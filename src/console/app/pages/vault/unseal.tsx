import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useAct } from "../../hooks.ts";
import { Button, CodeBlock, Confirm, Notice, ProblemBox } from "../../ui/parts.tsx";
import type { Credential } from "./model.ts";

interface Opened {
  readonly name: string;
  readonly version: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Asks once, because each reading is on the audit stream, and shows the values until they are hidden. */
export function Unseal({ credential, onClose }: { credential: Credential; onClose: () => void }) {
  const [opened, setOpened] = useState<Opened | null>(null);
  const act = useAct();
  const open = async (): Promise<void> => {
    const body = { credential_id: credential.credential_id };
    setOpened(await act.run(() => call<Opened>("POST", "/api/v2/vault/unseal", { body })));
  };
  if (opened === null) {
    return (
      <Confirm
        title="Show the values?"
        word="Show them"
        isDanger={false}
        busy={act.isBusy}
        onYes={() => void open()}
        onNo={onClose}
      >
        <p class="clamp" dir="auto">
          <strong>{credential.name}</strong>
        </p>
        <p>
          That you have read them is recorded as the event <code>vault.unseal</code> on the audit stream, with
          who you are. They are shown on this page until you hide them or leave it.
        </p>
        <ProblemBox problem={act.problem} />
      </Confirm>
    );
  }
  return (
    <Notice kind="warn">
      <strong class="clamp" dir="auto">
        {opened.name}, version {opened.version}
      </strong>
      {Object.entries(opened.values).map(([name, value]) => (
        <div key={name}>
          <h3>{name}</h3>
          <CodeBlock label={name} text={String(value)} />
        </div>
      ))}
      <Button onClick={onClose}>Hide them</Button>
    </Notice>
  );
}
