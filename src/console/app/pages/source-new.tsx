import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { useAct } from "../hooks.ts";
import { path } from "../router.ts";
import type { MadeSource, Problem, Source } from "../types.ts";
import { Button, CodeBlock, Field, LinkButton, Notice, PageHead, ProblemBox } from "../ui/parts.tsx";
import { SetupSheetView } from "../ui/setup-sheet.tsx";
import { SOURCE_KINDS } from "./sources.tsx";

const TRAIL = [{ to: "#/settings/sources", label: "Sources" }];

type Proof = "header" | "path" | "hmac";
const PROOFS: readonly (readonly [Proof, string])[] = [
  ["header", "A secret in a header: apps that can set headers, like Better Webhooks"],
  ["path", "A secret in the URL: Splunk's own webhook action, which can set no header"],
  ["hmac", "A signature over the body (HMAC): apps that sign"],
];

interface Draft {
  readonly kind: Source["kind"];
  readonly name: string;
  readonly proof: Proof;
  readonly header: string;
  readonly restUrl: string;
  readonly auth: "token" | "password";
  readonly token: string;
  readonly username: string;
  readonly password: string;
  readonly esVersion: "7" | "8";
  readonly search: string;
  readonly interval: string;
}

const BLANK: Draft = {
  kind: "splunk_alert",
  name: "",
  proof: "header",
  header: "",
  restUrl: "",
  auth: "token",
  token: "",
  username: "",
  password: "",
  esVersion: "8",
  search: "",
  interval: "5",
};

function bodyOf(draft: Draft): Readonly<Record<string, unknown>> {
  const name = draft.name.trim() === "" ? {} : { name: draft.name };
  if (draft.kind === "splunk_alert") {
    const header = draft.header.trim() === "" ? {} : { secret_header: draft.header.trim() };
    if (draft.proof === "hmac") return { kind: draft.kind, ...name, hmac: true };
    return { kind: draft.kind, ...name, ...header, allow_path_secret: draft.proof === "path" };
  }
  const { username, password, token } = draft;
  return {
    kind: draft.kind,
    ...name,
    rest_url: draft.restUrl.trim(),
    ...(draft.auth === "token" ? { token } : { username, password }),
    es_version: Number(draft.esVersion),
    ...(draft.search.trim() === "" ? {} : { search: draft.search.trim() }),
    poll_interval_minutes: Number(draft.interval),
  };
}

export function SourceNewPage() {
  const [draft, setDraft] = useState(BLANK);
  const [made, setMade] = useState<MadeSource | null>(null);
  const act = useAct();
  const set = (change: Partial<Draft>): void => setDraft({ ...draft, ...change });
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const source = await act.run(() => call<MadeSource>("POST", "/v1/sources", { body: bodyOf(draft) }));
    if (source !== null) setMade(source);
  };
  if (made !== null) return <Made source={made} />;
  return (
    <>
      <PageHead title="Add source" trail={TRAIL} />
      <form onSubmit={submit}>
        <ProblemBox problem={act.problem} />
        <fieldset>
          <legend>Kind</legend>
          {Object.entries(SOURCE_KINDS).map(([kind, label]) => (
            <label key={kind} class="check">
              <input
                type="radio"
                name="kind"
                checked={draft.kind === kind}
                onChange={() => set({ kind: kind as Source["kind"] })} // the table's keys are the kinds
              />
              {label}
            </label>
          ))}
        </fieldset>
        <Field label="Name" hint="For people. May be left out." fault={faultAt(act.problem, "name")}>
          {(ids) => (
            <input
              {...ids}
              value={draft.name}
              onInput={(event) => set({ name: event.currentTarget.value })}
            />
          )}
        </Field>
        {draft.kind === "splunk_alert" ? (
          <AlertFields draft={draft} set={set} problem={act.problem} />
        ) : (
          <PollFields draft={draft} set={set} problem={act.problem} />
        )}
        <Button kind="primary" type="submit" busy={act.isBusy}>
          Add source
        </Button>
      </form>
    </>
  );
}

interface FieldsProps {
  readonly draft: Draft;
  readonly set: (change: Partial<Draft>) => void;
  readonly problem: Problem | null;
}

