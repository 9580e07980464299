import { isNumber, looseNumber } from "./csv-dialect.js";
import { type Column, Findings, NAMES, refOf } from "./guess-columns.js";
import {
  CURRENT,
  DAYS,
  guessCode,
  guessFormat,
  PREVIOUS,
  takeMeter,
  taking,
} from "./guess-billing-columns.js";
import { localSeconds, monthFormatOf, timeOf } from "./guess-time.js";
import { guessMarks, guessUnit } from "./guess-values.js";
import type { Guess } from "./guess.js";

const DAY = 86_400;
/** Days that a bill is of: of a month at least, and of a year at most. */
const PERIOD = { least: 20, most: 400 } as const;
/** Of so many rows the dates must be a bill apart. */
const MOST_ROWS = 0.9;

/** Dates that say nothing of a bill. */
const OF_A_LIFE = /install|created|updated|birth|built|movein|moveout/;
const MONTH = /date|month|period|cycle|fecha|mes|mois|monat|datum/;

/** A column of dates, and its cells in days from 1970-01-01; NaN where there is none. */
interface Dates {
  readonly column: Column;
  readonly days: readonly number[];
}

/** From when to when the bills of a file are. */
type Span =
  | { readonly by: "dates"; readonly pairs: readonly (readonly [from: Dates, to: Dates])[] }
  | { readonly by: "days"; readonly ends: readonly Dates[]; readonly days: Column }
  | { readonly by: "month"; readonly month: Column; readonly format: string };

/**
 * Guesses the source of a file of bills without reads: what was used from one date to another. `undefined` where it is none.
 * @param named columns with names, and anything in them
 * @param dialect marks and rows as seen, settings of the format
 */
export function guessBills(
  named: readonly Column[],
  columns: readonly Column[],
  dialect: Record<string, unknown>,
): Guess | undefined {
  const dates = datesOf(named);
  const numbers = named.filter(
    ({ bare, filled }) => !DAYS.test(bare) && !NAMES.noValue.test(bare) && filled.every(isNumber),
  );
  const byName = numbers.filter(({ bare }) => NAMES.usage.test(bare));
  // Beside the two dates of a bill, gallons are what was used.
  const usages =
    byName.length > 0 || !hasNamedDates(dates)
      ? byName
      : numbers.filter(({ bare }) => NAMES.value.test(bare));
  const span = usages.length === 0 ? undefined : spanOf(named, usages, dates);
  if (span === undefined) return undefined;
  const found = new Findings();
  const billing: Record<string, unknown> = { ...dialect };
  const take = taking(found, columns);
  const isMonth = (one: Column) => span.by === "month" && span.month === one;
  const meter = takeMeter(
    named,
    named.filter(
      (one) => !usages.includes(one) && !dates.some(({ column }) => column === one) && !isMonth(one),
    ),
    columns,
    found,
  );
  take("usage", usages, "which column is the consumption?", true);
  if (span.by === "month") {
    found.take("currentDate", span.month, columns);
    billing["period"] = "month";
    billing["time"] = { format: span.format };
  } else {
    takeSpan(span, meter ?? named[0]!, named, columns, billing, found);
  }
  guessCode(named, columns, billing, found);
  guessMarks(usages, billing, found);
  guessUnit(columns, usages, billing, found);
  return {
    settings: { format: "billing", billing: { ...billing, columns: found.columns } },
    seen: [
      `what was used ${span.by === "month" ? "in a month" : "from one date to another"} in each row, and no read: bills`,
      ...found.seen,
    ],
    open: found.open.map((one) => ({ ...one, path: one.path.replace(/^profile/, "billing") })),
  };
}

function spanOf(
  named: readonly Column[],
  usages: readonly Column[],
  all: readonly Dates[],
): Span | undefined {
  const pairs = all.flatMap((from) =>
    all.filter((to) => areBillsApart(from.days, to.days)).map((to) => [from, to] as const),
  );
  if (pairs.length > 0) return { by: "dates", pairs };
  const days = named.filter(
    ({ bare, cells, filled }) =>
      DAYS.test(bare) && filled.every(isNumber) && isMostly(cells.map(looseNumber)),
  );
  if (days.length === 1 && all.length > 0) return { by: "days", ends: all, days: days[0]! };
  const hasClock = named.some(({ filled, bare }) => timeOf(filled, NAMES.time.test(bare))?.kind === "clock");
  if (hasClock) return undefined;
  const months = named
    .filter((one) => !usages.includes(one) && MONTH.test(one.bare))
    .flatMap((month) => {
      const format = monthFormatOf(month.filled);
      return format === undefined ? [] : [{ by: "month", month, format } as const];
    });
  return months.length === 1 ? months[0] : undefined;
}

