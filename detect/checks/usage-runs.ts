import type { Reader, Writer } from "../varints.js";
import type { CheckContext, Finding } from "./finding.js";

const HOUR = 3600;
const DAY = 86_400;

/** Holes, stuck values and long silence of a meter that is read: runs of intervals that are alike. */
export class UsageRuns {
  /** End of the latest interval, -1 before the first. */
  #end = -1;
  /** The volume seen last, how often in a row, and since when. */
  #ml = -1;
  #count = 0;
  #since = 0;
  /** Water was used before; since when there is none. */
  #used = false;
  #drySince = -1;

  push(start: number, end: number, ml: number, context: CheckContext, ended: Finding[]): void {
    this.#hole(start, end, context, ended);
    if (ml !== this.#ml) {
      this.#stuck(context, ended, false);
      this.#ml = ml;
      this.#count = 0;
      this.#since = start;
    }
    this.#count++;
    if (ml > 0) {
      this.#dry(start, context, ended, false);
      this.#used = true;
      this.#drySince = -1;
    } else if (this.#used && this.#drySince < 0) this.#drySince = start;
    if (end > this.#end) this.#end = end;
  }

  open(context: CheckContext, into: Finding[]): void {
    this.#stuck(context, into, true);
    this.#dry(this.#end, context, into, true);
  }

  writeTo(to: Writer): void {
    const used = this.#used ? 1 : 0;
    to.number(this.#end)
      .number(this.#ml)
      .number(this.#count)
      .number(this.#since)
      .number(used)
      .number(this.#drySince);
  }

  readFrom(from: Reader): void {
    this.#end = from.number();
    this.#ml = from.number();
    this.#count = from.number();
    this.#since = from.number();
    this.#used = from.number() === 1;
    this.#drySince = from.number();
  }

  /** Between two intervals there is no read, or one interval covers the hole between two register reads. */
  #hole(start: number, end: number, { limits }: CheckContext, into: Finding[]): void {
    const { gap: limit } = limits;
    if (limit === undefined) return;
    const least = limit * HOUR;
    if (end - start >= least)
      into.push({ code: "gap", start, end, open: false, value: (end - start) / HOUR, limit });
    if (this.#end >= 0 && start - this.#end >= least) {
      const value = (start - this.#end) / HOUR;
      into.push({ code: "gap", start: this.#end, end: start, open: false, value, limit });
    }
  }

  /** A single step may be all that a trickle shows: only more than that looks like a register that hangs. */
  #stuck({ limits, resolution }: CheckContext, into: Finding[], open: boolean): void {
    const { stuck: limit } = limits;
    if (limit === undefined || this.#count < limit || this.#ml <= Math.max(0, resolution)) return;
    into.push({ code: "stuck", start: this.#since, end: this.#end, open, value: this.#count, limit });
  }

  #dry(until: number, { limits }: CheckContext, into: Finding[], open: boolean): void {
    const limit = limits["no-usage"];
    if (limit === undefined || this.#drySince < 0) return;
    const days = (until - this.#drySince) / DAY;
    if (days < limit) return;
    into.push({ code: "no-usage", start: this.#drySince, end: until, open, value: days, limit });
  }
}
