import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../../api.ts";
import { goTo } from "../../router.ts";
import type { Destination, Problem } from "../../types.ts";
import { Button, Field, LinkButton, ProblemBox, Prose } from "../../ui/parts.tsx";
import type { Provider } from "../destination/model.ts";
import { apiOf, LIST, placeOf } from "../destination/places.ts";
import { RoutesEditor } from "./routes-editor.tsx";
import { SchemaField } from "./schema-field.tsx";
import { SecretFields } from "./secret-fields.tsx";
import { TestPanel } from "./test-panel.tsx";
import {
  bodyOfChange,
  bodyOfNew,
  type Draft,
  type FormValues,
  faultAt,
  missingIn,
  type Refusal,
  stillWrong,
  valuesFrom,
} from "./values.ts";

/** Makes or changes a destination. Which fields there are, and what is said beside them, the provider decides. */
export function DestinationForm({ provider, present }: { provider: Provider; present: Destination | null }) {
  const [values, setValues] = useState<FormValues>(() => valuesFrom(provider, present));
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const problem = stillWrong(refusal, values);
  const change = (part: Partial<FormValues>): void => setValues((before) => ({ ...before, ...part }));
  useEffect(() => {
    if (refusal !== null) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [refusal]);
  const refuse = (found: Problem): void => setRefusal({ problem: found, values });
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const missing = missingIn(provider, values, present === null);
    if (missing !== null) return refuse(missing);
    setRefusal(null);
    setBusy(true);
    const saved =
      present === null
        ? await call<Destination>("POST", "/v1/audit/siem", { body: bodyOfNew(provider, values) })
        : await call<Destination>("PATCH", apiOf(present.id), {
            body: bodyOfChange(provider, values, present),
          });
    setBusy(false);
    if (saved.ok) goTo(placeOf(saved.value.id));
    else refuse(saved.problem);
  };
  const [basic, advanced] = fieldsOf(provider);
  const schemaField = (name: string) => {
    const field = provider.config.properties?.[name];
    return field === undefined ? null : (
      <SchemaField
        key={name}
        name={name}
        field={field}
        draft={values.config[name] ?? ""}
        fault={faultAt(problem, `config.${name}`)}
        onChange={(draft: Draft) => change({ config: { ...values.config, [name]: draft } })}
      />
    );
  };
  const isAdvancedAtFault =
    advanced.some((name) => faultAt(problem, `config.${name}`) !== undefined) ||
    faultAt(problem, "allowed_operations") !== undefined;
  return (
    <div class="form-page">
      <form ref={form} onSubmit={save} noValidate>
        <Field
          label="Name"
          hint={`For people. ${provider.title} when it is empty.`}
          fault={faultAt(problem, "name")}
        >
          {(ids) => (
            <input
              {...ids}
              autocomplete="off"
              placeholder={provider.title}
              value={values.name}
              onInput={(event) => change({ name: event.currentTarget.value })}
            />
          )}
        </Field>
        {provider.endpoint.derived_from.map(schemaField)}
        <Field
          label={`${provider.endpoint.label}${provider.endpoint.required ? "" : " (optional)"}`}
          hint={provider.endpoint.help}
          fault={faultAt(problem, "endpoint")}
        >
          {(ids) => (
            <input
              {...ids}
              type="url"
              autocomplete="off"
              spellcheck={false}
              required={provider.endpoint.required}
              placeholder={provider.endpoint.example}
              value={values.endpoint}
              onInput={(event) => change({ endpoint: event.currentTarget.value })}
            />
          )}
        </Field>
        <SecretFields
          provider={provider}
          values={values}
          isKept={present !== null}
          problem={problem}
          onChange={change}
        />
        {basic.map(schemaField)}
        <RoutesEditor
          routes={values.routes}
          destinationId={present?.id ?? null}
          problem={problem}
          onChange={(routes) => change({ routes })}
        />
        <details class="card" open={isAdvancedAtFault}>
          <summary>Advanced settings</summary>
          {advanced.map(schemaField)}
          <Operations provider={provider} values={values} onChange={change} />
        </details>
        <TestPanel provider={provider} values={values} present={present} onRefusal={refuse} />
        <ProblemBox problem={problem} />
        <div class="actions">
          <Button kind="primary" type="submit" busy={isBusy}>
            {present === null ? "Save destination" : "Save changes"}
          </Button>
          <LinkButton to={present === null ? LIST : placeOf(present.id)}>Cancel</LinkButton>
        </div>
      </form>
      <Help provider={provider} />
    </div>
  );
}

/** What names the endpoint stands beside it; of the rest the first is asked for, and the others have good defaults. */
function fieldsOf({
  config,
  endpoint,
}: Provider): readonly [basic: readonly string[], advanced: readonly string[]] {
  const names = Object.keys(config.properties ?? {}).filter((name) => !endpoint.derived_from.includes(name));
  const [first, ...rest] = names;
  const isUsual =
    endpoint.derived_from.length === 0 || config.properties?.[first ?? ""]?.default !== undefined;
  if (first === undefined) return [[], []];
  return isUsual ? [[first], rest] : [[], names];
}

function Operations({
  provider,
  values,
  onChange,
}: {
  provider: Provider;
  values: FormValues;
  onChange: (part: Partial<FormValues>) => void;
}) {
  const { operations } = values;
  const toggle = (name: string, isWanted: boolean): void =>
    onChange({ operations: isWanted ? [...operations, name] : operations.filter((each) => each !== name) });
  return (
    <fieldset>
      <legend>What the outbound proxy may do with it</legend>
      <p class="hint">Nothing, unless it is allowed here. Delivery does not need it.</p>
      {provider.operations.map(({ name, description }) => (
        <label key={name} class="check">
          <input
            type="checkbox"
            checked={operations.includes(name)}
            onChange={(event) => toggle(name, event.currentTarget.checked)}
          />
          <span>
            <code>{name}</code> <span class="hint">{description}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Help({ provider }: { provider: Provider }) {
  return (
    <aside class="card" aria-label={`About ${provider.title}`}>
      <h2>At the vendor</h2>
      <ol>
        {provider.steps.map((step) => (
          <li key={step}>
            <Prose text={step} />
          </li>
        ))}
      </ol>
      {provider.notes.length === 0 ? null : (
        <>
          <h2>Good to know</h2>
          <ul>
            {provider.notes.map((note) => (
              <li key={note}>
                <Prose text={note} />
              </li>
            ))}
          </ul>
        </>
      )}
    </aside>
  );
}
