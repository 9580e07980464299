import type { RowFilters } from "../../schemas/formats/common.js";
import { FieldMemo } from "./csv-fields.js";
import type { CsvRow } from "./csv-rows.js";

/** Which rows of a CSV are taken, by the words in their columns. */
export class RowFilter {
  /** Columns that are looked at, 0 is the first. */
  readonly columns: readonly number[];
  readonly #isTaken: readonly FieldMemo<boolean>[];

  /** @param find the place of a column, 0 is the first */
  constructor(filters: RowFilters, find: (column: string | number, what: string) => number) {
    this.columns = filters.map(({ column }) => find(column, "filters"));
    this.#isTaken = filters.map(({ only, except = [] }) => {
      const [taken, left] = [only === undefined ? undefined : upperCased(only), upperCased(except)];
      return new FieldMemo((text) => {
        const word = text.toUpperCase();
        return !left.has(word) && taken?.has(word) !== false;
      });
    });
  }

  /** @param row has all of the columns */
  takes(row: CsvRow): boolean {
    for (let i = 0; i < this.columns.length; i++) {
      if (!this.#isTaken[i]!.of(row, this.columns[i]!)) return false;
    }
    return true;
  }
}

function upperCased(words: readonly string[]): ReadonlySet<string> {
  return new Set(words.map((word) => word.toUpperCase()));
}

const MOST_NAMES = 100;
const MOST_NAME_LENGTH = 60;

/** So many digits may be those of a meter: a file of one column a meter that is read by another profile. */
const ID_LIKE = /(\d.*){3}/;

/**
 * Names of the header that nothing of the source speaks of; a column whose name may be an id is told by its place.
 * @param taken places of the columns that it speaks of, and which of them it finds by name: without any, the first row
 * may be no header, and nothing of it is told
 */
export function unknownColumns(
  header: readonly string[],
  taken: ReadonlySet<number>,
  foundByName: boolean,
): readonly string[] {
  if (!foundByName) return [];
  return header
    .map((name, i) => {
      if (taken.has(i)) return "";
      return ID_LIKE.test(name) ? `column ${i + 1}` : name.trim().slice(0, MOST_NAME_LENGTH);
    })
    .filter((name) => name !== "")
    .slice(0, MOST_NAMES);
}
