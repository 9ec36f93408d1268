import { ID_PREFIX } from "../../base/ids.ts";
import type { DeadLetter, DeadLetterSelection, DeliveryRecord } from "../../model/lane.ts";

/*
 * Lanes number their rows by themselves, each from 1. Outside, a row of the first lane keeps its number, as it was when
 * there was only one; those of the others say whose they are.
 */

/** Above every number that a lane gives. 32 of them are still whole numbers in JSON. */
const ROWS_PER_LANE = 1_000_000_000_000;

export function deliveryOfShard(shard: number, record: DeliveryRecord): DeliveryRecord {
  return shard === 0 ? record : { ...record, id: shard * ROWS_PER_LANE + record.id };
}

/** `dl_17`, and of the lane 3 `dl_17.3`. */
export function letterOfShard(shard: number, letter: DeadLetter): DeadLetter {
  return shard === 0 ? letter : { ...letter, id: `${letter.id}.${shard}` };
}

/** The number of a dead letter in its own lane. */
export function rowOfLetter({ id }: DeadLetter): number {
  return Number(id.slice(ID_PREFIX.deadLetter.length));
}

const LETTER_ID = /^(dl_[1-9]\d{0,14})(?:\.([1-9]\d?))?$/;

/**
 * What of a selection concerns one lane. An id of a dead letter names its lane; an event may be in any.
 *
 * @returns null when nothing does
 */
export function selectionOfShard(shard: number, selection: DeadLetterSelection): DeadLetterSelection | null {
  if (!("ids" in selection)) return selection;
  const ids = selection.ids.flatMap((id) => {
    const [, letter, named = "0"] = LETTER_ID.exec(id) ?? [];
    if (letter === undefined) return [id];
    return Number(named) === shard ? [letter] : [];
  });
  return ids.length === 0 ? null : { ids };
}
