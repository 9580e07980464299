import type { ReadKind } from "../../schemas/reads.js";
import { MILLILITRES, type Unit } from "../../schemas/units.js";
import type { Reject } from "../check/rejects.js";

/**
 * Every row of reads (or value record) counts once: in `rows`, `rejected` or `leftOut`. Every value of the first two counts
 * once: as a read or a no-read of the sink, or in `valuesRejected`.
 */
export interface RowCounts {
  /** Rows of which every value was taken. */
  readonly rows: number;
  /** Rows of which at least one value was not. */
  readonly rejected: number;
  readonly valuesRejected: number;
  /** Rows that the source's filters don't take. */
  readonly leftOut: number;
}

/** Reads a file of one format, chunk by chunk, into the `ReadSink` that it was made with. Pure: bytes in, calls out. */
export interface FormatReader {
  /** Up to the chunk pushed last. */
  readonly counts: RowCounts;
  /** Names of columns that the source does not speak of, once the header was read. Of formats without a header none. */
  readonly unknownColumns?: readonly string[];
  /**
   * @param chunk bytes of the unpacked file as UTF-8 without byte order mark, cut anywhere
   * @param last no chunk comes after this one
   * @throws FileRejected where the file can't be understood at all
   */
  push(chunk: Buffer, last: boolean): void;
}

/** Reads of one register of one meter in the file, being gathered. */
export class Series {
  unit: Unit = "L";
  mlPerUnit: number = MILLILITRES.L;
  /** Most decimals seen, for the resolution where the profile gives none. */
  decimals = 0;
  /** Time of the latest read, and whether times fall along the file: they tell the repeated hour apart. */
  last = -1;
  descending = false;

  constructor(
    readonly meterId: string,
    readonly channel: string,
    readonly serial: string,
    readonly kind: ReadKind,
  ) {}
}

/** Takes what a file's rows say, in the order of the file. */
export interface ReadSink<Of extends Series = Series> {
  series(meterId: string, channel: string, serial: string, kind: ReadKind): Of;
  /**
   * One read. Time in UTC seconds (of a usage or a bill: its beginning), length in seconds (0 for registers), `ml` null for no
   * read.
   */
  read(
    series: Of,
    time: number,
    length: number,
    ml: number | null,
    delivered: number | null,
    flags: number,
    line: number,
  ): void;
  /**
   * `count` reads of one row at once, the first at `time` and the others `step` seconds apart, each with a value. Both
   * arrays are the caller's, who uses them again. A sink without it gets them one by one.
   */
  readAll?(
    series: Of,
    time: number,
    step: number,
    length: number,
    ml: Float64Array,
    delivered: Float64Array,
    count: number,
    flags: number,
    line: number,
  ): void;
  reject(reject: Reject): void;
}

/** A file that can't be understood at all. */
export class FileRejected extends Error {
  override readonly name = "FileRejected";
  readonly field: string;
  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** So many rows without one read among them: the file is not of its source. */
export const MOST_FRUITLESS_ROWS = 10_000;
