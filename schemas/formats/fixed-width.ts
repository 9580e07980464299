import { z } from "zod";
import { unit } from "../units.js";
import { meterIdForm, NO_VALUE_WORDS, stampZone, unitWords } from "./common.js";

const MOST_COLUMNS = 65_536;
const position = z.number().int().min(1).max(MOST_COLUMNS);

/** Characters of a line, the first is 1, both ends included. */
const span = z
  .strictObject({
    from: position.describe("First character of the column; 1 is the first of the line."),
    to: position.describe("Last character of the column."),
  })
  .refine(({ from, to }) => from <= to, "expected a column that does not end before it begins");
export type Span = z.infer<typeof span>;

const columns = z.strictObject({
  meter: span.optional().describe("Meter id: the identity of the meter."),
  channel: span.optional().describe("Register of a compound meter: each is a stream of its own."),
  serial: span
    .optional()
    .describe("Serial number of the register: another one for the same meter is an exchange."),
  reading: span.optional().describe("Register value. A record with this column is a read."),
  date: span.optional().describe("Date of the read, by `date`."),
  time: span.optional().describe("Time of day of the read, by `time`; without one: midnight."),
  unit: span.optional().describe("Word for the unit of the reading."),
  quality: span.optional().describe("Word that says whether the reading was estimated."),
});
export type FixedWidthColumn = keyof z.infer<typeof columns>;

const record = z.strictObject({
  prefix: z.string().max(64).describe("What lines of this record begin with; empty: any line."),
  at: position.default(1).describe("Where the prefix stands; 1 is the first character of the line."),
  columns: columns.prefault({}).describe("Which characters hold what."),
});

const fields = z.strictObject({
  preset: z
    .enum(["neptune-equinox", "itron-mvrs"])
    .optional()
    .describe("Layout to begin with; `records` of the same prefix add columns to it, others follow its own."),
  records: z.array(record).max(64).default([]).describe("Kinds of lines, the highest of their order first."),
  date: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Format of dates (tokens as for `time.format` of a profile); default YYYYMMDD, or the preset's.",
    ),
  time: z.string().min(1).optional().describe("Format of times of day; default HHmmss, or the preset's."),
  zone: stampZone
    .default("utility")
    .describe('Zone of date and time: an IANA zone, "utility" for the utility\'s, or UTC.'),
  meterId: meterIdForm,
  unit: unit.default("L").describe("Unit of readings, where no column names it."),
  treatAs: unitWords,
  multiplier: z.number().positive().default(1).describe("Readings are multiplied by this."),
  impliedDecimals: z
    .number()
    .int()
    .min(0)
    .max(9)
    .default(0)
    .describe("Last digits of a reading that stand behind a decimal point which is not written."),
  quality: z
    .strictObject({
      estimated: z.array(z.string()).default(["E"]).describe("Words for an estimated reading."),
      adjusted: z.array(z.string()).default([]).describe("Words for a reading that people changed."),
      suspect: z.array(z.string()).default([]).describe("Words for a reading that the sender doubts."),
      noRead: z.array(z.string()).default([]).describe("Words that mean: no read."),
    })
    .prefault({})
    .describe("Words of the quality column; others mean an actual read."),
  noRead: z
    .array(z.string())
    .default([...NO_VALUE_WORDS])
    .describe("Words, or numbers, in the place of a reading that mean: no read. Blanks always do."),
});
export type FixedWidthOptions = z.infer<typeof fields>;

/**
 * How fixed-width files are to be read: `source.fixedWidth`. Records are listed from the highest (company, route) to the
 * lowest: see docs/formats/fixed-width.md.
 */
export const fixedWidthOptions = fields.superRefine((options, context) => {
  const { records } = fixedWidthLayout(options);
  for (const name of ["reading", "meter", "date"] as const) {
    if (records.some(({ columns: { [name]: column } }) => column !== undefined)) continue;
    context.addIssue({
      code: "custom",
      path: ["records"],
      message: `expected a record with the column \`${name}\`, received none`,
    });
  }
});

/** A layout as the reader follows it. */
export interface FixedWidthLayout {
  readonly records: FixedWidthOptions["records"];
  readonly date: string;
  readonly time: string;
}

const at = (from: number, to: number): Span => ({ from, to });

/** Layouts that are known, as far as they are public. */
export const FIXED_WIDTH_PRESETS: Readonly<
  Record<NonNullable<FixedWidthOptions["preset"]>, FixedWidthLayout>
> = {
  /**
   * Neptune Equinox, upload of readings (SmartFusion's page 5225). The order of ORDST behind its RDGDT follows that
   * page's list; no public file shows it.
   */
  "neptune-equinox": {
    records: [
      { prefix: "COMHD", at: 1, columns: {} },
      { prefix: "RTEHD", at: 1, columns: { date: at(24, 31) } },
      { prefix: "PRMDT", at: 1, columns: {} },
      { prefix: "MTRDT", at: 1, columns: { meter: at(38, 57) } },
      { prefix: "RDGDT", at: 1, columns: { reading: at(89, 98) } },
      { prefix: "ORDST", at: 1, columns: { date: at(6, 13) } },
    ],
    date: "YYYYMMDD",
    time: "HHmmss",
  },
  /** Itron MV-RS, upload of readings: which columns of CUS or MTR hold the meter is the utility's to say. */
  "itron-mvrs": {
    records: [
      { prefix: "FHD", at: 1, columns: {} },
      { prefix: "CHD", at: 1, columns: {} },
      { prefix: "RHD", at: 1, columns: {} },
      { prefix: "CUS", at: 1, columns: {} },
      { prefix: "MTR", at: 1, columns: {} },
      { prefix: "RDG", at: 1, columns: { reading: at(34, 43), date: at(48, 55), time: at(56, 61) } },
      { prefix: "RTR", at: 1, columns: {} },
      { prefix: "CTR", at: 1, columns: {} },
      { prefix: "FTR", at: 1, columns: {} },
    ],
    date: "MMDDYYYY",
    time: "HHmmss",
  },
};

/** The layout that options say: their preset's with their own records and formats in it. */
export function fixedWidthLayout({ preset, records, date, time }: FixedWidthOptions): FixedWidthLayout {
  const base = preset === undefined ? undefined : FIXED_WIDTH_PRESETS[preset];
  const merged = (base?.records ?? []).map((known) => {
    const added = records.find(({ prefix }) => prefix === known.prefix);
    return added === undefined ? known : { ...added, columns: { ...known.columns, ...added.columns } };
  });
  const others = records.filter(({ prefix }) => !merged.some((known) => known.prefix === prefix));
  return {
    records: [...merged, ...others],
    date: date ?? base?.date ?? "YYYYMMDD",
    time: time ?? base?.time ?? "HHmmss",
  };
}
