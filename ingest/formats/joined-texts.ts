import type { Reject } from "../check/rejects.js";
import type { FormatReader, ReadSink, RowCounts, Series } from "./format.js";

const LF = 10;
const CR = 13;
const NO_TEXT = Buffer.alloc(0);
const NONE: RowCounts = { rows: 0, rejected: 0, valuesRejected: 0, leftOut: 0 };

/** How many lines and bytes of a file's texts were passed. */
export class TextPlace {
  lines = 0;
  bytes = 0;
  #lastByte = LF;

  pass(chunk: Buffer): void {
    let before = this.#lastByte;
    for (const byte of chunk) {
      if (byte === CR || (byte === LF && before !== CR)) this.lines++;
      before = byte;
    }
    this.#lastByte = before;
    this.bytes += chunk.length;
  }

  /** A text is at its end, and with it its last line. */
  end(): void {
    if (this.#lastByte !== LF && this.#lastByte !== CR) this.lines++;
    this.#lastByte = LF;
  }
}

/** A reader of one text, chunk by chunk. */
interface TextReader<Portion> {
  /** Names of columns that nobody speaks of, once the header was read. */
  readonly unknownColumns: readonly string[];
  push(chunk: Buffer, last: boolean): Portion;
}

/**
 * Reads the texts of a file one after the other, each by a reader of its own; a portion for each chunk of bytes.
 * @param begin makes the reader of a text, before which the file has so many lines and bytes
 * @returns columns that nobody speaks of, of all texts
 */
export async function* portionsOf<Portion extends object>(
  texts: AsyncIterable<AsyncIterable<Buffer>>,
  begin: (lines: number, bytes: number) => TextReader<Portion>,
): AsyncGenerator<Portion & { readonly bytesDone: number }, readonly string[]> {
  const unknown = new Set<string>();
  const place = new TextPlace();
  for await (const chunks of texts) {
    const text = begin(place.lines, place.bytes);
    for await (const chunk of chunks) {
      place.pass(chunk);
      yield { ...text.push(chunk, false), bytesDone: place.bytes };
    }
    place.end();
    yield { ...text.push(Buffer.alloc(0), true), bytesDone: place.bytes };
    for (const name of text.unknownColumns) unknown.add(name);
  }
  return [...unknown];
}

/**
 * Reads the texts of a file (members of an archive), each by a reader of its own, as if they were one: lines and bytes are
 * counted on from one to the next, so that each row has one place in the file. `begin` a text, `push` its chunks, `end` it.
 */
export class JoinedTexts {
  readonly #names: readonly string[];
  readonly #sink: ReadSink;
  readonly #readerFor: (sink: ReadSink, name: string) => FormatReader;
  #reader: FormatReader | undefined;
  #begun = 0;
  #ended: RowCounts = NONE;
  readonly #unknown = new Set<string>();
  readonly #place = new TextPlace();

  /** @param names one for each text */
  constructor(
    names: readonly string[],
    sink: ReadSink,
    readerFor: (sink: ReadSink, name: string) => FormatReader,
  ) {
    this.#names = names;
    this.#sink = sink;
    this.#readerFor = readerFor;
  }

  begin(): void {
    const { lines, bytes } = this.#place;
    const sink = bytes === 0 ? this.#sink : new LaterText(this.#sink, lines, bytes);
    this.#reader = this.#readerFor(sink, this.#names[this.#begun++]!);
  }

  push(chunk: Buffer): void {
    this.#reader!.push(chunk, false);
    if (this.#names.length > 1) this.#place.pass(chunk);
  }

  end(): void {
    this.#reader!.push(NO_TEXT, true);
    this.#ended = this.counts;
    for (const name of this.#reader!.unknownColumns ?? []) this.#unknown.add(name);
    this.#reader = undefined;
    this.#place.end();
  }

  /** Of all texts so far. */
  get counts(): RowCounts {
    const { rows, rejected, valuesRejected, leftOut } = this.#reader?.counts ?? NONE;
    return {
      rows: this.#ended.rows + rows,
      rejected: this.#ended.rejected + rejected,
      valuesRejected: this.#ended.valuesRejected + valuesRejected,
      leftOut: this.#ended.leftOut + leftOut,
    };
  }

  /** Of all texts that ended. */
  get unknownColumns(): readonly string[] {
    return [...this.#unknown];
  }
}

/** Hands on what a later text of a file holds, at its lines and bytes in the whole. */
class LaterText implements ReadSink {
  readonly #to: ReadSink;
  readonly #lines: number;
  readonly #bytes: number;

  constructor(to: ReadSink, lines: number, bytes: number) {
    this.#to = to;
    this.#lines = lines;
    this.#bytes = bytes;
  }

  series(meterId: string, channel: string, serial: string, kind: Series["kind"]): Series {
    return this.#to.series(meterId, channel, serial, kind);
  }

  read(
    series: Series,
    time: number,
    length: number,
    ml: number | null,
    delivered: number | null,
    flags: number,
    line: number,
  ): void {
    this.#to.read(series, time, length, ml, delivered, flags, this.#lines + line);
  }

  reject(reject: Reject): void {
    this.#to.reject({ ...reject, line: this.#lines + reject.line, offset: this.#bytes + reject.offset });
  }
}
