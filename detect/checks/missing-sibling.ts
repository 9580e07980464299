import type { Reader, Writer } from "../varints.js";
import type { CheckContext, Finding } from "./finding.js";

const HOUR = 3600;

/** Hours of a compound meter in which some of its registers are read and others are not. */
export class MissingSibling {
  /** The hour in hand, -1 without one; the seconds read in it, and those of all registers together. */
  #slot = -1;
  #seconds = 0;
  #whole = 0;
  /** Hours in a row that were read in part. */
  #start = -1;
  #end = 0;

  /** Whether an interval at which so many registers are read changes anything. */
  takesNoteOf(registers: number): boolean {
    return registers > 1 || this.#slot >= 0;
  }

  push(start: number, end: number, registers: number, context: CheckContext, ended: Finding[]): void {
    if (!this.takesNoteOf(registers)) return;
    const slot = start - (start % HOUR);
    if (slot !== this.#slot) {
      this.#endSlot(context, ended);
      this.#slot = registers === 1 ? -1 : slot;
      this.#seconds = 0;
      this.#whole = registers * HOUR;
    }
    this.#seconds += end - start;
  }

  open({ limits }: CheckContext, into: Finding[], open = true): void {
    const limit = limits["sibling-missing"];
    const value = (this.#end - this.#start) / HOUR;
    if (limit === undefined || this.#start < 0 || value < limit) return;
    into.push({ code: "sibling-missing", start: this.#start, end: this.#end, open, value, limit });
  }

  writeTo(to: Writer): void {
    to.number(this.#slot).number(this.#seconds).number(this.#whole).number(this.#start).number(this.#end);
  }

  readFrom(from: Reader): void {
    this.#slot = from.number();
    this.#seconds = from.number();
    this.#whole = from.number();
    this.#start = from.number();
    this.#end = from.number();
  }

  #endSlot(context: CheckContext, ended: Finding[]): void {
    if (this.#slot < 0) return;
    if (this.#seconds < this.#whole) {
      if (this.#start < 0) this.#start = this.#slot;
      this.#end = this.#slot + HOUR;
      return;
    }
    this.open(context, ended, false);
    this.#start = -1;
  }
}
