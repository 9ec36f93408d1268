import type { Incident, IncidentDraft, RaisedIncident } from "../../src/model/incident.ts";
import { incident } from "./builders.ts";

/** What becomes of alerts by the rules of the database, in memory: for tests of what comes before. */
export class MemoryIncidents {
  readonly drafts: IncidentDraft[] = [];
  readonly #live = new Map<string, Incident>();
  readonly #taken = new Map<string, string>();

  async raise(
    source: { readonly id: string; readonly tenantId: string },
    drafts: readonly IncidentDraft[],
  ): Promise<readonly RaisedIncident[]> {
    return drafts.map((draft) => this.#one(source, draft));
  }

  #one({ id: sourceId, tenantId }: { id: string; tenantId: string }, draft: IncidentDraft): RaisedIncident {
    this.drafts.push(draft);
    const place = `${sourceId}/${draft.dedupKey}`;
    const present = this.#live.get(place);
    const names = { proof: draft.proof, alertKey: draft.alertKey };
    for (const [kind, name] of Object.entries(names)) {
      const before =
        name === null ? undefined : this.#live.get(this.#taken.get(`${sourceId}/${kind}/${name}`) ?? "");
      if (before !== undefined)
        return { incident: before, outcome: kind === "proof" ? "replayed" : "resent" };
    }
    for (const [kind, name] of Object.entries(names)) {
      if (name !== null) this.#taken.set(`${sourceId}/${kind}/${name}`, place);
    }
    const number = this.#live.size + 1;
    const { alertKey: _key, proof: _proof, dedupKey: _dedup, dedupScope: _scope, at, ...said } = draft;
    const made =
      present === undefined
        ? incident({ ...said, id: `inc_${number}`, tenantId, sourceId, number, firstSeenAt: at })
        : { ...present, alert: draft.alert, occurrences: present.occurrences + 1, lastSeenAt: at };
    this.#live.set(place, made);
    return { incident: made, outcome: present === undefined ? "created" : "recurred" };
  }
}
