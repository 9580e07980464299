import { z } from "zod";
import { meterKey, utilityId } from "./reads.js";

export const RULES = ["continuous-flow", "spike"] as const;
export const rule = z.enum(RULES);
export type RuleName = z.infer<typeof rule>;

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
