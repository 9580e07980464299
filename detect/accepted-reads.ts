import { Flag } from "../schemas/flags.js";
import { MAX_BLOCK_READS, sequenceAt, type ReadsBlock } from "../schemas/reads.js";
import type { EvenIntervals } from "./fold.js";
import { ReadColumns } from "./read-columns.js";
import { isWord } from "./varints.js";

/** Reads of a block that were accepted. */
export class AcceptedReads extends ReadColumns {
  /** Place of each in the block. */
  readonly index = new Int32Array(MAX_BLOCK_READS);
}

/** What became of a block's reads. */
export interface BlockCounts {
  accepted: number;
  /** Same time, same or worse standing. */
  superseded: number;
  /** No value. */
  missing: number;
}

/**
 * The block's reads, if each is later than the one before, than `after`, and overlaps none.
 * @returns how many have no value; -1 where the order is another
 */
export function takeInOrder(block: ReadsBlock, after: number, into: AcceptedReads): number {
  const { length, time, flags, line, ml, count, file, register } = block;
  const usage = block.kind === "usage";
  const oneLength = typeof length === "number" ? length : 0;
  const lengths = Array.isArray(length) ? length : undefined;
  const oneFlags = typeof flags === "number" ? flags : 0;
  const allFlags = Array.isArray(flags) ? flags : undefined;
  let end = after;
  let n = 0;
  for (let i = 0; i < count; i++) {
    const value = ml[i] ?? null;
    if (value === null) continue;
    const start = sequenceAt(time, i);
    if (usage ? start < end : start <= end) return -1;
    const span = lengths === undefined ? oneLength : lengths[i]!;
    end = start + span;
    into.time[n] = start;
    into.length[n] = span;
    into.ml[n] = value;
    into.flags[n] = allFlags === undefined ? oneFlags : allFlags[i]!;
    into.file[n] = file;
    into.line[n] = sequenceAt(line, i);
    into.register[n] = register;
    into.index[n++] = i;
  }
  into.count = n;
  return count - n;
}

export function addAccepted(
  to: AcceptedReads,
  time: number,
  length: number,
  ml: number,
  flags: number,
  { file, register }: ReadsBlock,
  line: number,
  index: number,
): void {
  const n = to.count++;
  to.time[n] = time;
  to.length[n] = length;
  to.ml[n] = ml;
  to.flags[n] = flags;
  to.file[n] = file;
  to.line[n] = line;
  to.register[n] = register;
  to.index[n] = index;
}

/** A block of usage at even times, each of the same length and with the same flags, none without a value. */
export type EvenBlock = ReadsBlock &
  EvenIntervals & {
    readonly line: { readonly from: number; readonly step: number; readonly repeat?: number };
  };

/**
 * Whether all of the block can be taken as it is.
 * @param after no read may begin before
 * @param most millilitres a second that the meter can pass
 */
export function isEven(block: ReadsBlock, after: number, most: number): block is EvenBlock {
  const { time, length, ml, flags, line, count } = block;
  if (typeof length !== "number" || typeof flags !== "number") return false;
  if (Array.isArray(time) || Array.isArray(line) || time.repeat !== undefined || time.from < after)
    return false;
  if (!isWord(time.step) || !isWord(line.step)) return false;
  if (count > 1 && time.step < Math.max(length, 1)) return false;
  const highest = most * length;
  for (let i = 0; i < count; i++) {
    const value = ml[i];
    if (value === null || value === undefined || value > highest) return false;
  }
  return true;
}

export function lengthAt(length: ReadsBlock["length"], i: number): number {
  return typeof length === "number" ? length : length![i]!;
}

/** @param most millilitres a second that the meter can pass */
export function flagOverCapacity({ count, ml, length, flags }: ReadColumns, most: number): void {
  for (let i = 0; i < count; i++) if (ml[i]! > most * length[i]!) flags[i]! |= Flag.overCapacity;
}
