import { z } from "zod";
import { csvProfile } from "../profile.js";
import { unit } from "../units.js";
import { column, meterIdForm, rowFilters, stampZone, timeColumn, unitWords } from "./common.js";

const words = z.array(z.string());
const { delimiter, quote, decimal, thousands, skipRows, header, trailerRows } = csvProfile.shape;

const fields = z.strictObject({
  layout: z
    .enum(["rows", "pivot"])
    .default("rows")
    .describe(
      "rows: a row a read, or a bill. pivot: bills of months, a row a meter and a column a month, with the month as the column's name in `time.format`.",
    ),
  delimiter,
  quote,
  decimal,
  thousands,
  skipRows,
  header,
  trailerRows,
  columns: z
    .strictObject({
      meter: column.describe("Meter id: the identity of the meter."),
      serial: column
        .optional()
        .describe(
          "Serial number of the register: another one for the same meter is an exchange. It counts for both reads of a row.",
        ),
      channel: column
        .optional()
        .describe("Register of a compound meter, such as L and H: each is a stream of its own."),
      current: column
        .optional()
        .describe(
          "Current read of the register. Without it each row is a bill of its consumption (`usage`).",
        ),
      currentDate: timeColumn
        .optional()
        .describe(
          "Required, but in layout pivot. Date of the current read, or of the end of a bill, with a time of day if `time.format` has one. A list of columns where it is spread over several (`[Year, Month]` as `YYYY MM`).",
        ),
      previous: column.optional().describe("Previous read of the register."),
      previousDate: timeColumn
        .optional()
        .describe("Date of the previous read, or of the beginning of a bill."),
      usage: column
        .optional()
        .describe(
          "Consumption. Beside reads it is none itself: it must be the current read less the previous one.",
        ),
      unit: column.optional().describe("Word for the unit of the reads, or of the consumption of bills."),
      multiplier: column.optional().describe("Number by which the reads are multiplied."),
      code: column.optional().describe("Word that says whether the current read was estimated."),
      previousCode: column.optional().describe("The same for the previous read."),
      days: column
        .optional()
        .describe(
          "Days of service: as many as lie between the two dates, or one more. A bill without `previousDate` begins so many days before its end.",
        ),
    })
    .describe("Which column holds what: by header name or position."),
  filters: rowFilters,
  meterId: meterIdForm,
  time: z
    .strictObject({
      format: z
        .string()
        .min(1)
        .default("YYYY-MM-DD")
        .describe("Tokens as for `time.format` of a profile. Without a time of day: midnight, local."),
      zone: stampZone
        .default("utility")
        .describe(
          'Zone of the stamps: an IANA zone, "utility" for the utility\'s, or UTC. A time of the hour that comes twice in autumn is the first of the two.',
        ),
    })
    .prefault({}),
  period: z
    .enum(["dates", "month"])
    .default("dates")
    .describe(
      "Of bills: from when to when they are. `dates`: from `previousDate`, or `days` before, to `currentDate`; `month`: the whole month of the calendar in which `currentDate` lies, which may lack its day (`YYYY-MM`).",
    ),
  currentDateIncluded: z
    .boolean()
    .default(false)
    .describe(
      "Of bills: whether the day of `currentDate` is part of it (05/01 to 05/31); `false`: it ends as that day begins, and the next one begins there.",
    ),
  unit: unit
    .default("L")
    .describe("Unit of the reads, or of the consumption of bills, where no column names it."),
  treatAs: unitWords,
  usageUnit: unit.optional().describe("Unit of the consumption, where it is not that of the reads."),
  tolerance: z
    .number()
    .min(0)
    .default(0)
    .describe("By so much, in its unit, the consumption may differ from the reads (it is often rounded)."),
  multiplier: z
    .number()
    .positive()
    .default(1)
    .describe("Reads are multiplied by this, and by their column's; the consumption is not."),
  digits: z
    .number()
    .int()
    .min(0)
    .max(12)
    .default(0)
    .describe("Dials of the register: it begins again at 0 after 10^digits of its unit; 0: unknown."),
  resolution: z
    .number()
    .min(0)
    .default(0)
    .describe("Smallest step of the reads, in their unit; 0: unknown, then the decimals in the file tell."),
  takePrevious: z
    .boolean()
    .default(true)
    .describe(
      "Whether previous reads are reads. Without `columns.previousCode` they count as estimated, so that they never replace a read that was delivered before.",
    ),
  quality: z
    .strictObject({
      estimated: words
        .default(["E", "EST", "ESTIMATED", "1", "Y", "TRUE"])
        .describe("Words for an estimated read."),
      adjusted: words.default(["ADJUSTED", "EDITED"]).describe("Words for a read that people changed."),
      suspect: words
        .default(["SUSPECT", "QUESTIONABLE"])
        .describe("Words for a read that the sender doubts."),
      noRead: words.default([]).describe("Words that mean: no read."),
    })
    .prefault({})
    .describe("Words of the code columns; case does not count, others mean an actual read."),
  noRead: words
    .default(["", "ERROR", "NULL", "N/A", "NaN", "*"])
    .describe("Words, or numbers, in a column of numbers that mean: none."),
  zero: words
    .default(["-"])
    .describe("Words in a column of numbers that mean 0: spreadsheets show it as a dash."),
});
export type BillingOptions = z.infer<typeof fields>;

