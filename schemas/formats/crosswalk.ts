import { z } from "zod";
import { meterClass } from "../meters.js";
import { column } from "./common.js";

/** What a row of a crosswalk must say. */
export const CROSSWALK_REQUIRED = ["meter_id", "account_id", "location_id"] as const;
/** What it may say besides: docs/formats.md has what each means. */
export const CROSSWALK_OPTIONAL = [
  "name",
  "address",
  "zip",
  "email",
  "phone",
  "move_in",
  "move_out",
  "class",
  "normal_flow_l_per_h",
  "meter_since",
  "meter_until",
  "inactive_since",
  "meter_size",
  "register_unit",
  "multiplier",
] as const;
export type CrosswalkColumn = (typeof CROSSWALK_REQUIRED)[number] | (typeof CROSSWALK_OPTIONAL)[number];
const COLUMNS = [...CROSSWALK_REQUIRED, ...CROSSWALK_OPTIONAL];

/** How a crosswalk of a billing system's own is to be understood. */
export const crosswalkOptions = z.strictObject({
  columns: z
    .strictObject(
      Object.fromEntries(COLUMNS.map((name) => [name, column.optional()])) as Record<
        CrosswalkColumn,
        z.ZodOptional<typeof column>
      >,
    )
    .prefault({})
    .describe(
      "Columns whose header has another name, by that name or by position: `{ meter_id: Meter No }`.",
    ),
  date: z
    .string()
    .min(1)
    .default("YYYY-MM-DD")
    .describe("Format of dates, of the tokens of `time.format` of a profile; a time of day is passed over."),
  classes: z
    .record(z.string(), meterClass.nullable())
    .default({})
    .describe(
      "Classes by the words of the file, beside the classes' own names; case does not count. null: nothing is said by it.",
    ),
});
export type CrosswalkOptions = z.infer<typeof crosswalkOptions>;
