import type { DetectConfig } from "../../schemas/detect-config.js";
import type { Reader, Writer } from "../varints.js";
import { MonthlyUse, type MonthsUse } from "./monthly-use.js";
import type { Found, RuleContext } from "./rule.js";

const MONTHS = 12;
/** So much of a month must be known for the next year to be compared with it (DETECTION §5, 20 of 24 hours, and a bit more). */
const LEAST_KNOWN = 0.9;

/**
 * A month that is heading for far more water than the same month of last year: a high bill ahead (DETECTION §4.6;
 * WaterSmart compares with the same billing period, DETECTION §1.1). Months are those of the calendar, since nobody says
 * when bills are made. A month of which too little is known is not compared with.
 */
export class BillAhead extends MonthlyUse {
  readonly name = "bill-ahead";
  /** mL in each month of the last twelve, by month of the year; 0: not known, or none. */
  readonly #past = new Array<number>(MONTHS).fill(0);

  protected limit({ detect: { billAhead } }: RuleContext, month: number): number | undefined {
    const past = this.#past[month % MONTHS]!;
    return past === 0 ? undefined : Math.round(Math.max(billAhead.times * past, past + billAhead.more));
  }

  protected share({ billAhead }: DetectConfig): number {
    return billAhead.share;
  }

  protected evidence(limit: number, { billAhead: { times, more } }: DetectConfig): Found["evidence"] {
    // The limit is the larger of the two, so what it was made from is the smaller.
    return { lastYear: Math.round(Math.min(limit / times, limit - more)), times, more };
  }

  protected override monthOver({ month, ml, covered, seconds }: MonthsUse, next: number): void {
    this.#past[month % MONTHS] = covered < LEAST_KNOWN * seconds ? 0 : Math.round((ml * seconds) / covered);
    // Of months without a unit nothing is known, and what was a year before them is not last year's any more.
    for (let skipped = month + 1; skipped < Math.min(next, month + MONTHS + 1); skipped++)
      this.#past[skipped % MONTHS] = 0;
  }

  override writeTo(to: Writer): void {
    super.writeTo(to);
    for (const ml of this.#past) to.number(ml);
  }

  override readFrom(from: Reader): void {
    super.readFrom(from);
    for (let i = 0; i < MONTHS; i++) this.#past[i] = from.number();
  }
}
