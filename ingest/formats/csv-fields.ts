import { fieldText, type CsvRow } from "./csv-rows.js";

/** Whether field `i`, which the row has, holds nothing but blanks, tabs, or the mark with which DOS ended a file. */
export function isEmpty({ bytes, start, end }: CsvRow, i: number): boolean {
  for (let at = start[i]!; at < end[i]!; at++)
    if (bytes[at] !== 32 && bytes[at] !== 9 && bytes[at] !== 26) return false;
  return true;
}

/** Whether every field of the row is empty. */
export function isBlank(row: CsvRow): boolean {
  for (let i = 0; i < row.count; i++) if (!isEmpty(row, i)) return false;
  return true;
}

/** Whether a field from index `from` on holds anything. */
export function hasMore(row: CsvRow, from: number): boolean {
  for (let i = from; i < row.count; i++) if (!isEmpty(row, i)) return true;
  return false;
}

const MOST_REMEMBERED = 64;

/** What a field means, worked out again only where its bytes are not those of the row before. */
export class FieldMemo<T> {
  readonly #meaningOf: (text: string) => T;
  readonly #quote: string | undefined;
  readonly #bytes = new Uint8Array(MOST_REMEMBERED);
  #length = -1;
  #meaning: T | undefined;

  /** @param meaningOf of a field's text without outer blanks, @param quote of the file, where it is not the usual one */
  constructor(meaningOf: (text: string) => T, quote?: string) {
    this.#meaningOf = meaningOf;
    this.#quote = quote;
  }

  of(row: CsvRow, i: number): T {
    const from = row.start[i]!;
    const length = row.end[i]! - from;
    if (length === this.#length && this.#isSame(row.bytes, from)) return this.#meaning as T;
    const meaning = this.#meaningOf(fieldText(row, i, this.#quote).trim());
    if (length <= MOST_REMEMBERED) {
      for (let at = 0; at < length; at++) this.#bytes[at] = row.bytes[from + at]!;
      this.#length = length;
      this.#meaning = meaning;
    }
    return meaning;
  }

  #isSame(bytes: Buffer, from: number): boolean {
    for (let at = 0; at < this.#length; at++) if (this.#bytes[at] !== bytes[from + at]) return false;
    return true;
  }
}
