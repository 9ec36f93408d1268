import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { call, enterTenant, getAll } from "./api.ts";
import { useAct } from "./hooks.ts";
import { goTo } from "./router.ts";
import { useMay, useSession } from "./session.tsx";
import { Button, Confirm, Field, ProblemBox } from "./ui/parts.tsx";

interface Entry {
  readonly to: string;
  readonly label: string;
  readonly scope: string | null;
  readonly isDeep?: boolean;
}

/** The way that people look for it: Settings → Audit → SIEM. */
const PLACES: readonly (readonly [group: string | null, entries: readonly Entry[]])[] = [
  [
    null,
    [
      { to: "#/", label: "Overview", scope: "destinations:read" },
      { to: "#/events", label: "Events", scope: null },
      { to: "#/incidents", label: "Incidents", scope: "incidents:read" },
    ],
  ],
  [
    "Settings",
    [
      { to: "#/settings/audit/siem", label: "Audit › SIEM", scope: "destinations:read" },
      { to: "#/settings/sources", label: "Sources", scope: "sources:write" },
      { to: "#/settings/keys", label: "API keys", scope: "keys:write" },
      { to: "#/settings/vault", label: "Vault", scope: "vault:seal" },
    ],
  ],
];

export function Shell({ here, children }: { here: string; children: ComponentChildren }) {
  const { session, setSession } = useSession();
  const may = useMay();
  const [isOpen, setOpen] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const isFirst = useRef(true);
  useEffect(() => {
    setOpen(false);
    if (!isFirst.current) beginPage();
    isFirst.current = false;
  }, [here]);
  const isInside = session.tenant !== null;
  const groups = isInside ? PLACES : [];
  const signOut = async (path: string): Promise<void> => {
    await call("DELETE", path);
    setSession(null);
  };
  return (
    <div class="shell">
      <button class="skip button plain" type="button" onClick={focusMain}>
        Skip to the content
      </button>
      <header class={`side ${isOpen ? "open" : ""}`}>
        <div class="bar">
          <div class="brand">Sluice</div>
          <button
            class="button plain menu-button"
            type="button"
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            Menu
          </button>
        </div>
        <nav aria-label="Main">
          {groups.map(([group, entries]) => (
            <div key={group ?? ""}>
              {group === null ? null : <div class="group">{group}</div>}
              {entries
                .filter(({ scope }) => scope === null || may(scope))
                .map(({ to, label }) => (
                  <a key={to} href={to} aria-current={isHere(to, here) ? "page" : undefined}>
                    {label}
                  </a>
                ))}
            </div>
          ))}
          {session.kind === "operator" ? (
            <div>
              <div class="group">Operator</div>
              <a href="#/tenants" aria-current={isHere("#/tenants", here) ? "page" : undefined}>
                Tenants
              </a>
            </div>
          ) : null}
        </nav>
        <div class="who">
          {session.kind === "operator" ? <TenantSwitch /> : <div>{session.tenant?.name}</div>}
          <div class="quiet">{session.name}</div>
          <div class="actions">
            <button class="link-button" type="button" onClick={() => void signOut("/console/session")}>
              Sign out
            </button>
            <button class="link-button" type="button" onClick={() => setAsked(true)}>
              Sign out everywhere
            </button>
          </div>
        </div>
      </header>
      {isAsked ? (
        <Confirm
          title="Sign out everywhere?"
          word="Sign out everywhere"
          busy={false}
          onYes={() => void signOut("/console/sessions")}
          onNo={() => setAsked(false)}
        >
          <p>
            Every session of {session.kind === "operator" ? "the operator" : "this key"} ends, in every
            browser and this one too. The {session.kind === "operator" ? "token" : "key"} itself goes on
            working.
          </p>
        </Confirm>
      ) : null}
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function TenantSwitch() {
  const { session, setSession } = useSession();
  const [tenants, setTenants] = useState<readonly { id: string; name: string }[]>([]);
  const act = useAct();
  useEffect(() => {
    void getAll<{ id: string; name: string }>("/v1/tenants").then((answer) => {
      if (answer.ok) setTenants(answer.value);
    });
  }, []);
  const enter = async (id: string): Promise<void> => {
    const entered = await act.run(() => enterTenant(id === "" ? null : id));
    if (entered === null) return;
    setSession(entered);
    goTo(id === "" ? "#/tenants" : "#/");
  };
  return (
    <>
      <Field label="Tenant">
        {(ids) => (
          <select
            {...ids}
            value={session.tenant?.id ?? ""}
            onChange={(event) => void enter(event.currentTarget.value)}
          >
            <option value="">None</option>
            {tenants.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <ProblemBox problem={act.problem} />
    </>
  );
}

/** A button and no link: the fragment holds the place in the console. */
function focusMain(): void {
  document.getElementById("main")?.focus();
}

/** Another page begins at its top, and where the link that led there is gone, the keyboard goes on in the page. */
function beginPage(): void {
  scrollTo(0, 0);
  if (document.activeElement === document.body) focusMain();
}

function isHere(to: string, here: string): boolean {
  const own = to.slice(2);
  return own === "" ? here === "" : here === own || here.startsWith(`${own}/`);
}

export function NotAllowedPage({ scope }: { scope: string }) {
  return (
    <div class="empty">
      <h1>This key may not do that</h1>
      <p>
        It lacks the scope <code>{scope}</code>. What it may do is in the menu.
      </p>
    </div>
  );
}

export function NotFoundPage() {
  return (
    <div class="empty">
      <h1>Nothing is here</h1>
      <p>The address names no page of the console.</p>
      <Button kind="primary" onClick={() => goTo("#/")}>
        To the overview
      </Button>
    </div>
  );
}
