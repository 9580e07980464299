import { unitOf } from "../../schemas/units.js";
import { CsvRows, fieldText } from "../formats/csv-rows.js";
import { isDated, isTimeOrMonth, timeOf, timeOrSpanOf } from "./guess-time.js";

/** Rows that are looked at. */
const MOST_ROWS = 20_000;

const DELIMITERS = [",", ";", "\t", "|"] as const;

export const DELIMITER_NAMES: Readonly<Record<string, string>> = {
  ",": "commas",
  ";": "semicolons",
  "\t": "tabs",
  "|": "bars",
};

interface Dialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly rows: readonly (readonly string[])[];
  /** Fields that most rows have. */
  readonly width: number;
}

/** The marks that cut most rows into the same number of fields, two at least. */
export function dialectOf(text: string): Dialect | undefined {
  let best: Dialect | undefined;
  let most = 0;
  const head = text.slice(0, Math.max(100_000, endOfLines(text, 3)));
  const quotes = /(^|[,;\t|])'[^'\n]*'([,;\t|\r\n]|$)/m.test(head) && !head.includes('"') ? "'" : '"';
  for (const delimiter of DELIMITERS) {
    const rows = cutRows(head, delimiter, quotes);
    const width = mode(rows.map((row) => row.length));
    if (width === undefined || width < 2) continue;
    const share = rows.filter((row) => row.length === width).length / rows.length;
    // Decimal commas cut rows too: of two that fit alike, the one that leaves numbers whole.
    const worth = share * 1000 + (delimiter === "," ? 0 : 1) + Math.min(width, 200) / 1000;
    if (share < 0.5 || worth <= most) continue;
    most = worth;
    best = { delimiter, quote: quotes, rows, width };
  }
  return best === undefined ? undefined : { ...best, rows: cutRows(text, best.delimiter, best.quote) };
}

/** Where so many lines of a text end, or the text. */
function endOfLines(text: string, lines: number): number {
  let at = -1;
  for (let line = 0; line < lines; line++) {
    at = text.indexOf("\n", at + 1);
    if (at < 0) return text.length;
  }
  return at;
}

function cutRows(text: string, delimiter: string, quote: string): string[][] {
  const rows: string[][] = [];
  const scanner = new CsvRows(
    { delimiter, quote },
    {
      row: (row) => {
        if (rows.length < MOST_ROWS)
          rows.push(Array.from({ length: row.count }, (_, i) => fieldText(row, i, quote)));
      },
      fault: () => undefined,
    },
  );
  scanner.push(Buffer.from(text), true);
  return rows;
}

export function mode<T>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** Rows of reads, without what stands before and behind them. */
export function bodyOf({ rows, width }: Dialect): {
  readonly rows: readonly (readonly string[])[];
  readonly skipped: number;
  readonly header: readonly string[] | undefined;
  /** Units of the columns, where a row of them follows the header. */
  readonly units: readonly string[] | undefined;
  readonly trailer: string | undefined;
  /** A last row of totals that begins with an empty field: its first word, and that word's column. */
  readonly totals: { readonly column: number; readonly word: string } | undefined;
} {
  let skipped = 0;
  while (skipped < rows.length && rows[skipped]!.length !== width) skipped++;
  const data = firstTimes(rows, width);
  if (data !== undefined && data.row > skipped) {
    // Rows as wide as the table may stand before its header.
    const above = isRowOfUnits(rows[data.row - 1]) ? data.row - 2 : data.row - 1;
    if (above > skipped && isNamesOf(rows[above]!, width)) skipped = above;
  }
  const first = rows[skipped];
  const isHeader = first !== undefined && isNamesOf(first, width);
  const wideHeader =
    first !== undefined &&
    rows.length > skipped + 1 &&
    !isHeader &&
    (first.slice(0, 2).every(isWord) || (data?.row === skipped + 1 && isWord(first[data.column]!)));
  const named = isHeader || wideHeader || isHeaderOfTimes(first, rows[skipped + 1]);
  const second = named && isRowOfUnits(rows[skipped + 1]) ? rows[skipped + 1] : undefined;
  const body = rows.slice(skipped + (named ? 1 : 0) + (second === undefined ? 0 : 1));
  const last = body.at(-1);
  const word = last?.[0]?.trim() ?? "";
  const filled = last?.findIndex((cell) => cell.trim() !== "") ?? -1;
  const isTotals =
    data !== undefined &&
    body.length > 2 &&
    filled > 0 &&
    last!.length === width &&
    last![data.column]!.trim() === "";
  const isShort = data !== undefined && body.length > 2 && last!.length < width;
  const totals = isTotals ? { column: filled, word: last![filled]!.trim() } : undefined;
  const trailer =
    last !== undefined &&
    body.length > 2 &&
    /^\p{L}+$/u.test(word) &&
    body.filter((row) => row[0]?.trim() === word).length === 1 &&
    last.filter((cell) => cell.trim() !== "").length <= width / 2
      ? word
      : undefined;
  return {
    // What is shorter than the rows at its end is no read, and is not looked at.
    rows: (trailer === undefined && totals === undefined && !isShort ? body : body.slice(0, -1)).filter(
      (row) => row.some((cell) => cell.trim() !== ""),
    ),
    skipped,
    header: named ? first : undefined,
    units: second?.map(unitWord),
    trailer,
    totals,
  };
}

