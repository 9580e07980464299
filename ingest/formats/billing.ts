import { TimeZone } from "../../infra/time-zone.js";
import { canonicalMeter } from "../../schemas/canonical.js";
import { limitOf, type ChecksConfig } from "../../schemas/checks.js";
import { Flag } from "../../schemas/flags.js";
import type { BillingOptions } from "../../schemas/formats/billing.js";
import type { TimeColumnRef } from "../../schemas/formats/common.js";
import { MILLILITRES, type Unit } from "../../schemas/units.js";
import type { RejectCode } from "../check/rejects.js";
import { FieldMemo, hasMore, isBlank } from "./csv-fields.js";
import { CsvRows, fieldText, type CsvRow, type RowFault, type RowSink, wordsOf } from "./csv-rows.js";
import { Decimal } from "./decimal.js";
import { HeaderColumns, stampedColumns, uncutHeader } from "./header-columns.js";
import { firstInstant } from "./local-times.js";
import { ValueMarks } from "./value-marks.js";
import { ReadGate, shapeOf, wordOrShape, wrongId } from "./read-gate.js";
import { FileRejected, type FormatReader, type RowCounts, type ReadSink, type Series } from "./format.js";
import { RowFilter, unknownColumns } from "./row-filter.js";
import { compileTimeFormat, type Stamp, type StampReader } from "./time-format.js";
import { UnitWords } from "./unit-words.js";

export interface BillingReaderOptions {
  readonly billing: BillingOptions;
  /** The utility's IANA time zone. */
  readonly timeZone: string;
  /** The utility's switches. */
  readonly checks?: ChecksConfig;
  /** UTC seconds: later reads than a day from here are rejected. */
  readonly now: number;
}

const DAY = 86_400;
/** Beside the bits of `Flag`: the code column says that there is no read. */
const NO_READ = 1 << 30;

type Column = keyof BillingOptions["columns"];
type DateColumn = "currentDate" | "previousDate";

/** Why a row is not taken. */
class Refusal {
  readonly code: RejectCode;
  readonly field: string;
  readonly value: string | null;
  constructor(code: RejectCode, field: string, value: string | null) {
    this.code = code;
    this.field = field;
    this.value = value;
  }
}

interface Amount {
  /** NaN: none. */
  readonly value: number;
  readonly decimals: number;
}
const NO_AMOUNT: Amount = { value: NaN, decimals: 0 };
const ZERO: Amount = { value: 0, decimals: 0 };

/** A column of layout pivot: the bills of a month, from and to in UTC seconds. */
interface MonthColumn {
  readonly index: number;
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

interface RegisterRead extends Amount {
  /** UTC seconds. */
  readonly time: number;
  readonly flags: number;
}

/**
 * Reads a billing system's CSV: one row a register and billing period, with its reads or with its consumption.
 *
 *     file  = row…                    header row first, unless the options say otherwise; RFC 4180 within a line
 *     row   = reads | bill | meter [channel] (usage of a month)… [unit] [code]      layout pivot: a column a month
 *     reads = meter [serial] [channel] current currentDate [previous previousDate [usage] [days]] [unit] [multiplier] [code]
 *     bill  = meter [channel] usage currentDate [previousDate] [days] [unit] [code]
 *
 * Reads are register values, in the unit of their column or of the options, times the multipliers. A date without a time
 * of day is midnight at its beginning, on the source's clock.
 *
 * A row of reads has one value, or two where it has a previous read and previous reads are taken. Nothing is read of a row
 * whose consumption or days don't agree with its reads, but where the utility switched these checks off.
 *
 * A bill's value is its consumption (`kind` bill), from the previous date, or so many days before the current one, to the
 * current date; of a whole month where the options say so.
 */
export class BillingReader implements FormatReader, RowSink {
  unknownColumns: readonly string[] = [];
  readonly #options: BillingOptions;
  readonly #comparesDays: boolean;
  readonly #comparesUsage: boolean;
  readonly #gate: ReadGate;
  readonly #rows: CsvRows;
  readonly #zone: TimeZone | undefined;
  readonly #isDate: boolean;
  readonly #readStamp: StampReader;
  readonly #stamp: Stamp = { day: 0, second: 0, offset: 0, epoch: 0 };
  readonly #quality: ReadonlyMap<string, number>;
  /** What words mean, and when dates are: those of a cycle's rows are mostly the same. */
  readonly #units: FieldMemo<Unit | undefined>;
  readonly #codes: Readonly<Record<"code" | "previousCode", FieldMemo<number>>>;
  readonly #dates: Readonly<Record<DateColumn, FieldMemo<number | RejectCode>>>;
  readonly #decimal: Decimal;
  readonly #noRead: ValueMarks;
  readonly #zero: ValueMarks;
  #skip: number;
  #headerDone: boolean;
  #columns: Partial<Record<Column, number>> = {};
  /** Of a date that is spread over several columns, all of them. */
  #spread: Partial<Record<Column, readonly number[]>> = {};
  #months: readonly MonthColumn[] = [];
  #filter = new RowFilter([], () => -1);
  #needed = 0;
  /** Fields of a whole row: in another, what stands in a field may belong in the next. */
  #width = -1;

