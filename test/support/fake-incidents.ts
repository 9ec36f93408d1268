import type {
  IncidentFilter,
  IncidentRefusal,
  Incidents,
  PageRequest,
  WantedIncident,
} from "../../src/api/context.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { Incident, IncidentChange, IncidentDraft, RaisedIncident } from "../../src/model/incident.ts";

/** Incidents in memory: answers that a test sets, and what was asked. The rules are tested where they are kept. */
export class FakeIncidents implements Incidents {
  readonly rows = new Map<string, Incident>();
  readonly changes: IncidentChange[] = [];
  readonly asked: IncidentFilter[] = [];
  readonly raised: { readonly sourceId: string; readonly drafts: readonly IncidentDraft[] }[] = [];
  readonly wanted: WantedIncident[] = [];
  /** What becomes of the next drafts. */
  outcome: RaisedIncident["outcome"] = "created";
  /** Set where a change is to be refused. */
  refusal: IncidentRefusal | null = null;

  async get(tenantId: string, id: string) {
    const found = this.rows.get(id);
    return found?.tenantId === tenantId ? found : null;
  }

  async byNumber(tenantId: string, number: number) {
    return [...this.rows.values()].find((row) => row.tenantId === tenantId && row.number === number) ?? null;
  }

  async page(tenantId: string, filter: IncidentFilter, { limit }: PageRequest) {
    this.asked.push(filter);
    const own = [...this.rows.values()].filter((row) => row.tenantId === tenantId);
    const last = own[limit - 1];
    const next = own.length > limit && last !== undefined ? { at: last.createdAt, id: last.id } : null;
    return { items: own.slice(0, limit), next };
  }

  async timeline(_tenantId: string, incidentId: string, { limit }: { limit: number }) {
    const own = this.changes.filter((change) => change.incidentId === incidentId);
    return { items: own.slice(0, limit), next: own.length > limit ? limit : null };
  }

  async raise(sourceId: string, drafts: readonly IncidentDraft[]): Promise<readonly RaisedIncident[]> {
    this.raised.push({ sourceId, drafts });
    const [incident] = this.rows.values();
    if (incident === undefined) throw new Error("The test keeps no incident");
    return drafts.map((draft) => ({
      incident: { ...incident, priority: draft.priority },
      outcome: this.outcome,
    }));
  }

  async change(
    name: { readonly tenantId: string; readonly id: string },
    wanted: WantedIncident,
  ): Promise<Result<Incident, IncidentRefusal>> {
    this.wanted.push(wanted);
    if (this.refusal !== null) return err(this.refusal);
    const present = await this.get(name.tenantId, name.id);
    if (present === null) return err({ reason: "not_found" });
    const { state = present.state, priority = present.priority } = wanted;
    const changed = { ...present, state, priority };
    this.rows.set(name.id, changed);
    return ok(changed);
  }
}
