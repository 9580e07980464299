import type { DetectConfig } from "../../schemas/detect-config.js";
import type { Reader, Writer } from "../varints.js";
import { HOUR, type Found, type OnClosed, type RuleContext, type RuleFold, type Unit } from "./rule.js";

const VERSION = 1;
const DAY_MS = 86_400_000;

/**
 * The month's budget that the people of the home set (AquaHawk, Flume, Hydrific: DETECTION §1.1).
 *
 * It opens in the hour in which `share` of the budget is used and the month would end above it at the pace so far, or in
 * which all of it is used; once a month. Months are those of the calendar, by the local clock. Hours that say nothing
 * are not counted, so it speaks late rather than wrongly.
 */
export class Budget implements RuleFold {
  readonly name = "budget";
  readonly fine = false;
  /** Month in hand, since year 0; -1 without one. Its first unit (or the end of what was found in it), and volume so far (mL). */
  #month = -1;
  #from = 0;
  #ml = 0;
  /** Budget (mL) of the anomaly, 0 without one. */
  #budget = 0;
  #end = 0;
  #detectedAt = 0;
  /** Highest rate of the month, mL/h, and what the month would come to when it opened, mL. */
  #peak = 0;
  #expected = 0;

  get isOpen(): boolean {
    return this.#budget > 0;
  }

  get start(): number {
    return this.#month < 0 ? -1 : this.#from;
  }

  step({ start, end, ml, neutral }: Unit, { budget, day, detect }: RuleContext, closed: OnClosed): void {
    if (this.isOpen && budget !== this.#budget) this.#stop("declared", detect, closed);
    if (budget === undefined) {
      this.#month = -1;
      return;
    }
    if (neutral) return;
    const date = new Date(day * DAY_MS);
    const month = date.getUTCFullYear() * 12 + date.getUTCMonth();
    if (month !== this.#month) {
      if (this.isOpen) this.#stop("usage-normal", detect, closed);
      this.#month = month;
      this.#from = start;
      this.#ml = 0;
      this.#peak = 0;
    }
    this.#ml += ml;
    this.#peak = Math.max(this.#peak, Math.round((ml * HOUR) / (end - start)));
    if (!this.isOpen) {
      if (this.#ml < detect.budget.share * budget) return;
      const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
      const expected = Math.round((this.#ml * days) / date.getUTCDate());
      if (this.#ml <= budget && expected <= budget) return;
      this.#budget = budget;
      this.#detectedAt = end;
      this.#expected = expected;
    }
    this.#end = end;
  }

  open(detect: DetectConfig): Found | undefined {
    return this.isOpen ? this.#found(null, detect) : undefined;
  }

  #stop(reason: Found["closed"], detect: DetectConfig, closed: OnClosed): void {
    closed(this.#found(reason, detect));
    this.#budget = 0;
    // Another of this month, by another budget, is another anomaly: it begins no earlier than this one ended.
    this.#from = this.#end;
  }

  #found(closed: Found["closed"], { budget: { share } }: DetectConfig): Found {
    return {
      rule: "budget",
      ruleVersion: VERSION,
      start: this.#from,
      end: this.#end,
      detectedAt: this.#detectedAt,
      rate: this.#peak,
      volume: this.#ml,
      closed,
      evidence: { budget: this.#budget, share, expected: this.#expected },
    };
  }

  writeTo(to: Writer): void {
    to.number(this.#month);
    if (this.#month < 0) return;
    to.number(this.#from).number(this.#ml).number(this.#peak).number(this.#budget);
    if (this.#budget === 0) return;
    to.number(this.#end).number(this.#detectedAt).number(this.#expected);
  }

  readFrom(from: Reader): void {
    this.#month = from.number();
    if (this.#month < 0) return;
    this.#from = from.number();
    this.#ml = from.number();
    this.#peak = from.number();
    this.#budget = from.number();
    if (this.#budget === 0) return;
    this.#end = from.number();
    this.#detectedAt = from.number();
    this.#expected = from.number();
  }
}
