import type { ColumnRef, TimeColumnRef } from "../../schemas/formats/common.js";
import { MAX_FIELDS, MAX_ROW_BYTES, type RowFault } from "./csv-rows.js";
import { FileRejected } from "./format.js";
import type { Stamp, StampReader } from "./time-format.js";

/** Why a file whose header can't be cut is rejected. @param quote the option that tells the quote */
export function uncutHeader(fault: RowFault, quote: string): FileRejected {
  return new FileRejected(
    "header",
    fault === "row-too-long"
      ? `The header row has more than ${MAX_FIELDS} columns, or more than ${MAX_ROW_BYTES} bytes. Drop the file in parts.`
      : `The header row can't be cut into columns. Mend ${quote}.`,
  );
}

/** A column that is named after a time. */
interface StampedColumn {
  readonly index: number;
  readonly name: string;
  /** Valid until the next one. */
  readonly stamp: Stamp;
}

/** The columns of a header whose names are stamps. @param taken columns that hold something else */
export function* stampedColumns(
  header: readonly string[],
  taken: ReadonlySet<number>,
  read: StampReader,
): Generator<StampedColumn> {
  const stamp: Stamp = { day: 0, second: 0, offset: NaN, epoch: NaN };
  for (const [index, text] of header.entries()) {
    const name = text.trim();
    const bytes = Buffer.from(name);
    if (!taken.has(index) && bytes.length > 0 && read(bytes, 0, bytes.length, stamp))
      yield { index, name, stamp };
  }
}

/** Places of the columns that a source speaks of, by the names of a header or by position. */
export class HeaderColumns {
  /** Whether a column was found by its name: without any, the first row may be no header. */
  foundByName = false;
  readonly #header: readonly string[] | undefined;
  readonly #names: readonly string[];
  readonly #missing: string[] = [];
  readonly #twice: string[] = [];

  /** @param header names of the columns; `undefined` where the file has none */
  constructor(header: readonly string[] | undefined) {
    this.#header = header;
    this.#names = header?.map((name) => name.trim().toLowerCase()) ?? [];
  }

  /**
   * Place of a column, 0 is the first; -1 where the header does not name it, which `check` then complains of.
   * @param what it holds
   */
  readonly find = (of: ColumnRef, what: string): number => {
    if (typeof of === "number") return of - 1;
    const name = of.trim().toLowerCase();
    const index = this.#names.indexOf(name);
    if (index < 0) this.#missing.push(`${what} "${of}"`);
    else this.foundByName = true;
    if (index >= 0 && this.#names.includes(name, index + 1)) this.#twice.push(`${what} "${of}"`);
    return index;
  };

  /** Places of the columns that a time stamp is spread over, mostly one. */
  readonly findTime = (of: TimeColumnRef, what: string): readonly number[] =>
    (typeof of === "object" ? of : [of]).map((one) => this.find(one, what));

  /**
   * @param option where the columns are named
   * @throws FileRejected where a column that was asked for is missing, or stands there more than once
   */
  check(option: string): void {
    if (this.#missing.length > 0) {
      const had = this.#header === undefined ? "it has no header" : `it has ${this.#header.length} columns`;
      throw new FileRejected(
        "header",
        `The header has no column for ${this.#missing.join(", ")}; ${had}. Mend ${option}.`,
      );
    }
    if (this.#twice.length > 0) {
      throw new FileRejected(
        "header",
        `The header names the column for ${this.#twice.join(", ")} more than once. Give its position in ${option}.`,
      );
    }
  }
}
