import { canonicalMeter } from "../../schemas/canonical.js";
import { limitOf, type ChecksConfig } from "../../schemas/checks.js";
import { Flag } from "../../schemas/flags.js";
import type { CsvProfile } from "../../schemas/profile.js";
import { MILLILITRES, type Unit } from "../../schemas/units.js";
import type { RejectCode } from "../check/rejects.js";
import { columnsOf, NO_COLUMNS, type MeterColumn } from "./csv-columns.js";
import { hasMore, isBlank, isEmpty } from "./csv-fields.js";
import { fieldText, MAX_ROW_BYTES, wordsOf, type CsvRow, type RowFault, type RowSink } from "./csv-rows.js";
import { FileRejected, MOST_FRUITLESS_ROWS, type ReadSink, type Series } from "./format.js";
import { Decimal } from "./decimal.js";
import { uncutHeader } from "./header-columns.js";
import { LocalTimes, stamped } from "./local-times.js";
import { MeterFrom } from "./meter-from.js";
import { ValueMarks } from "./value-marks.js";
import { PlainRow, Role } from "./plain-row.js";
import { RowClock } from "./row-clock.js";
import { EARLIEST, MOST_ML, shapeOf, timeFault, wrongId } from "./read-gate.js";
import { compileTimeFormat, splitClock, type Stamp, type StampReader } from "./time-format.js";
import { UnitWords } from "./unit-words.js";
import { WideDays } from "./wide-days.js";

export interface ReadsCsvOptions {
  readonly profile: CsvProfile;
  /** Of the file, without its folder; of an archive that of its member. */
  readonly fileName: string;
  readonly timeZone: string;
  /** The utility's switches. */
  readonly checks?: ChecksConfig;
  /** UTC seconds: later reads than a day from here are rejected. */
  readonly now: number;
}

const DAY = 86_400;
const HOUR = 3_600;
/** Plain rows leave the edge of what a volume may be to a closer look. */
const MOST_PLAIN_ML = 2 ** 52;

/**
 * Reads rows of a meter-read CSV as its profile says. One per file.
 *
 * Every row of reads (not the header, nor skipped, blank and trailer rows) counts once: in `rows`, `rejected` or `leftOut`.
 * Every value of the first two counts once: as a read or a no-read of the sink, or in `valuesRejected`. A row has one value
 * for each value column of the profile; in layout wide one for each interval that its local day has, in layout matrix one
 * for each meter, in layout pivot one for each time.
 */
export class ReadsCsv implements RowSink {
  /** Rows of which every value was taken. */
  rows = 0;
  /** Rows of which at least one value was not. */
  rejected = 0;
  valuesRejected = 0;
  /** Rows that the profile's filters don't take. */
  leftOut = 0;
  /** Columns of the header that the profile does not speak of. */
  unknownColumns: readonly string[] = [];
  readonly #profile: CsvProfile;
  readonly #sink: ReadSink;
  readonly #refusesMissingHour: boolean;
  readonly #now: number;
  readonly #times: LocalTimes;
  readonly #clock: RowClock;
  readonly #readStamp: StampReader;
  readonly #readDate: StampReader;
  readonly #readClock: StampReader;
  readonly #flags: ReadonlyMap<string, number>;
  readonly #decimal: Decimal;
  readonly #noRead: ValueMarks;
  readonly #units: UnitWords;
  readonly #stamp: Stamp = { day: 0, second: 0, offset: 0, epoch: 0 };
  readonly #meterFrom: MeterFrom | undefined;
  #headerDone: boolean;
  #skip: number;
  #at = NO_COLUMNS;
  /** Fields of a whole row: a row with another number has its fields in other places than their names say. */
  #width = -1;
  /** Something of the row in hand was rejected. */
  #refused = false;
  #fruitful = false;

