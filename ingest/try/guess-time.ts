import { compileTimeFormat, type Stamp } from "../formats/time-format.js";

/** What a column of times holds. */
export interface TimeGuess {
  readonly kind: "stamp" | "date" | "clock";
  /** Every format that reads all of its cells; several where the file does not tell. */
  readonly formats: readonly string[];
}

const DATES = [
  "YYYY-MM-DD",
  "YYYY/MM/DD",
  "YYYY.MM.DD",
  "YYYYMMDD",
  "MM/DD/YYYY",
  "DD/MM/YYYY",
  "MM-DD-YYYY",
  "DD-MM-YYYY",
  "DD.MM.YYYY",
  "MM.DD.YYYY",
  "DD-MMM-YYYY",
  "DD MMM YYYY",
  "MMM DD YYYY",
  "MMM DD, YYYY",
  "MMMM DD, YYYY",
  "DD MMMM YYYY",
  "MMDDYYYY",
  "DDMMYYYY",
  "MM/DD/YY",
  "DD/MM/YY",
  "DD.MM.YY",
  "DD-MMM-YY",
  // Of columns for each of these.
  "YYYY MM DD",
  "YYYY MMM DD",
  "YYYY MMMM DD",
];
const CLOCKS = [
  "HH:mm",
  "HH:mm:ss",
  "HH:mm:ss.SSS",
  "hh:mm A",
  "hh:mm:ss A",
  "hh:mmA",
  "hh:mm:ssA",
  "HHmm",
  "HHmmss",
  "HH mm",
];
const OFFSETS = ["", "Z", " Z"];
const STAMPS = DATES.flatMap((date) =>
  [" ", "T", ""].flatMap((between) =>
    CLOCKS.flatMap((clock) => OFFSETS.map((offset) => date + between + clock + offset)),
  ),
);
const BY_MARKS = {
  stamp: byMarks(STAMPS),
  date: byMarks(DATES),
  clock: byMarks(CLOCKS),
} as const;

/** Formats by the marks that stand in their stamps: only those of a cell's own marks can read it. */
function byMarks(formats: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const format of formats) {
    const marks = marksOf(format);
    const all = format.endsWith("Z") ? ["", "+", "-", "+:", "-:"].map((offset) => marks + offset) : [marks];
    for (const one of all) found.set(one, [...(found.get(one) ?? []), format]);
  }
  return found;
}

function marksOf(text: string): string {
  return text.replace(/[\p{L}\d]/gu, "");
}

/** 1990 to 2100: what lies outside is hardly a read. UTC seconds. */
const EPOCHS = { from: 631_152_000, until: 4_102_444_800 } as const;
const DAY = 86_400;

/**
 * How a column's cells may be read as times; `undefined` where no format reads all of them.
 * @param cells without outer blanks, none empty
 * @param named the column's name speaks of a time: digits alone are looked at more kindly
 */
export function timeOf(cells: readonly string[], named: boolean): TimeGuess | undefined {
  if (cells.length === 0) return undefined;
  const marks = marksOf(cells[0]!);
  const all = (kind: TimeGuess["kind"]): TimeGuess | undefined => {
    const able = (BY_MARKS[kind].get(marks) ?? []).filter(
      (format) => kind !== "clock" || named || format.includes(":"),
    );
    const fitting = able.filter((format) => cells.every((cell) => reads(format, cell, kind)));
    return fitting.length === 0 ? undefined : { kind, formats: fitting };
  };
  return all("stamp") ?? all("date") ?? epochOf(cells, named) ?? all("clock");
}

/**
 * Hours of a day by their number, 0 to 23 or 1 to 24 (25 where the clock is put back).
 * @param sure they stand beside year, month and day: few of them are enough
 */
export function hourNumbersOf(cells: readonly string[], sure: boolean): TimeGuess | undefined {
  const hours = new Set(cells);
  const isHour = (cell: string) => /^\d{1,2}$/.test(cell) && Number(cell) <= 25;
  return hours.size >= (sure ? 1 : LEAST_HOURS) && cells.every(isHour)
    ? { kind: "clock", formats: ["HH"] }
    : undefined;
}

const LEAST_HOURS = 20;

/** Whether times have a date. */
export function isDated(time: TimeGuess | undefined): boolean {
  return time?.kind === "stamp" || time?.kind === "date";
}

/** Whether a name may be that of a time, or of a month. @param text without outer blanks */
export function isTimeOrMonth(text: string): boolean {
  return (timeOrSpanOf([text], true) ?? monthFormatOf([text])) !== undefined;
}

/** What stands between the two ends of a span in one cell. */
const BETWEEN = [" to ", " - ", " \u2013 ", " bis ", " until ", "/", " a ", "-", "\u2013"];

