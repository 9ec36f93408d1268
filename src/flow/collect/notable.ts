import type { EpochMs } from "../../base/clock.ts";
import { type AlertRecord, fieldTexts, firstText, tameRecord } from "../../model/alert-record.ts";
import type { IncidentDraft } from "../../model/incident.ts";
import {
  contentHash,
  type DraftFields,
  draftIncident,
  type Mappings,
  splunkTime,
} from "../../model/incident-draft.ts";

/** What analysts change on a notable, which keeps its `event_id`: each change is one more occurrence. */
const MUTABLE = ["urgency", "status", "owner"] as const;
/** What else differs between two readings of the same row: labels of the above, and the row's place in an answer or a bucket. */
const UNSTABLE: ReadonlySet<string> = new Set([
  ...MUTABLE,
  ...[
    "status_label",
    "status_group",
    "status_default",
    "status_end",
    "owner_realname",
    "reviewer",
    "review_time",
  ],
  ...["comment", "_bkt", "_cd", "_serial", "_si", "splunk_server"],
]);

/**
 * Where notables of Enterprise Security 7 and findings of 8 have what. The urgency weighs the severity by what was
 * struck, so it comes first.
 */
const FIELDS: DraftFields = {
  shortDescription: ["rule_title", "rule_name", "finding_title", "search_name"],
  ciIdentifier: ["dest", "dvc", "orig_host"],
  sourceIp: ["src", "src_ip"],
  priority: ["stackflow_priority", "priority"],
  severity: ["urgency", "severity"],
  assignmentGroup: ["stackflow_assignment_group", "assignment_group"],
  searchName: ["rule_name", "search_name", "finding_name", "source"],
  message: ["rule_description", "finding_description", "description"],
};

/** One row of a search's results, and the incident that it would make. */
export interface Notable {
  /** Names the notable in the state that its analysts gave it. */
  readonly key: string;
  readonly draft: IncidentDraft;
}

/** @returns null for a row that is no object */
export function readNotable(row: unknown, mappings: Mappings, now: EpochMs): Notable | null {
  const record = tameRecord(row);
  if (record === null) return null;
  const id = firstText(record, ["event_id"]) ?? contentHash(stableFields(record));
  const key = `${id}#${contentHash(MUTABLE.map((name) => fieldTexts(record, name))).slice(0, 16)}`;
  const draft = draftIncident(record, mappings, {
    alertKey: key,
    proof: null,
    dedupKey: id,
    dedupScope: "forever",
    at: splunkTime(firstText(record, ["_time"]), now),
    fields: FIELDS,
  });
  return { key, draft };
}

function stableFields(record: AlertRecord): AlertRecord {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !UNSTABLE.has(name)));
}
