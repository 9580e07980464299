import type { RuleName } from "../../schemas/anomalies.js";

/**
 * An hour (or the interval, where it is longer than half an hour) of a meter's usage, all registers together.
 * Times are UTC seconds, `start` included, `end` not; volume in millilitres.
 */
export interface Unit {
  start: number;
  end: number;
  ml: number;
  /**
   * The unit says nothing about the flow of its hour: estimated, suspect, incomplete, or the total of a hole between
   * reads. It neither extends nor ends anything.
   */
  neutral: boolean;
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
  readonly closed: "flow-stopped" | "usage-normal" | "no-reads" | "rule-changed" | null;
  readonly evidence: Readonly<Record<string, number | string | boolean | null>>;
}
