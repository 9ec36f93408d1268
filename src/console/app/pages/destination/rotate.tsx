import { useState } from "preact/hooks";
import { call } from "../../api.ts";
import { useAct } from "../../hooks.ts";
import type { DestinationDetail, Problem } from "../../types.ts";
import { Ago, Button, Facts, Field, Notice, ProblemBox, Prose } from "../../ui/parts.tsx";
import { moment, plural } from "../../words.ts";
import type { Provider } from "./model.ts";
import { apiOf } from "./places.ts";

const HOUR = 3_600;
const DAY = 24 * HOUR;
const OVERLAPS = [
  [HOUR, "1 hour"],
  [DAY, "1 day"],
  [7 * DAY, "7 days"],
] as const;

/** How the relay takes a new secret of a provider, and what becomes of the old one. */
interface Manner {
  /** From the provider's name of a secret to the name in the request. */
  readonly nameOf: (secret: string) => string;
  /** Names how long the old one is kept. */
  readonly ttl: string;
  readonly says: string;
}

function mannerOf(provider: Provider): Manner {
  if (provider.can_overlap_secrets) {
    return {
      nameOf: (secret) => secret,
      ttl: "previous_secret_ttl_seconds",
      says: "Requests are signed with both secrets until the old one ends, so that the receiver can change over in between.",
    };
  }
  return {
    nameOf: (secret) => `next_${secret}`,
    ttl: "previous_token_ttl_seconds",
    says: "The new ones are proved with a test event first. Then they are used, and the old ones stand in wherever the new ones are refused, until they end.",
  };
}

/** A new secret in the second slot, the old one kept until a date. */
export function RotateCredential({
  destination,
  provider,
  onChange,
}: {
  destination: DestinationDetail;
  provider: Provider;
  onChange: () => void;
}) {
  const manner = mannerOf(provider);
  const fields = Object.entries(provider.secrets.properties ?? {});
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [ttl, setTtl] = useState<number>(DAY);
  const [until, setUntil] = useState<string | null>(null);
  const act = useAct();
  const given = Object.entries(typed).filter(([, value]) => value !== "");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setUntil(null);
    const secrets = Object.fromEntries(given.map(([name, value]) => [manner.nameOf(name), value]));
    const body = { ...secrets, [manner.ttl]: ttl };
    const done = await act.run(() => call("PATCH", apiOf(destination.id), { body }));
    if (done === null) return;
    setTyped({});
    setUntil(new Date(Date.now() + ttl * 1_000).toISOString());
    onChange();
  };
  return (
    <section class="card" aria-labelledby="rotate">
      <h2 id="rotate">Replace the credentials</h2>
      <p class="quiet">{manner.says}</p>
      <Slots destination={destination} />
      {until === null ? null : (
        <Notice kind="good">
          The new credentials are in use. The old ones stay valid beside them until {moment(until)}.
        </Notice>
      )}
      <ProblemBox problem={act.problem} />
      <form onSubmit={submit}>
        {fields.map(([name, field]) => (
          <Field
            key={name}
            label={`New ${(field.title ?? name).replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}`}
            hint={<Prose text={field.description ?? ""} />}
            fault={faultAt(act.problem, [name, manner.nameOf(name)])}
          >
            {(ids) => (
              <input
                {...ids}
                type="password"
                autocomplete="new-password"
                spellcheck={false}
                value={typed[name] ?? ""}
                onInput={(event) => setTyped({ ...typed, [name]: event.currentTarget.value })}
              />
            )}
          </Field>
        ))}
        <Field label="Keep the old one for" fault={faultAt(act.problem, [manner.ttl])}>
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
        <Button type="submit" busy={act.isBusy} disabled={given.length === 0}>
          Replace
        </Button>
      </form>
    </section>
  );
}

/** What is known of the two slots; where nothing has been rotated there is nothing to say. */
function Slots({ destination: { credential } }: { destination: DestinationDetail }) {
  if (credential === undefined || credential.rotated_at === null) return null;
  const { previous_until: until, previous_used_at: usedAt, previous_uses: uses } = credential;
  return (
    <Facts
      rows={[
        ["Replaced", <Ago at={credential.rotated_at} />],
        ["Old one valid until", until === null ? "it is gone" : moment(until)],
        [
          "Old one used",
          usedAt === null ? (
            "not since"
          ) : (
            <>
              {plural(uses, "time")}, last <Ago at={usedAt} />
            </>
          ),
        ],
      ]}
    />
  );
}

function faultAt(problem: Problem | null, names: readonly string[]): string | undefined {
  return problem?.errors?.find(({ path }) => names.includes(path))?.message;
}
