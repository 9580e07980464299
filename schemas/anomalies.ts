import { z } from "zod";
import { meterKey, utilityId } from "./reads.js";

/** What residents agree to hear of. */
export type AnomalyKind = "leak" | "high-usage";

/**
 * Every rule and what its anomalies are. New ones come last: a saved state names a rule by its place. From
 * `any-flow-24h` on they are rules that vendors and utilities use, as published (DETECTION §4.4, R1 to R12).
 */
const KINDS = {
  "continuous-flow": "leak",
  spike: "high-usage",
  leak: "leak",
  burst: "leak",
  "any-flow-24h": "leak",
  "eyeonwater-24h": "leak",
  "watersmart-leak": "leak",
  "watersmart-burst": "leak",
  "sfpuc-leak": "leak",
  "aquahawk-16h": "leak",
  "kamstrup-12x2h": "leak",
  "itron-window": "leak",
  "night-flow": "leak",
  "day-2x": "high-usage",
  "day-3x-5d": "high-usage",
  "day-150-week": "high-usage",
  "cardell-oliver-day": "leak",
  "flume-2h": "leak",
  "neptune-24h": "leak",
} as const satisfies Record<string, AnomalyKind>;
export type RuleName = keyof typeof KINDS;
export const RULES = Object.keys(KINDS) as readonly RuleName[];
export const KIND_OF_RULE: Readonly<Record<RuleName, AnomalyKind>> = KINDS;
export const rule = z.enum(Object.keys(KINDS) as [RuleName, ...RuleName[]]);

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
  rule,
  ruleVersion: z.int().positive(),
  /** `withdrawn`: later reads showed that it never was. */
  state: z.enum(["opened", "updated", "closed", "withdrawn"]),
  /** Why it closed or was withdrawn. */
  reason: z.enum(["flow-stopped", "usage-normal", "no-reads", "corrected", "rule-changed"]).nullable(),
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
  /** Parameters of the rule and figures that it saw, by name; units in the names. */
  evidence: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
  /** True where the reads came from a source in backfill: stored, not told. */
  backfill: z.boolean(),
});
export type AnomalyMessage = z.infer<typeof anomalyMessage>;
