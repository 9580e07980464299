import type { ChecksConfig } from "../../schemas/checks.js";
import type { SourceConfig } from "../../schemas/config.js";
import { BillingReader } from "./billing.js";
import { Cmep } from "./cmep.js";
import { CsvRows } from "./csv-rows.js";
import { EspiReader } from "./espi.js";
import { FixedWidth } from "./fixed-width.js";
import { JsonLinesReader } from "./json-lines.js";
import { Nem } from "./nem.js";
import type { FormatReader, RowCounts, ReadSink } from "./format.js";
import { ReadsCsv } from "./reads-csv.js";

export interface FileContext {
  /** Of the file, without its folder; of an archive that of its member. */
  readonly fileName: string;
  /** The utility's IANA time zone. */
  readonly timeZone: string;
  /** The utility's switches. */
  readonly checks: ChecksConfig;
  /** UTC seconds: later reads than a day from here are rejected. */
  readonly now: number;
}

/** The reader of a source's files: one for each file. Not for crosswalks and temperatures, which hold no reads. */
export function readerOf(source: SourceConfig, context: FileContext, sink: ReadSink): FormatReader {
  const { timeZone, checks, now } = context;
  switch (source.format) {
    case "cmep":
      return new Cmep({ cmep: source.cmep!, timeZone, now }, sink);
    case "nem":
      return new Nem({ nem: source.nem!, now }, sink);
    case "espi":
      return new EspiReader({ espi: source.espi!, now }, sink);
    case "json-lines":
      return new JsonLinesReader({ jsonLines: source.jsonLines!, now }, sink);
    case "fixed-width":
      return new FixedWidth({ fixedWidth: source.fixedWidth!, timeZone, now }, sink);
    case "billing":
    case "beacon-billing":
      return new BillingReader({ billing: source.billing!, timeZone, checks, now }, sink);
    case "csv":
    case "beacon-range":
    case "aclara-star":
    case "crosswalk":
    case "temperatures":
      return new CsvReader(source, context, sink);
  }
}

/**
 * Formats that say at their end whether they are whole. Their files are read twice, the first time into nothing, so that
 * a file that was cut off is rejected before a read of it is published.
 */
const ENDED: ReadonlySet<SourceConfig["format"]> = new Set(["nem", "espi"]);

export function endsExplicitly({ format }: SourceConfig): boolean {
  return ENDED.has(format);
}

class CsvReader implements FormatReader {
  readonly #reads: ReadsCsv;
  readonly #rows: CsvRows;

  constructor({ profile }: SourceConfig, context: FileContext, sink: ReadSink) {
    this.#reads = new ReadsCsv({ profile: profile!, ...context }, sink);
    this.#rows = new CsvRows(profile!, this.#reads);
  }

  get counts(): RowCounts {
    return this.#reads;
  }

  get unknownColumns(): readonly string[] {
    return this.#reads.unknownColumns;
  }

  push(chunk: Buffer, last: boolean): void {
    this.#rows.push(chunk, last);
    if (last) this.#reads.end();
  }
}
