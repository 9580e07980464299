import { median } from "simple-statistics";
import type { DetectConfig } from "../../schemas/detect-config.js";
import type { Reader, Writer } from "../varints.js";
import { robustDeviation } from "./robust-deviation.js";
import {
  HOUR,
  LONGEST_SILENCE,
  WHOLE_DAY,
  type Found,
  type OnClosed,
  type RuleContext,
  type RuleFold,
  type Unit,
} from "./rule.js";

const VERSION = 1;
const DAYS = 56;
/** A weekday counts with this much for each of its days, and all days together with the rest (DETECTION §5, shrinkage). */
const WEEKDAY_WEIGHT = 4;
/** No meter is more even than this: standard deviation of the log of a day's volume. */
const LEAST_DEVIATION = 0.2;
/** While high days follow each other the limit stays, for so many days: what lasts longer is usual now. */
const LONGEST_DAYS = 7;

export interface HighDayParameters {
  readonly minVolume: number;
  readonly highest: number;
  readonly deviations: number;
  readonly minDays: number;
}

/**
 * A high day: more water since local midnight than this meter uses in a day.
 *
 * The limit is the largest of `minVolume`, of `highest` times the highest of the last 56 whole days, and of the usual
 * day of the weekday plus `deviations` robust standard deviations, on the log of litres plus one (DETECTION §4.6). The
 * usual day is the median of the same weekday, drawn towards that of all days while there are few. It opens in the hour
 * in which the day passes the limit, not at its end.
 *
 * High days that follow each other are one anomaly, with the limit of the first. All days are learnt, so what comes
 * again, guests or the season's watering, is told once. A day counts as whole with 20 hours of good reads; reads longer
 * than an hour and a half say nothing of a day's hours and are passed over.
 */
export class HighDay implements RuleFold {
  readonly name = "high-day";
  readonly fine = false;
  /** Local day in hand, days since 1970-01-01, -1 before the first; its first unit, and the end of its latest. */
  #day = -1;
  #from = 0;
  #until = 0;
  #ml = 0;
  #seconds = 0;
  #peak = 0;
  /** mL; -1: not made yet for the day in hand. */
  #limit = -1;
  /** The last whole days and their volumes (mL), oldest first. */
  #days: number[] = [];
  #volumes: number[] = [];
  /** Beginning of the anomaly, -1 without one; its high days before the one in hand, and the volume of these. */
  #start = -1;
  #end = 0;
  #detectedAt = 0;
  #highDays = 0;
  #volume = 0;
  /** Its highest rate, mL/h. */
  #highest = 0;
  /** What was usual when it began, mL: the days learnt, their median and the highest of them. */
  #learnt = 0;
  #usualDay = 0;
  #highestDay = 0;

  get isOpen(): boolean {
    return this.#start >= 0;
  }

  get start(): number {
    return this.#start >= 0 ? this.#start : this.#day < 0 ? -1 : this.#from;
  }

