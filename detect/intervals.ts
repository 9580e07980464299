import { DOUBTFUL, Flag } from "../schemas/flags.js";
import type { Channel } from "./channel.js";
import { MOST_APART, type Sums } from "./checks/sum-mismatch.js";
import type { AsDelivered, KeptReads } from "./kept-reads.js";
import type { ReadColumns } from "./read-columns.js";
import { registerStep, type RegisterMark, type RegisterParameters } from "./registers.js";

/** An interval as ClickHouse is to hold it. */
export interface IntervalRow {
  readonly start: number;
  readonly length: number;
  readonly ml: number;
  readonly flags: number;
  readonly derived: boolean;
  readonly counts: boolean;
  readonly asDelivered: AsDelivered | undefined;
  readonly file: number;
  readonly line: number;
}

/**
 * Kept reads of a channel as intervals, in order. Of delivered intervals that overlap, the one of best standing counts
 * (actual, newer file, later line, then the earlier). Differences of registers fill what delivered intervals leave.
 * Sets `headMark`.
 * @param sums gets what was delivered without a hole between two register reads, and what these show
 */
export function intervalsOf(channel: Channel, parameters: RegisterParameters, sums?: Sums[]): IntervalRow[] {
  const { usage, registers } = channel;
  const rows: IntervalRow[] = [];
  if (usage.count === 0 && registers.count === 0) {
    channel.headMark = channel.baseMark === undefined ? undefined : { ...channel.baseMark };
    return rows;
  }
  const counts = countingUsage(usage);
  for (let i = 0; i < usage.count; i++) {
    rows.push({
      start: usage.time[i]!,
      length: usage.length[i]!,
      ml: usage.ml[i]!,
      flags: usage.flags[i]!,
      derived: false,
      counts: counts === undefined || counts[i]!,
      asDelivered: usage.asDelivered?.get(usage.time[i]!),
      file: usage.file[i]!,
      line: usage.line[i]!,
    });
  }
  let at = channel.baseMark === undefined ? undefined : { ...channel.baseMark };
  const derived: IntervalRow[] = [];
  for (let i = 0; i < registers.count; i++) {
    if (at === undefined) {
      at = firstMark(registers, i);
      continue;
    }
    const interval = stepAt(at, registers, i, parameters);
    if (interval !== undefined && interval.start >= channel.usageUntil) derived.push(derivedRow(interval));
  }
  channel.headMark = at;
  if (derived.length === 0) return rows;
  if (rows.length === 0) return derived;
  const delivered = rows.filter((row) => row.counts);
  if (sums !== undefined) compareSums(delivered, derived, sums);
  let d = 0;
  for (const row of derived) {
    while (d < delivered.length && delivered[d]!.start + delivered[d]!.length <= row.start) d++;
    if (d === delivered.length || delivered[d]!.start >= row.start + row.length) rows.push(row);
  }
  return rows.sort((a, b) => a.start - b.start);
}

/** Both in order of time, none of one kind overlapping. Doubtful ones say nothing. */
function compareSums(delivered: readonly IntervalRow[], derived: readonly IntervalRow[], into: Sums[]): void {
  let d = 0;
  for (const { start, length, ml: register, flags } of derived) {
    const end = start + length;
    while (d < delivered.length && delivered[d]!.start < start) d++;
    let usage = 0;
    let reads = 0;
    let until = start;
    let doubtful = flags;
    for (; d < delivered.length && delivered[d]!.start === until && until < end; d++) {
      const row = delivered[d]!;
      usage += row.ml;
      reads++;
      until += row.length;
      doubtful |= row.flags;
    }
    if (until !== end || length > MOST_APART || (doubtful & DOUBTFUL) !== 0) continue;
    into.push({ start, end, usage, register, reads });
  }
}

/** Which delivered intervals count, or `undefined` where none overlap. */
function countingUsage(usage: KeptReads): boolean[] | undefined {
  const { time, length, flags, file, line } = usage;
  let overlap = false;
  for (let i = 1; i < time.length; i++) {
    if (time[i]! < time[i - 1]! + length[i - 1]!) {
      overlap = true;
      break;
    }
  }
  if (!overlap) return undefined;
  const order = [...time.keys()].sort(
    (a, b) =>
      (flags[a]! & Flag.estimated) - (flags[b]! & Flag.estimated) ||
      file[b]! - file[a]! ||
      line[b]! - line[a]! ||
      time[a]! - time[b]!,
  );
  const counts = new Array<boolean>(time.length).fill(false);
  for (const i of order) {
    const start = time[i]!;
    const end = start + length[i]!;
    let free = true;
    for (let j = 0; j < time.length && time[j]! < end; j++) {
      if (counts[j] && time[j]! + length[j]! > start) {
        free = false;
        break;
      }
    }
    counts[i] = free;
  }
  return counts;
}

/**
 * Intervals between register reads.
 * @param from the first of them, @param to the one after the last
 * @param mark the read before them, moved; `undefined`: the first of them is the first of all
 * @param into gets the intervals, behind those that it has
 * @returns the last read
 */
export function stepsOf(
  reads: ReadColumns,
  from: number,
  to: number,
  mark: RegisterMark | undefined,
  parameters: RegisterParameters,
  into: ReadColumns,
): RegisterMark | undefined {
  let n = into.count;
  into.reserve(to - from);
  let i = from;
  if (mark === undefined && to > from) {
    mark = firstMark(reads, i++);
  }
  for (; i < to; i++) {
    const interval = registerStep(
      mark!,
      reads.time[i]!,
      reads.ml[i]!,
      reads.register[i]!,
      reads.flags[i]!,
      parameters,
    );
    if (interval === undefined) continue;
    into.time[n] = interval.start;
    into.length[n] = interval.length;
    into.ml[n] = interval.ml;
    into.flags[n++] = interval.flags;
  }
  into.count = n;
  return mark;
}

export function firstMark(reads: KeptReads | ReadColumns, i: number): RegisterMark {
  return { at: reads.time[i]!, ml: reads.ml[i]!, register: reads.register[i]!, flags: reads.flags[i]! };
}

export function stepAt(mark: RegisterMark, reads: KeptReads, i: number, parameters: RegisterParameters) {
  return registerStep(mark, reads.time[i]!, reads.ml[i]!, reads.register[i]!, reads.flags[i]!, parameters);
}

export function derivedRow(interval: {
  start: number;
  length: number;
  ml: number;
  flags: number;
}): IntervalRow {
  // Field by field: to spread costs ten times as much, and a late read makes a row of each kept one.
  return {
    start: interval.start,
    length: interval.length,
    ml: interval.ml,
    flags: interval.flags,
    derived: true,
    counts: true,
    asDelivered: undefined,
    file: 0,
    line: 0,
  };
}

/** A derived and a delivered interval of the same beginning are two: one of them may count when the other does not. */
export function identityOf({ start, derived }: IntervalRow): number {
  return derived ? 2 * start + 1 : 2 * start;
}

export function sameRow(a: IntervalRow, b: IntervalRow): boolean {
  return (
    a.length === b.length &&
    a.ml === b.ml &&
    a.flags === b.flags &&
    a.derived === b.derived &&
    a.counts === b.counts &&
    a.file === b.file &&
    a.line === b.line
  );
}
