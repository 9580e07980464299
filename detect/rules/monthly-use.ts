import type { RuleName } from "../../schemas/anomalies.js";
import type { DetectConfig } from "../../schemas/detect-config.js";
import type { Reader, Writer } from "../varints.js";
import {
  HOUR,
  type EvenDay,
  type Found,
  type OnClosed,
  type RuleContext,
  type RuleFold,
  type Unit,
} from "./rule.js";

const DAY_MS = 86_400_000;
const DAY_SECONDS = 86_400;

/** What was used in a month of the calendar, by the local clock. */
export interface MonthsUse {
  /** Since year 0. */
  readonly month: number;
  /** mL in the hours that are known, and how many seconds these are of how many. */
  readonly ml: number;
  readonly covered: number;
  readonly seconds: number;
}

/**
 * A month that would end above a limit; where the limit comes from is what rules of this kind differ in.
 *
 * It opens in the hour in which a share of the limit is used and the month would end above it at the pace so far, or in
 * which all of it is used; once a month. Hours that say nothing are not counted, so it speaks late rather than wrongly.
 */
export abstract class MonthlyUse implements RuleFold {
  abstract readonly name: RuleName;
  readonly fine = false;
  /** Month in hand, since year 0; -1 without one. Its first unit (or the end of what was found in it), and volume so far (mL). */
  #month = -1;
  #from = 0;
  #ml = 0;
  #covered = 0;
  /** Limit (mL) of the anomaly, 0 without one. */
  #limit = 0;
  #end = 0;
  #detectedAt = 0;
  /** Highest rate of the month, mL/h, and what the month would come to when it opened, mL. */
  #peak = 0;
  #expected = 0;
  /** Local day of the unit before and what follows from it; not part of the memory. */
  #day = -1;
  #monthOfDay = 0;
  #dayOfMonth = 0;
  #daysOfMonth = 0;

  get isOpen(): boolean {
    return this.#limit > 0;
  }

  get start(): number {
    return this.#month < 0 ? -1 : this.#from;
  }

  /** mL in the month in hand; `undefined`: nobody knows of one. @param month since year 0 */
  protected abstract limit(context: RuleContext, month: number): number | undefined;
  /** Share of the limit from which the pace is judged. */
  protected abstract share(detect: DetectConfig): number;
  protected abstract evidence(limit: number, detect: DetectConfig): Found["evidence"];
  /** A month is over. @param next the month in which the next unit lies, since year 0 */
  protected monthOver?(use: MonthsUse, next: number): void;

  step({ start, end, ml, neutral }: Unit, context: RuleContext, closed: OnClosed): void {
    if (neutral) return;
    const { day, detect } = context;
    if (day !== this.#day) this.#takeDay(day);
    if (this.#monthOfDay !== this.#month) {
      if (this.isOpen) this.stop("usage-normal", detect, closed);
      this.#turnTo(this.#monthOfDay, start);
    }
    this.#covered += end - start;
    if (ml > 0) {
      this.#ml += ml;
      const rate = Math.round((ml * HOUR) / (end - start));
      if (rate > this.#peak) this.#peak = rate;
    }
    if (!this.isOpen) {
      // Without water no month comes to more than it did.
      if (ml === 0) return;
      const limit = this.limit(context, this.#month);
      if (limit === undefined || this.#ml < this.share(detect) * limit) return;
      const expected = Math.round((this.#ml * this.#daysOfMonth) / this.#dayOfMonth);
      if (this.#ml <= limit && expected <= limit) return;
      this.#limit = limit;
      this.#detectedAt = end;
      this.#expected = expected;
    }
    this.#end = end;
  }

  passOver({ length, ml, from, to }: EvenDay, context: RuleContext): boolean {
    if (context.day !== this.#day) this.#takeDay(context.day);
    if (this.isOpen || this.#monthOfDay !== this.#month) return false;
    let sum = 0;
    let most = 0;
    for (let i = from; i < to; i++) {
      const one = ml[i]!;
      sum += one;
      if (one > most) most = one;
    }
    const limit = this.limit(context, this.#month);
    if (limit !== undefined && this.#ml + sum >= this.share(context.detect) * limit) return false;
    this.#covered += (to - from) * length;
    this.#ml += sum;
    const rate = Math.round((most * HOUR) / length);
    if (rate > this.#peak) this.#peak = rate;
    return true;
  }

  open(detect: DetectConfig): Found | undefined {
    return this.isOpen ? this.#found(null, detect) : undefined;
  }

  /** Limit of the anomaly that goes on (mL), 0 without one. */
  protected get exceeded(): number {
    return this.#limit;
  }

  /** Forgets the month in hand: of none before the next unit anything is known. */
  protected forget(): void {
    this.#month = -1;
  }

  protected stop(reason: Found["closed"], detect: DetectConfig, closed: OnClosed): void {
    closed(this.#found(reason, detect));
    this.#limit = 0;
    // Another of this month, by another limit, is another anomaly: it begins no earlier than this one ended.
    this.#from = this.#end;
  }

  #takeDay(day: number): void {
    const date = new Date(day * DAY_MS);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    this.#day = day;
    this.#monthOfDay = year * 12 + month;
    this.#dayOfMonth = date.getUTCDate();
    this.#daysOfMonth = daysOf(this.#monthOfDay);
  }

  #turnTo(month: number, start: number): void {
    if (this.#month >= 0)
      this.monthOver?.(
        {
          ...{ month: this.#month, ml: this.#ml, covered: this.#covered },
          seconds: daysOf(this.#month) * DAY_SECONDS,
        },
        month,
      );
    this.#month = month;
    this.#from = start;
    this.#ml = 0;
    this.#covered = 0;
    this.#peak = 0;
  }

  #found(closed: Found["closed"], detect: DetectConfig): Found {
    return {
      rule: this.name,
      ruleVersion: 1,
      start: this.#from,
      end: this.#end,
      detectedAt: this.#detectedAt,
      rate: this.#peak,
      volume: this.#ml,
      closed,
      evidence: {
        ...this.evidence(this.#limit, detect),
        share: this.share(detect),
        expected: this.#expected,
      },
    };
  }

  writeTo(to: Writer): void {
    to.number(this.#month);
    if (this.#month < 0) return;
    to.number(this.#from).number(this.#ml).number(this.#covered).number(this.#peak).number(this.#limit);
    if (this.#limit === 0) return;
    to.number(this.#end).number(this.#detectedAt).number(this.#expected);
  }

  readFrom(from: Reader): void {
    this.#month = from.number();
    if (this.#month < 0) return;
    this.#from = from.number();
    this.#ml = from.number();
    this.#covered = from.number();
    this.#peak = from.number();
    this.#limit = from.number();
    if (this.#limit === 0) return;
    this.#end = from.number();
    this.#detectedAt = from.number();
    this.#expected = from.number();
  }
}

function daysOf(month: number): number {
  return new Date(Date.UTC(Math.floor(month / 12), (month % 12) + 1, 0)).getUTCDate();
}
