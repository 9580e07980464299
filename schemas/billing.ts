import { z } from "zod";
import { meterKey, sourceId, utilityId } from "./reads.js";

/**
 * A message of topic `billing`, version 1, keyed by meter: the usage of one billing period, from two register reads.
 * Times are UTC seconds, volumes whole millilitres.
 */
export const billingRead = z.object({
  v: z.literal(1),
  utility: utilityId,
  source: sourceId,
  meter: meterKey,
  channel: z.string().max(16),
  file: z.int().positive(),
  line: z.int().positive(),
  start: z.int(),
  end: z.int(),
  previous: z.int().nullable(),
  current: z.int().nullable(),
  volume: z.int(),
  flags: z.int().min(0),
  unit: z.string().max(16),
  delivered: z.number(),
});
