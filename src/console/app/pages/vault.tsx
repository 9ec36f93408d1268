import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { useAct } from "../hooks.ts";
import { path } from "../router.ts";
import { useMay } from "../session.tsx";
import { Pager, usePaged } from "../ui/pager.tsx";
import { Ago, Button, Confirm, Empty, Loading, Outcome, PageHead, ProblemBox, Table } from "../ui/parts.tsx";
import { moment, plural } from "../words.ts";
import { CREDENTIALS, type Credential, credentialApi, typeName } from "./vault/model.ts";
import { RotateDialog } from "./vault/rotate.tsx";
import { SealForm } from "./vault/seal.tsx";
import { Unseal } from "./vault/unseal.tsx";

const EVERY_MS = 10_000;

interface Asked {
  readonly what: "rotate" | "delete" | "unseal";
  readonly credential: Credential;
}

/** Credentials by name, and never their values: those are shown on request only, which is recorded. */
export function VaultPage() {
  const paged = usePaged<Credential>(CREDENTIALS, EVERY_MS);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [done, setDone] = useState<string | null>(null);
  const { data, problem } = paged;
  const finished = (words: string): void => {
    setDone(words);
    setAsked(null);
    paged.reload();
  };
  const close = (): void => setAsked(null);
  return (
    <>
      <PageHead title="Vault" />
      <p class="quiet">
        Secrets for providers, encrypted at rest with a key of this tenant. Those given with a destination are
        listed too.
      </p>
      <ProblemBox problem={problem} />
      {done === null ? null : <Outcome key={done}>{done}</Outcome>}
      {asked?.what === "rotate" ? (
        <RotateDialog
          credential={asked.credential}
          onClose={close}
          onDone={({ name, version, previous_until: until }) =>
            finished(
              `${name} has new values (version ${version}).${until === null ? "" : ` The old ones stand in until ${moment(until)}.`}`,
            )
          }
        />
      ) : null}
      {asked?.what === "delete" ? (
        <DeleteDialog
          credential={asked.credential}
          onClose={close}
          onDone={() => finished(`${asked.credential.name} is deleted.`)}
        />
      ) : null}
      {asked?.what === "unseal" ? <Unseal credential={asked.credential} onClose={close} /> : null}
      <SealForm onSealed={({ name, credential_id: id }) => finished(`${name} is sealed as ${id}.`)} />
      {data === null ? (
        problem === null ? (
          <Loading />
        ) : null
      ) : data.data.length === 0 && paged.page === 1 ? (
        <Empty title="The vault is empty">
          <p>Seal a credential here, or give one with a destination: both are kept in the vault.</p>
        </Empty>
      ) : (
        <Table label="Credentials" head={["Name", "Type", "Used by", "Version", "Change"]}>
          {data.data.map((credential) => (
            <CredentialRow
              key={credential.credential_id}
              credential={credential}
              onAsk={(what) => {
                setDone(null);
                setAsked({ what, credential });
              }}
            />
          ))}
        </Table>
      )}
      <Pager paged={paged} />
    </>
  );
}

function CredentialRow({
  credential,
  onAsk,
}: {
  credential: Credential;
  onAsk: (what: Asked["what"]) => void;
}) {
  const may = useMay();
  const { credential_id: id, name, credential_type: type, managed_by: owner, fields } = credential;
  return (
    <tr>
      <td class="name">
        <span class="clamp" dir="auto">
          {name}
        </span>
        <span class="sub">
          <code>{id}</code>
        </span>
      </td>
      <td>
        <span class="nowrap">{typeName(type)}</span>
        <span class="sub">{fields.join(", ")}</span>
      </td>
      <td class="name">
        <Users credential={credential} />
      </td>
      <td class="nowrap">
        {credential.version}
        <span class="sub">
          <LastRotation credential={credential} />
        </span>
      </td>
      <td>
        <div class="actions">
          <Button aria-label={`Rotate ${name}`} onClick={() => onAsk("rotate")}>
            Rotate
          </Button>
          {owner === null && may("vault:unseal") ? (
            <Button aria-label={`Show values of ${name}`} onClick={() => onAsk("unseal")}>
              Show values
            </Button>
          ) : null}
          {owner === null ? (
            <Button kind="danger" aria-label={`Delete ${name}`} onClick={() => onAsk("delete")}>
              Delete
            </Button>
          ) : null}
        </div>
      </td>
    </tr>
  );
}

function LastRotation({ credential: { rotated_at: at, previous_until: until } }: { credential: Credential }) {
  if (at === null) return <>never rotated</>;
  return (
    <>
      rotated <Ago at={at} />
      {until === null ? "" : `, old values until ${moment(until)}`}
    </>
  );
}

/** The first few by name; what it was given with also tells that it goes when that goes. */
function Users({ credential: { used_by: users, managed_by: owner } }: { credential: Credential }) {
  const maySee = useMay()("destinations:read");
  if (users.length === 0) return <span class="quiet">nothing</span>;
  const more = users.length - 3;
  return (
    <>
      {users.slice(0, 3).map(({ destination_id: id, name }) =>
        maySee ? (
          <a key={id} class="clamp" dir="auto" href={path("settings", "audit", "siem", id)}>
            {name}
          </a>
        ) : (
          <span key={id} class="clamp" dir="auto">
            {name}
          </span>
        ),
      )}
      {more > 0 ? <span class="sub">and {plural(more, "more destination")}</span> : null}
      {owner === null ? null : <span class="sub">given with it, and deleted with it</span>}
    </>
  );
}

function DeleteDialog({
  credential,
  onDone,
  onClose,
}: {
  credential: Credential;
  onDone: () => void;
  onClose: () => void;
}) {
  const act = useAct();
  const users = credential.used_by.length;
  const remove = async (): Promise<void> => {
    const gone = await act.run(() => call("DELETE", credentialApi(credential.credential_id)));
    if (gone !== null) onDone();
  };
  return (
    <Confirm
      title="Delete this credential?"
      word="Delete"
      busy={act.isBusy}
      onYes={() => void remove()}
      onNo={onClose}
    >
      <p class="clamp" dir="auto">
        <strong>{credential.name}</strong>
      </p>
      <p>
        {users === 0
          ? "Nothing uses it. Its values are gone for good."
          : `${plural(users, "destination")} use it, so the relay will refuse: give those another one first.`}
      </p>
      <ProblemBox problem={act.problem} />
    </Confirm>
  );
}
