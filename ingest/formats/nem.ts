import { canonicalMeter } from "../../schemas/canonical.js";
import { Flag } from "../../schemas/flags.js";
import type { NemOptions } from "../../schemas/formats/nem.js";
import { isOtherThanVolume, MILLILITRES, unitOf, type Unit } from "../../schemas/units.js";
import type { RejectCode } from "../check/rejects.js";
import { CompactStamp, wholeNumber } from "./compact-stamp.js";
import { hasMore, isBlank, isEmpty } from "./csv-fields.js";
import { CsvRows, fieldText, type CsvRow } from "./csv-rows.js";
import { Decimal } from "./decimal.js";
import { ReadGate, shapeOf, wordOrShape, wrongId } from "./read-gate.js";
import { FileRejected, type FormatReader, type RowCounts, type ReadSink, type Series } from "./format.js";

export interface NemReaderOptions {
  readonly nem: NemOptions;
  /** UTC seconds: later reads than a day from here are rejected. */
  readonly now: number;
}

const NO_READ = 1 << 30;
/** Quality V: the 400 records behind it say which intervals are of which quality. */
const VARIES = 1 << 29;
const MINUTES_A_DAY = 1_440;
/** Fields behind the values of a 300 record: quality, reason, its description, update, load into MSATS. */
const BEHIND_VALUES = 5;
const VALUES_OF_250 = 2;

/** Places of fields. */
const IN_200 = { nmi: 1, suffix: 4, serial: 6, unit: 7, length: 8, needed: 9 } as const;
const IN_300 = { date: 1, first: 2 } as const;
const IN_400 = { from: 1, to: 2, quality: 3, needed: 4 } as const;
const IN_250 = { nmi: 1, suffix: 4, serial: 6, previous: 8, current: 13, unit: 19, needed: 20 } as const;

/** What a 200 record says of the days behind it, or why they can't be read. */
interface Stream {
  readonly fault: Fault | undefined;
  /** Intervals of a day; 0 where the record does not tell. */
  readonly intervals: number;
  /** Seconds. */
  readonly length: number;
  readonly names: readonly [meter: string, channel: string, serial: string];
  readonly unit: Unit;
}

interface Fault {
  readonly code: RejectCode;
  readonly field: string;
  readonly value: string | null;
}

/** A day of quality V, until its 400 records are seen. */
interface HeldDay {
  readonly row: CsvRow;
  readonly stream: Stream;
  /** Flags of each interval, -1 where no 400 record speaks of it yet. */
  readonly flags: Int32Array;
  /** A 400 record of the day was wrong. */
  broken: boolean;
}

/**
 * Reads NEM12 (intervals) and NEM13 (registers), the files of meter data of the Australian National Electricity Market,
 * which water retailers there use as well.
 *
 *     file  = 100 , block... , 900       again, where files were put behind each other
 *     NEM12 block = 200 , NMI , config , register , suffix , stream , serial , unit , minutes , next read
 *                   then days: 300 , YYYYMMDD , 1440/minutes values , quality , reason , text , update , load
 *                   each, where its quality is V, with 400 , from , to , quality , reason , text   (cover 1..n once)
 *                   and 500 records, which are passed over
 *     NEM13 block = 250 , NMI , config , register , suffix , stream , serial , direction ,
 *                   previous register , YYYYMMDDHHmmss , quality , reason , text ,
 *                   current register , YYYYMMDDHHmmss , quality , reason , text ,
 *                   quantity , unit , next read , update , load
 *                   and 550 records, which are passed over
 *     quality = letter and method: A actual, E F S estimated, N no read, V varies
 *
 * Value i of a day is the usage that ends i × minutes after midnight. The clock of the file has one offset all year,
 * +10:00 unless the options say otherwise. An empty value is no read.
 *
 * A 300 and a 250 count as a row each, with as many values as the day has intervals, and two. What is wrong in a 200
 * record is said of each day behind it. A record that can't be understood may have been a 200: days behind it are
 * rejected until the next 200, so that no day goes to another meter.
 *
 * @throws FileRejected where the file does not begin with a 100 record of NEM12 or NEM13, and from the last `push` where
 * it does not end with a 900 record: it was cut off. Its reads have gone to the sink by then. Who must not publish half
 * a file reads it through once with a sink that keeps nothing.
 */
export class Nem implements FormatReader {
  readonly #options: NemOptions;
  readonly #offset: number;
  readonly #treatAs: ReadonlyMap<string, Unit>;
  readonly #gate: ReadGate;
  readonly #lines: CsvRows;
  readonly #stamp = new CompactStamp();
  readonly #decimal = new Decimal();
  #kind: "NEM12" | "NEM13" | undefined;
  #open = false;
  #stream: Stream | undefined;
  #held: HeldDay | undefined;
  /** The day above was rejected, or a record that may have been one: its 400 records go with it. */
  #dayRejected = false;
  /** A 250 record came before: a 550 may follow. */
  #after250 = false;

