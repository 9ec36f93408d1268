import type { IncidentDraft } from "../../src/model/incident.ts";

interface ModelIncident {
  readonly number: number;
  readonly sourceId: string;
  readonly dedupKey: string;
  readonly dedupScope: IncidentDraft["dedupScope"];
  state: string;
  occurrences: number;
  firstSeenAt: number;
  lastSeenAt: number;
  alert: unknown;
}

/** What the store promises about alerts, one alert at a time: the plain words that its SQL has to mean. One tenant. */
export class IncidentModel {
  readonly incidents: ModelIncident[] = [];
  readonly #alerts = new Map<string, ModelIncident>();
  readonly #proofs = new Map<string, { readonly request: number; readonly incident: ModelIncident }>();
  #request = 0;

  /** @returns what became of each, as `created 1` */
  raise(sourceId: string, drafts: readonly IncidentDraft[]): string[] {
    this.#request += 1;
    return drafts.map((draft) => this.#raiseOne(sourceId, draft));
  }

  settle(number: number, state: string): void {
    const found = this.incidents.find((each) => each.number === number);
    if (found !== undefined) found.state = state;
  }

  /** The incident to which alerts of that key are added. */
  live(sourceId: string, dedupKey: string): ModelIncident | undefined {
    return this.incidents.find(
      (each) =>
        each.sourceId === sourceId &&
        each.dedupKey === dedupKey &&
        (each.dedupScope === "forever" || each.state === "open" || each.state === "acknowledged"),
    );
  }

  #raiseOne(sourceId: string, draft: IncidentDraft): string {
    const proof = draft.proof === null ? null : `${sourceId} ${draft.proof}`;
    const used = proof === null ? undefined : this.#proofs.get(proof);
    if (used !== undefined && used.request !== this.#request) return `replayed ${used.incident.number}`;
    const key = draft.alertKey === null ? null : `${sourceId} ${draft.alertKey}`;
    const known = key === null ? undefined : this.#alerts.get(key);
    const live = this.live(sourceId, draft.dedupKey);
    const incident = known ?? live ?? this.#open(sourceId, draft);
    if (known === undefined && live !== undefined) addTo(live, draft);
    if (key !== null) this.#alerts.set(key, incident);
    if (proof !== null && used === undefined) this.#proofs.set(proof, { request: this.#request, incident });
    const outcome = known !== undefined ? "resent" : live !== undefined ? "recurred" : "created";
    return `${outcome} ${incident.number}`;
  }

  #open(sourceId: string, { dedupKey, dedupScope, at, alert }: IncidentDraft): ModelIncident {
    const number = this.incidents.length + 1;
    const opened = {
      number,
      sourceId,
      dedupKey,
      dedupScope,
      state: "open",
      occurrences: 1,
      firstSeenAt: at,
      lastSeenAt: at,
      alert,
    };
    this.incidents.push(opened);
    return opened;
  }
}

function addTo(incident: ModelIncident, { at, alert }: IncidentDraft): void {
  incident.occurrences += 1;
  incident.firstSeenAt = Math.min(incident.firstSeenAt, at);
  if (at >= incident.lastSeenAt) {
    incident.lastSeenAt = at;
    incident.alert = alert;
  }
}
