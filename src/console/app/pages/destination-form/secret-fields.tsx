import type { Problem } from "../../types.ts";
import { Field, Prose } from "../../ui/parts.tsx";
import type { Provider } from "../destination/model.ts";
import { type FormValues, faultAt } from "./values.ts";

/** The provider's secrets. What is stored is never shown: an empty input keeps it. */
export function SecretFields({
  provider,
  values,
  isKept,
  problem,
  onChange,
}: {
  provider: Provider;
  values: FormValues;
  /** Whether the destination has secrets already. */
  isKept: boolean;
  problem: Problem | null;
  onChange: (part: Partial<FormValues>) => void;
}) {
  const required = provider.secrets.required ?? [];
  return (
    <>
      {Object.entries(provider.secrets.properties ?? {}).map(([name, field]) => {
        const isOptional = !required.includes(name);
        const isRemoved = values.removed.includes(name);
        const label = `${field.title ?? name}${isOptional ? " (optional)" : ""}`;
        return (
          <div key={name}>
            <Field
              label={label}
              fault={faultAt(problem, name)}
              hint={
                <Prose
                  text={`${field.description ?? ""}.${isKept ? " Kept unless you type a new one." : ""}`}
                />
              }
            >
              {(ids) => (
                <input
                  {...ids}
                  type="password"
                  // A browser that offers a saved password here would offer the wrong one.
                  autocomplete="new-password"
                  spellcheck={false}
                  required={!isKept && !isOptional}
                  disabled={isRemoved}
                  placeholder={isKept ? "••••••••" : exampleOf(field.examples)}
                  value={values.secrets[name] ?? ""}
                  onInput={(event) =>
                    onChange({ secrets: { ...values.secrets, [name]: event.currentTarget.value } })
                  }
                />
              )}
            </Field>
            {isKept && isOptional ? (
              <label class="check">
                <input
                  type="checkbox"
                  checked={isRemoved}
                  onChange={(event) =>
                    onChange({
                      removed: event.currentTarget.checked
                        ? [...values.removed, name]
                        : values.removed.filter((each) => each !== name),
                      secrets: { ...values.secrets, [name]: "" },
                    })
                  }
                />
                Take away the stored{" "}
                {(field.title ?? name).replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase())}
              </label>
            ) : null}
          </div>
        );
      })}
    </>
  );
}

function exampleOf(examples: readonly unknown[] | undefined): string {
  const [first] = examples ?? [];
  return typeof first === "string" ? first : "";
}