function AlertFields({ draft, set, problem }: FieldsProps) {
  return (
    <>
      <fieldset>
        <legend>How the sender proves itself</legend>
        {PROOFS.map(([proof, label]) => (
          <label key={proof} class="check">
            <input
              type="radio"
              name="proof"
              checked={draft.proof === proof}
              onChange={() => set({ proof })}
            />
            {label}
          </label>
        ))}
      </fieldset>
      {draft.proof === "hmac" ? null : (
        <Field
          label="Header of your own"
          hint="Beside X-Sluice-Secret and Authorization: like X-StackFlow-Secret. May be left out."
          fault={faultAt(problem, "secret_header")}
        >
          {(ids) => (
            <input
              {...ids}
              value={draft.header}
              onInput={(event) => set({ header: event.currentTarget.value })}
            />
          )}
        </Field>
      )}
    </>
  );
}

function PollFields({ draft, set, problem }: FieldsProps) {
  const text = (name: "restUrl" | "username" | "interval") => (ids: object) => (
    <input
      {...ids}
      type="text"
      autocomplete="off"
      value={draft[name]}
      onInput={(event) => set({ [name]: event.currentTarget.value })}
    />
  );
  const secret = (name: "password" | "token") => (ids: object) => (
    <input
      {...ids}
      type="password"
      autocomplete="off"
      value={draft[name]}
      onInput={(event) => set({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <>
      <Field
        label="Splunk REST address"
        hint="The management port, mostly 8089: https://splunk.example.com:8089. Splunk Cloud opens it on request."
        fault={faultAt(problem, "rest_url")}
      >
        {text("restUrl")}
      </Field>
      <fieldset>
        <legend>Credentials</legend>
        <label class="check">
          <input
            type="radio"
            name="auth"
            checked={draft.auth === "token"}
            onChange={() => set({ auth: "token" })}
          />
          An authentication token (Settings → Tokens)
        </label>
        <label class="check">
          <input
            type="radio"
            name="auth"
            checked={draft.auth === "password"}
            onChange={() => set({ auth: "password" })}
          />
          User name and password
        </label>
      </fieldset>
      {draft.auth === "token" ? (
        <Field label="Token" fault={faultAt(problem, "token")}>
          {secret("token")}
        </Field>
      ) : (
        <>
          <Field label="User name" fault={faultAt(problem, "username")}>
            {text("username")}
          </Field>
          <Field label="Password" fault={faultAt(problem, "password")}>
            {secret("password")}
          </Field>
        </>
      )}
      <Field label="Enterprise Security" fault={faultAt(problem, "es_version")}>
        {(ids) => (
          <select
            {...ids}
            value={draft.esVersion}
            onChange={(event) => set({ esVersion: event.currentTarget.value === "7" ? "7" : "8" })}
          >
            <option value="8">8 (findings)</option>
            <option value="7">7 and older (notables)</option>
          </select>
        )}
      </Field>
      <Field
        label="Search"
        hint="In SPL; the notables of Enterprise Security when left out."
        fault={faultAt(problem, "search")}
      >
        {(ids) => (
          <textarea
            {...ids}
            value={draft.search}
            onInput={(event) => set({ search: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label="Poll every (minutes)" fault={faultAt(problem, "poll_interval_minutes")}>
        {text("interval")}
      </Field>
    </>
  );
}

export function faultAt(problem: Problem | null, name: string): string | undefined {
  return problem?.errors?.find(({ path: at }) => at === name)?.message;
}

/** The secrets are shown this once, inside the sheet that needs them. */
function Made({ source }: { source: MadeSource }) {
  return (
    <>
      <PageHead title={source.name} trail={TRAIL}>
        <LinkButton to={path("settings", "sources", source.id)} kind="primary">
          I have copied it: go on
        </LinkButton>
      </PageHead>
      {source.secret === undefined ? null : (
        <Notice kind="warn">
          <strong>The secret is shown this once.</strong> Copy it now, or what holds it below; afterwards it
          can only be replaced.
        </Notice>
      )}
      {source.secret === undefined ? null : (
        <>
          <h2>Secret</h2>
          <CodeBlock label="Secret" text={source.secret} />
        </>
      )}
      <h2>In Splunk</h2>
      <SetupSheetView sheet={source.setup} />
    </>
  );
}