  constructor({ billing, timeZone, checks = {}, now }: BillingReaderOptions, sink: ReadSink) {
    this.#options = billing;
    this.#comparesDays = limitOf(checks, "days-mismatch") !== undefined;
    this.#comparesUsage = limitOf(checks, "usage-mismatch") !== undefined;
    this.#gate = new ReadGate(sink, now, "source.billing");
    this.#rows = new CsvRows(billing, this);
    const zone = billing.time.zone === "utility" ? timeZone : billing.time.zone;
    this.#zone = zone === "UTC" ? undefined : new TimeZone(zone);
    this.#isDate = !/HH|hh|X|x/.test(billing.time.format);
    this.#readStamp = compileTimeFormat(billing.time.format);
    this.#quality = qualityWords(billing.quality);
    const { quote } = billing;
    const unitWords = new UnitWords(billing.treatAs);
    this.#units = new FieldMemo((word) => unitWords.of(word), quote);
    const code = () => new FieldMemo((word) => this.#flagsOf(word), quote);
    this.#codes = { code: code(), previousCode: code() };
    const date = () => new FieldMemo((text) => this.#instantOf(text), quote);
    this.#dates = { currentDate: date(), previousDate: date() };
    this.#noRead = new ValueMarks(billing.noRead);
    this.#zero = new ValueMarks(billing.zero);
    // A spreadsheet that wrote an exponent has lost digits.
    this.#decimal = new Decimal({ ...billing, exponents: false });
    this.#skip = billing.skipRows;
    this.#headerDone = !billing.header;
    if (!billing.header) this.#findColumns(undefined);
  }

  get counts(): RowCounts {
    return this.#gate;
  }

  push(chunk: Buffer, last: boolean): void {
    this.#rows.push(chunk, last);
    if (last && !this.#headerDone) throw new FileRejected("header", "The file ended before a header row.");
  }

  row(row: CsvRow): void {
    const { quote, trailerRows } = this.#options;
    if (this.#skip > 0) {
      this.#skip--;
      return;
    }
    if (!this.#headerDone) {
      this.#headerDone = true;
      this.#findColumns(Array.from({ length: row.count }, (_, i) => fieldText(row, i, quote)));
      return;
    }
    if (isBlank(row) || (trailerRows !== undefined && fieldText(row, 0, quote).trim() === trailerRows))
      return;
    if (this.#width < 0) this.#width = row.count;
    if (row.count >= this.#needed && !this.#isShifted(row) && !this.#filter.takes(row)) {
      this.#gate.leftOut++;
      return;
    }
    this.#gate.begin(row);
    const refusal = this.#read(row);
    if (refusal !== undefined) this.#reject(row, refusal);
    this.#gate.end();
  }

  fault(code: RowFault, line: number, offset: number, length: number): void {
    if (this.#skip > 0) {
      this.#skip--;
      return;
    }
    if (!this.#headerDone) throw uncutHeader(code, "source.billing.quote");
    this.#gate.begin({ line, offset, length });
    this.#gate.rejectRow(code, "row", null, 1);
    this.#gate.end();
  }

  #reject(row: CsvRow, { code, field, value }: Refusal): void {
    const told = value === null || field === "row" ? value : this.#shown(row, value);
    this.#gate.rejectRow(code, field, told, this.#valuesOf(row));
  }

  #shown(row: CsvRow, text: string): string {
    return row.count === this.#width ? text : shapeOf(text);
  }

  /** Values of a row: a previous read is one where it is there, and so is each month of layout pivot. */
  #valuesOf(row: CsvRow): number {
    if (this.#options.layout === "pivot") return this.#months.length;
    if (this.#columns.previous === undefined || !this.#options.takePrevious) return 1;
    return this.#noRead.isWord(this.#text(row, "previous")) ? 1 : 2;
  }

  /** @param header names of the columns; `undefined` where the file has none */
  #findColumns(header: readonly string[] | undefined): void {
    const found = new HeaderColumns(header);
    for (const [what, of] of Object.entries(this.#options.columns) as [Column, TimeColumnRef | undefined][]) {
      if (of === undefined) continue;
      const places = found.findTime(of, what);
      this.#columns[what] = places[0]!;
      if (places.length > 1) this.#spread[what] = places;
    }
    this.#filter = new RowFilter(this.#options.filters, found.find);
    if (header !== undefined) this.#width = header.length;
    const taken = new Set([
      ...Object.values(this.#columns),
      ...Object.values(this.#spread).flat(),
      ...this.#filter.columns,
    ]);
    if (this.#options.layout === "pivot") this.#months = this.#findMonths(header ?? [], taken);
    for (const { index } of this.#months) taken.add(index);
    this.#needed = 1 + Math.max(...taken);
    this.unknownColumns = unknownColumns(header ?? [], taken, found.foundByName);
    found.check("source.billing.columns");
  }

  /** The columns that are named after a month. @throws FileRejected where none is, or two are of the same */
  #findMonths(header: readonly string[], taken: ReadonlySet<number>): MonthColumn[] {
    const months: MonthColumn[] = [];
    for (const { index, name, stamp } of stampedColumns(header, taken, this.#readStamp)) {
      // An epoch has no day.
      if (Number.isNaN(stamp.day)) continue;
      const span = this.#monthOf(stamp.day);
      const before = months.find(({ start }) => start === span.start);
      if (before !== undefined)
        throw new FileRejected(
          "header",
          `Columns ${before.index + 1} and ${index + 1} are of the same month.`,
        );
      months.push({ index, name, ...span });
    }
    if (months.length === 0)
      throw new FileRejected(
        "header",
        `No column's name is a month of the format ${this.#options.time.format}. Mend source.billing.time.format.`,
      );
    return months;
  }

  /** Takes the row, or says why not. */
  #read(row: CsvRow): Refusal | undefined {
    if (row.count < this.#needed) return new Refusal("too-few-columns", "row", `${row.count} columns`);
    if (this.#isShifted(row)) return new Refusal("too-many-columns", "row", `${row.count} columns`);
    const meterId = canonicalMeter(this.#text(row, "meter"), this.#options.meterId);
    const channel = this.#text(row, "channel");
    const serial = this.#text(row, "serial");
    const wrong = wrongId(meterId, channel, serial);
    if (wrong !== undefined) return new Refusal(wrong.code, wrong.field, null);
    const unit = this.#unit(row);
    if (unit instanceof Refusal) return unit;
    if (this.#options.layout === "pivot") return this.#readMonths(row, meterId, channel, unit);
    return this.#columns.current === undefined
      ? this.#readBill(row, meterId, channel, unit)
      : this.#readRegister(row, meterId, channel, serial, unit);
  }

  #readBill(row: CsvRow, meterId: string, channel: string, unit: Unit): Refusal | undefined {
    const span = this.#spanOf(row);
    if (span instanceof Refusal) return span;
    const usage = this.#amount(row, "usage");
    if (usage instanceof Refusal) return usage;
    const series = this.#gate.series(meterId, channel, "", "bill");
    series.unit = unit;
    series.mlPerUnit = MILLILITRES[unit];
    const { start, end } = span;
    const { value, decimals } = usage;
    const code = this.#hand(series, start, end - start, {
      value,
      decimals,
      flags: this.#flags(row, "current"),
    });
    this.#tell(row, code, "usage", this.#columns.previousDate === undefined ? "days" : "previousDate");
    return undefined;
  }

  /** Each month of a row by itself: a wrong one takes no other away. */
  #readMonths(row: CsvRow, meterId: string, channel: string, unit: Unit): undefined {
    const series = this.#gate.series(meterId, channel, "", "bill");
    series.unit = unit;
    series.mlPerUnit = MILLILITRES[unit];
    const flags = this.#flags(row, "current");
    for (const { index, name, start, end } of this.#months) {
      const amount = this.#amountAt(row, index, name);
      if (amount instanceof Refusal) {
        this.#gate.rejectValue(amount.code, name, this.#shown(row, amount.value ?? ""));
        continue;
      }
      const isRead = (flags & NO_READ) === 0 && !Number.isNaN(amount.value);
      // Tables have columns for months that are not there yet.
      if (!isRead && this.#gate.timeFault(start) !== undefined) continue;
      const code = this.#hand(series, start, end - start, { ...amount, flags });
      if (code !== undefined)
        this.#gate.rejectValue(
          code,
          name,
          this.#shown(row, fieldText(row, index, this.#options.quote).trim()),
        );
    }
    return undefined;
  }

  /** The month of the calendar that has a local day in it (days from 1970-01-01), UTC seconds. */
  #monthOf(day: number): { readonly start: number; readonly end: number } {
    const date = new Date(day * DAY * 1000);
    const first = (of: number) => this.#beginningOf(Date.UTC(date.getUTCFullYear(), of, 1) / 1000 / DAY);
    return { start: first(date.getUTCMonth()), end: first(date.getUTCMonth() + 1) };
  }

  /** From when to when a bill is, UTC seconds. */
  #spanOf(row: CsvRow): { readonly start: number; readonly end: number } | Refusal {
    const { period, currentDateIncluded } = this.#options;
    const last = this.#instant(row, "currentDate");
    if (last instanceof Refusal) return last;
    const fault = this.#gate.timeFault(last);
    if (fault !== undefined) return this.#refuse(row, fault, "currentDate");
    const lastDay = this.#dayOf(last);
    if (period === "month") return this.#monthOf(lastDay);
    const end = currentDateIncluded ? this.#beginningOf(lastDay + 1) : last;
    if (this.#columns.previousDate === undefined) {
      const days = this.#amount(row, "days");
      if (days instanceof Refusal) return days;
      if (!(days.value >= 1)) return this.#refuse(row, "bad-number", "days");
      return { start: this.#beginningOf(this.#dayOf(end) - Math.round(days.value)), end };
    }
    const start = this.#instant(row, "previousDate");
    if (start instanceof Refusal) return start;
    if (start >= end) return this.#refuse(row, "previous-not-earlier", "previousDate");
    return this.#compareDays(row, start, last) ?? { start, end };
  }

  #readRegister(
    row: CsvRow,
    meterId: string,
    channel: string,
    serial: string,
    unit: Unit,
  ): Refusal | undefined {
    const { takePrevious, multiplier } = this.#options;
    const factor = this.#columns.multiplier === undefined ? 1 : this.#amount(row, "multiplier");
    if (factor instanceof Refusal) return factor;
    const constant = typeof factor === "number" ? factor : factor.value;
    if (!(constant > 0)) return this.#refuse(row, "bad-number", "multiplier");
    const current = this.#register(row, "current");
    if (current instanceof Refusal) return current;
    const previous = this.#previous(row);
    if (previous instanceof Refusal) return previous;
    const mlPerUnit = MILLILITRES[unit] * multiplier * constant;
    const disagreement = previous && this.#compare(row, previous, current, unit, mlPerUnit);
    if (disagreement !== undefined) return disagreement;
    const series = this.#gate.series(meterId, channel, serial, "register");
    series.unit = unit;
    series.mlPerUnit = mlPerUnit;
    if (takePrevious && previous !== undefined) this.#take(series, previous, row, "previous");
    this.#take(series, current, row, "current");
    return undefined;
  }

  /** It has more fields than the header. */
  #isShifted(row: CsvRow): boolean {
    return hasMore(row, this.#width);
  }

  #take(series: Series, read: RegisterRead, row: CsvRow, column: "current" | "previous"): void {
    this.#tell(row, this.#hand(series, read.time, 0, read), column, `${column}Date`);
  }

  /** Hands a value to the gate, which may say why not. */
  #hand(
    series: Series,
    time: number,
    length: number,
    { value, decimals, flags }: Omit<RegisterRead, "time">,
  ): RejectCode | undefined {
    if (decimals > series.decimals) series.decimals = decimals;
    series.last = time;
    const isRead = (flags & NO_READ) === 0;
    return this.#gate.read(series, time, length, isRead ? value : NaN, flags & ~NO_READ);
  }

  /** Tells why a value was not taken, if it was not. @param valueFrom, @param timeFrom columns that told it */
  #tell(row: CsvRow, code: RejectCode | undefined, valueFrom: Column, timeFrom: Column): void {
    if (code === undefined) return;
    const field = code === "time-in-future" || code === "time-too-early" ? timeFrom : valueFrom;
    this.#gate.rejectValue(code, field, this.#shown(row, this.#text(row, field)));
  }

  #unit(row: CsvRow): Unit | Refusal {
    if (this.#columns.unit === undefined) return this.#options.unit;
    const unit = this.#units.of(row, this.#columns.unit);
    return unit ?? new Refusal("unknown-unit", "unit", wordOrShape(this.#text(row, "unit")));
  }

  /** The previous read; `undefined` where the row has none. */
  #previous(row: CsvRow): RegisterRead | undefined | Refusal {
    if (this.#columns.previous === undefined) return undefined;
    if (this.#noRead.isWord(this.#text(row, "previous"))) return undefined;
    return this.#register(row, "previous");
  }

  #register(row: CsvRow, column: "current" | "previous"): RegisterRead | Refusal {
    const time = this.#instant(row, `${column}Date`);
    if (time instanceof Refusal) return time;
    const amount = this.#amount(row, column);
    if (amount instanceof Refusal) return amount;
    return { value: amount.value, decimals: amount.decimals, time, flags: this.#flags(row, column) };
  }

  #flags(row: CsvRow, column: "current" | "previous"): number {
    const { code, previousCode } = this.#columns;
    if (column === "current") return code === undefined ? this.#flagsOf("") : this.#codes.code.of(row, code);
    return previousCode === undefined ? Flag.estimated : this.#codes.previousCode.of(row, previousCode);
  }

  #flagsOf(word: string): number {
    return this.#quality.get(word.toUpperCase()) ?? 0;
  }

  /** What of the row does not agree with its two reads. */
  #compare(
    row: CsvRow,
    previous: RegisterRead,
    current: RegisterRead,
    unit: Unit,
    mlPerUnit: number,
  ): Refusal | undefined {
    const { digits, tolerance, usageUnit = unit } = this.#options;
    if (previous.time >= current.time) return this.#refuse(row, "previous-not-earlier", "previousDate");
    const mismatch = this.#compareDays(row, previous.time, current.time);
    if (mismatch !== undefined) return mismatch;
    if (!this.#comparesUsage || this.#columns.usage === undefined) return undefined;
    const usage = this.#amount(row, "usage");
    if (usage instanceof Refusal) return usage;
    const isRead = ((previous.flags | current.flags) & NO_READ) === 0;
    if (!isRead || Number.isNaN(current.value) || Number.isNaN(usage.value)) return undefined;
    let passed = current.value - previous.value;
    if (passed < 0 && digits > 0) passed += 10 ** digits;
    const mlPerUsage = MILLILITRES[usageUnit];
    const difference = Math.abs(passed * mlPerUnit - usage.value * mlPerUsage);
    // Decimal fractions and units leave less than half a millilitre, or the last digits of a large volume.
    const rounding = 0.5 + Math.abs(current.value * mlPerUnit) * 1e-12;
    return difference > tolerance * mlPerUsage + rounding
      ? this.#refuse(row, "usage-mismatch", "usage")
      : undefined;
  }

  /** The days of a row must be those from `start` to `end` (UTC seconds), or one more. */
  #compareDays(row: CsvRow, start: number, end: number): Refusal | undefined {
    if (!this.#comparesDays || this.#columns.days === undefined) return undefined;
    const days = this.#amount(row, "days");
    if (days instanceof Refusal) return days;
    const between = this.#dayOf(end) - this.#dayOf(start);
    return Number.isNaN(days.value) || days.value === between || days.value === between + 1
      ? undefined
      : this.#refuse(row, "days-mismatch", "days");
  }

  /** UTC seconds at which a local day begins (days from 1970-01-01). */
  #beginningOf(day: number): number {
    return this.#zone === undefined ? day * DAY : this.#zone.firstInstantFrom(day * DAY);
  }

  /** Local day of an instant. */
  #dayOf(time: number): number {
    return this.#zone === undefined ? Math.floor(time / DAY) : this.#zone.dayOf(time);
  }

  /** UTC seconds of a stamp. */
  #instant(row: CsvRow, column: DateColumn): number | Refusal {
    const index = this.#columns[column];
    const instant =
      index === undefined || this.#spread[column] !== undefined
        ? this.#instantOf(this.#text(row, column))
        : this.#dates[column].of(row, index);
    return typeof instant === "number" ? instant : this.#refuse(row, instant, column);
  }

