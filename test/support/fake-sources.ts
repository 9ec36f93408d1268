import type { PageRequest, Sources } from "../../src/api/context.ts";
import type { PollerCalls, PollReport, Source } from "../../src/model/source.ts";

/** A source as it is stored, and what the test is about. */
export function source(about: Partial<Source> = {}): Source {
  return {
    id: "src_1",
    tenantId: "ten_a",
    kind: "splunk_alert",
    name: "SOC Splunk",
    enabled: true,
    config: { hmac: false, allow_path_secret: false },
    severityMapping: { critical: "P1", high: "P2", medium: "P3", low: "P4" },
    fieldMapping: {},
    dedupFields: ["search_name", "host", "source"],
    sealedSecrets: "sealed",
    revision: 1,
    createdAt: 1_000,
    updatedAt: 1_000,
    deletedAt: null,
    lastSeenAt: null,
    alerts: 0,
    status: "active",
    statusReason: null,
    ...about,
  };
}

/** Sources in memory, found as the database finds them. */
export class FakeSources implements Sources {
  readonly rows = new Map<string, Source>();
  readonly macs = new Map<string, readonly string[]>();
  /** Questions of the way in, for tests of what is remembered. */
  lookUps = 0;
  isDown = false;
  /** Runs before each update: where a test lets somebody else be quicker. */
  beforeUpdate: () => void = () => undefined;

  async insert(row: Source, macs: readonly string[]) {
    this.rows.set(row.id, row);
    this.macs.set(row.id, macs);
  }
  async get(tenantId: string, id: string) {
    const found = this.rows.get(id);
    return found?.tenantId === tenantId ? found : null;
  }
  async page(tenantId: string, { limit, cursor }: PageRequest) {
    const sorted = this.#alive(tenantId).toSorted((a, b) => (a.id < b.id ? 1 : -1));
    const left = cursor === null ? sorted : sorted.filter(({ id }) => id < cursor.id);
    const last = left[limit - 1];
    const next = left.length > limit && last !== undefined ? { at: last.createdAt, id: last.id } : null;
    return { items: left.slice(0, limit), next };
  }
  async count(tenantId: string) {
    return this.#alive(tenantId).length;
  }
  async update(row: Source, macs: readonly string[], expectedRevision: number) {
    this.beforeUpdate();
    const present = await this.get(row.tenantId, row.id);
    if (present === null || present.deletedAt !== null || present.revision !== expectedRevision) return false;
    await this.insert(row, macs);
    return true;
  }
  async markDeleted(tenantId: string, id: string, at: number) {
    const present = await this.get(tenantId, id);
    if (present === null || present.deletedAt !== null) return false;
    this.rows.set(id, { ...present, deletedAt: at, revision: present.revision + 1 });
    this.macs.delete(id);
    return true;
  }
  async hasMac(tenantId: string, macs: readonly string[], exceptId: string) {
    return this.#alive(tenantId).some(
      ({ id }) => id !== exceptId && this.macs.get(id)?.some((mac) => macs.includes(mac)),
    );
  }
  async findById(id: string) {
    this.#asked();
    const found = this.rows.get(id);
    return found === undefined || found.deletedAt !== null ? null : found;
  }
  async findByMacs(macs: readonly string[]) {
    this.#asked();
    return [...this.rows.values()]
      .filter(({ deletedAt }) => deletedAt === null)
      .flatMap((row) =>
        (this.macs.get(row.id) ?? [])
          .filter((mac) => macs.includes(mac))
          .map((mac) => ({ mac, source: row })),
      );
  }
  #asked() {
    this.lookUps += 1;
    if (this.isDown) throw new Error("the database is down");
  }
  #alive(tenantId: string) {
    return [...this.rows.values()].filter((row) => row.tenantId === tenantId && row.deletedAt === null);
  }
}

/** A poller that does as it is told, and remembers what it was told. */
export class FakePoller implements PollerCalls {
  readonly calls: (readonly unknown[])[] = [];
  isDown = false;
  state: PollReport = {
    status: "active",
    reason: null,
    lastPolledAt: null,
    checkpoint: null,
    nextPollAt: null,
    notables: 0,
    failures: 0,
  };

  async #asked<T>(call: readonly unknown[], answer: T): Promise<T> {
    this.calls.push(call);
    if (this.isDown) throw new Error("the poller is down");
    return answer;
  }
  configure(tenantId: string, sourceId: string, revision: number) {
    return this.#asked(["configure", tenantId, sourceId, revision], undefined);
  }
  pollNow() {
    return this.#asked(["pollNow"], undefined);
  }
  report() {
    return this.#asked(["report"], this.state);
  }
  test() {
    return this.#asked(["test"], {
      ok: true,
      latencyMs: 5,
      httpStatus: 200,
      providerCode: null,
      message: "The search works",
      hint: null,
      acknowledgement: null,
      checks: [{ name: "search", ok: true, detail: "It found 3 notables" }],
    });
  }
}
