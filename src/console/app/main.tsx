import { render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { loadSession, whenSignedOut } from "./api.ts";
import { SignInPage } from "./pages/sign-in.tsx";
import { pageAt } from "./pages.tsx";
import { usePlace } from "./router.ts";
import { SignedIn } from "./session.tsx";
import { Shell } from "./shell.tsx";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import type { Session } from "./types.ts";
import { Loading } from "./ui/parts.tsx";

function Console() {
  // Undefined: not known yet. Null: nobody.
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const place = usePlace();
  useEffect(() => {
    whenSignedOut(() => setSession(null));
    void loadSession().then((answer) => setSession(answer.ok ? answer.value : null));
  }, []);
  const signed = useMemo(() => (session ? { session, setSession } : null), [session]);
  if (session === undefined) return <Loading />;
  if (signed === null) return <SignInPage onSession={setSession} />;
  const here = place.parts.join("/");
  return (
    <SignedIn.Provider value={signed}>
      <Shell here={here}>
        {/* Another tenant or place is another page: nothing of the one before may be left. */}
        <div key={`${signed.session.tenant?.id}/${here}`}>{pageAt(place, signed.session)}</div>
      </Shell>
    </SignedIn.Provider>
  );
}

const root = document.getElementById("app");
if (root !== null) render(<Console />, root);