  #instantOf(text: string): number | RejectCode {
    const stamp = this.#stamp;
    const bytes = Buffer.from(text, "utf8");
    if (!this.#readStamp(bytes, 0, bytes.length, stamp)) return this.#isDate ? "bad-date" : "bad-time";
    return firstInstant(stamp, this.#zone, this.#isDate) ?? "no-such-local-time";
  }

  #amount(row: CsvRow, column: Column): Amount | Refusal {
    const index = this.#columns[column];
    return index === undefined ? NO_AMOUNT : this.#amountAt(row, index, column);
  }

  #amountAt(row: CsvRow, index: number, field: string): Amount | Refusal {
    const value = this.#decimal.read(row.bytes, row.start[index]!, row.end[index]!);
    if (!Number.isNaN(value)) {
      if (this.#noRead.isNumber(value)) return NO_AMOUNT;
      return this.#zero.isNumber(value) ? ZERO : { value, decimals: this.#decimal.decimals };
    }
    const text = fieldText(row, index, this.#options.quote).trim();
    if (this.#noRead.isWord(text)) return NO_AMOUNT;
    return this.#zero.isWord(text) ? ZERO : new Refusal("bad-number", field, text);
  }

  #refuse(row: CsvRow, code: RejectCode, column: Column): Refusal {
    return new Refusal(code, column, this.#text(row, column));
  }

  #text(row: CsvRow, column: Column): string {
    const { quote } = this.#options;
    const places = this.#spread[column];
    if (places !== undefined) return wordsOf(row, places, quote);
    const index = this.#columns[column];
    return index === undefined ? "" : fieldText(row, index, quote).trim();
  }
}

function qualityWords({
  estimated,
  adjusted,
  suspect,
  noRead,
}: BillingOptions["quality"]): Map<string, number> {
  const flags = new Map<string, number>();
  for (const word of estimated) flags.set(word.toUpperCase(), Flag.estimated);
  for (const word of adjusted) flags.set(word.toUpperCase(), Flag.adjusted);
  for (const word of suspect) flags.set(word.toUpperCase(), Flag.suspect);
  for (const word of noRead) flags.set(word.toUpperCase(), NO_READ);
  return flags;
}
