import type { SourceConfig } from "../../schemas/config.js";
import { CsvRows } from "./csv-rows.js";
import type { FormatReader } from "./format.js";
import { ReadsCsv, type ReadSink } from "./reads-csv.js";

export interface FileContext {
  /** The utility's IANA time zone. */
  readonly timeZone: string;
  /** UTC seconds: later reads than a day from here are rejected. */
  readonly now: number;
}

/** The reader of a source's files: one for each file. */
export function readerOf(source: SourceConfig, { timeZone, now }: FileContext, sink: ReadSink): FormatReader {
  return new CsvReader(source, { timeZone, now }, sink);
}

class CsvReader implements FormatReader {
  readonly #reads: ReadsCsv;
  readonly #rows: CsvRows;

  constructor({ profile }: SourceConfig, { timeZone, now }: FileContext, sink: ReadSink) {
    this.#reads = new ReadsCsv({ profile: profile!, timeZone, now }, sink);
    this.#rows = new CsvRows(profile!, this.#reads);
  }

  get rows(): number {
    return this.#reads.rows;
  }

  get rejected(): number {
    return this.#reads.rejected;
  }

  get valuesRejected(): number {
    return this.#reads.valuesRejected;
  }

  push(chunk: Buffer, last: boolean): void {
    this.#rows.push(chunk, last);
    if (last) this.#reads.end();
  }
}