  step({ start, end, ml, neutral }: Unit, { day, detect }: RuleContext, closed: OnClosed): void {
    if (neutral) return;
    const parameters = detect.highDay;
    if (this.isOpen && start - this.#until > LONGEST_SILENCE) this.#stop("no-reads", parameters, closed);
    if (day !== this.#day) {
      if (this.#day >= 0) this.#endDay(parameters, closed);
      this.#day = day;
      this.#from = start;
      this.#seconds = 0;
      this.#peak = 0;
      if (!this.isOpen) this.#limit = -1;
    }
    this.#until = end;
    this.#ml += ml;
    this.#seconds += end - start;
    const rate = Math.round((ml * HOUR) / (end - start));
    if (rate > this.#peak) this.#peak = rate;
    if (this.#ml < parameters.minVolume || this.#volumes.length < parameters.minDays) return;
    if (this.#limit < 0) this.#limit = dayLimit(day, this.#days, this.#volumes, parameters);
    if (!this.#isHigh) return;
    if (!this.isOpen) {
      this.#start = this.#from;
      this.#detectedAt = end;
      this.#learnt = this.#volumes.length;
      this.#usualDay = Math.round(median(this.#volumes));
      this.#highestDay = Math.max(...this.#volumes);
    }
    this.#end = end;
    if (this.#peak > this.#highest) this.#highest = this.#peak;
  }

  open({ highDay }: DetectConfig): Found | undefined {
    return this.isOpen ? this.#found(null, highDay) : undefined;
  }

  get #isHigh(): boolean {
    return this.#limit >= 0 && this.#ml > this.#limit;
  }

  /** The day in hand is over: it decides whether what is open goes on, and is learnt. */
  #endDay(parameters: HighDayParameters, closed: OnClosed): void {
    const volume = this.#ml;
    const isHigh = this.#isHigh;
    if (isHigh) this.#volume += volume;
    this.#ml = 0;
    if (this.isOpen && (!isHigh || ++this.#highDays === LONGEST_DAYS))
      this.#stop("usage-normal", parameters, closed);
    if (this.#seconds < WHOLE_DAY) return;
    if (this.#volumes.length === DAYS) {
      this.#days.shift();
      this.#volumes.shift();
    }
    this.#days.push(this.#day);
    this.#volumes.push(volume);
  }

  #stop(reason: "usage-normal" | "no-reads", parameters: HighDayParameters, closed: OnClosed): void {
    closed(this.#found(reason, parameters));
    this.#start = -1;
    this.#highDays = 0;
    this.#volume = 0;
    this.#highest = 0;
    this.#limit = -1;
  }

  #found(closed: Found["closed"], { minVolume, highest, deviations }: HighDayParameters): Found {
    return {
      rule: "high-day",
      ruleVersion: VERSION,
      start: this.#start,
      end: this.#end,
      detectedAt: this.#detectedAt,
      rate: this.#highest,
      volume: this.#volume + (this.#isHigh ? this.#ml : 0),
      closed,
      evidence: {
        limit: this.#limit,
        usualDay: this.#usualDay,
        highestDay: this.#highestDay,
        days: this.#learnt,
        minVolume,
        highest,
        deviations,
      },
    };
  }

  writeTo(to: Writer): void {
    to.number(this.#day).number(this.#from).number(this.#until).number(this.#ml).number(this.#seconds);
    to.number(this.#peak).number(this.#limit).number(this.#days.length);
    to.runs(this.#days);
    to.differences(this.#volumes);
    to.number(this.#start);
    if (this.#start < 0) return;
    to.number(this.#end).number(this.#detectedAt).number(this.#highDays).number(this.#volume);
    to.number(this.#highest).number(this.#learnt).number(this.#usualDay).number(this.#highestDay);
  }

  readFrom(from: Reader): void {
    this.#day = from.number();
    this.#from = from.number();
    this.#until = from.number();
    this.#ml = from.number();
    this.#seconds = from.number();
    this.#peak = from.number();
    this.#limit = from.number();
    const count = from.number();
    from.runs(this.#days, 0, count);
    from.differences(this.#volumes, 0, count);
    this.#start = from.number();
    if (this.#start < 0) return;
    this.#end = from.number();
    this.#detectedAt = from.number();
    this.#highDays = from.number();
    this.#volume = from.number();
    this.#highest = from.number();
    this.#learnt = from.number();
    this.#usualDay = from.number();
    this.#highestDay = from.number();
  }
}

/**
 * Volume (mL) above which a day is high, see `HighDay`.
 * @param day days since 1970-01-01
 * @param days,volumes whole days before it and their volumes in mL, not empty
 */
export function dayLimit(
  day: number,
  days: readonly number[],
  volumes: readonly number[],
  { minVolume, highest, deviations }: HighDayParameters,
): number {
  const logs = volumes.map((ml) => Math.log1p(ml / 1000));
  const same = logs.filter((_, i) => (day - days[i]!) % 7 === 0);
  const usual = median(logs);
  const weight = same.length / (same.length + WEEKDAY_WEIGHT);
  const ofWeekday = same.length === 0 ? usual : usual + weight * (median(same) - usual);
  const sigma = Math.max(LEAST_DEVIATION, robustDeviation(logs));
  const byHistory = 1000 * Math.expm1(ofWeekday + deviations * sigma);
  return Math.round(Math.max(minVolume, highest * Math.max(...volumes), byHistory));
}
