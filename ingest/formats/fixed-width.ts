import { canonicalMeter } from "../../schemas/canonical.js";
import { Flag } from "../../schemas/flags.js";
import {
  fixedWidthLayout,
  type FixedWidthColumn,
  type FixedWidthLayout,
  type FixedWidthOptions,
  type Span,
} from "../../schemas/formats/fixed-width.js";
import { MILLILITRES, type Unit } from "../../schemas/units.js";
import type { RejectCode } from "../check/rejects.js";
import { MAX_ROW_BYTES } from "./csv-rows.js";
import { Decimal } from "./decimal.js";
import { LocalTimes, stamped } from "./local-times.js";
import { ValueMarks } from "./value-marks.js";
import { ReadGate, shapeOf, wrongId, type RowPlace } from "./read-gate.js";
import type { FormatReader, RowCounts, ReadSink, Series } from "./format.js";
import { compileTimeFormat, type Stamp, type StampReader } from "./time-format.js";
import { UnitWords } from "./unit-words.js";

export interface FixedWidthReaderOptions {
  readonly fixedWidth: FixedWidthOptions;
  /** The utility's IANA time zone. */
  readonly timeZone: string;
  /** UTC seconds: later reads than a day from here are rejected. */
  readonly now: number;
}

const LF = 10;
const CR = 13;
const DAY = 86_400;
const NO_READ = 1 << 30;

/** A record of the layout, with what tells its lines. */
interface Kind {
  /** Place in the layout: the lower, the higher its order. */
  readonly rank: number;
  readonly prefix: string;
  readonly from: number;
  readonly columns: readonly (readonly [FixedWidthColumn, Span])[];
  readonly isRead: boolean;
}

/** What the lines say by column; a column of blanks is not there. */
type Columns = Partial<Record<FixedWidthColumn, string>>;

interface HeldRead {
  readonly kind: Kind;
  readonly place: RowPlace;
  readonly columns: Columns;
}

/**
 * Reads fixed-width files of register reads, as handheld and drive-by systems hand them to billing.
 *
 *     file    = line...          ended by LF or CRLF; blank lines and a DOS end-of-file mark are passed over
 *     line    = the first record of the layout whose prefix it has
 *     column  = characters (not bytes) from..to of the line, 1 is the first; outer blanks don't count
 *     reading = 0000012345 | -12.5; blank, or a line that ends before it: no read
 *
 * Records are listed from the highest to the lowest (company, route, premise, meter, reading). What a record says holds
 * for the reads behind it, until a record of the same or a higher rank comes. A record with a `reading` column is a read;
 * records listed behind it may still add to it (a date of their own, say), until one of its rank or a higher one comes.
 * The nearest record with a column counts. Register values are in the unit of their column, or of the options. Date and
 * time are of the options' zone; without a time of day: midnight at the beginning of the date.
 *
 * Each read record counts as a row, with one value; and each line that no record of the layout matches, with none. Values
 * of rejects are shapes: where the layout does not fit, any column may hold a name.
 */
export class FixedWidth implements FormatReader {
  readonly #options: FixedWidthOptions;
  readonly #kinds: readonly Kind[];
  readonly #readDate: StampReader;
  readonly #readTime: StampReader;
  readonly #units: UnitWords;
  readonly #quality: ReadonlyMap<string, number>;
  readonly #noRead: ValueMarks;
  readonly #times: LocalTimes;
  readonly #gate: ReadGate;
  readonly #decimal = new Decimal();
  readonly #stamp: Stamp = { day: 0, second: 0, offset: 0, epoch: 0 };
  /** What the records in force said, by rank. */
  readonly #context: (Columns | undefined)[];
  #held: HeldRead | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #line = 1;
  #offset = 0;
  /** Where the line that is passed over, because it is too long, began; -1 outside of one. */
  #longFrom = -1;

