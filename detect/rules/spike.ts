import { median } from "simple-statistics";
import type { DetectConfig } from "../../schemas/detect-config.js";
import type { Reader, Writer } from "../varints.js";
import { robustDeviation } from "./robust-deviation.js";
import { WHOLE_DAY, type Found, type OnClosed, type RuleContext, type RuleFold, type Unit } from "./rule.js";

/**
 * High-usage spike: an hour far above the meter's own daily peaks.
 *
 * The threshold is `median + deviations × max(1.4826 × MAD, median / 10)` of the peak hours of the last 28 whole days
 * (at least `minDays`), never below `minVolume`. Median and MAD take no notice of a few spikes among the peaks; 1.4826
 * makes the MAD a standard deviation for normal data; the tenth of the median keeps a meter of great regularity from
 * alerting on nothing. A day counts as whole with 20 hours of good reads (DETECTION §5, share of good intervals).
 */
export interface SpikeParameters {
  readonly minVolume: number;
  readonly deviations: number;
  readonly minDays: number;
}

const VERSION = 1;
const DAYS = 28;
/** A spike survives neutral hours and holes (seconds) up to this: what lies on both sides of a longer one are two. */
const LONGEST_HOLE = 4 * 3600;

export class Spike implements RuleFold {
  readonly name = "spike";
  readonly fine = false;
  /** Peak hour (mL/h) of each whole day so far, oldest first, at most 28. */
  peaks: number[] = [];
  /** Local day in hand: days since 1970-01-01. */
  day = -1;
  dayPeak = 0;
  daySeconds = 0;

  start = -1;
  end = 0;
  detectedAt = -1;
  volume = 0;
  rate = 0;
  threshold = -1;

  get isOpen(): boolean {
    return this.start >= 0;
  }

  step(unit: Unit, { day, detect }: RuleContext, onClosed: OnClosed): void {
    if (unit.neutral) return;
    const parameters = detect.spike;
    if (day !== this.day) {
      if (this.daySeconds >= WHOLE_DAY) {
        if (this.peaks.length === DAYS) this.peaks.shift();
        this.peaks.push(this.dayPeak);
      }
      this.day = day;
      this.dayPeak = 0;
      this.daySeconds = 0;
      if (this.start < 0) this.threshold = -1;
    }
    if (this.start >= 0 && unit.start - this.end > LONGEST_HOLE)
      this.#finish("no-reads", parameters, onClosed);
    const seconds = unit.end - unit.start;
    const rate = Math.round((unit.ml * 3600) / seconds);
    if (rate > this.dayPeak) this.dayPeak = rate;
    this.daySeconds += seconds;

    if (rate > parameters.minVolume && this.peaks.length >= parameters.minDays) {
      // Once open, the threshold stays: a spike over midnight is one spike.
      if (this.threshold < 0) this.threshold = spikeThreshold(this.peaks, parameters);
      if (rate > this.threshold) {
        if (this.start < 0) {
          this.start = unit.start;
          this.detectedAt = unit.end;
        }
        this.end = unit.end;
        this.volume += unit.ml;
        if (rate > this.rate) this.rate = rate;
        return;
      }
    }
    if (this.start >= 0) this.#finish("usage-normal", parameters, onClosed);
  }

  open({ spike }: DetectConfig): Found | undefined {
    return this.start < 0 ? undefined : this.#found(null, spike);
  }

  writeTo(to: Writer): void {
    to.number(this.day).number(this.dayPeak).number(this.daySeconds);
    to.number(this.start).number(this.end).number(this.detectedAt).number(this.volume).number(this.rate);
    // Of an even number of peaks the median may have halves.
    to.text(this.threshold < 0 ? "" : String(this.threshold));
    to.number(this.peaks.length);
    to.differences(this.peaks);
  }

  readFrom(from: Reader): void {
    this.day = from.number();
    this.dayPeak = from.number();
    this.daySeconds = from.number();
    this.start = from.number();
    this.end = from.number();
    this.detectedAt = from.number();
    this.volume = from.number();
    this.rate = from.number();
    const threshold = from.text();
    this.threshold = threshold === "" ? -1 : Number(threshold);
    from.differences(this.peaks, 0, from.number());
  }

  #finish(reason: "usage-normal" | "no-reads", parameters: SpikeParameters, onClosed: OnClosed): void {
    onClosed(this.#found(reason, parameters));
    this.start = -1;
    this.detectedAt = -1;
    this.volume = 0;
    this.rate = 0;
    this.threshold = -1;
  }

  #found(closed: Found["closed"], parameters: SpikeParameters): Found {
    return {
      rule: "spike",
      ruleVersion: VERSION,
      start: this.start,
      end: this.end,
      detectedAt: this.detectedAt,
      rate: this.rate,
      volume: this.volume,
      closed,
      evidence: {
        threshold: Math.round(this.threshold),
        usualPeak: Math.round(median(this.peaks)),
        days: this.peaks.length,
        deviations: parameters.deviations,
        minVolume: parameters.minVolume,
      },
    };
  }
}

/** mL/h above which an hour is a spike, see `SpikeParameters`; `peaks` in mL/h, not empty. */
export function spikeThreshold(peaks: readonly number[], parameters: SpikeParameters): number {
  const middle = median(peaks);
  const sigma = robustDeviation(peaks);
  return Math.max(parameters.minVolume, middle + parameters.deviations * Math.max(sigma, middle / 10));
}
