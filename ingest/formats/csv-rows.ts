/** Bytes that a row may have at most; a longer one is rejected, so memory stays bounded. */
export const MAX_ROW_BYTES = 1024 * 1024;
/** Fields that a row may have at most. */
export const MAX_FIELDS = 10_000;

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

/** Why a row can't be cut into fields. */
export type RowFault = "stray-quote" | "row-too-long";

/** Takes the rows of a file, in its order. Called within `push`. */
export interface RowSink {
  /** The row is valid during the call alone. */
  row(row: CsvRow): void;
  /**
   * Takes the row at `from` at once, without its being cut, if it can.
   * @returns index of the byte that ends the row; -1 where it must be cut
   */
  plain?(bytes: Buffer, from: number, line: number): number;
  /** A row that can't be cut: its line, and its place in the decoded file in bytes. */
  fault(fault: RowFault, line: number, offset: number, length: number): void;
}

const LF = 10;
const CR = 13;
const TAB = 9;
const BLANK = 32;

/**
 * Cuts CSV into rows. LF, CRLF or CR ends a row; blank rows are passed over. Quotes as in RFC 4180, but a quoted field
 * ends with its line at the latest: whatever is wrong in a row stays in that row. Works on bytes: fields are not turned
 * into strings. The file may be cut into chunks anywhere.
 */
export class CsvRows {
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #sink: RowSink;
  readonly #row: CsvRow;
  #rest: Buffer = Buffer.alloc(0);
  #line = 1;
  #offset = 0;
  /** Where the row that is passed over, because it is too long, began; -1 outside of one. */
  #longFrom = -1;
  #lastWasCr = false;
  #stray = false;

  constructor({ delimiter, quote }: CsvDialect, sink: RowSink) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#quote = quote.charCodeAt(0);
    this.#sink = sink;
    this.#row = {
      bytes: this.#rest,
      start: new Int32Array(MAX_FIELDS),
      end: new Int32Array(MAX_FIELDS),
      count: 0,
      line: 1,
      offset: 0,
      length: 0,
    };
  }

  /** @param last no chunk comes after this one: what is left over is a row, also without an end of line */
  push(chunk: Buffer, last: boolean): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const row = this.#row;
    let at = this.#longFrom < 0 ? 0 : this.#passOver(bytes, 0);
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
        continue;
      }
      const plain = this.#sink.plain?.(bytes, at, this.#line) ?? -1;
      if (plain >= 0) {
        at = plain;
        continue;
      }
      const end = this.#cut(bytes, at, last);
      if (end < 0) {
        if (bytes.length - at <= MAX_ROW_BYTES) break;
        this.#longFrom = this.#offset + at;
        at = this.#passOver(bytes, at);
        continue;
      }
      row.line = this.#line;
      row.offset = this.#offset + at;
      row.length = end - at;
      if (row.length > MAX_ROW_BYTES || row.count > MAX_FIELDS) this.#fault("row-too-long");
      else if (this.#stray) this.#fault("stray-quote");
      else this.#sink.row(row);
      at = end;
    }
    this.#offset += at;
    this.#rest = last || at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
    if (last && this.#longFrom >= 0) this.#endLong(this.#offset);
  }

  #fault(fault: RowFault): void {
    const { line, offset, length } = this.#row;
    this.#sink.fault(fault, line, offset, length);
  }

  /** Goes to the end of a row that is too long, or of the bytes in hand. */
  #passOver(bytes: Buffer, from: number): number {
    const lf = bytes.indexOf(LF, from);
    const cr = bytes.subarray(from, lf < 0 ? bytes.length : lf).indexOf(CR);
    const end = cr < 0 ? lf : from + cr;
    if (end < 0) return bytes.length;
    this.#endLong(this.#offset + end);
    return end;
  }

  #endLong(end: number): void {
    this.#sink.fault("row-too-long", this.#line, this.#longFrom, end - this.#longFrom);
    this.#longFrom = -1;
  }

  /** Cuts the row at `at`; returns the index of the byte that ends it, or -1 where its end is not there yet. */
  #cut(bytes: Buffer, at: number, last: boolean): number {
    const row = this.#row;
    const { start, end } = row;
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    const size = bytes.length;
    row.bytes = bytes;
    this.#stray = false;
    let count = 0;
    let i = at;
    for (;;) {
      if (i < size && bytes[i] === quote) {
        const from = ++i;
        let byte = 0;
        while (i < size && (byte = bytes[i]!) !== LF && byte !== CR) {
          if (byte === quote) {
            if (bytes[i + 1] !== quote) break;
            i++;
          }
          i++;
        }
        // The quote at the end of the bytes in hand may be the first of two.
        if (i + 1 >= size && !last) return -1;
        if (count < MAX_FIELDS) {
          start[count] = from;
          end[count] = Math.min(i, size);
        }
        count++;
        if (i < size && bytes[i] === quote) {
          i++;
          while (i < size && (bytes[i] === BLANK || (bytes[i] === TAB && delimiter !== TAB))) i++;
        } else {
          this.#stray = true;
        }
        if (i < size && bytes[i] !== delimiter && bytes[i] !== LF && bytes[i] !== CR) {
          this.#stray = true;
          while (i < size && bytes[i] !== LF && bytes[i] !== CR) i++;
        }
      } else {
        const from = i;
        let byte = 0;
        while (i < size && (byte = bytes[i]!) !== delimiter && byte !== LF && byte !== CR) i++;
        if (count < MAX_FIELDS) {
          start[count] = from;
          end[count] = i;
        }
        count++;
      }
      if (i >= size) {
        if (!last) return -1;
        break;
      }
      if (bytes[i] !== delimiter) break;
      i++;
      if (i >= size && !last) return -1;
    }
    row.count = count;
    return Math.min(i, size);
  }
}

/** Field `i` as text, doubled quotes made single; "" where the row has fewer. */
export function fieldText(row: CsvRow, i: number, quote = '"'): string {
  if (i >= row.count) return "";
  const text = row.bytes.toString("utf8", row.start[i], row.end[i]);
  return text.includes(quote + quote) ? text.replaceAll(quote + quote, quote) : text;
}

/** The words of several fields, with a blank between each: a time stamp may be spread over them. */
export function wordsOf(row: CsvRow, places: readonly number[], quote: string): string {
  return places.map((place) => fieldText(row, place, quote).trim()).join(" ");
}