/** How a billing system's CSV is to be read: `source.billing`. */
export const billingOptions = fields.superRefine((options, context) => {
  const { columns, header: isNamed } = options;
  const complain = (path: PropertyKey[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const { current, currentDate, previous, previousDate, usage, previousCode, days } = columns;
  if (options.layout === "pivot") {
    checkPivot(options, complain);
    return;
  }
  if (currentDate === undefined)
    complain(
      ["columns", "currentDate"],
      "missing; name the column of the date of the read, or of the bill's end",
    );
  if (current === undefined) checkBills(options, complain);
  else if ((previous === undefined) !== (previousDate === undefined))
    complain(
      ["columns", previous === undefined ? "previous" : "previousDate"],
      "missing; the previous read has a value and a date",
    );
  for (const [name, of] of Object.entries({ usage, previousCode, days }))
    if (of !== undefined && current !== undefined && previous === undefined)
      complain(["columns", name], "can't be used without the previous read: name `previous`");
  for (const [name, isSet] of [
    ["period", options.period !== "dates"],
    ["currentDateIncluded", options.currentDateIncluded],
  ] as const)
    if (isSet && current !== undefined)
      complain([name], "is of bills: reads have a date each; remove it, or `columns.current`");
  for (const [name, of] of Object.entries(columns))
    if (!isNamed && typeof of === "string")
      complain(["columns", name], "is a name, and there is no header; give its position");
});

/** The header has the months, and each row its meter: what else a row may say is of all its bills. */
function checkPivot(
  { columns, header, period, usageUnit, currentDateIncluded }: BillingOptions,
  complain: (path: PropertyKey[], message: string) => void,
): void {
  for (const [name, of] of Object.entries(columns))
    if (of !== undefined && !["meter", "channel", "unit", "code"].includes(name))
      complain(
        ["columns", name],
        "has no place in layout pivot, where every column whose name is a month of `time.format` holds the bills of that month",
      );
  if (!header) complain(["header"], "is false; layout pivot takes the months from the header");
  if (period !== "month") complain(["period"], "is not month; layout pivot has bills of months");
  if (usageUnit !== undefined) complain(["usageUnit"], "the unit of bills is `unit`");
  if (currentDateIncluded) complain(["currentDateIncluded"], "is not for whole months");
}

/** Rows without a read tell what was used, in one unit, from when to when. */
function checkBills(
  { columns, period, usageUnit, currentDateIncluded }: BillingOptions,
  complain: (path: PropertyKey[], message: string) => void,
): void {
  const { usage, previousDate, days, previous, previousCode, multiplier } = columns;
  if (usage === undefined)
    complain(["columns", "current"], "missing; without a read each row needs its consumption: name `usage`");
  if (period === "dates" && previousDate === undefined && days === undefined)
    complain(
      ["columns", "previousDate"],
      "missing; a bill begins at a date, or so many `days` before its end, or is of a month (`period: month`)",
    );
  for (const [name, of] of Object.entries({ previous, previousCode, multiplier }))
    if (of !== undefined)
      complain(["columns", name], "can't be used without the current read: name `current`");
  if (usageUnit !== undefined) complain(["usageUnit"], "the unit of bills is `unit`");
  if (period === "month" && (previousDate ?? days) !== undefined)
    complain(["period"], "of a month needs neither `previousDate` nor `days`");
  if (period === "month" && currentDateIncluded) complain(["currentDateIncluded"], "is not for whole months");
}

/**
 * Billing read export of Badger BEACON, with the names of its specification (helpbeaconama.net) and the time column of
 * its other exports. AquaCUE calls the columns `Current_Read` and `Current_Read_Units`.
 */
export const BEACON_BILLING = {
  columns: {
    meter: "Meter_ID",
    channel: "Register_Number",
    current: "Read",
    currentDate: "Read_Time",
    unit: "Read_Unit",
    code: "Read_Method",
  },
  time: { format: "YYYY-MM-DD HH:mm" },
  treatAs: { AF: "acft" },
  quality: { estimated: [], adjusted: [], suspect: [], noRead: ["n/a"] },
} satisfies z.input<typeof fields>;
