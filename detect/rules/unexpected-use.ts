import type { RuleName } from "../../schemas/anomalies.js";
import type { DetectConfig } from "../../schemas/detect-config.js";
import type { Reader, Writer } from "../varints.js";
import {
  HOUR,
  LONGEST_SILENCE,
  type Found,
  type OnClosed,
  type RuleContext,
  type RuleFold,
  type Unit,
} from "./rule.js";

/**
 * Water on days on which none is expected; which days these are is what rules of this kind differ in.
 *
 * It opens in the hour in which the water since local midnight, or since none is expected, passes a limit, begins with
 * the first flow of that day, and ends with the first whole day that stays under it, at the last flow; or when water is
 * expected again. Reads longer than an hour and a half say nothing of a day's hours and are passed over.
 */
export abstract class UnexpectedUse implements RuleFold {
  abstract readonly name: RuleName;
  readonly fine = false;
  /** Why it is over when water is expected again. */
  protected abstract readonly expected: NonNullable<Found["closed"]>;

  /** Whether no water is expected at the unit in hand. */
  protected abstract isUnexpected(context: RuleContext): boolean;
  /** mL that may flow in a day nevertheless. */
  protected abstract minVolume(detect: DetectConfig): number;

  /** Local day in hand, days since 1970-01-01, -1 without one; its first flow (-1: none), volume (mL) and highest rate (mL/h). */
  #day = -1;
  #first = -1;
  #ml = 0;
  #peak = 0;
  /** End of the latest good unit. */
  #until = 0;
  /** Of the anomaly, -1 without one. */
  #start = -1;
  #end = 0;
  #detectedAt = 0;
  #volume = 0;
  #rate = 0;

  get isOpen(): boolean {
    return this.#start >= 0;
  }

  get start(): number {
    return this.#start >= 0 ? this.#start : this.#first;
  }

  step({ start, end, ml, neutral }: Unit, context: RuleContext, closed: OnClosed): void {
    const { day, detect } = context;
    if (!this.isUnexpected(context)) {
      if (this.isOpen) this.#stop(this.expected, detect, closed);
      this.#day = -1;
      this.#first = -1;
      return;
    }
    if (neutral) return;
    const minVolume = this.minVolume(detect);
    if (this.isOpen && start - this.#until > LONGEST_SILENCE) this.#stop("no-reads", detect, closed);
    if (day !== this.#day) {
      if (this.isOpen && this.#ml <= minVolume) this.#stop("flow-stopped", detect, closed);
      this.#day = day;
      this.#first = -1;
      this.#ml = 0;
      this.#peak = 0;
    }
    this.#until = end;
    if (ml === 0) return;
    if (this.#first < 0) this.#first = start;
    this.#ml += ml;
    this.#peak = Math.max(this.#peak, Math.round((ml * HOUR) / (end - start)));
    if (this.isOpen) this.#volume += ml;
    else if (this.#ml > minVolume) {
      this.#start = this.#first;
      this.#detectedAt = end;
      this.#volume = this.#ml;
      this.#rate = 0;
    } else return;
    this.#end = end;
    this.#rate = Math.max(this.#rate, this.#peak);
  }

  open(detect: DetectConfig): Found | undefined {
    return this.isOpen ? this.#found(null, detect) : undefined;
  }

  #stop(reason: Found["closed"], detect: DetectConfig, closed: OnClosed): void {
    closed(this.#found(reason, detect));
    this.#start = -1;
  }

  #found(closed: Found["closed"], detect: DetectConfig): Found {
    return {
      rule: this.name,
      ruleVersion: 1,
      start: this.#start,
      end: this.#end,
      detectedAt: this.#detectedAt,
      rate: this.#rate,
      volume: this.#volume,
      closed,
      evidence: { minVolume: this.minVolume(detect) },
    };
  }

  writeTo(to: Writer): void {
    to.number(this.#day);
    if (this.#day < 0) return;
    to.number(this.#first).number(this.#ml).number(this.#peak).number(this.#until).number(this.#start);
    if (this.#start < 0) return;
    to.number(this.#end).number(this.#detectedAt).number(this.#volume).number(this.#rate);
  }

  readFrom(from: Reader): void {
    this.#day = from.number();
    if (this.#day < 0) return;
    this.#first = from.number();
    this.#ml = from.number();
    this.#peak = from.number();
    this.#until = from.number();
    this.#start = from.number();
    if (this.#start < 0) return;
    this.#end = from.number();
    this.#detectedAt = from.number();
    this.#volume = from.number();
    this.#rate = from.number();
  }
}
