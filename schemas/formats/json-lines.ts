import { z } from "zod";
import { unit } from "../units.js";
import { meterIdForm } from "./common.js";

/** What a status word of a device means: a flag, or nothing. */
const meaning = z.enum(["leak", "burst", "backflow", "dry", "fault", "nothing"]);
export type StatusMeaning = z.infer<typeof meaning>;

/** Types of messages of rtlamr that carry a counter. */
const rtlamrType = z.enum(["SCM", "SCM+", "IDM", "R900", "R900BCD"]);
export type RtlamrType = z.infer<typeof rtlamrType>;

/** How files of JSON lines from radio receivers are to be read: `source.jsonLines`. */
export const jsonLinesOptions = z.strictObject({
  meterId: meterIdForm,
  media: z
    .array(z.string().min(1))
    .min(1)
    .default(["water", "cold water", "warm water", "hot water"])
    .describe(
      "wmbusmeters: media that are read, case does not count. Telegrams of others are rejected as not-water.",
    ),
  status: z
    .record(z.string().min(1), meaning)
    .default({})
    .describe(
      "wmbusmeters: what words of status, current_status and current_alarms mean, before those that are known; case does not count.",
    ),
  rtlamr: z
    .partialRecord(
      rtlamrType,
      z.strictObject({
        unit: unit.describe("Unit of the counter; the message does not say."),
        multiplier: z
          .number()
          .positive()
          .default(1)
          .describe("The counter is multiplied by this: 0.1 where it counts tenths of the unit."),
      }),
    )
    .default({})
    .describe(
      "rtlamr: the unit of each type of message that is read. Messages of other types are rejected as unknown-message.",
    ),
  endpointTypes: z
    .array(z.int().min(0).max(15))
    .min(1)
    .default([3, 11, 13])
    .describe(
      "rtlamr: ERT types of water meters (SCM, SCM+ and IDM; the low four bits). Messages of others are rejected as not-water.",
    ),
});
export type JsonLinesOptions = z.infer<typeof jsonLinesOptions>;
