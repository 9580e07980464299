import type { RuleName } from "../../schemas/anomalies.js";
import type { DetectConfig } from "../../schemas/detect-config.js";
import type { Evidence } from "../../schemas/evidence.js";
import type { MeterSetting } from "../../schemas/meters.js";
import type { ColdSpell } from "../../schemas/temperatures.js";
import { MILLILITRES } from "../../schemas/units.js";
import type { Numbers, Reader, Writer } from "../varints.js";

/**
 * An hour (or the interval, where it is longer than half an hour) of a meter's usage, all registers together.
 * Times are UTC seconds, `start` included, `end` not; volume in millilitres.
 */
export interface Unit {
  start: number;
  end: number;
  ml: number;
  /**
   * The unit says nothing about the flow of its hour: estimated, suspect, incomplete, the total of a hole between
   * reads, or water that runs on purpose. It neither extends nor ends anything.
   */
  neutral: boolean;
}

/** Units of a local day that follow each other, each of the same length and none of them neutral. */
export interface EvenDay {
  /** UTC seconds: beginning of the first. */
  readonly start: number;
  /** Seconds of each. */
  readonly length: number;
  /** mL: those from index `from` until `to`. */
  readonly ml: Numbers;
  readonly from: number;
  readonly to: number;
}

/** What a rule may know of the meter when it judges a unit. */
export interface RuleContext {
  detect: DetectConfig;
  /** Smallest step of the meter's registers in millilitres, 0: unknown. */
  resolution: number;
  /** Smallest rate that counts as flow for the meter (mL/h), where one was set, and from when it holds: UTC seconds. */
  rate: number | undefined;
  rateFrom: number;
  /** Its people said that they are away. */
  away: boolean;
  /** Millilitres in a calendar month that its people want to keep to. */
  budget: number | undefined;
  /** When it was cold where the meter is, in order of time. */
  cold: readonly ColdSpell[];
  /** Class of the service point, where it is known. */
  class: MeterSetting["class"];
  /** Local day of the unit's beginning, days since 1970-01-01. */
  day: number;
  /** Local hour of the unit's middle, 0 to 23: reads at half past belong to the hour they cover most. */
  hour: number;
}

/** What a rule found, as its fold stands now. Times and volumes as in `AnomalyMessage`. */
export interface Found {
  readonly rule: RuleName;
  readonly ruleVersion: number;
  readonly start: number;
  readonly end: number;
  readonly detectedAt: number;
  readonly rate: number;
  readonly volume: number;
  /** `null` while it goes on. */
  readonly closed:
    "flow-stopped" | "usage-normal" | "no-reads" | "rule-changed" | "declared" | "thawed" | null;
  readonly evidence: Evidence;
}

/** Takes an anomaly that ended. */
export type OnClosed = (found: Found) => void;

/**
 * A rule's memory of one meter: a fold over units in order of time, a function of their sequence alone. What it holds
 * are whole numbers, so that its bytes give the same memory again.
 */
export interface RuleFold {
  readonly name: RuleName;
  /** Whether intervals shorter than half an hour are judged one by one, not by the hour. */
  readonly fine: boolean;
  /** @param closed called with an anomaly that ends before this unit */
  step(unit: Unit, context: RuleContext, closed: OnClosed): void;
  /**
   * Takes units at once, with the same outcome as `step` for each, where none of them can open or end anything.
   * @returns false, with nothing done, where one may
   */
  passOver?(day: EvenDay, context: RuleContext): boolean;
  /** The anomaly that goes on, if any. */
  open(detect: DetectConfig): Found | undefined;
  /** Whether an anomaly goes on. */
  readonly isOpen: boolean;
  /** No anomaly found from here on begins before this time, unless none is under way: -1. */
  readonly start: number;
  writeTo(to: Writer): void;
  readFrom(from: Reader): void;
}

export const HOUR = 3600;

/** Seconds without a good read after which nobody knows whether what was found went on. */
export const LONGEST_SILENCE = 48 * HOUR;

/** A day counts as whole with so much of it read (DETECTION §5, 20 of 24 hours). */
export const WHOLE_DAY = 20 * HOUR;

/** Least volume (mL) that shows a step: of rounded register values one step apart, one may be a millilitre short. */
export function oneStep(resolution: number): number {
  return Math.max(1, resolution - 1);
}

/** One US gallon in millilitres. */
export const GALLON = MILLILITRES.gal;
