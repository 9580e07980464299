import { z } from "zod";
import { column, NO_VALUE_WORDS, rowFilters, timeColumn, unitWords } from "./formats/common.js";
import { isTimeZone } from "./time-zone.js";
import { unit } from "./units.js";

/** A mark that is one byte of UTF-8. */
const mark = z.string().regex(/^[\t\x20-\x7e]$/, "expected one ASCII character");

/**
 * How a CSV file of meter reads is to be understood: nothing in it is guessed.
 * The same profile serves layouts `long` (one read a row), `wide` (a row holds a meter's day), `matrix` (a row holds all
 * meters' reads of a time) and `pivot` (a row holds all of a meter's reads).
 */
export const csvProfile = z.strictObject({
  layout: z
    .enum(["long", "wide", "matrix", "pivot"])
    .default("long")
    .describe(
      "long: one read a row. wide: one row a meter and day, one column an interval. matrix: one row a time, one column a meter, with its id as the column's name. pivot: one row a meter, one column a time, with its stamp as the column's name.",
    ),
  encoding: z
    .enum(["utf-8", "utf-16le", "utf-16be", "latin1"])
    .default("utf-8")
    .describe("A byte order mark is removed in any case; one of UTF-16 counts before this."),
  compression: z
    .enum(["auto", "none", "gzip", "zip"])
    .default("auto")
    .describe(
      "auto: the file's first bytes tell. Otherwise a file that is packed in another way is rejected.",
    ),
  delimiter: mark.default(","),
  quote: mark
    .default('"')
    .describe(
      "Stands around fields that hold a delimiter, and doubled for itself; a field ends with its line.",
    ),
  decimal: z.enum([".", ","]).default("."),
  thousands: z.string().max(1).default("").describe("Mark between thousands, if numbers carry one."),
  skipRows: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("Rows before the header that are passed over; blank rows don't count."),
  header: z.boolean().default(true).describe("Whether a row with the names of columns comes first."),
  trailerRows: z
    .string()
    .optional()
    .describe("Rows whose first field equals this word are totals, not reads."),
  filters: rowFilters,
  columns: z
    .strictObject({
      meter: column
        .optional()
        .describe(
          "Meter or service point: the identity of the meter. Required, but with `meterFrom` or layout matrix.",
        ),
      serial: column
        .optional()
        .describe("Serial number of the register: another one for the same meter is an exchange."),
      channel: column
        .optional()
        .describe("Register of a compound meter, such as L and H: each is a stream of its own."),
      time: timeColumn
        .optional()
        .describe(
          "Time stamp, or the date where `clock` is a column of its own. Required, but in layout pivot. A list of columns where it is spread over several: they are read with a blank between them (`[Year, Month, Day]` as `YYYY MM DD`).",
        ),
      clock: column.optional().describe("Time of day, where it stands apart from the date."),
      register: column.optional().describe("Register value."),
      usage: column.optional().describe("Volume of the interval."),
      unit: column.optional().describe("Unit of the usage, and of the register without `registerUnit`."),
      registerUnit: column
        .optional()
        .describe("Unit of the register, where it differs from that of the usage."),
      multiplier: column
        .optional()
        .describe("Meter constant of the row: its values are multiplied by it; empty: 1."),
      quality: column.optional().describe("Word that says whether the value was estimated."),
      first: column
        .optional()
        .describe(
          "wide: the first interval's column; the others follow it. matrix: the first meter's column; all that follow it are meters'.",
        ),
      repeated: column
        .optional()
        .describe(
          "wide: the column of the hour that comes twice in autumn, for its second time; of shorter intervals the first, the others follow it. Empty or 0 on other days.",
        ),
    })
    .prefault({})
    .describe("Which column holds what: by header name or position."),
  meterFrom: z
    .strictObject({
      fileName: z
        .string()
        .refine(
          (pattern) => pattern.split("{meter}").length === 2 && !/\*\{meter\}|\{meter\}\*/.test(pattern),
          "expected a pattern with {meter} in it, once, and something between it and a *",
        )
        // Each one more multiplies the ways in which a long name may be tried.
        .refine((pattern) => pattern.split("*").length <= 4, "expected three * at most")
        .optional()
        .describe(
          "Pattern of the file's name (of an archive's member), in which {meter} stands for the id, * for any characters and ? for one; case does not count. `reads_{meter}_*.csv`",
        ),
      preamble: z
        .string()
        .min(1)
        .optional()
        .describe(
          "Word that a row before the header begins with (see `skipRows`); the id stands behind it, in the next field or after a colon.",
        ),
    })
    .refine(
      ({ fileName, preamble }) => (fileName === undefined) !== (preamble === undefined),
      "expected fileName or preamble, one of them",
    )
    .optional()
    .describe("Where the meter's id stands in a file that is of one meter and has no column for it."),
  intervalsPerDay: z
    .union([z.literal(24), z.literal(48), z.literal(96)])
    .default(24)
    .describe("wide: number of interval columns."),
  wideValues: z
    .enum(["register", "usage"])
    .default("usage")
    .describe("wide, matrix and pivot: what their columns hold."),
  meterId: z
    .strictObject({
      leadingZeros: z.enum(["keep", "strip"]).default("keep"),
      upperCase: z.boolean().default(false),
    })
    .prefault({})
    .describe("Canonical form of the meter id; outer blanks are always removed."),
  time: z
    .strictObject({
      format: z
        .string()
        .min(1)
        .default("YYYY-MM-DD HH:mm")
        .describe(
          "YYYY or YY, MM, MMM (Jan), MMMM (January), DD, HH, hh with A (am/pm), mm, ss, SSS, Z (offset or Z), X (epoch seconds), x (epoch milliseconds), and at its end * for whatever follows; other characters stand for themselves.",
        ),
      zone: z
        .string()
        .refine(
          (zone) => zone === "utility" || isTimeZone(zone),
          'expected an IANA time zone such as America/Los_Angeles, "utility" or UTC',
        )
        .default("utility")
        .describe('IANA zone of the stamps, "utility" for the utility\'s, or UTC.'),
      stamp: z
        .enum(["beginning", "end"])
        .default("beginning")
        .describe(
          "usage: whether a stamp is the beginning or the end of its interval. Registers are read at their stamp; layout wide: at that edge of their column.",
        ),
      interval: z
        .number()
        .int()
        .min(60)
        .max(86_400)
        .default(3600)
        .describe(
          "usage: seconds of an interval. One longer than an hour is counted by the local clock: a day may have 23 or 25 hours.",
        ),
      snap: z
        .number()
        .int()
        .min(0)
        .max(1800)
        .default(0)
        .describe(
          "usage: stamps within so many seconds of the grid of intervals are set on it (hh:59, hh:01).",
        ),
      hours: z
        .enum(["clock", "elapsed"])
        .default("clock")
        .describe(
          "long and matrix: hours are those of the local clock, or (elapsed) counted from the beginning of the local day: to 23 or 25 where the clock is changed.",
        ),
      wide: z
        .enum(["clock", "elapsed"])
        .default("clock")
        .describe(
          "wide: a column is a time of the local clock, or (elapsed) the columns count the hours of the day, which may have 23 or 25: there are 25, 50 or 100 of them.",
        ),
      repeatedHour: z
        .enum(["order", "first", "second"])
        .default("order")
        .describe(
          "Local stamps of the hour that comes twice in autumn: told apart by their order in the file, or always the one.",
        ),
    })
    .prefault({}),
  unit: unit.default("L").describe("Unit of values, where no column names it."),
  registerUnit: unit.optional().describe("Unit of register values, where it differs."),
  treatAs: unitWords,
  multiplier: z.number().positive().default(1).describe("Values are multiplied by this (meter constant)."),
  resolution: z
    .number()
    .min(0)
    .default(0)
    .describe("Smallest step of the values, in their unit; 0: unknown, then the decimals in the file tell."),
  digits: z
    .number()
    .int()
    .min(0)
    .max(12)
    .default(0)
    .describe("Dials of the register: it begins again at 0 after 10^digits of its unit; 0: unknown."),
  quality: z
    .strictObject({
      estimated: z.array(z.string()).default(["E", "EST", "ESTIMATED", "1", "Y", "TRUE"]),
      adjusted: z.array(z.string()).default(["ADJUSTED", "EDITED"]),
      suspect: z.array(z.string()).default(["SUSPECT", "QUESTIONABLE"]),
      noRead: z.array(z.string()).default([]).describe("Words of the quality column that mean: no read."),
    })
    .prefault({})
    .describe("Words of the quality column; others mean an actual read."),
  noRead: z
    .array(z.string())
    .default(["", ...NO_VALUE_WORDS])
    .describe("Words, or numbers, in a value column that mean: no read."),
});
export type CsvProfile = z.infer<typeof csvProfile>;
