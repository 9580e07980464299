import { z } from "zod";
import { meterKey, utilityId } from "./reads.js";

/** Classes of a service point that rules may treat differently. */
export const meterClass = z.enum(["single-family", "multi-family", "commercial", "irrigation", "always-on"]);

/** What holds for a meter from a time on; a field left out falls back to the utility's default. */
export const meterSetting = z.object({
  /** UTC seconds since 1970; 0: always. */
  from: z.int().min(0),
  class: meterClass.optional(),
  /** Smallest rate, millilitres an hour, that counts as flow for this meter ("normal for us" raises it); `null`: the default. */
  continuousFlowRate: z.int().min(0).nullable().optional(),
  /** Millilitres an hour that the meter can pass. */
  capacity: z.int().positive().optional(),
  /** Millilitres that one of its register is: reads that say otherwise are in another unit, or multiplied otherwise. */
  mlPerUnit: z.number().positive().optional(),
  /** Whether the meter is in service; it is where nothing is said. */
  inService: z.boolean().optional(),
  /** Whether its people said that they are away, or it has none: nobody holds the account. */
  away: z.boolean().optional(),
  /** Millilitres in a calendar month that its people want to keep to; `null`: no longer. */
  budget: z.int().positive().nullable().optional(),
  /** Whether its people said that water runs on purpose, for a pool or the like: it is neither judged nor learnt. */
  onPurpose: z.boolean().optional(),
});

/**
 * A message of topic `meters`, version 1 (compacted, keyed by meter): all that the registry and residents told the
 * detector about a meter, in order of `from`. The newest message replaces the older ones.
 */
export const meterMessage = z.object({
  v: z.literal(1),
  utility: utilityId,
  meter: meterKey,
  settings: z.array(meterSetting).max(64),
});
export type MeterMessage = z.infer<typeof meterMessage>;
export type MeterSetting = z.infer<typeof meterSetting>;