  constructor({ nem, now }: NemReaderOptions, sink: ReadSink) {
    this.#options = nem;
    const sign = nem.utcOffset.startsWith("-") ? -1 : 1;
    const [hours, minutes] = nem.utcOffset.slice(1).split(":").map(Number);
    this.#offset = sign * (hours! * 3600 + minutes! * 60);
    this.#treatAs = new Map(Object.entries(nem.treatAs).map(([word, unit]) => [word.toUpperCase(), unit]));
    this.#gate = new ReadGate(sink, now, "source.nem");
    this.#lines = new CsvRows(
      { delimiter: ",", quote: '"' },
      {
        row: (row) => this.#record(row),
        fault: (fault, line, offset, length) => {
          this.#release();
          this.#lost({ line, offset, length }, fault, "row", null);
        },
      },
    );
  }

  get counts(): RowCounts {
    return this.#gate;
  }

  push(chunk: Buffer, last: boolean): void {
    this.#lines.push(chunk, last);
    if (!last) return;
    this.#release();
    if (this.#kind === undefined) throw notNem();
    if (this.#open) {
      throw new FileRejected(
        "900",
        "The file does not end with a 900 record: it was cut off. Have it sent again.",
      );
    }
  }

  #record(row: CsvRow): void {
    const type = wholeNumber(row.bytes, row.start[0]!, row.end[0]!);
    if (type === 400 && this.#held !== undefined) {
      this.#split(row, this.#held);
      return;
    }
    if (isBlank(row) || (type === 400 && this.#dayRejected)) return;
    this.#release();
    this.#dayRejected = false;
    if (this.#kind === undefined && type !== 100) throw notNem();
    const wasAfter250 = this.#after250;
    this.#after250 = false;
    switch (type) {
      case 100:
        this.#begin(row);
        return;
      case 900:
        if (!this.#open) break;
        this.#open = false;
        this.#stream = undefined;
        return;
      case 200:
        if (!this.#open || this.#kind !== "NEM12") break;
        this.#stream = this.#streamOf(row);
        return;
      case 300:
        if (this.#stream === undefined) break;
        this.#dayOrHold(row, this.#stream);
        return;
      case 500:
        if (this.#stream === undefined) break;
        return;
      case 250:
        if (!this.#open || this.#kind !== "NEM13") break;
        this.#gate.begin(row);
        this.#registers(row);
        this.#gate.end();
        this.#after250 = true;
        return;
      case 550:
        if (!wasAfter250) break;
        this.#after250 = true;
        return;
      case 400:
        break;
      default:
        this.#lost(row, "unknown-record", "record type", null);
        return;
    }
    this.#dayRejected = type === 300;
    this.#gate.begin(row);
    this.#gate.rejectRow("misplaced-record", "record type", String(type), 0);
    this.#gate.end();
  }

  /** A record that can't be understood: it may have been the 200 of what follows. */
  #lost(
    place: { readonly line: number; readonly offset: number; readonly length: number },
    code: RejectCode,
    field: string,
    value: string | null,
  ): void {
    this.#stream = undefined;
    this.#dayRejected = true;
    this.#gate.begin(place);
    this.#gate.rejectRow(code, field, value, 0);
    this.#gate.end();
  }

  #begin(row: CsvRow): void {
    const kind = fieldText(row, 1).trim().toUpperCase();
    if (kind !== "NEM12" && kind !== "NEM13") throw notNem();
    if (this.#open) {
      throw new FileRejected(
        "100",
        `Line ${row.line} begins a file within another: the one before was cut off before its 900 record.`,
      );
    }
    this.#kind = kind;
    this.#open = true;
    this.#stream = undefined;
  }

  #streamOf(row: CsvRow): Stream {
    const failed = (code: RejectCode, field: string, value: string | null, intervals = 0): Stream => ({
      fault: { code, field, value },
      intervals,
      length: 0,
      names: ["", "", ""],
      unit: "L",
    });
    if (row.count < IN_200.needed) return failed("too-few-columns", "row", `${row.count} fields`);
    const minutes = wholeNumber(row.bytes, row.start[IN_200.length]!, row.end[IN_200.length]!);
    if (!(minutes > 0 && MINUTES_A_DAY % minutes === 0))
      return failed("bad-interval", "interval length", shapeOf(fieldText(row, IN_200.length)));
    const intervals = MINUTES_A_DAY / minutes;
    const names = this.#names(row, IN_200);
    const wrong = wrongId(...names);
    if (wrong !== undefined) return failed(wrong.code, wrong.field, null, intervals);
    const word = fieldText(row, IN_200.unit).trim();
    const unit = this.#unitOf(word);
    if (unit === undefined) return failed(unitFault(word), "unit", wordOrShape(word), intervals);
    return { fault: undefined, intervals, length: minutes * 60, names, unit };
  }

  #names(
    row: CsvRow,
    at: { readonly nmi: number; readonly suffix: number; readonly serial: number },
  ): [meter: string, channel: string, serial: string] {
    const { meter, channel, meterId } = this.#options;
    const serial = fieldText(row, at.serial).trim();
    const suffix = channel === "suffix" ? fieldText(row, at.suffix).trim() : "";
    if (meter === "serial") return [canonicalMeter(serial, meterId), suffix, ""];
    return [canonicalMeter(fieldText(row, at.nmi), meterId), suffix, serial];
  }

  /** `ML` are megalitres and `mL` millilitres; `ml` might be either, and is no unit here. */
  #unitOf(word: string): Unit | undefined {
    const known = this.#treatAs.get(word.toUpperCase());
    if (known !== undefined) return known;
    return word === "ml" || word === "Ml" ? undefined : unitOf(word);
  }

  #dayOrHold(row: CsvRow, stream: Stream): void {
    this.#gate.begin(row);
    const fault = stream.fault ?? shapeFault(row, stream);
    const quality = IN_300.first + stream.intervals;
    const flags = fault === undefined ? qualityFlags(row, quality) : -1;
    if (flags === VARIES) {
      const each = new Int32Array(stream.intervals).fill(-1);
      this.#held = { row: copyOf(row), stream, flags: each, broken: false };
      return;
    }
    if (flags < 0) {
      const { code, field, value } = fault ?? {
        code: "unknown-quality",
        field: "quality",
        value: fieldText(row, quality),
      };
      this.#dayRejected = true;
      this.#gate.rejectRow(code, field, value, stream.intervals);
    } else {
      this.#day(row, stream, flags, undefined);
    }
    this.#gate.end();
  }

  /** @param each flags of each interval, where they are not the same all day */
  #day(row: CsvRow, stream: Stream, all: number, each: Int32Array | undefined): void {
    const { bytes, start, end } = row;
    const { intervals, length, names, unit } = stream;
    const midnight = this.#stamp.read(bytes, start[IN_300.date]!, end[IN_300.date]!, 8) - this.#offset;
    if (Number.isNaN(midnight)) {
      this.#gate.rejectRow("bad-date", "date", fieldText(row, IN_300.date), intervals);
      return;
    }
    const fault = this.#gate.timeFault(midnight);
    if (fault !== undefined && fault === this.#gate.timeFault(midnight + (intervals - 1) * length)) {
      this.#gate.rejectRow(fault, "date", fieldText(row, IN_300.date), intervals);
      return;
    }
    const series = this.#series(names, "usage", unit);
    const decimal = this.#decimal;
    for (let i = 0; i < intervals; i++) {
      const at = IN_300.first + i;
      const flags = each === undefined ? all : each[i]!;
      let value = NaN;
      if ((flags & NO_READ) === 0) {
        value = decimal.read(bytes, start[at]!, end[at]!);
        if (Number.isNaN(value)) {
          if (!isEmpty(row, at)) {
            this.#gate.rejectValue("bad-number", `interval ${i + 1}`, fieldText(row, at));
            continue;
          }
        } else if (decimal.decimals > series.decimals) {
          series.decimals = decimal.decimals;
        }
      }
      const refused = this.#gate.read(series, midnight + i * length, length, value, flags & ~NO_READ);
      if (refused !== undefined) this.#gate.rejectValue(refused, `interval ${i + 1}`, fieldText(row, at));
    }
  }

  #split(row: CsvRow, day: HeldDay): void {
    const { bytes, start, end, count } = row;
    if (count < IN_400.needed) {
      day.broken = true;
      return;
    }
    const from = wholeNumber(bytes, start[IN_400.from]!, end[IN_400.from]!);
    const to = wholeNumber(bytes, start[IN_400.to]!, end[IN_400.to]!);
    const flags = qualityFlags(row, IN_400.quality);
    if (!(from >= 1 && from <= to && to <= day.stream.intervals) || flags < 0 || flags === VARIES) {
      day.broken = true;
      return;
    }
    for (let i = from - 1; i < to; i++) {
      if (day.flags[i]! >= 0) day.broken = true;
      day.flags[i] = flags;
    }
  }

  /** Reads the day that was held for its 400 records: no more of them come. */
  #release(): void {
    const day = this.#held;
    if (day === undefined) return;
    this.#held = undefined;
    this.#gate.begin(day.row);
    if (day.broken || day.flags.includes(-1)) {
      this.#gate.rejectRow("bad-split", "quality", null, day.stream.intervals);
    } else {
      this.#day(day.row, day.stream, 0, day.flags);
    }
    this.#gate.end();
  }

  #registers(row: CsvRow): void {
    if (row.count < IN_250.needed) {
      const present = row.count > IN_250.current ? VALUES_OF_250 : row.count > IN_250.previous ? 1 : 0;
      this.#gate.rejectRow("too-few-columns", "row", `${row.count} fields`, present);
      return;
    }
    const names = this.#names(row, IN_250);
    const wrong = wrongId(...names);
    if (wrong !== undefined) {
      this.#gate.rejectRow(wrong.code, wrong.field, null, VALUES_OF_250);
      return;
    }
    const word = fieldText(row, IN_250.unit).trim();
    const unit = this.#unitOf(word);
    if (unit === undefined) {
      this.#gate.rejectRow(unitFault(word), "unit", wordOrShape(word), VALUES_OF_250);
      return;
    }
    const series = this.#series(names, "register", unit);
    this.#register(row, IN_250.previous, "previous", series);
    this.#register(row, IN_250.current, "current", series);
  }

  /** The register at field `at`, its stamp and its quality behind it. */
  #register(row: CsvRow, at: number, name: string, series: Series): void {
    const { bytes, start, end } = row;
    const reject = (code: RejectCode, field: string, index: number) =>
      this.#gate.rejectValue(code, `${name} ${field}`, shapeOf(fieldText(row, index)));
    const instant = this.#stamp.read(bytes, start[at + 1]!, end[at + 1]!, 14) - this.#offset;
    if (Number.isNaN(instant)) return reject("bad-time", "time", at + 1);
    const flags = qualityFlags(row, at + 2);
    if (flags < 0 || flags === VARIES) return reject("unknown-quality", "quality", at + 2);
    let value = NaN;
    if ((flags & NO_READ) === 0 && !isEmpty(row, at)) {
      value = this.#decimal.read(bytes, start[at]!, end[at]!);
      if (Number.isNaN(value)) return reject("bad-number", "register", at);
      if (this.#decimal.decimals > series.decimals) series.decimals = this.#decimal.decimals;
    }
    const refused = this.#gate.read(series, instant, 0, value, flags & ~NO_READ);
    if (refused === undefined) return;
    if (refused.startsWith("time")) reject(refused, "time", at + 1);
    else reject(refused, "register", at);
  }

  #series(names: Stream["names"], kind: Series["kind"], unit: Unit): Series {
    const series = this.#gate.series(...names, kind);
    series.unit = unit;
    series.mlPerUnit = MILLILITRES[unit] * this.#options.multiplier;
    return series;
  }
}

