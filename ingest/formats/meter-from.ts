import type { CsvProfile } from "../../schemas/profile.js";
import { fieldText, type CsvRow } from "./csv-rows.js";
import { FileRejected } from "./format.js";

/** Finds the id of the one meter that a file is of: in the file's name, or in a row before the header. */
export class MeterFrom {
  readonly #wanted: NonNullable<CsvProfile["meterFrom"]>;
  readonly #fileName: string;
  readonly #quote: string;
  #found: string | undefined;

  /** @param fileName without folder; of an archive that of its member */
  constructor(wanted: NonNullable<CsvProfile["meterFrom"]>, fileName: string, quote: string) {
    this.#wanted = wanted;
    this.#fileName = fileName;
    this.#quote = quote;
  }

  /** A row before the header. The first that begins with the word counts. */
  skipped(row: CsvRow): void {
    const { preamble } = this.#wanted;
    if (preamble === undefined || this.#found !== undefined) return;
    const fields = Array.from({ length: row.count }, (_, i) => fieldText(row, i, this.#quote).trim());
    const [first = "", ...others] = fields;
    if (!first.toLowerCase().startsWith(preamble.trim().toLowerCase())) return;
    const behind = first.slice(preamble.trim().length).trim();
    // "Meter" is not the beginning of "Meter type".
    if (behind !== "" && !behind.startsWith(":")) return;
    this.#found = [behind.slice(1).trim(), ...others].find((field) => field !== "");
  }

  /** @throws FileRejected where there is none; no part of a name or row is told, for it may be the id of a meter */
  id(): string {
    const { fileName, preamble } = this.#wanted;
    if (preamble !== undefined) {
      if (this.#found !== undefined) return this.#found;
      throw new FileRejected(
        "header",
        `No row before the header begins with "${preamble}" and has the meter's id behind it. Mend the profile's meterFrom.preamble, or skipRows.`,
      );
    }
    const id = patternOf(fileName!).exec(this.#fileName)?.[1];
    if (id !== undefined && id.trim() !== "") return id;
    throw new FileRejected(
      "name",
      `The file's name is not of the pattern "${fileName}", so its meter is not known. Mend the profile's meterFrom.fileName.`,
    );
  }
}

/** The id is as short as can be: of `a_b_c.csv`, `*_{meter}.csv` finds c and `{meter}_*.csv` finds a. */
function patternOf(text: string): RegExp {
  const [before, behind] = text.split("{meter}").map((part) =>
    part
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", "."),
  );
  return new RegExp(`^${before}(.+?)${behind}$`, "is");
}
