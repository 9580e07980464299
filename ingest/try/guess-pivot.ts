import { isNumber, LEAST_TIMES } from "./csv-dialect.js";
import { type Column, Findings, NO_READ_WORDS, refOf } from "./guess-columns.js";
import { holdsDates } from "./guess-spread-date.js";
import { guessTime, timingOf } from "./guess-stamps.js";
import { isDated, isTimeOrMonth, monthFormatOf, timeOrSpanOf } from "./guess-time.js";
import { contentOf, guessMarks, guessUnit, stepsAcross } from "./guess-values.js";
import type { Guess } from "./guess.js";

/** Columns of numbers, each named after a time. */
export interface PivotRun {
  readonly columns: readonly Column[];
  /** Where the times are months: the format of their names. */
  readonly month: string | undefined;
}

/** What stands in the place of a meter's id in the row below all of them. */
const TOTAL = /^(grand ?|sub ?)?(total|sum|gesamt|somme)\p{L}*:?$/iu;

/** The columns of a table of meters and times; `undefined` where it is none, or a column holds dates. */
export function pivotRun(columns: readonly Column[]): PivotRun | undefined {
  const ofTimes = columns.filter(
    ({ name, filled }) =>
      /\d/.test(name) &&
      filled.every((cell) => isNumber(cell) || NO_READ_WORDS.has(cell.toUpperCase())) &&
      isTimeOrMonth(name.trim()),
  );
  if (ofTimes.length < LEAST_TIMES || columns.some((one) => !ofTimes.includes(one) && holdsDates(one)))
    return undefined;
  const names = ofTimes.map(({ name }) => name.trim());
  const month = monthFormatOf(names);
  return month !== undefined || isDated(timeOrSpanOf(names, true)) ? { columns: ofTimes, month } : undefined;
}

interface PivotParts {
  readonly columns: readonly Column[];
  readonly pivot: PivotRun;
  readonly meter: Column | undefined;
  readonly timeZone: string | undefined;
  readonly profile: Record<string, unknown>;
  readonly found: Findings;
}

/** What such a table's columns hold, when their times are, and the marks and the unit of their numbers. */
export function guessPivot({ columns, pivot, meter, timeZone, profile, found }: PivotParts): Guess {
  const run = pivot.columns;
  const total = meter?.cells.find((cell) => TOTAL.test(cell));
  if (total !== undefined) {
    const filters = (profile["filters"] ?? []) as readonly object[];
    profile["filters"] = [...filters, { column: refOf(meter!, columns), except: [total] }];
    found.seen.push("a row of totals, which a filter leaves out");
  }
  const kind = contentOf(stepsAcross(run));
  found.seen.push(`a column a time: ${run.length} times from column ${run[0]!.index + 1} on`);
  guessMarks(run, profile, found);
  guessUnit(columns, [], profile, found);
  const { seen } = found;
  if (pivot.month !== undefined && kind !== "register") {
    found.seen.push("the times are months, and the numbers what was used in them: bills");
    const open = found.open.map((one) => ({ ...one, path: one.path.replace(/^profile/, "billing") }));
    const time = { format: pivot.month };
    const billing = { layout: "pivot", period: "month", ...profile, columns: found.columns, time };
    return { settings: { format: "billing", billing }, seen, open };
  }
  if (kind === undefined)
    found.leave("wideValues", ["usage", "register"], "the values don't tell which it is", true);
  else if (kind === "register") profile["wideValues"] = "register";
  const names = run.map(({ name }) => name.trim());
  const stamps: Column = { index: -1, name: "", bare: "date", unit: "", cells: names, filled: names };
  const known = { ...found.columns };
  const time = guessTime([stamps], found);
  const timing = timingOf({
    ...{ columns, time, meter: undefined, wide: undefined, isMatrix: true },
    ...{ timeZone, found, profile },
  });
  return {
    settings: { format: "csv", profile: { layout: "pivot", ...profile, columns: known, time: timing } },
    seen,
    open: found.open,
  };
}