function notNem(): FileRejected {
  return new FileRejected("100", "The file does not begin with a 100 record of NEM12 or NEM13.");
}

function unitFault(word: string): "not-water" | "unknown-unit" {
  return isOtherThanVolume(word) ? "not-water" : "unknown-unit";
}

/** What is wrong with the number of fields of a 300 record. */
function shapeFault(row: CsvRow, { intervals }: Stream): Fault | undefined {
  const quality = IN_300.first + intervals;
  const value = `${row.count} fields`;
  if (row.count <= quality) return { code: "too-few-columns", field: "row", value };
  return hasMore(row, quality + BEHIND_VALUES)
    ? { code: "too-many-columns", field: "row", value }
    : undefined;
}

/** Flags of a quality such as `A` or `S14`, with NO_READ; VARIES; -1 where it is none. */
function qualityFlags({ bytes, start, end }: CsvRow, i: number): number {
  let from = start[i]!;
  let to = end[i]!;
  while (from < to && bytes[from] === 32) from++;
  while (to > from && bytes[to - 1] === 32) to--;
  if (from === to || to - from > 3) return -1;
  for (let at = from + 1; at < to; at++) if (bytes[at]! < 48 || bytes[at]! > 57) return -1;
  switch (bytes[from]! & ~0x20) {
    case 65:
      return 0;
    case 69:
    case 70:
    case 83:
      return Flag.estimated;
    case 78:
      return NO_READ;
    case 86:
      return VARIES;
    default:
      return -1;
  }
}

/** The row with bytes of its own. */
function copyOf({ bytes, start, end, count, line, offset, length }: CsvRow): CsvRow {
  const from = start[0]!;
  return {
    bytes: Buffer.from(bytes.subarray(from, end[count - 1])),
    start: start.slice(0, count).map((at) => at - from),
    end: end.slice(0, count).map((at) => at - from),
    count,
    line,
    offset,
    length,
  };
}
