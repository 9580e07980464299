import { z } from "zod";
import { meterIdForm, stampZone, unitWords } from "./common.js";

/** Fields of a CMEP record that may name the meter or its channel. */
const field = z.enum(["receiver-id", "receiver-customer-id", "meter-id"]);
export type CmepField = z.infer<typeof field>;

/** How files in CMEP (California Metering Exchange Protocol) are to be read: `source.cmep`. */
export const cmepOptions = z.strictObject({
  meter: z
    .union([field, z.literal("key")])
    .default("meter-id")
    .describe(
      "Field that holds the meter's id: meter-id (8th), receiver-id (5th), receiver-customer-id (6th), or key: the one that the six digits in the sender customer id (4th, as SPS:130000) name (Sensus).",
    ),
  channel: field
    .optional()
    .describe("Field that tells the registers of a compound meter apart. None: a meter has one."),
  serial: field
    .optional()
    .describe("Field with the serial number of the register: another one for the same meter is an exchange."),
  meterId: meterIdForm,
  zone: stampZone
    .default("UTC")
    .describe(
      'Zone of the stamps: UTC as the protocol says, "utility" for the utility\'s, or an IANA zone. Local stamps of the hour that comes twice in autumn are told apart by their order.',
    ),
  snap: z
    .number()
    .int()
    .min(0)
    .max(1800)
    .default(0)
    .describe(
      "Seconds. Stamps of usage so near to the grid of their interval are set on it (00:01, 00:02), others are rejected. 0: stamps are taken as they are. Registers are always read at their stamp.",
    ),
  constant: z
    .enum(["apply", "ignore"])
    .default("apply")
    .describe("Whether values are multiplied by their record's calculation constant (12th field)."),
  multiplier: z
    .number()
    .positive()
    .default(1)
    .describe("Values are multiplied by this, beside the record's calculation constant."),
  commodities: z
    .array(z.string().min(1))
    .min(1)
    .default(["W"])
    .describe("Commodities (10th field) that are read; records of others are rejected."),
  treatAs: unitWords,
});
export type CmepOptions = z.infer<typeof cmepOptions>;
