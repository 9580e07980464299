/** Bytes that a row may have at most; a longer one is rejected, so memory stays bounded. */
export const MAX_ROW_BYTES = 1024 * 1024;

export interface CsvDialect {
  readonly delimiter: string;
  readonly quote: string;
}

/**
 * One row as ranges of bytes: field `i` is `bytes[start[i]]` to `bytes[end[i]]`, end excluded, without its quotes.
 * Reused for every row.
 */
export interface CsvRow {
  bytes: Buffer;
  readonly start: Int32Array;
  readonly end: Int32Array;
  count: number;
  /** Line of the file, 1 is the first. */
  line: number;
  /** Place of the row in the decoded file, in bytes. */
  offset: number;
  length: number;
}

const LF = 10;
const CR = 13;
const MOST_FIELDS = 4096;

/**
 * Cuts CSV into rows (RFC 4180; LF, CRLF or CR ends a row; blank rows are passed over). Works on bytes: fields are not
 * turned into strings. Rows may be cut anywhere between two chunks.
 */
export class CsvRows {
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #row: CsvRow;
  #rest: Buffer = Buffer.alloc(0);
  #line = 1;
  #offset = 0;
  /** Inside a row that is too long: its bytes are passed over until it ends. */
  #skipping = false;
  #lastWasCr = false;

  constructor({ delimiter, quote }: CsvDialect) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#quote = quote.charCodeAt(0);
    this.#row = {
      bytes: this.#rest,
      start: new Int32Array(MOST_FIELDS),
      end: new Int32Array(MOST_FIELDS),
      count: 0,
      line: 1,
      offset: 0,
      length: 0,
    };
  }

  /**
   * @param onRow called for each whole row; the row is valid during the call alone
   * @param onTooLong called with line, offset and length so far of a row beyond `MAX_ROW_BYTES` or with too many fields
   */
  push(
    chunk: Buffer,
    last: boolean,
    onRow: (row: CsvRow) => void,
    onTooLong: (line: number, offset: number) => void,
  ): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const first = bytes[at]!;
      if (first === LF && this.#lastWasCr) {
        at++;
        this.#lastWasCr = false;
        continue;
      }
      this.#lastWasCr = false;
      if (first === LF || first === CR) {
        at++;
        this.#line++;
        this.#lastWasCr = first === CR;
        this.#skipping = false;
        continue;
      }
      const next = this.#row1(bytes, at, last);
      if (next < 0) {
        if (bytes.length - at > MAX_ROW_BYTES) {
          if (!this.#skipping) onTooLong(this.#line, this.#offset + at);
          this.#skipping = true;
          at = skipRow(bytes, at);
          continue;
        }
        break;
      }
      if (this.#skipping) {
        this.#skipping = false;
      } else {
        this.#row.line = this.#line;
        this.#row.offset = this.#offset + at;
        this.#row.length = next - at;
        if (this.#row.count > MOST_FIELDS) onTooLong(this.#line, this.#offset + at);
        else onRow(this.#row);
      }
      this.#line += this.#extraLines;
      at = next;
    }
    this.#offset += at;
    this.#rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
    bytes = this.#rest;
    if (last) this.#rest = Buffer.alloc(0);
  }

  #extraLines = 0;

  /** Cuts the row at `at`; returns the index of the byte that ends it, or -1 where its end is not there yet. */
  #row1(bytes: Buffer, at: number, last: boolean): number {
    const { start, end } = this.#row;
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    const size = bytes.length;
    this.#row.bytes = bytes;
    this.#extraLines = 0;
    let count = 0;
    let i = at;
    for (;;) {
      if (i < size && bytes[i] === quote) {
        let write = i + 1;
        let read = i + 1;
        const from = write;
        for (;;) {
          if (read >= size) {
            if (!last) return -1;
            break;
          }
          const byte = bytes[read]!;
          if (byte === quote) {
            if (read + 1 < size && bytes[read + 1] === quote) {
              // A copy within our own bytes; the row can't be cut again from here, so only once its end is known.
              read += 2;
              write += 2;
              continue;
            }
            if (read + 1 >= size && !last) return -1;
            break;
          }
          if (byte === LF) this.#extraLines++;
          read++;
          write++;
        }
        if (count < MOST_FIELDS) {
          start[count] = from;
          end[count] = write;
        }
        count++;
        i = read + 1;
        // What follows a closing quote up to the delimiter belongs to no field.
        while (i < size && bytes[i] !== delimiter && bytes[i] !== LF && bytes[i] !== CR) i++;
      } else {
        const from = i;
        let byte = 0;
        while (i < size && (byte = bytes[i]!) !== delimiter && byte !== LF && byte !== CR) i++;
        if (count < MOST_FIELDS) {
          start[count] = from;
          end[count] = i;
        }
        count++;
      }
      if (i >= size) {
        if (!last) return -1;
        break;
      }
      if (bytes[i] === delimiter) {
        i++;
        if (i >= size && !last) return -1;
        continue;
      }
      break;
    }
    this.#row.count = count;
    return Math.min(i, size);
  }
}

function skipRow(bytes: Buffer, at: number): number {
  const lf = bytes.indexOf(LF, at);
  return lf < 0 ? bytes.length : lf;
}

/** Field `i` as text, doubled quotes made single; "" where the row has fewer. */
export function fieldText(row: CsvRow, i: number, quote = '"'): string {
  if (i >= row.count) return "";
  const text = row.bytes.toString("utf8", row.start[i], row.end[i]);
  return text.includes(quote + quote) ? text.replaceAll(quote + quote, quote) : text;
}
