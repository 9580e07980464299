import type { Reader, Writer } from "../varints.js";
import type { CheckContext, Finding } from "./finding.js";

/** Register reads at most so far apart (seconds) are compared with the intervals between them. */
export const MOST_APART = 3 * 86_400;
/** So far they may be apart of a register that was never seen to move: its step may be 10 m³ (1,000 gal are 3.8). mL. */
const STANDS_STILL = 10_000_000;

/** What was delivered between two register reads, without a hole, and what the register shows. UTC seconds, mL. */
export interface Sums {
  readonly start: number;
  readonly end: number;
  readonly usage: number;
  readonly register: number;
  /** Intervals delivered. */
  readonly reads: number;
}

/**
 * The sum check (FORMATS §4): delivered intervals against the difference of the register reads around them, of reads that
 * follow each other until the two agree again. They agree where they differ by no more than the limit, or than a step for
 * each interval, which may have been rounded by itself. That a register shows whole steps alone makes up for itself from
 * read to read: two of the smallest moves that it ever made, at least its step, are allowed in all.
 */
export class SumMismatch {
  /** The smallest move, 0: none yet. */
  #step = 0;
  /** Since the two agreed last: -1, they do; how far apart they are, of how much. */
  #start = -1;
  #end = 0;
  #difference = 0;
  #total = 0;

  push({ start, end, usage, register, reads }: Sums, context: CheckContext, ended: Finding[]): void {
    const limit = context.limits["sum-mismatch"];
    if (limit === undefined) return;
    if (register > 0 && (this.#step === 0 || register < this.#step)) this.#step = register;
    const larger = Math.max(usage, register);
    if (Math.abs(usage - register) <= Math.max((limit / 100) * larger, context.resolution * reads)) {
      this.open(context, ended, false);
      this.#start = -1;
      this.#difference = this.#total = 0;
      return;
    }
    if (this.#start < 0) this.#start = start;
    this.#end = end;
    this.#difference += usage - register;
    this.#total += larger;
  }

  open({ limits }: CheckContext, into: Finding[], open = true): void {
    const limit = limits["sum-mismatch"];
    if (limit === undefined || this.#start < 0) return;
    const difference = Math.abs(this.#difference);
    const value = (100 * difference) / this.#total;
    if (value <= limit || difference <= (2 * this.#step || STANDS_STILL)) return;
    into.push({ code: "sum-mismatch", start: this.#start, end: this.#end, open, value, limit });
  }

  writeTo(to: Writer): void {
    to.number(this.#step).number(this.#start);
    if (this.#start >= 0) to.number(this.#end).number(this.#difference).number(this.#total);
  }

  readFrom(from: Reader): void {
    this.#step = from.number();
    this.#start = from.number();
    if (this.#start < 0) return;
    this.#end = from.number();
    this.#difference = from.number();
    this.#total = from.number();
  }
}