/** The same of cells that hold both ends of a span: the format reads the first, and lets go of the rest. */
export function timeOrSpanOf(cells: readonly string[], named: boolean): TimeGuess | undefined {
  const whole = timeOf(cells, named);
  if (cells.length === 0 || (whole !== undefined && !hasManyOffsets(cells))) return whole;
  for (const mark of BETWEEN) {
    // The last one: dates have such marks themselves.
    const ends = cells.map((cell) => cell.lastIndexOf(mark));
    if (ends.includes(-1)) continue;
    const firsts = timeOf(
      cells.map((cell, i) => cell.slice(0, ends[i]).trim()),
      named,
    );
    if (firsts === undefined) continue;
    return { kind: firsts.kind, formats: firsts.formats.map((format) => `${format}*`) };
  }
  return whole;
}

/** A place has two offsets in a year: where there are more, they are the ends of spans (`07:00-08:00`). */
function hasManyOffsets(cells: readonly string[]): boolean {
  const offsets = new Set(cells.map((cell) => /:\d\d\s*([+-]\d\d:?\d\d)$/.exec(cell)?.[1] ?? ""));
  return offsets.size > MOST_OFFSETS;
}

/** Of a file of several places. */
const MOST_OFFSETS = 6;

/** Epochs come in whole minutes, so that ids of ten digits are not taken for them. */
function epochOf(cells: readonly string[], named: boolean): TimeGuess | undefined {
  for (const [format, perSecond] of [
    ["X", 1],
    ["x", 1000],
  ] as const) {
    const fits = cells.every((cell) => {
      const seconds = /^\d{9,13}$/.test(cell) ? Number(cell) / perSecond : NaN;
      return seconds >= EPOCHS.from && seconds < EPOCHS.until && (named || seconds % 60 === 0);
    });
    if (fits) return { kind: "stamp", formats: [format] };
  }
  return undefined;
}

const readers = new Map<string, ReturnType<typeof compileTimeFormat>>();

function readerOf(format: string): ReturnType<typeof compileTimeFormat> {
  let reader = readers.get(format);
  if (reader === undefined) readers.set(format, (reader = compileTimeFormat(format)));
  return reader;
}

function reads(format: string, cell: string, kind: TimeGuess["kind"]): boolean {
  const seconds = localSeconds(format, cell);
  return !Number.isNaN(seconds) && (kind === "clock" || seconds >= EPOCHS.from);
}

/** Seconds from 1970-01-01T00:00 on the file's own clock (an epoch: UTC); NaN where the format does not read the cell. */
export function localSeconds(format: string, cell: string): number {
  const bytes = Buffer.from(cell);
  const stamp: Stamp = { day: 0, second: 0, offset: NaN, epoch: NaN };
  if (!readerOf(format)(bytes, 0, bytes.length, stamp)) return NaN;
  return Number.isNaN(stamp.epoch) ? stamp.day * DAY + stamp.second : stamp.epoch;
}

/** Months as bills name them, without a day. */
const MONTHS = [
  ...["YYYY-MM", "YYYY/MM", "YYYYMM", "MM/YYYY", "MM-YYYY"],
  ...["YYYY MM", "YYYY MMM", "YYYY MMMM"],
  ...["MMM YYYY", "MMM-YYYY", "MMM-YY", "MMM YY", "MMMM YYYY"],
];
const LEAST_MONTHS = 2;

/**
 * The format of a column that names months of the calendar: by no day, or by the first or the last day of each of several.
 * @param cells without outer blanks, none empty
 */
export function monthFormatOf(cells: readonly string[]): string | undefined {
  if (cells.length === 0) return undefined;
  const month = MONTHS.find((format) => cells.every((cell) => reads(format, cell, "date")));
  if (month !== undefined) return month;
  const dates = timeOf(cells, true);
  if (dates?.kind !== "date" || new Set(cells).size < LEAST_MONTHS) return undefined;
  return dates.formats.find((format) => {
    const days = [...new Set(cells)].map((cell) => localSeconds(format, cell));
    const isFirst = (second: number) => new Date(second * 1000).getUTCDate() === 1;
    const months = new Set(days.map((second) => new Date(second * 1000).toISOString().slice(0, 7)));
    // In the other order of day and month, the first days of months are those of one January.
    return months.size === days.length && (days.every(isFirst) || days.every((one) => isFirst(one + DAY)));
  });
}

/** The one format that reads all of the dates, or what is to be asked. @param cells without outer blanks, none empty */
export function dateFormatOf(
  cells: readonly string[],
): { readonly format: string } | { readonly alternatives: readonly string[]; readonly why: string } {
  const formats = timeOf(cells, true)?.formats ?? [];
  if (formats.length === 1) return { format: formats[0]! };
  return {
    alternatives: formats.map((one) => `"${one}"`),
    why:
      formats.length === 0
        ? "no format reads the dates of all rows"
        : "no day above 12 is in the file: which is the month?",
  };
}
