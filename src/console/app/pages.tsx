import type { JSX } from "preact";
import { DestinationPage } from "./pages/destination.tsx";
import { DestinationEditPage, DestinationNewPage } from "./pages/destination-form.tsx";
import { DestinationsPage } from "./pages/destinations.tsx";
import { EventsPage } from "./pages/events.tsx";
import { IncidentPage } from "./pages/incident.tsx";
import { IncidentsPage } from "./pages/incidents.tsx";
import { KeysPage } from "./pages/keys.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { SourcePage } from "./pages/source.tsx";
import { SourceNewPage } from "./pages/source-new.tsx";
import { SourcesPage } from "./pages/sources.tsx";
import { TenantsPage } from "./pages/tenants.tsx";
import { VaultPage } from "./pages/vault.tsx";
import type { Place } from "./router.ts";
import { mayDo } from "./session.tsx";
import { NotAllowedPage, NotFoundPage } from "./shell.tsx";
import type { Session } from "./types.ts";

/** Which page is where. Ids in a path are given to the API encoded, whatever they hold. */
export function pageAt(place: Place, session: Session): JSX.Element {
  const scope = session.tenant === null ? null : scopeFor(place.parts);
  if (scope === null || mayDo(session, scope)) return anyPageAt(place, session);
  return <NotAllowedPage scope={scope} />;
}

/** What a page is of no use without. The API decides by itself; this spares people a form that it would refuse. */
function scopeFor([first = "", second = "", third = "", fourth = "", fifth = ""]: Place["parts"]):
  | string
  | null {
  if (first === "incidents") return "incidents:read";
  if (first !== "settings") return null;
  if (second === "audit" && third === "siem") {
    return fourth === "new" || fifth === "edit" ? "destinations:write" : "destinations:read";
  }
  const scopes: Readonly<Record<string, string>> = {
    sources: "sources:write",
    keys: "keys:write",
    vault: "vault:seal",
  };
  return scopes[second] ?? null;
}

function anyPageAt({ parts, query }: Place, session: Session): JSX.Element {
  const [first = "", second = "", third = "", fourth = "", fifth = ""] = parts;
  if (first === "tenants" && session.kind === "operator") return <TenantsPage />;
  if (session.tenant === null) return <TenantsPage />;
  if (first === "") return <OverviewPage />;
  if (first === "events") return <EventsPage batchId={second === "" ? null : second} />;
  if (first === "incidents")
    return second === "" ? <IncidentsPage query={query} /> : <IncidentPage id={second} />;
  if (first !== "settings") return <NotFoundPage />;
  if (second === "audit" && third === "siem") {
    if (fourth === "") return <DestinationsPage />;
    if (fourth === "new") return <DestinationNewPage provider={fifth === "" ? null : fifth} />;
    if (fifth === "edit") return <DestinationEditPage id={fourth} />;
    return <DestinationPage id={fourth} tab={fifth === "" ? "health" : fifth} />;
  }
  if (second === "sources") {
    if (third === "") return <SourcesPage />;
    return third === "new" ? <SourceNewPage /> : <SourcePage id={third} />;
  }
  if (second === "keys") return <KeysPage />;
  if (second === "vault") return <VaultPage />;
  return <NotFoundPage />;
}
