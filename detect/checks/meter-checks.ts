import type { EvenIntervals } from "../fold.js";
import type { Reader, Writer } from "../varints.js";
import { DayUsage } from "./day-usage.js";
import type { CheckContext, Finding } from "./finding.js";
import { FlagRuns } from "./flag-runs.js";
import { InactiveUsage } from "./inactive-usage.js";
import { MissingSibling } from "./missing-sibling.js";
import { SumMismatch, type Sums } from "./sum-mismatch.js";
import { UsageRuns } from "./usage-runs.js";

const NONE: readonly Finding[] = [];
/** Used again for each meter. */
const open: Finding[] = [];

/**
 * The checks with history (schemas/checks.ts) as a fold over a meter's intervals in order of time, all registers
 * together. Like the rules it depends on the sequence of intervals alone.
 */
export class MeterChecks {
  /** What ended since the fold began, or since it was emptied. */
  ended: Finding[] = [];
  readonly #flags = new FlagRuns();
  readonly #usage = new UsageRuns();
  readonly #days = new DayUsage();
  readonly #inactive = new InactiveUsage();
  readonly #sibling = new MissingSibling();
  readonly #sums = new SumMismatch();

  /**
   * @param registers how many of the meter's registers are read at this time
   * @param day local day of the beginning, days since 1970-01-01
   */
  push(
    start: number,
    length: number,
    ml: number,
    flags: number,
    registers: number,
    day: number,
    context: CheckContext,
  ): void {
    const end = start + length;
    this.#flags.push(start, end, flags, context, this.ended);
    this.#usage.push(start, end, ml, context, this.ended);
    this.#days.push(start, end, ml, day, context, this.ended);
    this.#inactive.push(start, end, ml, context, this.ended);
    this.#sibling.push(start, end, registers, context, this.ended);
  }

  /**
   * The same for intervals of one register that are even in time and alike but for their volume, of one local day: those
   * from index `from` until `to`.
   */
  pushEven(
    { time, length, ml, flags }: EvenIntervals,
    from: number,
    to: number,
    day: number,
    context: CheckContext,
  ): void {
    const plain =
      !this.#flags.takesNoteOf(flags) && !this.#inactive.takesNote(context) && !this.#sibling.takesNoteOf(1);
    let start = time.from + time.step * from;
    for (let i = from; i < to; i++, start += time.step) {
      if (plain) {
        this.#usage.push(start, start + length, ml[i]!, context, this.ended);
        this.#days.push(start, start + length, ml[i]!, day, context, this.ended);
      } else {
        this.push(start, length, ml[i]!, flags, 1, day, context);
      }
    }
  }

  /** Delivered intervals beside the register reads around them, once they are past. */
  pushSums(sums: Sums, context: CheckContext): void {
    this.#sums.push(sums, context, this.ended);
  }

  /** What was found so far, ended or not. */
  findings(context: CheckContext): readonly Finding[] {
    open.length = 0;
    this.#flags.open(context, open);
    this.#usage.open(context, open);
    this.#inactive.open(context, open);
    this.#sibling.open(context, open);
    this.#sums.open(context, open);
    if (open.length === 0) return this.ended.length === 0 ? NONE : this.ended.slice();
    return this.ended.concat(open);
  }

  /** Without what ended. */
  writeTo(to: Writer): void {
    this.#flags.writeTo(to);
    this.#usage.writeTo(to);
    this.#days.writeTo(to);
    this.#inactive.writeTo(to);
    this.#sibling.writeTo(to);
    this.#sums.writeTo(to);
  }

  readFrom(from: Reader): void {
    this.#flags.readFrom(from);
    this.#usage.readFrom(from);
    this.#days.readFrom(from);
    this.#inactive.readFrom(from);
    this.#sibling.readFrom(from);
    this.#sums.readFrom(from);
  }
}
