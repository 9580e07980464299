import type { Found, Unit } from "./rule.js";

/**
 * Continuous flow: water in every hour for `hours` hours (24 by default), the rule of EyeOnWater, AquaCUE and
 * MULTICAL 21 (DETECTION §1.1, R1 and R2).
 *
 * An hour flows when its volume reaches the threshold: the larger of the register's resolution and the meter's rate
 * for the time that the unit lasts. A dry hour ends the run. Neutral hours and holes count neither way, but a hole
 * longer than `maxGapHours` starts the count again; once open, the anomaly survives holes of up to 7 days, since
 * silence of the meter is no proof that the flow stopped. The rate is the lowest hour of the last 24 (AquaCUE).
 */
export interface ContinuousFlowParameters {
  /** Hours of flow that open an anomaly. */
  readonly hours: number;
  /** Hours of a hole that start the count again. */
  readonly maxGapHours: number;
}

const VERSION = 1;
const LONGEST_HOLE = 7 * 86_400;
const RATE_UNITS = 24;

/** Fold over units in order of time. Numbers only, so that it is saved and cloned cheaply. */
export class ContinuousFlow {
  /** Beginning of the run, -1 without one. */
  start = -1;
  end = 0;
  flowSeconds = 0;
  volume = 0;
  /** Event time at which it opened, -1 before. */
  detectedAt = -1;
  threshold = 0;
  /** Units of the run. */
  #units = 0;
  /** mL/h of the latest flowing units: that of unit n at place n modulo their number. */
  readonly #rates = new Float64Array(RATE_UNITS);

  /** mL/h of the latest flowing units, oldest first, at most 24. */
  get rates(): number[] {
    const from = Math.max(0, this.#units - RATE_UNITS);
    return Array.from({ length: this.#units - from }, (_, i) => this.#rates[(from + i) % RATE_UNITS]!);
  }

  set rates(rates: readonly number[]) {
    this.#rates.set(rates);
    this.#units = rates.length;
  }

  /**
   * @param threshold millilitres from which this unit counts as flow, at least 1
   * @param onClosed called with an anomaly that ends before this unit
   */
  step(
    unit: Unit,
    threshold: number,
    parameters: ContinuousFlowParameters,
    onClosed: (found: Found) => void,
  ): void {
    if (unit.neutral) return;
    if (unit.ml < threshold) {
      if (this.start >= 0) this.#finish("flow-stopped", parameters, onClosed);
      return;
    }
    if (this.start >= 0) {
      const hole = unit.start - this.end;
      if (this.detectedAt >= 0 ? hole > LONGEST_HOLE : hole > parameters.maxGapHours * 3600) {
        this.#finish("no-reads", parameters, onClosed);
      }
    }
    if (this.start < 0) this.start = unit.start;
    const seconds = unit.end - unit.start;
    this.end = unit.end;
    this.flowSeconds += seconds;
    this.volume += unit.ml;
    this.#rates[this.#units++ % RATE_UNITS] = Math.round((unit.ml * 3600) / seconds);
    this.threshold = threshold;
    if (this.detectedAt < 0 && this.flowSeconds >= parameters.hours * 3600) this.detectedAt = unit.end;
  }

  /** The open anomaly, if any. */
  open(parameters: ContinuousFlowParameters): Found | undefined {
    return this.detectedAt < 0 ? undefined : this.#found(null, parameters);
  }

  clone(): ContinuousFlow {
    const copy = new ContinuousFlow();
    copy.start = this.start;
    copy.end = this.end;
    copy.flowSeconds = this.flowSeconds;
    copy.volume = this.volume;
    copy.detectedAt = this.detectedAt;
    copy.#units = this.#units;
    copy.#rates.set(this.#rates);
    copy.threshold = this.threshold;
    return copy;
  }

  #finish(
    reason: "flow-stopped" | "no-reads",
    parameters: ContinuousFlowParameters,
    onClosed: (found: Found) => void,
  ) {
    if (this.detectedAt >= 0) onClosed(this.#found(reason, parameters));
    this.start = -1;
    this.flowSeconds = 0;
    this.volume = 0;
    this.detectedAt = -1;
    this.#units = 0;
  }

  #found(closed: Found["closed"], parameters: ContinuousFlowParameters): Found {
    const { rates } = this;
    return {
      rule: "continuous-flow",
      ruleVersion: VERSION,
      start: this.start,
      end: this.end,
      detectedAt: this.detectedAt,
      rate: Math.min(...rates),
      volume: this.volume,
      closed,
      evidence: {
        flowHours: Math.round(this.flowSeconds / 36) / 100,
        thresholdMl: Math.round(this.threshold),
        highestRecentRate: Math.max(...rates),
        requiredHours: parameters.hours,
        maxGapHours: parameters.maxGapHours,
      },
    };
  }
}
