import type { CsvRow } from "./csv-rows.js";

/** Whether field `i`, which the row has, holds nothing but blanks. */
export function isEmpty({ bytes, start, end }: CsvRow, i: number): boolean {
  for (let at = start[i]!; at < end[i]!; at++) if (bytes[at]! > 32) return false;
  return true;
}

/** Whether every field of the row is empty. */
export function isBlank(row: CsvRow): boolean {
  for (let i = 0; i < row.count; i++) if (!isEmpty(row, i)) return false;
  return true;
}
