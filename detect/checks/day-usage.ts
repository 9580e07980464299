import type { CheckCode } from "../../schemas/checks.js";
import { WHOLE_DAY } from "../rules/rule.js";
import type { Reader, Writer } from "../varints.js";
import type { CheckContext, Finding } from "./finding.js";

const DAYS = 28;
const LEAST_DAYS = 14;
/** mL: a day less above the mean is never high, and under a smaller mean no day is low. */
const HIGH_FLOOR = 500_000;
const LOW_FLOOR = 100_000;

/** Local days against the mean of those before, and the highest interval of a day against the others. */
export class DayUsage {
  #day = -1;
  #start = 0;
  #end = 0;
  #ml = 0;
  #seconds = 0;
  /** Rates of the three highest intervals of the day, mL/h, highest first. */
  #highest = 0;
  #second = 0;
  #third = 0;
  /** Volumes of the last whole days, oldest first. */
  #past: number[] = [];
  #sum = 0;

  /** @param day local day of the beginning */
  push(start: number, end: number, ml: number, day: number, context: CheckContext, ended: Finding[]): void {
    if (day !== this.#day) this.#begin(day, start, context, ended);
    // Registers of one meter are read at the same times.
    if (end > this.#end) {
      this.#seconds += end - Math.max(start, this.#end);
      this.#end = end;
    }
    this.#ml += ml;
    // Most intervals are not among the highest: that shows without a division.
    if (end > start && ml * 3600 > this.#third * (end - start))
      this.#note(Math.round((ml * 3600) / (end - start)));
  }

  writeTo(to: Writer): void {
    to.number(this.#day).number(this.#start).number(this.#end).number(this.#ml).number(this.#seconds);
    to.number(this.#highest).number(this.#second).number(this.#third);
    to.number(this.#past.length);
    to.differences(this.#past);
  }

  readFrom(from: Reader): void {
    this.#day = from.number();
    this.#start = from.number();
    this.#end = from.number();
    this.#ml = from.number();
    this.#seconds = from.number();
    this.#highest = from.number();
    this.#second = from.number();
    this.#third = from.number();
    from.differences(this.#past, 0, from.number());
    this.#sum = this.#past.reduce((sum, ml) => sum + ml, 0);
  }

  #begin(day: number, start: number, context: CheckContext, ended: Finding[]): void {
    if (this.#day >= 0) this.#judge(context, ended);
    this.#day = day;
    this.#start = start;
    this.#ml = 0;
    this.#seconds = 0;
    this.#highest = this.#second = this.#third = 0;
  }

  #note(rate: number): void {
    if (rate <= this.#third) return;
    if (rate <= this.#second) {
      this.#third = rate;
      return;
    }
    this.#third = this.#second;
    if (rate <= this.#highest) {
      this.#second = rate;
      return;
    }
    this.#second = this.#highest;
    this.#highest = rate;
  }

  /** The day in hand is over. */
  #judge({ limits }: CheckContext, ended: Finding[]): void {
    const peak = limits["peak-interval"];
    const third = this.#third;
    if (peak !== undefined && third > 0) {
      const percent = Math.round((100 * (this.#highest - third)) / third);
      if (percent > peak) this.#find("peak-interval", percent, peak, ended);
    }
    if (this.#seconds < WHOLE_DAY) return;
    if (this.#past.length >= LEAST_DAYS) {
      const mean = this.#sum / this.#past.length;
      const percent = mean > 0 ? Math.round((100 * this.#ml) / mean) : 0;
      const high = limits["high-day"];
      const low = limits["low-day"];
      if (high !== undefined && mean > 0 && percent > high && this.#ml - mean >= HIGH_FLOOR)
        this.#find("high-day", percent, high, ended);
      if (low !== undefined && mean >= LOW_FLOOR && percent < low) this.#find("low-day", percent, low, ended);
    }
    if (this.#past.length === DAYS) this.#sum -= this.#past.shift()!;
    this.#past.push(this.#ml);
    this.#sum += this.#ml;
  }

  #find(code: CheckCode, value: number, limit: number, ended: Finding[]): void {
    ended.push({ code, start: this.#start, end: this.#end, open: false, value, limit });
  }
}
