import type { CsvProfile } from "../../schemas/profile.js";
import { isBlank, isEmpty } from "../formats/csv-fields.js";
import { CsvRows, fieldText, type CsvRow } from "../formats/csv-rows.js";
import type { TrialWarning } from "./warnings.js";

/** Looks which columns of a CSV file hold nothing at all. Takes the same chunks as the reader. */
export class ColumnWatch {
  readonly #profile: CsvProfile;
  readonly #rows: CsvRows;
  #skip: number;
  #header: string[] | undefined;
  #filled: boolean[] = [];
  #seen = 0;

  constructor(profile: CsvProfile) {
    this.#profile = profile;
    this.#skip = profile.skipRows;
    this.#rows = new CsvRows(profile, { row: (row) => this.#row(row), fault: () => this.#skip-- });
  }

  push(chunk: Buffer, last: boolean): void {
    this.#rows.push(chunk, last);
  }

  #row(row: CsvRow): void {
    if (this.#skip > 0) {
      this.#skip--;
      return;
    }
    if (this.#profile.header && this.#header === undefined) {
      this.#header = Array.from({ length: row.count }, (_, i) => fieldText(row, i, this.#profile.quote));
      return;
    }
    if (isBlank(row)) return;
    this.#seen++;
    for (let i = 0; i < row.count; i++)
      if (this.#filled[i] !== true && !isEmpty(row, i)) this.#filled[i] = true;
  }

  /** The columns that the profile names and that are empty in every row. */
  warnings(): TrialWarning[] {
    if (this.#seen === 0) return [];
    const names = this.#header?.map((name) => name.trim().toLowerCase());
    const named = Object.entries(this.#profile.columns).flatMap(([what, of = []]) =>
      (typeof of === "object" ? of : [of]).map((one) => [what, one] as const),
    );
    const empty = named.filter(([, of]) => {
      const index = typeof of === "number" ? of - 1 : (names?.indexOf(of.trim().toLowerCase()) ?? -1);
      return index >= 0 && this.#filled[index] !== true;
    });
    if (empty.length === 0) return [];
    return [
      {
        code: "empty-column",
        text: `Nothing stands in any of ${this.#seen} rows in: ${empty.map(([what, of]) => `${what} (${String(of)})`).join(", ")}.`,
        mend: "Name another column, or leave it out of the profile's columns.",
      },
    ];
  }
}
