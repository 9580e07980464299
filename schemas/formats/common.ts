import { z } from "zod";
import { isTimeZone } from "../time-zone.js";
import { unit } from "../units.js";

/** A column by its header name (case and outer blanks ignored) or by its position, 1 is the first. */
export const column = z.union([z.string().min(1), z.number().int().positive()], {
  error: ({ input }) =>
    `${input === undefined ? "missing; " : ""}expected the name of a column, or its position (1 is the first)`,
});
export type ColumnRef = z.infer<typeof column>;

const SOME_COLUMNS = "expected two to seven columns that a stamp is spread over";

/** The column of a time stamp, or several whose words, a blank between each, make one: `[Year, Month, Day]`. */
export const timeColumn = z.union([column, z.array(column).min(2, SOME_COLUMNS).max(7, SOME_COLUMNS)], {
  error: ({ input }) =>
    `${input === undefined ? "missing; " : ""}expected the name of a column, its position (1 is the first), or a list of the two to seven columns that a stamp is spread over`,
});
export type TimeColumnRef = z.infer<typeof timeColumn>;

/** Canonical form of meter ids, the same for every source of a utility. */
export const meterIdForm = z
  .strictObject({
    leadingZeros: z
      .enum(["keep", "strip"])
      .default("keep")
      .describe("strip: 00123 and 123 are one meter. Outer blanks never count."),
    upperCase: z.boolean().default(false).describe("true: a1 and A1 are one meter."),
  })
  .prefault({})
  .describe("Canonical form of the meter id.");

/** Zone of stamps that carry none. */
export const stampZone = z
  .string()
  .refine(
    (zone) => zone === "utility" || isTimeZone(zone),
    'expected an IANA time zone such as America/Los_Angeles, "utility" or UTC',
  );

/** What stands for a value that there is none of, where nothing else is said. Case does not count. */
export const NO_VALUE_WORDS = ["ERROR", "NULL", "N/A", "NaN", "-", "*"];

/** Words that a file uses for units, beside those that are known. */
export const unitWords = z
  .record(z.string(), unit)
  .default({})
  .describe(
    "Units by the words of the file, before those that are known; case does not count. For words of a head-end's own, and to try the format with files of gas or electricity (KWH: L).",
  );

const words = z.array(z.string());

/** Which rows of a CSV are taken. */
export const rowFilters = z
  .array(
    z
      .strictObject({
        column: column.describe("Column that is looked at."),
        only: words.optional().describe("Only rows with one of these words are taken; case does not count."),
        except: words.optional().describe("Rows with one of these words are not taken; case does not count."),
      })
      .refine(
        ({ only, except }) => only !== undefined || except !== undefined,
        "says nothing; give `only` or `except`",
      ),
  )
  .default([])
  .describe(
    "Which rows are taken (commodity, cycle, kind of account), by every filter of the list. Others are left out: counted, neither read nor rejected.",
  );
export type RowFilters = z.infer<typeof rowFilters>;