  constructor({ fixedWidth, timeZone, now }: FixedWidthReaderOptions, sink: ReadSink) {
    const layout = fixedWidthLayout(fixedWidth);
    this.#options = fixedWidth;
    this.#kinds = kindsOf(layout);
    this.#readDate = compileTimeFormat(layout.date);
    this.#readTime = compileTimeFormat(layout.time);
    this.#units = new UnitWords(fixedWidth.treatAs);
    this.#quality = qualityWords(fixedWidth.quality);
    this.#noRead = new ValueMarks(fixedWidth.noRead);
    this.#times = new LocalTimes(fixedWidth.zone, timeZone);
    this.#gate = new ReadGate(sink, now, "source.fixedWidth");
    this.#context = this.#kinds.map(() => undefined);
  }

  get counts(): RowCounts {
    return this.#gate;
  }

  push(chunk: Buffer, last: boolean): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const lf = bytes.indexOf(LF, at);
      if (lf < 0 && !last) {
        // Of a line that is too long, nothing is kept.
        if (this.#longFrom < 0 && bytes.length - at > MAX_ROW_BYTES) this.#longFrom = this.#offset + at;
        if (this.#longFrom >= 0) at = bytes.length;
        break;
      }
      const end = lf < 0 ? bytes.length : lf;
      if (this.#longFrom >= 0 || end - at > MAX_ROW_BYTES) this.#longLine(at, end);
      else this.#record(bytes, at, end > at && bytes[end - 1] === CR ? end - 1 : end);
      if (lf >= 0) this.#line++;
      at = lf < 0 ? end : end + 1;
    }
    this.#offset += at;
    this.#rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
    if (!last) return;
    if (this.#longFrom >= 0) this.#longLine(0, 0);
    this.#release();
  }

  #longLine(at: number, end: number): void {
    const offset = this.#longFrom < 0 ? this.#offset + at : this.#longFrom;
    this.#longFrom = -1;
    this.#lost({ line: this.#line, offset, length: this.#offset + end - offset }, "row-too-long");
  }

  /** A line that may have been any record: nothing before it holds for the reads behind it. */
  #lost(place: RowPlace, code: RejectCode): void {
    this.#release();
    this.#context.fill(undefined);
    this.#gate.begin(place);
    this.#gate.rejectRow(code, "row", null, 0);
    this.#gate.end();
  }

