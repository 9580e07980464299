import { z } from "zod";
import { meterIdForm, unitWords } from "./common.js";

/** How files in NEM12 and NEM13 are to be read: `source.nem`. */
export const nemOptions = z.strictObject({
  meter: z
    .enum(["nmi", "serial"])
    .default("nmi")
    .describe("What identifies the meter: the NMI, or the meter's serial number."),
  channel: z
    .enum(["suffix", "none"])
    .default("suffix")
    .describe(
      "suffix: streams of one meter are told apart by the NMI suffix (E1, B1). none: a meter has one.",
    ),
  meterId: meterIdForm,
  utcOffset: z
    .string()
    .regex(/^[+-](0\d|1[0-4]):[0-5]\d$/, "expected an offset such as +10:00")
    .default("+10:00")
    .describe("Time of the file, the same all year: +10:00 (AEST) in the National Electricity Market."),
  multiplier: z.number().positive().default(1).describe("Values are multiplied by this."),
  treatAs: unitWords,
});
export type NemOptions = z.infer<typeof nemOptions>;
