import { useState } from "preact/hooks";
import { signIn } from "../api.ts";
import { useAct } from "../hooks.ts";
import type { Session } from "../types.ts";
import { Button, Field, ProblemBox } from "../ui/parts.tsx";

export function SignInPage({ onSession }: { onSession: (session: Session) => void }) {
  const [credential, setCredential] = useState("");
  const act = useAct();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const session = await act.run(() => signIn(credential));
    if (session !== null) onSession(session);
  };
  return (
    <main class="sign-in">
      <div class="brand">Sluice</div>
      <h1 class="visually-hidden">Sign in</h1>
      <div class="card">
        <form onSubmit={submit}>
          <ProblemBox problem={act.problem} />
          <Field
            label="API key or operator token"
            hint="A key with read scopes alone sees everything that they show and can change nothing."
          >
            {(ids) => (
              <input
                {...ids}
                type="password"
                name="credential"
                autocomplete="current-password"
                required
                value={credential}
                onInput={(event) => setCredential(event.currentTarget.value)}
              />
            )}
          </Field>
          <Button kind="primary" type="submit" busy={act.isBusy}>
            Sign in
          </Button>
        </form>
      </div>
      <p class="quiet">
        The key is exchanged for a cookie that scripts cannot read, and is not kept. The API itself:{" "}
        <a href="/docs">/docs</a>
      </p>
    </main>
  );
}
