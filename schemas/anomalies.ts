import { z } from "zod";
import { meterClass } from "./meters.js";
import { meterKey, utilityId } from "./reads.js";

/** What residents agree to hear of. */
export type AnomalyKind = "leak" | "high-usage" | "freeze";

export interface RuleFacts {
  readonly kind: AnomalyKind;
  /** When it speaks, in a sentence. */
  readonly means: string;
  /** The smallest flow that it can see. */
  readonly least: string;
  /** Who uses it, for a rule that is not ours, and where it is published. */
  readonly source?: string;
}

const STEP = "a step of the register in each hour";
const DAY_LONG = "any, if the day's volume passes the limit";

/** Every rule. New ones come last: a saved state names a rule by its place. */
const FACTS = {
  "continuous-flow": {
    kind: "leak",
    means: "Flow in each of 24 hours, of 1 gal/h or of the meter's own setting.",
    least: "1 gal/h, or a step of the register in each hour where that is more",
  },
  spike: {
    kind: "high-usage",
    means: "An hour far above the meter's own daily peaks.",
    least: "300 L in an hour",
  },
  leak: {
    kind: "leak",
    means:
      "Flow that does not stop where this meter's usually does, by hours, two hours or three; also a step upwards of a meter that is never dry, or of a building, and what runs and stops again and again.",
    least: "a step of the register, 1 L at least, in each three hours",
  },
  burst: {
    kind: "leak",
    means: "Water at a rate, or for a time, that this meter never saw.",
    least: "400 L/h over two units (three quarters of an hour at 15 minutes)",
  },
  "any-flow-24h": {
    kind: "leak",
    means: "Some flow in each of 24 hours.",
    least: STEP,
    source: "R1; Kamstrup MULTICAL 21 at its lowest limit, Next Century",
  },
  "eyeonwater-24h": {
    kind: "leak",
    means: "1 gal/h, or the register's step if larger, in each of 24 hours.",
    least: "1 gal/h",
    source: "R2; EyeOnWater and BEACON (Badger Meter), setting Normal",
  },
  "watersmart-leak": {
    kind: "leak",
    means: "More than 3 gal/h for 48 hours; a commercial meter more than 10 gal/h for 168.",
    least: "3 gal/h",
    source: "R3; WaterSmart (VertexOne), Athens-Clarke County",
  },
  "watersmart-burst": {
    kind: "leak",
    means: "More than 30 gal/h for 8 hours.",
    least: "30 gal/h",
    source: "R3; WaterSmart (VertexOne), Athens-Clarke County",
  },
  "sfpuc-leak": {
    kind: "leak",
    means: "7.5 gal/h or more for 48 hours, 72 at commercial meters and buildings of six units or more.",
    least: "7.5 gal/h",
    source: "R4; San Francisco Public Utilities Commission",
  },
  "aquahawk-16h": {
    kind: "leak",
    means: "7 gal/h or more for 16 hours.",
    least: "7 gal/h",
    source: "R5; AquaHawk's published example",
  },
  "kamstrup-12x2h": {
    kind: "leak",
    means: "A step of the register in each of 12 windows of two hours.",
    least: "a step of the register in each two hours",
    source: "R7; Kamstrup MULTICAL 602 and 803",
  },
  "itron-window": {
    kind: "leak",
    means: "A step of the register in each of 24 windows in which a leak of 48 gal a day moves it.",
    least: "48 gal a day",
    source: "R8; Itron, US 7,119,698 B2",
  },
  "night-flow": {
    kind: "leak",
    means: "Two nights whose lowest hour is above the median and three robust deviations of 28.",
    least: "a step of the register in each hour of the night",
    source: "R9; minimum night flow",
  },
  "day-2x": {
    kind: "high-usage",
    means: "A day above twice the mean of the last 30.",
    least: DAY_LONG,
    source: "R10; Des Moines Water Works",
  },
  "day-3x-5d": {
    kind: "high-usage",
    means: "Five days in a row above three times the mean of the last 30.",
    least: DAY_LONG,
    source: "R10",
  },
  "day-150-week": {
    kind: "high-usage",
    means: "A day above 150 % of the last week's highest.",
    least: DAY_LONG,
    source: "R10; North Miami Beach",
  },
  "cardell-oliver-day": {
    kind: "leak",
    means: "A day whose lowest hour has 2 L or more.",
    least: "2 L/h",
    source: "R11; Cardell-Oliver and Carter-Turner, BuildSys 2021",
  },
  "flume-2h": {
    kind: "leak",
    means: "Some flow in each hour for 2 hours.",
    least: STEP,
    source: "R12; Flume, without its recognition of irrigation",
  },
  "neptune-24h": {
    kind: "leak",
    means: "A step of the register in each of 24 hours.",
    least: STEP,
    source: "R6; Neptune E-Coder, continuous leak",
  },
  "high-day": {
    kind: "high-usage",
    means: "More water since midnight than this meter uses in a day, told in the hour in which it is.",
    least: "700 L in a day",
  },
  away: {
    kind: "leak",
    means:
      "Water used while the people of the home said that they are away, or while nobody holds its account; of other homes it says nothing.",
    least: "20 L in a day",
  },
  budget: {
    kind: "high-usage",
    means:
      "The month would end above the budget that the people of the home set; of other homes it says nothing.",
    least: "any, if the month's volume passes it",
  },
  watering: {
    kind: "leak",
    means:
      "Water through an irrigation meter out of the season or on a weekday without watering, where the utility names them; of other meters it says nothing.",
    least: "100 L in a day",
  },
  "freeze-risk": {
    kind: "freeze",
    means:
      "It was cold enough for pipes to freeze for 6 hours, and no water ran for 24, so nobody seems to be home; where the utility has a source of temperatures.",
    least: "no flow at all: a step of the register is proof that somebody is there",
  },
  "bill-ahead": {
    kind: "high-usage",
    means: "The month would end far above the same month of last year: a high bill ahead.",
    least: "3 m³ more in the month",
  },
} as const satisfies Record<string, RuleFacts>;
export type RuleName = keyof typeof FACTS;
export const RULE_FACTS: Readonly<Record<RuleName, RuleFacts>> = FACTS;
export const RULES = Object.keys(FACTS) as readonly RuleName[];