  /** The series of the row before, by the bytes that name it. */
  #lastIdentity = Buffer.alloc(256);
  #lastIdentityLength = -1;
  #lastSeries: Series[] = [];
  readonly #seriesByIdentity = new Map<string, Series[]>();
  /** Reader of plain rows, where the profile allows for it. */
  #plainRow: PlainRow | undefined;
  /** The row before, and by each series the one that came after it: the same meters come in the same order. */
  #lastNamed: Named | undefined;
  readonly #named = new Map<Series[], Named>();
  #lastQuality = Buffer.alloc(0);
  #lastQualityFlags = 0;
  readonly #days: WideDays;

  constructor({ profile, fileName, timeZone, checks = {}, now }: ReadsCsvOptions, sink: ReadSink) {
    this.#profile = profile;
    const { meterFrom, quote } = profile;
    if (meterFrom !== undefined) this.#meterFrom = new MeterFrom(meterFrom, fileName, quote);
    this.#sink = sink;
    this.#refusesMissingHour = limitOf(checks, "missing-hour-used") !== undefined;
    this.#now = now;
    this.#times = new LocalTimes(profile.time.zone, timeZone);
    this.#clock = new RowClock(profile.time, this.#times);
    const [date, clock] = splitClock(profile.time.format);
    this.#days = new WideDays({
      intervals: profile.intervalsPerDay,
      order:
        profile.time.wide === "elapsed"
          ? "elapsed"
          : profile.columns.repeated === undefined
            ? "clock"
            : "repeated",
      merge: profile.wideValues === "usage",
      zone: this.#times.zone,
    });
    const lastHour = profile.time.hours === "elapsed" ? 25 : 24;
    this.#readDate = compileTimeFormat(date);
    this.#readStamp =
      profile.columns.clock === undefined ? compileTimeFormat(profile.time.format, lastHour) : this.#readDate;
    this.#readClock = compileTimeFormat(clock, lastHour);
    const flags = new Map<string, number>();
    const { estimated, adjusted, suspect, noRead } = profile.quality;
    for (const word of estimated) flags.set(word.toUpperCase(), Flag.estimated);
    for (const word of adjusted) flags.set(word.toUpperCase(), Flag.adjusted);
    for (const word of suspect) flags.set(word.toUpperCase(), Flag.suspect);
    for (const word of noRead) flags.set(word.toUpperCase(), NO_READ);
    this.#flags = flags;
    this.#decimal = new Decimal(profile);
    this.#noRead = new ValueMarks(profile.noRead);
    this.#units = new UnitWords(profile.treatAs);
    this.#skip = profile.skipRows;
    this.#headerDone = !profile.header;
    if (!profile.header) this.#columns([]);
  }

  /** @throws FileRejected where the header lacks a column of the profile */
  row(row: CsvRow): void {
    if (this.#skip > 0) {
      this.#skip--;
      this.#meterFrom?.skipped(row);
      return;
    }
    if (!this.#headerDone) {
      this.#headerDone = true;
      this.#columns(Array.from({ length: row.count }, (_, i) => fieldText(row, i, this.#profile.quote)));
      return;
    }
    if (this.#profile.trailerRows !== undefined && fieldText(row, 0).trim() === this.#profile.trailerRows)
      return;
    if (this.#width < 0) {
      this.#width = row.count;
      this.#planPlainRows();
    }
    this.#refused = false;
    if (row.count < this.#at.needed) {
      if (isBlank(row)) return;
      this.#rejectRow(row, "too-few-columns", "row", `${row.count} columns`);
    } else if (this.#at.filter?.takes(row) === false) {
      if (!isBlank(row)) this.leftOut++;
      return;
    } else if (this.#at.meters.length > 0) {
      if (isBlank(row)) return;
      this.#matrixRow(row, this.#at.meters);
    } else {
      const series = this.#seriesOf(row);
      if (series === undefined) {
        if (isBlank(row)) return;
      } else if (this.#profile.layout === "wide") this.#wideRow(row, series);
      else if (this.#profile.layout === "pivot") this.#pivotRow(row, series[0]!);
      else this.#longRow(row, series);
    }
    this.#countRow(row.line);
  }

  plain(bytes: Buffer, from: number, line: number): number {
    const plain = this.#plainRow;
    if (plain === undefined) return -1;
    const named = this.#lastNamed;
    const end = plain.read(bytes, from, named === undefined ? NO_NAME : named.name);
    if (end < 0 || end - from > MAX_ROW_BYTES) return -1;
    const series = this.#namedBy(bytes, plain.identityFrom, plain.identityTo);
    if (series === undefined) return -1;
    const { qualityFrom, qualityTo } = plain;
    const flags = qualityFrom === qualityTo ? 0 : this.#flagsAt(bytes, qualityFrom, qualityTo);
    if ((flags & NO_READ) !== 0) return -1;
    const taken =
      this.#profile.layout === "wide"
        ? this.#plainDay(plain, series[0]!, flags, line)
        : this.#plainReads(plain, series, flags, line);
    if (!taken) return -1;
    this.rows++;
    this.#fruitful = true;
    return end;
  }

  /** Makes ready for plain rows, if the profile has nothing that they can't have. */
  #planPlainRows(): void {
    const { columns, layout, delimiter, quote, decimal, time, trailerRows, noRead } = this.#profile;
    const unusual =
      layout === "matrix" ||
      layout === "pivot" ||
      columns.meter === undefined ||
      columns.clock !== undefined ||
      this.#at.time.length > 1 ||
      columns.channel !== undefined ||
      columns.serial !== undefined ||
      columns.unit !== undefined ||
      columns.registerUnit !== undefined ||
      columns.multiplier !== undefined ||
      columns.repeated !== undefined ||
      time.wide !== "clock" ||
      time.hours !== "clock" ||
      trailerRows !== undefined ||
      time.snap > 0 ||
      (layout === "long" && time.interval > HOUR && this.#at.values.some(({ kind }) => kind === "usage")) ||
      decimal === delimiter ||
      !noRead.includes("");
    if (unusual || this.#width < 0) return;
    const roles = new Array<Role>(this.#width).fill(Role.other);
    const take = (index: number, role: Role) => {
      if (index < 0) return;
      if (roles[index] !== Role.other) roles.length = 0;
      else roles[index] = role;
    };
    take(this.#at.meter, Role.identity);
    for (const index of this.#at.time) take(index, Role.time);
    take(this.#at.quality, Role.quality);
    const filters = this.#at.filter?.columns ?? [];
    for (const index of filters) take(index, Role.filter);
    if (layout === "wide") for (const index of this.#at.intervals) take(index, Role.value);
    else for (const { index } of this.#at.values) take(index, Role.value);
    const rises = (places: readonly number[]) => places.every((at, i) => i === 0 || at > places[i - 1]!);
    const inOrder = rises(this.#at.values.map(({ index }) => index)) && rises(filters);
    if (roles.length !== this.#width || !inOrder) return;
    const timeFormat = layout === "wide" ? splitClock(time.format)[0] : time.format;
    const plain = new PlainRow({ delimiter, quote, decimal, timeFormat, roles });
    if (plain.isFit) this.#plainRow = plain;
  }

  /** The series that the bytes name: that of the row before, or the one that came after it before. */
  #namedBy(bytes: Buffer, from: number, to: number): Series[] | undefined {
    const last = this.#lastNamed;
    if (last === undefined) return undefined;
    if (isNamed(last, bytes, from, to)) return last.series;
    const { next } = last;
    if (next !== undefined && isNamed(next, bytes, from, to)) {
      this.#lastNamed = next;
      return next.series;
    }
    return undefined;
  }

  #flagsAt(bytes: Buffer, from: number, to: number): number {
    const last = this.#lastQuality;
    let same = last.length === to - from;
    for (let i = 0; same && i < last.length; i++) same = bytes[from + i] === last[i];
    if (!same) {
      this.#lastQuality = Buffer.from(bytes.subarray(from, to));
      this.#lastQualityFlags = this.#flags.get(bytes.toString("utf8", from, to).trim().toUpperCase()) ?? 0;
    }
    return this.#lastQualityFlags;
  }

  /** The values of a plain row; false, with nothing taken, where one of them must be looked at. */
  #plainReads({ stamp, values, decimals }: PlainRow, series: Series[], flags: number, line: number): boolean {
    const offset = this.#times.steadyOffsetOf(stamp.day);
    if (offset === undefined) return false;
    const instant = stamp.day * DAY + stamp.second - offset;
    const { interval, stamp: edge } = this.#profile.time;
    const latest = this.#now + DAY;
    if (instant > latest || instant - interval < EARLIEST) return false;
    for (let v = 0; v < values.length; v++)
      if (!this.#isPlainValue(values[v]!, this.#at.values[v]!)) return false;
    for (let v = 0; v < values.length; v++) {
      const one = series[v]!;
      const usage = one.kind === "usage";
      const at = usage && edge === "end" ? instant - interval : instant;
      this.#emitPlain(
        one,
        at,
        usage ? interval : 0,
        values[v]!,
        decimals[v]!,
        this.#at.values[v]!.unit,
        flags,
        line,
      );
    }
    stamped(series[0]!, instant);
    return true;
  }

  /** The same for a day of layout wide. */
  #plainDay({ stamp, values, decimals }: PlainRow, series: Series, flags: number, line: number): boolean {
    const day = this.#days.of(stamp.day);
    if (day.slots.length !== values.length) return false;
    const { wideValues: kind, unit, registerUnit = unit, time } = this.#profile;
    const column = { kind, unit: kind === "register" ? registerUnit : unit };
    const ends = kind === "register" && time.stamp === "end";
    const { slots, even } = day;
    const { start: first } = slots[0]!;
    const { start: last, length: lastLength } = slots[slots.length - 1]!;
    if (first < EARLIEST || last + (ends ? lastLength : 0) > this.#now + DAY) return false;
    let missing = false;
    for (let i = 0; i < values.length; i++) {
      if (slots[i]!.length === 0 || !this.#isPlainValue(values[i]!, column)) return false;
      if (Number.isNaN(values[i]!)) missing = true;
    }
    if (even > 0 && !missing && this.#sink.readAll !== undefined) {
      const ml = this.#takeUnit(series, column.unit, values, decimals);
      const from = ends ? first + even : first;
      const length = kind === "usage" ? even : 0;
      this.#sink.readAll(series, from, even, length, ml, values, values.length, flags, line);
      return true;
    }
    for (let i = 0; i < values.length; i++) {
      const { start, length } = slots[i]!;
      const at = ends ? start + length : start;
      const span = kind === "usage" ? length : 0;
      this.#emitPlain(series, at, span, values[i]!, decimals[i]!, column.unit, flags, line);
    }
    return true;
  }

  #dayMl = new Float64Array(0);

  /** The values of a whole day in millilitres; each is a number. */
  #takeUnit(series: Series, unit: Unit, values: Float64Array, decimals: Uint8Array): Float64Array {
    if (this.#dayMl.length !== values.length) this.#dayMl = new Float64Array(values.length);
    const ml = this.#dayMl;
    const mlPerUnit = MILLILITRES[unit] * this.#profile.multiplier;
    series.unit = unit;
    series.mlPerUnit = mlPerUnit;
    for (let i = 0; i < values.length; i++) {
      if (decimals[i]! > series.decimals) series.decimals = decimals[i]!;
      // Added to zero, what was written as -0 is 0.
      values[i]! += 0;
      ml[i] = Math.round(values[i]! * mlPerUnit) + 0;
    }
    return ml;
  }

  #isPlainValue(number: number, { kind, unit }: { readonly kind: string; readonly unit: Unit }): boolean {
    if (Number.isNaN(number)) return true;
    if (this.#noRead.isNumber(number)) return false;
    const ml = number * MILLILITRES[unit] * this.#profile.multiplier;
    return ml < MOST_PLAIN_ML && (ml >= 0 || (kind === "register" && ml > -MOST_PLAIN_ML));
  }

  #emitPlain(
    series: Series,
    at: number,
    length: number,
    number: number,
    decimals: number,
    unit: Unit,
    flags: number,
    line: number,
  ): void {
    if (Number.isNaN(number)) {
      this.#sink.read(series, at, length, null, null, flags, line);
      return;
    }
    if (decimals > series.decimals) series.decimals = decimals;
    const mlPerUnit = MILLILITRES[unit] * this.#profile.multiplier;
    series.unit = unit;
    series.mlPerUnit = mlPerUnit;
    const ml = Math.round(number * mlPerUnit);
    this.#sink.read(series, at, length, ml === 0 ? 0 : ml, number === 0 ? 0 : number, flags, line);
  }

  fault(fault: RowFault, line: number, offset: number, length: number): void {
    if (this.#skip > 0) {
      this.#skip--;
      return;
    }
    if (!this.#headerDone) {
      throw uncutHeader(fault, "the profile's quote");
    }
    this.#sink.reject({ line, offset, length, code: fault, field: "row", value: null });
    this.#refused = true;
    this.valuesRejected += this.#at.valuesPerRow;
    this.#countRow(line);
  }

  #countRow(line: number): void {
    if (!this.#refused) {
      this.rows++;
      return;
    }
    this.rejected++;
    if (this.rejected === MOST_FRUITLESS_ROWS && !this.#fruitful) {
      throw new FileRejected(
        "rows",
        `Not one of the rows up to line ${line} could be taken: the file is not of its profile. ` +
          `"curbstop rejects" lists the reasons. Mend the profile.`,
      );
    }
  }

  /** A file without a row is whole and says nothing; one that ends before its header is not of the profile. */
  end(): void {
    if (!this.#headerDone) throw new FileRejected("header", "The file ended before a header row.");
  }

  #columns(header: readonly string[]): void {
    if (this.#profile.header) this.#width = header.length;
    const reading = { clock: this.#clock, read: this.#readStamp, now: this.#now };
    this.#at = columnsOf(this.#profile, header, this.#sink, reading);
    this.unknownColumns = this.#at.unknown;
    this.#planPlainRows();
  }

  /** The row's series, in the order of the profile's values; undefined where the row is blank or was rejected. */
  #seriesOf(row: CsvRow): Series[] | undefined {
    const { bytes, start, end } = row;
    let length = 0;
    let identity = this.#lastIdentity;
    const wanted = this.#at.serial < 0 && this.#at.channel < 0 ? 1 : 3;
    let same = this.#lastIdentityLength >= 0;
    for (let part = 0; part < wanted; part++) {
      const index = part === 0 ? this.#at.meter : part === 1 ? this.#at.channel : this.#at.serial;
      if (index >= 0) {
        const until = end[index]!;
        if (length + until - start[index]! >= identity.length) {
          identity = Buffer.concat([identity], 2 * (length + until - start[index]!));
          this.#lastIdentity = identity;
        }
        for (let i = start[index]!; i < until; i++, length++) {
          if (same && identity[length] === bytes[i]) continue;
          same = false;
          identity[length] = bytes[i]!;
        }
      }
      if (wanted > 1) {
        if (identity[length] !== 0) same = false;
        identity[length++] = 0;
      }
    }
    if (same && length === this.#lastIdentityLength) {
      if (this.#plainRow !== undefined) this.#follow(row, this.#lastSeries);
      return this.#lastSeries;
    }
    this.#lastIdentityLength = -1;
    const name = identity.toString("latin1", 0, length);
    let series = this.#seriesByIdentity.get(name);
    if (series === undefined) {
      const told = this.#meterFrom?.id() ?? this.#text(row, this.#at.meter);
      const meterId = canonicalMeter(told, this.#profile.meterId);
      const channel = this.#text(row, this.#at.channel);
      const serial = this.#text(row, this.#at.serial);
      const wrong = wrongId(meterId, channel, serial);
      if (wrong !== undefined) {
        if (wrong.code !== "missing-meter" || !isBlank(row))
          this.#rejectRow(row, wrong.code, wrong.field, null);
        return undefined;
      }
      const kinds =
        this.#profile.layout === "long"
          ? this.#at.values.map(({ kind }) => kind)
          : [this.#profile.wideValues];
      series = kinds.map((kind) => this.#sink.series(meterId, channel, serial, kind));
      this.#seriesByIdentity.set(name, series);
    }
    this.#lastIdentityLength = length;
    this.#lastSeries = series;
    if (this.#plainRow !== undefined) this.#follow(row, series);
    return series;
  }

  /** Keeps in mind how the row names its series, and that this one comes after the one before. */
  #follow({ bytes, start, end }: CsvRow, series: Series[]): void {
    const { taken } = this.#plainRow!;
    for (const [i, column] of (this.#at.filter?.columns ?? []).entries())
      taken[i] = Buffer.from(bytes.subarray(start[column], end[column]));
    let named = this.#named.get(series);
    if (named === undefined) {
      const name = Buffer.from(bytes.subarray(start[this.#at.meter], end[this.#at.meter]));
      named = { name, series, next: undefined };
      this.#named.set(series, named);
    }
    if (this.#lastNamed !== undefined && this.#lastNamed !== named) this.#lastNamed.next = named;
    this.#lastNamed = named;
  }

  #longRow(row: CsvRow, series: Series[]): void {
    const first = series[0]!;
    const instant = this.#instant(row, first);
    if (instant === undefined) return;
    const flags = this.#flagsOf(row);
    for (let v = 0; v < this.#at.values.length; v++) {
      const value = this.#at.values[v]!;
      const one = series[v]!;
      const span = this.#clock.spanOf(instant, value.kind);
      if (span === undefined) this.#rejectValue(row, "not-on-grid", "time", this.#timeText(row));
      else if (this.#value(row, value.index, value, one, flags))
        this.#emit(row, one, span.at, span.length, flags);
    }
    stamped(first, instant);
  }

  /** A read of each meter, all of one time. */
  #matrixRow(row: CsvRow, meters: readonly MeterColumn[]): void {
    // A comma too many would give each meter the water of its neighbour.
    if (hasMore(row, this.#width))
      return this.#rejectRow(row, "too-many-columns", "row", `${row.count} columns`);
    const first = meters[0]!;
    const instant = this.#instant(row, first.series);
    if (instant === undefined) return;
    const span = this.#clock.spanOf(instant, first.kind);
    if (span === undefined) return this.#rejectRow(row, "not-on-grid", "time", this.#timeText(row));
    const { at, length } = span;
    const fault = timeFault(at, this.#now);
    if (fault !== undefined) return this.#rejectRow(row, fault, "time", this.#timeText(row));
    const flags = this.#flagsOf(row);
    for (const meter of meters)
      if (this.#value(row, meter.index, meter, meter.series, flags))
        this.#emit(row, meter.series, at, length, flags);
    stamped(first.series, instant);
  }

  /** A meter's reads, each of its column's time. */
  #pivotRow(row: CsvRow, series: Series): void {
    // A comma too many would give each time the water of the one before.
    if (hasMore(row, this.#width))
      return this.#rejectRow(row, "too-many-columns", "row", `${row.count} columns`);
    const flags = this.#flagsOf(row);
    for (const column of this.#at.times) {
      if (!this.#value(row, column.index, column, series, flags)) continue;
      const { fault, kind, name } = column;
      if (fault === undefined) this.#emit(row, series, column.at, column.length, flags);
      // Tables have columns for times that are not there, or not there yet.
      else if (this.#ml !== null && (fault !== "no-such-local-time" || kind === "register" || this.#ml !== 0))
        this.#rejectValue(row, fault, "time", name);
    }
  }

  /** The value read last: millilitres and as delivered, null for no read. */
  #ml: number | null = null;
  #delivered: number | null = null;

  /** Reads a value into `#ml` and `#delivered`; false where it was rejected. */
  #value(
    row: CsvRow,
    index: number,
    column: { name: string; kind: string; unitIndex: number; unit: Unit },
    series: Series,
    flags: number,
  ): boolean {
    const { bytes, start, end } = row;
    if ((flags & NO_READ) !== 0) {
      this.#ml = this.#delivered = null;
      return true;
    }
    const number = this.#decimal.read(bytes, start[index]!, end[index]!);
    const text = Number.isNaN(number) ? this.#text(row, index) : undefined;
    if (text === undefined ? this.#noRead.isNumber(number) : this.#noRead.isWord(text)) {
      this.#ml = this.#delivered = null;
      return true;
    }
    if (text !== undefined) {
      this.#rejectValue(row, "bad-number", column.name, text);
      return false;
    }
    if (this.#decimal.decimals > series.decimals) series.decimals = this.#decimal.decimals;
    let { unit } = column;
    if (column.unitIndex >= 0) {
      const word = this.#text(row, column.unitIndex);
      if (word !== this.#unitWord) {
        this.#unitWord = word;
        this.#wordUnit = this.#units.of(word);
      }
      if (this.#wordUnit === undefined) {
        this.#rejectValue(row, "unknown-unit", "unit", word);
        return false;
      }
      unit = this.#wordUnit;
    }
    const constant = this.#constantOf(row);
    if (constant === undefined) return false;
    const mlPerUnit = MILLILITRES[unit] * this.#profile.multiplier * constant;
    series.unit = unit;
    series.mlPerUnit = mlPerUnit;
    const ml = Math.round(number * mlPerUnit);
    if (Math.abs(ml) >= MOST_ML) {
      this.#rejectValue(row, "out-of-range", column.name, this.#text(row, index));
      return false;
    }
    if (ml < 0 && column.kind === "usage") {
      this.#rejectValue(row, "negative-usage", column.name, this.#text(row, index));
      return false;
    }
    this.#ml = ml === 0 ? 0 : ml;
    this.#delivered = number === 0 ? 0 : number;
    return true;
  }

  /** The row's meter constant; undefined where its value was rejected for it. */
  #constantOf(row: CsvRow): number | undefined {
    const index = this.#at.multiplier;
    if (index < 0 || isEmpty(row, index)) return 1;
    const constant = this.#decimal.read(row.bytes, row.start[index]!, row.end[index]!);
    if (constant > 0) return constant;
    this.#rejectValue(row, "bad-number", "multiplier", this.#text(row, index));
    return undefined;
  }

  #unitWord: string | undefined;
  #wordUnit: Unit | undefined;

  #emit(row: CsvRow, series: Series, at: number, length: number, flags: number): void {
    const fault = timeFault(at, this.#now);
    if (fault !== undefined) {
      this.#rejectValue(row, fault, "time", this.#timeText(row));
      return;
    }
    if (!this.#fruitful) this.#fruitful = true;
    this.#sink.read(series, at, length, this.#ml, this.#delivered, flags & ~NO_READ, row.line);
  }

  #flagsOf({ bytes, start, end, count }: CsvRow): number {
    const index = this.#at.quality;
    if (index < 0 || index >= count || start[index] === end[index]) return 0;
    return this.#flags.get(bytes.toString("utf8", start[index], end[index]).trim().toUpperCase()) ?? 0;
  }

  /** UTC seconds of the row's stamp; undefined where the row was rejected. */
  #instant(row: CsvRow, series: Series): number | undefined {
    const stamp = this.#stamp;
    const { bytes } = row;
    if (!this.#readTime(row, this.#readStamp)) {
      this.#rejectRow(row, "bad-time", "time", this.#timeText(row));
      return undefined;
    }
    if (this.#at.clock >= 0) {
      const { day } = stamp;
      if (!this.#readClock(bytes, trimStart(row, this.#at.clock), trimEnd(row, this.#at.clock), stamp)) {
        this.#rejectRow(row, "bad-time", "clock", this.#text(row, this.#at.clock));
        return undefined;
      }
      stamp.day = day;
    }
    const instant = this.#clock.instantOf(stamp, series);
    if (instant === undefined) this.#rejectRow(row, "no-such-local-time", "time", this.#timeText(row));
    return instant;
  }

  #wideRow(row: CsvRow, [series]: Series[]): void {
    const stamp = this.#stamp;
    const isDate = this.#readTime(row, this.#readDate) || this.#readTime(row, this.#readStamp);
    if (!isDate || Number.isNaN(stamp.day) || stamp.second !== 0) {
      this.#rejectRow(row, "bad-date", "time", this.#timeText(row));
      return;
    }
    const { wideValues: kind, unit, registerUnit = unit, time } = this.#profile;
    const day = this.#days.of(stamp.day);
    const flags = this.#flagsOf(row);
    const column = {
      name: "",
      kind,
      unitIndex: this.#at.wideUnit,
      unit: kind === "register" ? registerUnit : unit,
    };
    const places = this.#at.intervals;
    let i = 0;
    for (const { start, length, parts } of day.slots) {
      column.name = NAMES[i]!;
      let taken = this.#value(row, places[i++]!, column, series!, flags);
      if (parts > 1) {
        // Several columns of the repeated hour are one interval, if every one of them has a value.
        for (const until = i + parts - 1; i < until; i++) {
          const ml = this.#ml;
          const delivered = this.#delivered;
          column.name = NAMES[i]!;
          if (!taken) continue;
          taken = this.#value(row, places[i]!, column, series!, flags);
          this.#ml = ml === null || this.#ml === null ? null : ml + this.#ml;
          this.#delivered = this.#ml === null ? null : delivered! + this.#delivered!;
        }
      }
      if (!taken) continue;
      if (length > 0) {
        if (kind === "usage") this.#emit(row, series!, start, length, flags);
        else this.#emit(row, series!, time.stamp === "end" ? start + length : start, 0, flags);
      } else if (this.#refusesMissingHour && this.#ml !== null && (kind === "register" || this.#ml !== 0)) {
        this.#rejectValue(row, "missing-hour-used", column.name, this.#text(row, places[i - 1]!));
      }
    }
  }

  /** Reads the row's stamp, or its date, into `#stamp`. */
  #readTime(row: CsvRow, read: StampReader): boolean {
    const places = this.#at.time;
    if (places.length === 1) {
      const index = places[0]!;
      return read(row.bytes, trimStart(row, index), trimEnd(row, index), this.#stamp);
    }
    const words = Buffer.from(this.#timeText(row));
    return read(words, 0, words.length, this.#stamp);
  }

  #timeText(row: CsvRow): string {
    return wordsOf(row, this.#at.time, this.#profile.quote);
  }

  #text(row: CsvRow, index: number): string {
    return index < 0 ? "" : fieldText(row, index, this.#profile.quote).trim();
  }

  #rejectRow(row: CsvRow, code: RejectCode, field: string, value: string | null): void {
    this.valuesRejected += this.#at.valuesPerRow - 1;
    this.#rejectValue(row, code, field, value);
  }

  #rejectValue(row: CsvRow, code: RejectCode, field: string, value: string | null): void {
    const { line, offset, length, count } = row;
    this.#refused = true;
    this.valuesRejected++;
    const told = value === null || count === this.#width || field === "row";
    const shown = told ? value : shapeOf(value);
    this.#sink.reject({ line, offset, length, code, field, value: shown?.slice(0, 80) ?? null });
  }
}

const NO_NAME = new Uint8Array(0);

/** A series, the bytes that name it in the file, and the one whose row came after one of its own last. */
interface Named {
  readonly name: Buffer;
  readonly series: Series[];
  next: Named | undefined;
}

function isNamed({ name }: Named, bytes: Buffer, from: number, to: number): boolean {
  if (to - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
  return true;
}

/** What rejects call the columns of layout wide. */
const NAMES = Array.from({ length: 100 }, (_, i) => `interval ${i + 1}`);

/** Beside the bits of `Flag`: the quality column says that there is no read. */
const NO_READ = 1 << 30;

function trimStart({ bytes, start, end }: CsvRow, i: number): number {
  let at = start[i]!;
  while (at < end[i]! && bytes[at] === 32) at++;
  return at;
}

function trimEnd({ bytes, start, end }: CsvRow, i: number): number {
  let at = end[i]!;
  while (at > start[i]! && bytes[at - 1] === 32) at--;
  return at;
}