  #record(bytes: Buffer, from: number, to: number): void {
    if (isBlank(bytes, from, to)) return;
    const text = bytes.toString("utf8", from, to);
    // Columns are characters; most lines have one byte for each.
    const line = text.length === to - from ? text : Array.from(text);
    const place = { line: this.#line, offset: this.#offset + from, length: to - from };
    const kind = this.#kinds.find((one) => sliceOf(line, one.from, one.prefix.length) === one.prefix);
    if (kind === undefined) {
      this.#lost(place, "unknown-record");
      return;
    }
    if (this.#held !== undefined && kind.rank > this.#held.kind.rank && !kind.isRead) {
      Object.assign(this.#held.columns, columnsOf(line, kind));
      return;
    }
    this.#release();
    if (kind.isRead) {
      const columns: Columns = {};
      for (const said of this.#context.slice(0, kind.rank)) Object.assign(columns, said);
      const { reading } = Object.fromEntries(kind.columns) as Partial<Record<FixedWidthColumn, Span>>;
      if (line.length >= reading!.from && line.length < reading!.to) {
        this.#gate.begin(place);
        this.#gate.rejectRow("too-few-columns", "row", `${line.length} characters`, 1);
        this.#gate.end();
        return;
      }
      this.#held = { kind, place, columns: Object.assign(columns, columnsOf(line, kind)) };
    } else {
      this.#context[kind.rank] = columnsOf(line, kind);
      this.#context.fill(undefined, kind.rank + 1);
    }
  }

  /** Reads what was held for the records behind it: no more of them come. */
  #release(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#gate.begin(held.place);
    this.#read(held.columns);
    this.#gate.end();
  }

  #read(columns: Columns): void {
    const reject = (code: RejectCode, field: FixedWidthColumn) =>
      this.#gate.rejectRow(code, field, shapeOf(columns[field] ?? ""), 1);
    const { meterId, multiplier, impliedDecimals, unit: unitOfFile } = this.#options;
    const meter = canonicalMeter(columns.meter ?? "", meterId);
    const { channel = "", serial = "" } = columns;
    const wrong = wrongId(meter, channel, serial);
    if (wrong !== undefined) return this.#gate.rejectRow(wrong.code, wrong.field, null, 1);
    const unit = columns.unit === undefined ? unitOfFile : this.#units.of(columns.unit);
    if (unit === undefined) return reject("unknown-unit", "unit");
    const local = this.#localOf(columns);
    if (typeof local === "string") return reject(local, local === "bad-date" ? "date" : "time");
    const flags = this.#quality.get((columns.quality ?? "").toUpperCase()) ?? 0;
    let value = NaN;
    let decimals = 0;
    if (columns.reading !== undefined && (flags & NO_READ) === 0) {
      const digits = Buffer.from(columns.reading, "utf8");
      value = this.#decimal.read(digits, 0, digits.length);
      if (this.#noRead.isNumber(value)) value = NaN;
      else if (!Number.isNaN(value)) ({ decimals } = this.#decimal);
      else if (!this.#noRead.isWord(columns.reading)) return reject("bad-number", "reading");
      if (impliedDecimals > 0 && decimals === 0) {
        value /= 10 ** impliedDecimals;
        decimals = impliedDecimals;
      }
    }
    const series = this.#gate.series(meter, channel, serial, "register");
    const instant = this.#times.instantOf(local, series);
    if (Number.isNaN(instant)) return reject("no-such-local-time", "time");
    stamped(series, instant);
    this.#describe(series, unit, decimals, multiplier);
    const refused = this.#gate.read(series, instant, 0, value, flags & ~NO_READ);
    if (refused !== undefined) reject(refused, refused.startsWith("time") ? "date" : "reading");
  }

  #describe(series: Series, unit: Unit, decimals: number, multiplier: number): void {
    series.unit = unit;
    series.mlPerUnit = MILLILITRES[unit] * multiplier;
    if (decimals > series.decimals) series.decimals = decimals;
  }

  /** Seconds from 1970-01-01T00:00 on the source's clock, or what is wrong. */
  #localOf({ date = "", time }: Columns): number | "bad-date" | "bad-time" {
    const stamp = this.#stamp;
    const bytes = Buffer.from(date, "utf8");
    if (!this.#readDate(bytes, 0, bytes.length, stamp) || Number.isNaN(stamp.day)) return "bad-date";
    const midnight = stamp.day * DAY;
    if (time === undefined) return midnight + stamp.second;
    const clock = Buffer.from(time, "utf8");
    if (!this.#readTime(clock, 0, clock.length, stamp) || Number.isNaN(stamp.day)) return "bad-time";
    return midnight + stamp.second;
  }
}

function kindsOf({ records }: FixedWidthLayout): Kind[] {
  return records.map(({ prefix, at, columns }, rank) => ({
    rank,
    prefix,
    from: at,
    columns: Object.entries(columns) as [FixedWidthColumn, Span][],
    isRead: columns.reading !== undefined,
  }));
}

function qualityWords({
  estimated,
  adjusted,
  suspect,
  noRead,
}: FixedWidthOptions["quality"]): Map<string, number> {
  const words = new Map<string, number>();
  for (const word of estimated) words.set(word.toUpperCase(), Flag.estimated);
  for (const word of adjusted) words.set(word.toUpperCase(), Flag.adjusted);
  for (const word of suspect) words.set(word.toUpperCase(), Flag.suspect);
  for (const word of noRead) words.set(word.toUpperCase(), NO_READ);
  return words;
}

/** A line as characters. */
type Line = string | readonly string[];

/** `length` characters from `from` on, 1 is the first. */
function sliceOf(line: Line, from: number, length: number): string {
  const part = line.slice(from - 1, from - 1 + length);
  return typeof part === "string" ? part : part.join("");
}

/** The columns of a line that are not blank. */
function columnsOf(line: Line, { columns }: Kind): Columns {
  const found: Columns = {};
  for (const [name, { from, to }] of columns) {
    const text = sliceOf(line, from, to - from + 1).trim();
    if (text !== "") found[name] = text;
  }
  return found;
}

/** Blanks, or the mark with which DOS ended a file. */
function isBlank(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at]! > 32) return false;
  return true;
}
