/**
 * Reads a file of one format, chunk by chunk, into the `ReadSink` that it was made with. Pure: bytes in, calls out.
 *
 * Every row of reads (or value record) counts once: in `rows` or in `rejected`. Every value counts once: as a read or a
 * no-read of the sink, or in `valuesRejected`.
 */
export interface FormatReader {
  /** Rows of which every value was taken. */
  readonly rows: number;
  /** Rows of which at least one value was not. */
  readonly rejected: number;
  readonly valuesRejected: number;
  /**
   * @param chunk bytes of the unpacked file as UTF-8 without byte order mark, cut anywhere
   * @param last no chunk comes after this one
   * @throws FileRejected where the file can't be understood at all
   */
  push(chunk: Buffer, last: boolean): void;
}