function datesOf(named: readonly Column[]): Dates[] {
  return named.flatMap((column) => {
    if (OF_A_LIFE.test(column.bare)) return [];
    const time = timeOf(column.filled, NAMES.time.test(column.bare));
    if (time?.kind !== "date" && time?.kind !== "stamp") return [];
    const dayOf = (cell: string) => Math.floor(localSeconds(time.formats[0]!, cell) / DAY);
    return [{ column, days: column.cells.map(dayOf) }];
  });
}

/** Whether two columns of dates are named as the ends of a bill. */
function hasNamedDates(all: readonly Dates[]): boolean {
  const side = (is: RegExp) => all.filter(({ column }) => is.test(column.bare));
  return side(PREVIOUS).some((from) => side(CURRENT).some((to) => areBillsApart(from.days, to.days)));
}

function areBillsApart(from: readonly number[], to: readonly number[]): boolean {
  return isMostly(from.map((day, row) => to[row]! - day));
}

/** Whether nearly all numbers are days of a bill. */
function isMostly(days: readonly number[]): boolean {
  const known = days.filter((one) => !Number.isNaN(one));
  const long = known.filter((one) => one >= PERIOD.least && one <= PERIOD.most);
  return known.length > 0 && long.length > known.length * MOST_ROWS;
}

/** The dates of bills, and whether the last one is a day of the bill. */
function takeSpan(
  span: Exclude<Span, { by: "month" }>,
  meter: Column,
  named: readonly Column[],
  columns: readonly Column[],
  billing: Record<string, unknown>,
  found: Findings,
): void {
  const take = taking(found, columns);
  const days = named.filter(({ bare, filled }) => DAYS.test(bare) && filled.every(isNumber));
  take("days", days, "which column has the days?", span.by === "days");
  if (span.by === "days") {
    const read = span.ends.filter(({ column }) => !NAMES.otherTime.test(column.bare));
    const ends = (read.length > 0 ? read : span.ends).map(({ column }) => column);
    const end = take("currentDate", ends, "with which date does a bill end?", true);
    if (end !== undefined) guessFormat([end], billing, found);
    return;
  }
  const isNamed = ([from, to]: readonly [Dates, Dates]) =>
    PREVIOUS.test(from.column.bare) && CURRENT.test(to.column.bare);
  const sure = span.pairs.filter(isNamed);
  const pairs = sure.length > 0 ? sure : span.pairs;
  const [pair] = pairs;
  const columnsOf = (side: 0 | 1) => [...new Set(pairs.map((one) => one[side].column))];
  take("previousDate", columnsOf(0), "with which date does a bill begin?", true);
  take("currentDate", columnsOf(1), "with which date does a bill end?", true);
  guessFormat([pair![0].column, pair![1].column], billing, found);
  if (pairs.length > 1) return;
  const included = isLastIncluded(meter, pair![0], pair![1], days);
  if (included === true) billing["currentDateIncluded"] = true;
  else if (included === undefined)
    found.leave(
      "currentDateIncluded",
      ["true"],
      `is the day of ${String(refOf(pair![1].column, columns))} part of the bill (05/01 to 05/31)? As it stands, the next one begins with it`,
      false,
    );
}

/**
 * Whether the bills' last days are part of them: then the next bill of the meter begins a day later, or all are last days
 * of months, or the days are one more than lie between. `undefined`: nothing tells.
 */
function isLastIncluded(meter: Column, from: Dates, to: Dates, days: readonly Column[]): boolean | undefined {
  const ends = new Map(to.days.map((end, row) => [`${meter.cells[row]!}\n${end}`, row]));
  const apart = (by: number) =>
    from.days.filter((begin, row) => ends.has(`${meter.cells[row]!}\n${begin - by}`)).length;
  const [touching, dayBetween] = [apart(0), apart(1)];
  if (touching !== dayBetween) return dayBetween > touching;
  // Bills end with their months.
  if (to.days.every((end) => new Date((end + 1) * DAY * 1000).getUTCDate() === 1)) return true;
  if (days.length !== 1) return undefined;
  const more = days[0]!.cells.map((cell, row) => looseNumber(cell) - (to.days[row]! - from.days[row]!));
  if (more.every((one) => one === 1)) return true;
  return more.every((one) => one === 0) ? false : undefined;
}