/** Neither numbers nor times, and not all empty. */
function isNamesOf(row: readonly string[], width: number): boolean {
  return (
    row.length === width &&
    row.some((cell) => cell.trim() !== "") &&
    row.every((cell) => !isNumber(cell.trim()) && timeOf([cell.trim() || "x"], false) === undefined)
  );
}

/** Columns that a table with a column a time has at least. */
export const LEAST_TIMES = 3;

/** A word, and times above numbers. */
function isHeaderOfTimes(row: readonly string[] | undefined, next: readonly string[] | undefined): boolean {
  if (row === undefined || next === undefined || !row.some(isWord)) return false;
  const cellOf = (cells: readonly string[], i: number) => cells[i]?.trim() ?? "";
  const times = [...row.keys()].filter((i) => {
    const cell = cellOf(row, i);
    return cell !== "" && isTimeOrMonth(cell);
  });
  const above = times.filter((i) => isNumber(cellOf(next, i)) || cellOf(next, i) === "");
  if (above.length < LEAST_TIMES || above.length < times.length) return false;
  // Numbers may be times, such as epochs: then those below are none.
  const numbers = (cells: readonly string[]) => times.map((i) => cellOf(cells, i)).filter(isNumber);
  const isTime = (list: readonly string[]) => isDated(timeOrSpanOf(list, true));
  return numbers(row).length === 0 || (isTime(numbers(row)) && !isTime(numbers(next)));
}

function isWord(cell: string): boolean {
  return /^\p{L}[\p{L}_ ]*$/u.test(cell.trim());
}

const MOST_LOOKED_AT = 200;
const MOST_TIME_COLUMN = 20;

/** The first row with a time in the column that has one in most rows; `undefined` where none has. */
function firstTimes(
  rows: readonly (readonly string[])[],
  width: number,
): { readonly row: number; readonly column: number } | undefined {
  const isTime = (row: readonly string[], column: number) => {
    const cell = row.length === width ? row[column]!.trim() : "";
    return cell !== "" && isDated(timeOrSpanOf([cell], false));
  };
  const looked = rows.slice(0, MOST_LOOKED_AT);
  for (let column = 0; column < Math.min(width, MOST_TIME_COLUMN); column++) {
    const times = looked.filter((row) => isTime(row, column)).length;
    if (times > looked.length / 2) return { row: looked.findIndex((row) => isTime(row, column)), column };
  }
  return undefined;
}

/** Words alone, one of them a unit of volume. */
function isRowOfUnits(row: readonly string[] | undefined): boolean {
  const words = row?.map(unitWord) ?? [];
  const isUnit = (word: string) => unitOf(word) !== undefined;
  return words.some(isUnit) && words.every((word) => isUnit(word) || !/\d/.test(word));
}

/** Without the brackets that units stand in. */
function unitWord(cell: string): string {
  return cell
    .trim()
    .replace(/^[([](.*)[)\]]$/, "$1")
    .trim();
}

/** Marks between thousands beside point and comma: an apostrophe, straight or curly, and blanks of all kinds. */
export const GROUPED = /^[+-]?\d{1,3}(['\u2019 \u00a0\u2009\u202f]\d{3})+([.,]\d+)?$/;

const GROUP_MARKS = /['\u2019 \u00a0\u2009\u202f]/g;

export function isNumber(cell: string): boolean {
  return /^[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?$/.test(cell) || GROUPED.test(cell);
}

/** A number whatever its marks are: good for comparisons within a column. */
export function looseNumber(grouped: string): number {
  const cell = grouped.replace(GROUP_MARKS, "");
  const last = Math.max(cell.lastIndexOf("."), cell.lastIndexOf(","));
  if (last < 0) return Number(cell);
  return Number(`${cell.slice(0, last).replace(/[.,]/g, "")}.${cell.slice(last + 1)}`);
}
