import type { RuleName } from "../../../schemas/anomalies.js";
import type { Reader, Writer } from "../../varints.js";
import {
  HOUR,
  WHOLE_DAY,
  type Found,
  type OnClosed,
  type RuleContext,
  type RuleFold,
  type Unit,
} from "../rule.js";

/** A rule that looks at one figure of each local day. */
export interface DailyRule {
  readonly name: RuleName;
  /** The day's volume (mL), the rate of its lowest unit, or of its lowest from midnight to 5 (mL/h). */
  readonly figure: "volume" | "lowest" | "night";
  /** Days in a row over the limit that open an anomaly. */
  readonly days: number;
  /** Past days that the limit is made of, at most and at least. */
  readonly history: number;
  readonly least: number;
  /** What the day must exceed, of the figures of the past days, oldest first. */
  readonly limit: (past: readonly number[], resolution: number) => number;
}

const NIGHT_ENDS = 5;
const WHOLE_NIGHT = 4 * HOUR;

/**
 * Whole local days, judged when the next one begins. Days that are over the limit one after the other are one anomaly,
 * and stay out of the history while it is open; a day that was not read in full counts neither way.
 */
export class DayRule implements RuleFold {
  readonly fine = false;
  readonly #of: DailyRule;
  #day = -1;
  #from = 0;
  #until = 0;
  #ml = 0;
  #seconds = 0;
  #lowest = -1;
  #nightLowest = -1;
  #nightSeconds = 0;
  #past: number[] = [];
  /** Days over the limit so far, and what they are. */
  #over = 0;
  #begin = -1;
  #end = 0;
  #volume = 0;
  #highest = 0;
  #detectedAt = 0;
  #limit = 0;

  constructor(of: DailyRule) {
    this.#of = of;
  }

  get name(): RuleName {
    return this.#of.name;
  }

  get isOpen(): boolean {
    return this.#detectedAt > 0;
  }

  get start(): number {
    return this.#begin >= 0 ? this.#begin : this.#day < 0 ? -1 : this.#from;
  }

  step({ start, end, ml, neutral }: Unit, { day, hour, resolution }: RuleContext, closed: OnClosed): void {
    if (neutral) return;
    if (day !== this.#day) {
      if (this.#day >= 0) this.#judge(resolution, closed);
      this.#day = day;
      this.#from = start;
      this.#ml = 0;
      this.#seconds = 0;
      this.#lowest = -1;
      this.#nightLowest = -1;
      this.#nightSeconds = 0;
    }
    const rate = Math.round((ml * HOUR) / (end - start));
    this.#until = end;
    this.#ml += ml;
    this.#seconds += end - start;
    if (this.#lowest < 0 || rate < this.#lowest) this.#lowest = rate;
    if (hour >= NIGHT_ENDS) return;
    if (this.#nightLowest < 0 || rate < this.#nightLowest) this.#nightLowest = rate;
    this.#nightSeconds += end - start;
  }

  open(): Found | undefined {
    return this.isOpen ? this.#found(null) : undefined;
  }

  #figure(): number | undefined {
    const { figure } = this.#of;
    if (figure === "night") return this.#nightSeconds < WHOLE_NIGHT ? undefined : this.#nightLowest;
    if (this.#seconds < WHOLE_DAY) return undefined;
    return figure === "volume" ? this.#ml : this.#lowest;
  }

  #judge(resolution: number, closed: OnClosed): void {
    const { days, history, least, limit } = this.#of;
    const figure = this.#figure();
    if (figure === undefined) return;
    if (this.#past.length >= least) {
      if (!this.isOpen) this.#limit = Math.round(limit(this.#past, resolution));
      if (figure > this.#limit) {
        if (this.#over++ === 0) this.#begin = this.#from;
        this.#end = this.#until;
        this.#volume += this.#ml;
        this.#highest = Math.max(this.#highest, figure);
        if (!this.isOpen && this.#over >= days) this.#detectedAt = this.#until;
        if (this.isOpen) return;
      } else this.#stop(closed);
    }
    if (this.#past.length === history) this.#past.shift();
    this.#past.push(figure);
  }

  #stop(closed: OnClosed): void {
    if (this.isOpen) closed(this.#found("usage-normal"));
    this.#over = 0;
    this.#begin = -1;
    this.#end = 0;
    this.#volume = 0;
    this.#highest = 0;
    this.#detectedAt = 0;
  }

  #found(closed: Found["closed"]): Found {
    const volume = this.#of.figure === "volume";
    return {
      rule: this.#of.name,
      ruleVersion: 1,
      start: this.#begin,
      end: this.#end,
      detectedAt: this.#detectedAt,
      rate: volume ? Math.round(this.#highest / 24) : this.#highest,
      volume: this.#volume,
      closed,
      evidence: { limit: this.#limit, highestOver: this.#highest, days: this.#over },
    };
  }

  writeTo(to: Writer): void {
    to.number(this.#day).number(this.#from).number(this.#until).number(this.#ml).number(this.#seconds);
    to.number(this.#lowest).number(this.#nightLowest).number(this.#nightSeconds).number(this.#limit);
    to.number(this.#past.length);
    to.runs(this.#past);
    to.number(this.#over);
    if (this.#over === 0) return;
    to.number(this.#begin)
      .number(this.#end)
      .number(this.#volume)
      .number(this.#highest)
      .number(this.#detectedAt);
  }

  readFrom(from: Reader): void {
    this.#day = from.number();
    this.#from = from.number();
    this.#until = from.number();
    this.#ml = from.number();
    this.#seconds = from.number();
    this.#lowest = from.number();
    this.#nightLowest = from.number();
    this.#nightSeconds = from.number();
    this.#limit = from.number();
    from.runs(this.#past, 0, from.number());
    this.#over = from.number();
    if (this.#over === 0) return;
    this.#begin = from.number();
    this.#end = from.number();
    this.#volume = from.number();
    this.#highest = from.number();
    this.#detectedAt = from.number();
  }
}
