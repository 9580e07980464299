import { isNumber } from "./csv-dialect.js";
import { type Column, NAMES } from "./guess-columns.js";
import { isDated, timeOrSpanOf } from "./guess-time.js";

/** Parts of a date by the names of their columns, and the numbers that they may be. */
const PARTS = {
  year: { name: /^(year|yr|yyyy|jahr|año|ano|annee|année|anno|jaar)$/, from: 1990, to: 2099 },
  month: { name: /^(month|mon|mm|mo|monat|mes|mês|mois|mese|maand)(no|num|number|nr)?$/, from: 1, to: 12 },
  day: { name: /^(day|dd|dy|tag|dia|día|jour|giorno|dag)(ofmonth|no|num|number|nr)?$/, from: 1, to: 31 },
  hour: { name: /^(hour|hr|hh|stunde|hora|heure|ora|uur)(no|num|number|nr|ending)?$/, from: 0, to: 25 },
  minute: { name: /^(minute|min|minuto|minuut)s?$/, from: 0, to: 59 },
} as const;
/** A month may be a word. */
const MONTH_WORD = /^\p{L}{3,9}$/u;

/**
 * A date that is spread over columns for its year, month and day, with the hour where there are minutes, as one column in
 * the place of the first of them. The columns as they were where there is none, or where another one holds dates.
 */
export function withSpreadDate(columns: readonly Column[]): readonly Column[] {
  const of = (part: keyof typeof PARTS) => partOf(columns, part);
  const [year, month, day, hour, minute] = [of("year"), of("month"), of("day"), of("hour"), of("minute")];
  if (year === undefined || month === undefined) return columns;
  const clock = day === undefined || hour === undefined || minute === undefined ? [] : [hour, minute];
  const parts = [year, month, ...(day === undefined ? [] : [day]), ...clock];
  const others = columns.filter((one) => !parts.includes(one));
  if (others.some(holdsDates)) return columns;
  const cells = year.cells.map((_, row) =>
    parts
      .map((one) => one.cells[row]!)
      .join(" ")
      .trim(),
  );
  const joined: Column = {
    index: Math.min(...parts.map(({ index }) => index)),
    name: parts.map(({ name }) => name).join(" "),
    bare: day === undefined ? "month" : "date",
    unit: "",
    cells,
    filled: cells.filter((cell) => cell !== ""),
    parts,
  };
  return [...others, joined].sort((a, b) => a.index - b.index);
}

/** The one column of the name whose numbers can be this part. */
function partOf(columns: readonly Column[], part: keyof typeof PARTS): Column | undefined {
  const { name, from, to } = PARTS[part];
  const can = (cell: string) =>
    isNumber(cell)
      ? /^\d{1,4}$/.test(cell) && Number(cell) >= from && Number(cell) <= to
      : part === "month" && MONTH_WORD.test(cell);
  const named = columns.filter(
    ({ bare, filled }) => name.test(bare) && filled.length > 0 && filled.every(can),
  );
  return named.length === 1 ? named[0] : undefined;
}

/** Whether a column's cells are dates of what the file is about. */
export function holdsDates({ bare, filled }: Column): boolean {
  return !NAMES.otherTime.test(bare) && isDated(timeOrSpanOf(filled, NAMES.time.test(bare)));
}
