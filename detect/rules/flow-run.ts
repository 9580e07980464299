import type { RuleName } from "../../schemas/anomalies.js";
import type { DetectConfig } from "../../schemas/detect-config.js";
import type { Reader, Writer } from "../varints.js";
import { HOUR, type Found, type OnClosed, type RuleContext, type RuleFold, type Unit } from "./rule.js";

/** What makes a rule of the kind "flow in every hour for so many hours". */
export interface FlowRunRule {
  readonly name: RuleName;
  readonly version: number;
  /** Hours of flow that open an anomaly, of the meter as it is at the unit. */
  hours(context: RuleContext): number;
  /** Whether the unit, which has some flow, counts as flow. */
  flows(unit: Unit, context: RuleContext): boolean;
  /** Hours of a hole that start the count again, while no anomaly is open. */
  maxGapHours(detect: DetectConfig): number;
  /** Its parameters as evidence tells them. */
  parameters(detect: DetectConfig): Found["evidence"];
}

const LONGEST_HOLE = 7 * 86_400;
const RATE_UNITS = 24;

/**
 * Water in every hour for some hours: the rule that nearly every product has (DETECTION §1.1).
 *
 * A unit that does not flow ends the run. Neutral units and holes count neither way, but a hole longer than
 * `maxGapHours` starts the count again; once open, the anomaly survives holes of up to 7 days, since silence of the
 * meter is no proof that the flow stopped. The rate is the lowest hour of the last 24 (AquaCUE).
 */
export class FlowRun implements RuleFold {
  readonly fine = false;
  readonly #rule: FlowRunRule;
  /** Beginning of the run, -1 without one. */
  start = -1;
  end = 0;
  flowSeconds = 0;
  volume = 0;
  /** Event time at which it opened, -1 before. */
  detectedAt = -1;
  /** Units of the run. */
  #units = 0;
  /** mL/h of the latest flowing units: that of unit n at place n modulo their number. */
  #rates: number[] = [];

  constructor(rule: FlowRunRule) {
    this.#rule = rule;
  }

  get name(): RuleName {
    return this.#rule.name;
  }

  get isOpen(): boolean {
    return this.detectedAt >= 0;
  }

  step(unit: Unit, context: RuleContext, closed: OnClosed): void {
    if (unit.neutral) return;
    const { detect, rateFrom } = context;
    if (unit.ml === 0 || !this.#rule.flows(unit, context)) {
      const isDeclared = unit.ml > 0 && rateFrom > this.start;
      if (this.start >= 0) this.#finish(isDeclared ? "declared" : "flow-stopped", detect, closed);
      return;
    }
    if (this.start >= 0) {
      const hole = unit.start - this.end;
      if (this.detectedAt >= 0 ? hole > LONGEST_HOLE : hole > this.#rule.maxGapHours(detect) * HOUR) {
        this.#finish("no-reads", detect, closed);
      }
    }
    if (this.start < 0) this.start = unit.start;
    const seconds = unit.end - unit.start;
    this.end = unit.end;
    this.flowSeconds += seconds;
    this.volume += unit.ml;
    this.#rates[this.#units++ % RATE_UNITS] = Math.round((unit.ml * HOUR) / seconds);
    if (this.detectedAt < 0 && this.flowSeconds >= this.#rule.hours(context) * HOUR)
      this.detectedAt = unit.end;
  }

  open(detect: DetectConfig): Found | undefined {
    return this.detectedAt < 0 ? undefined : this.#found(null, detect);
  }

  writeTo(to: Writer): void {
    to.number(this.start);
    if (this.start < 0) return;
    to.number(this.end).number(this.flowSeconds).number(this.volume).number(this.detectedAt);
    const rates = this.#latest();
    to.number(rates.length);
    to.differences(rates);
  }

  readFrom(from: Reader): void {
    this.start = from.number();
    if (this.start < 0) return;
    this.end = from.number();
    this.flowSeconds = from.number();
    this.volume = from.number();
    this.detectedAt = from.number();
    this.#units = from.number();
    from.differences(this.#rates, 0, this.#units);
  }

  /** mL/h of the latest flowing units, oldest first, at most 24. */
  #latest(): number[] {
    const latest: number[] = [];
    for (let unit = Math.max(0, this.#units - RATE_UNITS); unit < this.#units; unit++)
      latest.push(this.#rates[unit % RATE_UNITS]!);
    return latest;
  }

  #finish(reason: "flow-stopped" | "no-reads" | "declared", detect: DetectConfig, closed: OnClosed): void {
    if (this.detectedAt >= 0) closed(this.#found(reason, detect));
    this.start = -1;
    this.end = 0;
    this.flowSeconds = 0;
    this.volume = 0;
    this.detectedAt = -1;
    this.#units = 0;
  }

  #found(closed: Found["closed"], detect: DetectConfig): Found {
    const rates = this.#latest();
    return {
      rule: this.#rule.name,
      ruleVersion: this.#rule.version,
      start: this.start,
      end: this.end,
      detectedAt: this.detectedAt,
      rate: Math.min(...rates),
      volume: this.volume,
      closed,
      evidence: {
        flowHours: Math.round(this.flowSeconds / 36) / 100,
        highestRecentRate: Math.max(...rates),
        ...this.#rule.parameters(detect),
      },
    };
  }
}