export function kindOf(rule: RuleName): AnomalyKind {
  return FACTS[rule].kind;
}
/** Whether a rule is about all that is used in a month. */
export function isOfMonth(rule: RuleName): boolean {
  return rule === "budget" || rule === "bill-ahead";
}
export const rule = z.enum(Object.keys(FACTS) as [RuleName, ...RuleName[]]);

/**
 * A message of topic `anomalies`, version 1: the whole anomaly as it stands after a change, keyed by meter.
 * Readers accept a version of an id only upwards. Times are UTC seconds since 1970.
 */
export const anomalyMessage = z.object({
  v: z.literal(1),
  /** Given when it opens: 32 hex characters, a hash of meter key, rule and first start. Kept through corrections. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** 1 for the first message of this id, one more with each. */
  version: z.int().positive(),
  utility: utilityId,
  meter: meterKey,
  /** Class of the meter as it was known then; left out where nobody said it. */
  class: meterClass.optional(),
  rule,
  ruleVersion: z.int().positive(),
  /** `withdrawn`: later reads, or what was said of the meter, showed that it never was. */
  state: z.enum(["opened", "updated", "closed", "withdrawn"]),
  /** Why it closed or was withdrawn; `declared`: the meter's people or the utility said meanwhile that it is as it should be; `thawed`: of a risk of frost, it is not cold any more. */
  reason: z
    .enum(["flow-stopped", "usage-normal", "no-reads", "corrected", "rule-changed", "declared", "thawed"])
    .nullable(),
  /** Beginning of the first interval that belongs to it. */
  start: z.int(),
  /** End of the last interval that belongs to it so far. */
  end: z.int(),
  /** When, in event time, the evidence first sufficed: end of the interval that opened it. */
  detectedAt: z.int(),
  /** Rate of the leak or of the highest interval, millilitres an hour. */
  rate: z.int().min(0),
  /** Millilitres from `start` to `end` in intervals that belong to it. */
  volume: z.int().min(0),
  /** Parameters of the rule and figures that it saw, by name: see `EVIDENCE_FACTS`. */
  evidence: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
  /**
   * Millilitres in each of the last hours (UTC) up to `end`, oldest first, from the beginning of the first; `null`: not
   * known. Left out where it never was, or was two weeks ago.
   */
  hours: z.object({ from: z.int(), ml: z.array(z.int().min(0).nullable()).max(48) }).optional(),
  /** True where the reads came from a source in backfill: stored, not told. */
  backfill: z.boolean(),
});
export type AnomalyMessage = z.infer<typeof anomalyMessage>;
