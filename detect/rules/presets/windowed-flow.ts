import type { RuleName } from "../../../schemas/anomalies.js";
import type { DetectConfig } from "../../../schemas/detect-config.js";
import type { Reader, Writer } from "../../varints.js";
import { FlowRun } from "../flow-run.js";
import {
  HOUR,
  oneStep,
  type Found,
  type OnClosed,
  type RuleContext,
  type RuleFold,
  type Unit,
} from "../rule.js";

export interface WindowedFlow {
  readonly name: RuleName;
  /** Windows in a row with a step of the register in each. */
  readonly windows: number;
  /** Hours of a window for a register's resolution (mL). */
  readonly hours: (resolution: number) => number;
}

/** Longest hole, in windows, that does not start the count again. */
const LONGEST_GAP = 2;

/**
 * Flow in each of some windows that follow each other, counted from UTC midnight on; a window that was read for less
 * than three quarters says nothing.
 */
export class WindowedRun implements RuleFold {
  readonly fine = false;
  readonly #of: WindowedFlow;
  readonly #run: FlowRun;
  #window = -1;
  #from = 0;
  #until = 0;
  #ml = 0;
  #seconds = 0;

  constructor(of: WindowedFlow) {
    this.#of = of;
    this.#run = new FlowRun({
      name: of.name,
      version: 1,
      hours: ({ resolution }) => of.windows * of.hours(resolution),
      flows: ({ ml }, { resolution }) => ml >= oneStep(resolution),
      maxGapHours: () => LONGEST_GAP * of.hours(0),
      parameters: () => ({ windows: of.windows }),
    });
  }

  get name(): RuleName {
    return this.#of.name;
  }

  get isOpen(): boolean {
    return this.#run.isOpen;
  }

  get start(): number {
    if (this.#run.start >= 0) return this.#run.start;
    return this.#window >= 0 ? this.#from : -1;
  }

  step(unit: Unit, context: RuleContext, closed: OnClosed): void {
    if (unit.neutral) return;
    const seconds = this.#of.hours(context.resolution) * HOUR;
    const { start, end, ml } = unit;
    // A longer one is not neutral only where nothing flowed.
    if (end - start >= seconds) {
      this.#window = -1;
      this.#run.step(unit, context, closed);
      return;
    }
    const window = Math.floor(start / seconds);
    if (window !== this.#window) {
      if (this.#window >= 0) this.#end(seconds, context, closed);
      this.#window = window;
      this.#from = start;
      this.#ml = 0;
      this.#seconds = 0;
    }
    this.#until = end;
    this.#ml += ml;
    this.#seconds += end - start;
    if (this.#seconds < seconds) return;
    this.#end(seconds, context, closed);
    this.#window = -1;
  }

  open(detect: DetectConfig): Found | undefined {
    return this.#run.open(detect);
  }

  #end(seconds: number, context: RuleContext, closed: OnClosed): void {
    if (this.#seconds < 0.75 * seconds) return;
    const unit = { start: this.#from, end: this.#until, ml: this.#ml, neutral: false };
    this.#run.step(unit, context, closed);
  }

  writeTo(to: Writer): void {
    to.number(this.#window).number(this.#from).number(this.#until).number(this.#ml).number(this.#seconds);
    this.#run.writeTo(to);
  }

  readFrom(from: Reader): void {
    this.#window = from.number();
    this.#from = from.number();
    this.#until = from.number();
    this.#ml = from.number();
    this.#seconds = from.number();
    this.#run.readFrom(from);
  }
}
