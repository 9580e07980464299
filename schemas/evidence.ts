/** How a figure of evidence is measured: what it is written in, and how it is shown. */
export type Measure =
  /** Millilitres. */
  | "volume"
  /** Millilitres an hour. */
  | "rate"
  | "hours"
  | "days"
  /** How much likelier a leak is than usual use, as a natural logarithm. */
  | "nats"
  | "times"
  | "share"
  | "count"
  /** UTC seconds. */
  | "time"
  | "celsius"
  | "word";

interface EvidenceFact {
  readonly measure: Measure;
  readonly means: string;
}

/** What rules tell of an anomaly in its `evidence`, by name: what was seen, what was usual, what was needed. */
const FACTS = {
  kind: {
    measure: "word",
    means:
      "`continuous` by the hour, `intermittent` by two or three hours, `base-step`: above what always flows",
  },
  by: {
    measure: "word",
    means:
      "what told it: a steady `rate`, a `run` without a pause, both together (`joint`), the fixed rule of the first week (`warm-up`), or minima that are raised (`base`)",
  },
  unitHours: { measure: "hours", means: "length of the units in which it was seen" },
  evidence: { measure: "nats", means: "what was seen when it opened; of `base` in days" },
  needed: { measure: "nats", means: "what was needed, by the most that the meter showed by itself before" },
  unitsAtRate: { measure: "count", means: "units at the bare rate when it opened" },
  usualFloor: { measure: "rate", means: "what always flows at this meter; 0 where it is mostly dry" },
  neededRate: { measure: "rate", means: "rate from which it is a burst at once, by the highest before" },
  neededHours: {
    measure: "hours",
    means: "hours after which it is one at a lower rate, by the longest before",
  },
  days: { measure: "days", means: "days that the meter was watched, or that were over the limit" },
  flowHours: { measure: "hours", means: "hours in which it flowed so far" },
  highestRecentRate: { measure: "rate", means: "highest of its last units" },
  requiredHours: { measure: "hours", means: "hours that it must flow" },
  minRate: { measure: "rate", means: "rate from which an hour flows" },
  maxGapHours: { measure: "hours", means: "hole in the reads that is passed over" },
  windows: { measure: "count", means: "windows that must each have flow" },
  threshold: { measure: "rate", means: "rate above which an hour stands out" },
  usualPeak: { measure: "rate", means: "middle one of the daily peaks before" },
  minVolume: { measure: "volume", means: "less is never looked at" },
  deviations: { measure: "times", means: "robust standard deviations above the usual" },
  limit: {
    measure: "volume",
    means: "what a day may have (of rules that look at the lowest hour: that hour)",
  },
  usualDay: { measure: "volume", means: "a usual day of this weekday" },
  highestDay: { measure: "volume", means: "the highest day before" },
  highest: { measure: "times", means: "times the highest day before" },
  highestOver: {
    measure: "volume",
    means: "the highest of the days over the limit (or of their lowest hours)",
  },
  lastYear: { measure: "volume", means: "the same month of last year" },
  times: { measure: "times", means: "times last year's month" },
  more: { measure: "volume", means: "and more than last year's month by this" },
  share: { measure: "share", means: "share of the limit that must be used before it speaks" },
  expected: { measure: "volume", means: "what the month comes to at the pace so far" },
  budget: { measure: "volume", means: "what the people of the home set for the month" },
  below: { measure: "celsius", means: "temperature from which pipes may freeze" },
  hours: { measure: "hours", means: "hours of frost that must follow each other" },
  dryHours: { measure: "hours", means: "hours without water that must follow each other" },
  dryFrom: { measure: "time", means: "since when no water ran" },
} as const satisfies Readonly<Record<string, EvidenceFact>>;

export type EvidenceName = keyof typeof FACTS;
export const EVIDENCE_FACTS: Readonly<Record<EvidenceName, EvidenceFact>> = FACTS;

/** What one rule tells: some of the figures. */
export type Evidence = { readonly [name in EvidenceName]?: number | string };
