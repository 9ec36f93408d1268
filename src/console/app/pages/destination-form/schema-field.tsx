import { useId } from "preact/hooks";
import { Field, Prose } from "../../ui/parts.tsx";
import type { JsonField } from "../destination/model.ts";
import { choicesOf, type Draft, kindOf } from "./values.ts";

/** One setting of a provider: which input it is, and every word beside it, come from the provider's schema. */
export function SchemaField({
  name,
  field,
  draft,
  fault,
  onChange,
}: {
  name: string;
  field: JsonField;
  draft: Draft;
  fault: string | undefined;
  onChange: (draft: Draft) => void;
}) {
  const listId = useId();
  const label = field.title ?? name;
  const text = typeof draft === "string" ? draft : "";
  const example = exampleOf(field);
  switch (kindOf(field)) {
    case "check":
      return (
        <div class="field">
          <label class="check">
            <input
              type="checkbox"
              checked={draft === true}
              onChange={(event) => onChange(event.currentTarget.checked)}
            />
            <span>
              {label}
              <span class="hint">
                {" "}
                <Prose text={field.description ?? ""} />
              </span>
            </span>
          </label>
          {fault === undefined ? null : <div class="fault">{fault}</div>}
        </div>
      );
    case "choice":
      return (
        <Field label={label} hint={<Prose text={field.description ?? ""} />} fault={fault}>
          {(ids) => (
            <select {...ids} value={text} onChange={(event) => onChange(event.currentTarget.value)}>
              {(choicesOf(field) ?? []).map((choice) => (
                <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
                  {wordOf(choice)}
                </option>
              ))}
            </select>
          )}
        </Field>
      );
    case "lines":
    case "pairs":
      return (
        <Field
          label={label}
          fault={fault}
          hint={
            <Prose
              text={`${field.description ?? ""}. ${kindOf(field) === "lines" ? "One a line" : "One a line, as Name: value"}`}
            />
          }
        >
          {(ids) => (
            <textarea
              {...ids}
              class="small"
              spellcheck={false}
              placeholder={example}
              value={text}
              onInput={(event) => onChange(event.currentTarget.value)}
            />
          )}
        </Field>
      );
    default: {
      const suggestions = (field.examples ?? []).filter((each) => typeof each === "string");
      return (
        <Field label={label} hint={<Prose text={field.description ?? ""} />} fault={fault}>
          {(ids) => (
            <>
              <input
                {...ids}
                type="text"
                inputMode={kindOf(field) === "number" ? "numeric" : "text"}
                spellcheck={false}
                autocomplete="off"
                placeholder={example}
                value={text}
                {...(suggestions.length > 1 ? { list: listId } : {})}
                onInput={(event) => onChange(event.currentTarget.value)}
              />
              {suggestions.length > 1 ? (
                <datalist id={listId}>
                  {suggestions.map((each) => (
                    <option key={each} value={each} />
                  ))}
                </datalist>
              ) : null}
            </>
          )}
        </Field>
      );
    }
  }
}

function wordOf(choice: unknown): string {
  if (choice === true) return "On";
  if (choice === false) return "Off";
  return String(choice);
}

function exampleOf({ examples }: JsonField): string {
  const [first] = examples ?? [];
  if (Array.isArray(first)) return first.map(String).join("\n");
  if (typeof first === "object" && first !== null) {
    return Object.entries(first)
      .map(([name, value]) => `${name}: ${String(value)}`)
      .join("\n");
  }
  return first === undefined ? "" : String(first);
}
