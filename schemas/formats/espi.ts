import { z } from "zod";
import { unit } from "../units.js";
import { meterIdForm } from "./common.js";

const code = z.int().min(0).max(255);

/** How Green Button (ESPI) files are to be read: `source.espi`. */
export const espiOptions = z.strictObject({
  meter: z
    .enum(["id", "path", "title"])
    .default("id")
    .describe(
      "What names the meter: the last part of its usage point's own link (id), the whole path of that link (path, where ids repeat from customer to customer), or the title of the usage point's entry (title).",
    ),
  meterId: meterIdForm,
  commodities: z
    .array(code)
    .min(1)
    .default([9])
    .describe(
      "ESPI codes of commodities that are read: 9 is potable water. Readings of others are rejected as not-water.",
    ),
  treatAs: z
    .record(z.string().regex(/^\d{1,3}$/, "expected the ESPI code of a unit"), unit)
    .default({})
    .describe(
      "Units by their ESPI code, before those that are known (42 m3, 119 ft3, 128 gal, 130 imp-gal, 134 L). To try the format with files of gas or electricity (72: L).",
    ),
  intervalLength: z
    .int()
    .positive()
    .optional()
    .describe(
      "Seconds. Usages of another length are rejected: for feeds that give hours and, beside them, the sums of days.",
    ),
  accumulation: z
    .enum(["usage", "register"])
    .optional()
    .describe(
      "What values are whose reading type does not say (no accumulationBehaviour, or 0). None: they are rejected.",
    ),
  quality: z
    .strictObject({
      estimated: z
        .array(code)
        .default([8, 9, 11, 12])
        .describe("By a reference day, interpolated, derived, projected."),
      adjusted: z
        .array(code)
        .default([7, 15, 17])
        .describe("Edited by hand, normalised, validated and edited."),
      suspect: z.array(code).default([10, 13, 18]).describe("Questionable, mixed, failed but actual."),
    })
    .prefault({})
    .describe("ESPI codes of reading quality; others mean an actual read."),
});
export type EspiOptions = z.infer<typeof espiOptions>;
