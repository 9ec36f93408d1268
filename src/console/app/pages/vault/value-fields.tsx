import type { TargetedEvent } from "preact";
import type { Problem } from "../../types.ts";
import { Field } from "../../ui/parts.tsx";
import type { ValueField } from "./model.ts";

/** Inputs for a credential's values. What is stored is never shown, so they are always empty at first. */
export function ValueFields({
  fields,
  typed,
  problem,
  onChange,
}: {
  fields: readonly ValueField[];
  typed: Readonly<Record<string, string>>;
  problem: Problem | null;
  onChange: (typed: Readonly<Record<string, string>>) => void;
}) {
  return (
    <>
      {fields.map(({ name, label, isOptional, isPlain }) => (
        <Field
          key={name}
          label={label}
          fault={problem?.errors?.find(({ path }) => path === `values.${name}`)?.message}
        >
          {(ids) => {
            const input = {
              ...ids,
              spellcheck: false,
              required: isOptional !== true,
              maxLength: 8_192,
              value: typed[name] ?? "",
              onInput: (event: TargetedEvent<HTMLInputElement>) =>
                onChange({ ...typed, [name]: event.currentTarget.value }),
            };
            // A browser that offers a saved password here would offer the wrong one.
            return isPlain === true ? (
              <input {...input} type="text" autocomplete="off" />
            ) : (
              <input {...input} type="password" autocomplete="new-password" />
            );
          }}
        </Field>
      ))}
    </>
  );
}
