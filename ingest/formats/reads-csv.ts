import { TimeZone } from "../../infra/time-zone.js";
import { Flag } from "../../schemas/flags.js";
import type { ColumnRef, CsvProfile } from "../../schemas/profile.js";
import { MILLILITRES, unitOf, type Unit } from "../../schemas/units.js";
import type { Reject, RejectCode } from "../check/rejects.js";
import { fieldText, type CsvRow } from "./csv-rows.js";
import { compileTimeFormat, type Stamp } from "./time-format.js";

/** Reads of one register of one meter in the file, being gathered. */
export interface Series {
  readonly meterId: string;
  readonly channel: string;
  readonly serial: string;
  readonly kind: "register" | "usage";
  unit: Unit;
  mlPerUnit: number;
  /** Most decimals seen, for the resolution where the profile gives none. */
  decimals: number;
  /** Time of the latest read, and whether times fall along the file: they tell the repeated hour apart. */
  last: number;
  descending: boolean;
}

/** Takes what a file's rows say, in the order of the file. */
export interface ReadSink {
  series(meterId: string, channel: string, serial: string, kind: "register" | "usage"): Series;
  /**
   * One read. Time in UTC seconds (of a usage: its beginning), length in seconds (0 for registers), `ml` null for no
   * read.
   */
  read(
    series: Series,
    time: number,
    length: number,
    ml: number | null,
    delivered: number | null,
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

export interface ReadsCsvOptions {
  readonly profile: CsvProfile;
  readonly timeZone: string;
  /** UTC seconds: later reads than a day from here are rejected. */
  readonly now: number;
}

const DAY = 86_400;
const MOST_ML = 2 ** 53;

interface ValueColumn {
  readonly index: number;
  readonly kind: "register" | "usage";
  readonly name: string;
  readonly unitIndex: number;
  readonly unit: Unit;
}

/** Reads rows of a meter-read CSV as its profile says. One per file. */
export class ReadsCsv {
  /** Rows that held at least one read or said that there was none. */
  rows = 0;
  readonly #profile: CsvProfile;
  readonly #sink: ReadSink;
  readonly #now: number;
  readonly #zone: TimeZone | undefined;
  readonly #readStamp: ReturnType<typeof compileTimeFormat>;
  readonly #readClock: ReturnType<typeof compileTimeFormat>;
  readonly #flags: ReadonlyMap<string, number>;
  readonly #noReadWords: ReadonlySet<string>;
  readonly #stamp: Stamp = { day: 0, second: 0, offset: 0, epoch: 0 };
  #headerDone: boolean;
  #skip: number;
  #meter = -1;
  #serial = -1;
  #channel = -1;
  #time = -1;
  #clock = -1;
  #quality = -1;
  #first = -1;
  #values: ValueColumn[] = [];
  #needed = 0;

  /** The series of the row before, by the bytes that name it. */
  #lastIdentity = Buffer.alloc(256);
  #lastIdentityLength = -1;
  #lastSeries: Series[] = [];
  readonly #seriesByIdentity = new Map<string, Series[]>();
  #steadyDay = NaN;
  #steadyOffset: number | undefined;
  readonly #wideDays = new Map<number, WideDay>();

  constructor({ profile, timeZone, now }: ReadsCsvOptions, sink: ReadSink) {
    this.#profile = profile;
    this.#sink = sink;
    this.#now = now;
    const zone = profile.time.zone === "utility" ? timeZone : profile.time.zone;
    this.#zone = zone === "UTC" ? undefined : new TimeZone(zone);
    const { format } = profile.time;
    this.#readStamp = compileTimeFormat(profile.columns.clock === undefined ? format : format.split(" ")[0]!);
    this.#readClock = compileTimeFormat(
      profile.columns.clock === undefined ? "HH:mm" : format.slice(format.indexOf(" ") + 1),
    );
    const flags = new Map<string, number>();
    const { estimated, adjusted, suspect, noRead } = profile.quality;
    for (const word of estimated) flags.set(word.toUpperCase(), Flag.estimated);
    for (const word of adjusted) flags.set(word.toUpperCase(), Flag.adjusted);
    for (const word of suspect) flags.set(word.toUpperCase(), Flag.suspect);
    for (const word of noRead) flags.set(word.toUpperCase(), NO_READ);
    this.#flags = flags;
    this.#noReadWords = new Set(profile.noRead.map((word) => word.toUpperCase()));
    this.#skip = profile.skipRows;
    this.#headerDone = !profile.header;
    if (!profile.header) this.#columns([]);
  }

  /** @throws FileRejected where the header lacks a column of the profile */
  row(row: CsvRow): void {
    if (this.#skip > 0) {
      this.#skip--;
      return;
    }
    if (!this.#headerDone) {
      this.#headerDone = true;
      this.#columns(Array.from({ length: row.count }, (_, i) => fieldText(row, i, this.#profile.quote)));
      return;
    }
    if (this.#profile.trailerRows !== undefined && fieldText(row, 0).trim() === this.#profile.trailerRows)
      return;
    if (row.count < this.#needed) {
      if (isBlank(row)) return;
      return this.#reject(row, "too-few-columns", "row", `${row.count} columns`);
    }
    const series = this.#seriesOf(row);
    if (series === undefined) {
      if (isBlank(row)) return;
      return this.#reject(row, "missing-meter", "meter", null);
    }
    if (this.#profile.layout === "wide") this.#wideRow(row, series);
    else this.#longRow(row, series);
  }

  /** A file without a row is whole and says nothing; one that ends before its header is not of the profile. */
  end(): void {
    if (!this.#headerDone) throw new FileRejected("header", "The file ended before a header row.");
  }

  #columns(header: readonly string[]): void {
    const { columns, layout, header: named } = this.#profile;
    const names = header.map((name) => name.trim().toLowerCase());
    const missing: string[] = [];
    const find = (of: ColumnRef | undefined, what: string): number => {
      if (of === undefined) return -1;
      if (typeof of === "number") return of - 1;
      const index = named ? names.indexOf(of.trim().toLowerCase()) : -1;
      if (index < 0) missing.push(`${what} "${of}"`);
      return index;
    };
    this.#meter = find(columns.meter, "meter");
    this.#serial = find(columns.serial, "serial");
    this.#channel = find(columns.channel, "channel");
    this.#time = find(columns.time, "time");
    this.#clock = find(columns.clock, "clock");
    this.#quality = find(columns.quality, "quality");
    const unitIndex = find(columns.unit, "unit");
    const registerUnitIndex =
      columns.registerUnit === undefined ? unitIndex : find(columns.registerUnit, "registerUnit");
    const { unit, registerUnit = unit } = this.#profile;
    if (layout === "wide") {
      this.#first = find(columns.first, "first");
      this.#needed = Math.max(this.#meter, this.#time, this.#first + this.#profile.intervalsPerDay - 1) + 1;
    } else {
      if (columns.usage !== undefined) {
        this.#values.push({
          index: find(columns.usage, "usage"),
          kind: "usage",
          name: "usage",
          unitIndex,
          unit,
        });
      }
      if (columns.register !== undefined) {
        const index = find(columns.register, "register");
        this.#values.push({
          index,
          kind: "register",
          name: "register",
          unitIndex: registerUnitIndex,
          unit: registerUnit,
        });
      }
      this.#needed =
        Math.max(this.#meter, this.#time, this.#clock, ...this.#values.map(({ index }) => index)) + 1;
    }
    if (missing.length > 0) {
      throw new FileRejected(
        "header",
        `The header has no column for ${missing.join(", ")}; it has ${header.length} columns. Mend the profile's columns.`,
      );
    }
  }

  /** The row's series, usage and register in the order of the profile's values; undefined without a meter id. */
  #seriesOf(row: CsvRow): Series[] | undefined {
    const { bytes, start, end } = row;
    let length = 0;
    const identity = this.#lastIdentity;
    const wanted = this.#serial < 0 && this.#channel < 0 ? 1 : 3;
    let same = this.#lastIdentityLength >= 0;
    for (let part = 0; part < wanted; part++) {
      const index = part === 0 ? this.#meter : part === 1 ? this.#channel : this.#serial;
      if (index >= 0 && index < row.count) {
        for (let i = start[index]!; i < end[index]! && length < 255; i++, length++) {
          if (same && identity[length] === bytes[i]) continue;
          same = false;
          identity[length] = bytes[i]!;
        }
      }
      if (wanted > 1 && length < 255) {
        if (identity[length] !== 0) same = false;
        identity[length++] = 0;
      }
    }
    if (same && length === this.#lastIdentityLength) return this.#lastSeries;
    this.#lastIdentityLength = -1;
    const name = identity.toString("latin1", 0, length);
    let series = this.#seriesByIdentity.get(name);
    if (series === undefined) {
      const meterId = this.#canonical(fieldText(row, this.#meter, this.#profile.quote));
      if (meterId === "") return undefined;
      const channel = this.#channel < 0 ? "" : fieldText(row, this.#channel).trim().slice(0, 16);
      const serial = this.#serial < 0 ? "" : fieldText(row, this.#serial).trim();
      const kinds =
        this.#profile.layout === "wide" ? [this.#profile.wideValues] : this.#values.map(({ kind }) => kind);
      series = kinds.map((kind) => this.#sink.series(meterId, channel, serial, kind));
      this.#seriesByIdentity.set(name, series);
    }
    this.#lastIdentityLength = length;
    this.#lastSeries = series;
    return series;
  }

  #canonical(raw: string): string {
    const { leadingZeros, upperCase } = this.#profile.meterId;
    let id = raw.trim();
    if (leadingZeros === "strip") id = id.replace(/^0+(?=.)/, "");
    return upperCase ? id.toUpperCase() : id;
  }

  #longRow(row: CsvRow, series: Series[]): void {
    const { time: timing } = this.#profile;
    const first = series[0]!;
    const instant = this.#instant(row, first);
    if (instant === undefined) return;
    const flags = this.#quality < 0 ? 0 : this.#flagsOf(row);
    this.rows++;
    for (let v = 0; v < this.#values.length; v++) {
      const value = this.#values[v]!;
      const one = series[v]!;
      let at = instant;
      let length = 0;
      if (value.kind === "usage") {
        length = timing.interval;
        if (timing.snap > 0) {
          const local = at + (this.#zone?.offsetAt(at) ?? 0);
          const grid = Math.round(local / length) * length;
          if (Math.abs(grid - local) > timing.snap) {
            this.#reject(row, "not-on-grid", "time", this.#text(row, this.#time));
            continue;
          }
          at += grid - local;
        }
        if (timing.stamp === "end") at -= length;
      }
      if (!this.#value(row, value.index, value, one, flags)) continue;
      this.#emit(row, one, at, length, flags);
    }
    if (first.last >= 0 && instant < first.last) for (const one of series) one.descending = true;
    for (const one of series) one.last = instant;
  }

  /** The value read last: millilitres and as delivered, null for no read. */
  #ml: number | null = null;
  #delivered: number | null = null;

  /** Reads a value into `#ml` and `#delivered`; false where the row was rejected. */
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
    if (index >= row.count) {
      this.#reject(row, "too-few-columns", column.name, `${row.count} columns`);
      return false;
    }
    const number = this.#number(bytes, start[index]!, end[index]!);
    if (Number.isNaN(number)) {
      const text = fieldText(row, index).trim();
      if (this.#noReadWords.has(text.toUpperCase())) {
        this.#ml = this.#delivered = null;
        return true;
      }
      this.#reject(row, "bad-number", column.name, text);
      return false;
    }
    if (this.#decimals > series.decimals) series.decimals = this.#decimals;
    let { unit } = column;
    if (column.unitIndex >= 0) {
      const word = this.#text(row, column.unitIndex);
      if (word !== this.#unitWord) {
        this.#unitWord = word;
        this.#wordUnit = unitOf(word);
      }
      if (this.#wordUnit === undefined) {
        this.#reject(row, "unknown-unit", "unit", word);
        return false;
      }
      unit = this.#wordUnit;
    }
    const mlPerUnit = MILLILITRES[unit] * this.#profile.multiplier;
    series.unit = unit;
    series.mlPerUnit = mlPerUnit;
    const ml = Math.round(number * mlPerUnit);
    if (Math.abs(ml) >= MOST_ML) {
      this.#reject(row, "out-of-range", column.name, fieldText(row, index));
      return false;
    }
    if (ml < 0 && column.kind === "usage") {
      this.#reject(row, "negative-usage", column.name, fieldText(row, index));
      return false;
    }
    this.#ml = ml === 0 ? 0 : ml;
    this.#delivered = number === 0 ? 0 : number;
    return true;
  }

  #unitWord: string | undefined;
  #wordUnit: Unit | undefined;

  #emit(row: CsvRow, series: Series, at: number, length: number, flags: number): void {
    if (at > this.#now + DAY) {
      this.#reject(row, "time-in-future", "time", this.#text(row, this.#time));
      return;
    }
    this.#sink.read(series, at, length, this.#ml, this.#delivered, flags & ~NO_READ, row.line);
  }

  #flagsOf({ bytes, start, end, count }: CsvRow): number {
    const index = this.#quality;
    if (index >= count || start[index] === end[index]) return 0;
    return this.#flags.get(bytes.toString("latin1", start[index], end[index]).trim().toUpperCase()) ?? 0;
  }

  /** UTC seconds of the row's stamp; undefined where the row was rejected. */
  #instant(row: CsvRow, series: Series): number | undefined {
    const stamp = this.#stamp;
    const { bytes, start, end } = row;
    if (!this.#readStamp(bytes, trimStart(row, this.#time), trimEnd(row, this.#time), stamp)) {
      this.#reject(row, "bad-time", "time", this.#text(row, this.#time));
      return undefined;
    }
    if (this.#clock >= 0) {
      const { day } = stamp;
      if (!this.#readClock(bytes, start[this.#clock]!, end[this.#clock]!, stamp)) {
        this.#reject(row, "bad-time", "clock", this.#text(row, this.#clock));
        return undefined;
      }
      stamp.day = day;
    }
    if (!Number.isNaN(stamp.epoch)) return stamp.epoch;
    const local = stamp.day * DAY + stamp.second;
    if (!Number.isNaN(stamp.offset)) return local - stamp.offset;
    if (this.#zone === undefined) return local;
    if (stamp.day !== this.#steadyDay) {
      this.#steadyDay = stamp.day;
      this.#steadyOffset = this.#zone.steadyOffset(stamp.day);
    }
    if (this.#steadyOffset !== undefined) return local - this.#steadyOffset;
    const [one, other] = this.#zone.instantsOf(local);
    if (one === undefined) {
      this.#reject(row, "no-such-local-time", "time", this.#text(row, this.#time));
      return undefined;
    }
    if (other === undefined) return one;
    switch (this.#profile.time.repeatedHour) {
      case "first":
        return one;
      case "second":
        return other;
      case "order":
        if (series.last < 0) return one;
        return series.descending ? (series.last <= other ? one : other) : series.last >= one ? other : one;
    }
  }

  #wideRow(row: CsvRow, [series]: Series[]): void {
    const stamp = this.#stamp;
    if (
      !this.#readStamp(row.bytes, trimStart(row, this.#time), trimEnd(row, this.#time), stamp) ||
      Number.isNaN(stamp.day)
    ) {
      this.#reject(row, "bad-date", "time", this.#text(row, this.#time));
      return;
    }
    let day = this.#wideDays.get(stamp.day);
    if (day === undefined) {
      day = wideDay(stamp.day, this.#profile.intervalsPerDay, this.#zone);
      this.#wideDays.set(stamp.day, day);
    }
    const flags = this.#quality < 0 ? 0 : this.#flagsOf(row);
    const kind = this.#profile.wideValues;
    const column = {
      name: "",
      kind,
      unitIndex: -1,
      unit: kind === "register" ? (this.#profile.registerUnit ?? this.#profile.unit) : this.#profile.unit,
    };
    this.rows++;
    for (let i = 0; i < day.slots.length; i++) {
      const slot = day.slots[i]!;
      const index = this.#first + i;
      column.name = `interval ${i + 1}`;
      if (!this.#value(row, index, column, series!, flags)) continue;
      if (slot.length === 0) {
        if (this.#ml !== null && (kind === "register" || this.#ml !== 0)) {
          this.#reject(row, "missing-hour-used", column.name, fieldText(row, index));
        }
        continue;
      }
      if (slot.parts > 1 && kind === "usage") {
        // The repeated hour in several columns: one interval of two hours, if every column has a value.
        let ml: number | null = this.#ml;
        let delivered: number | null = this.#delivered;
        for (let part = 1; part < slot.parts; part++) {
          column.name = `interval ${i + 1 + part}`;
          if (!this.#value(row, index + part, column, series!, flags)) ml = null;
          ml = ml === null || this.#ml === null ? null : ml + this.#ml;
          delivered = delivered === null || this.#delivered === null ? null : delivered + this.#delivered;
        }
        this.#ml = ml;
        this.#delivered = ml === null ? null : delivered;
        i += slot.parts - 1;
      }
      this.#emit(row, series!, slot.start, kind === "usage" ? slot.length : 0, flags);
    }
  }

  #decimals = 0;

  /** The number in `bytes[from, to)`, NaN where it is none. Exact for up to 15 digits. */
  #number(bytes: Buffer, from: number, to: number): number {
    let at = from;
    let end = to;
    while (at < end && bytes[at]! <= 32) at++;
    while (end > at && bytes[end - 1]! <= 32) end--;
    const begin = at;
    let negative = false;
    if (at < end && (bytes[at] === 45 || bytes[at] === 43)) {
      negative = bytes[at] === 45;
      at++;
    }
    const decimal = this.#profile.decimal === "." ? 46 : 44;
    let value = 0;
    let digits = 0;
    let decimals = -1;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      const digit = byte - 48;
      if (digit >= 0 && digit <= 9) {
        value = value * 10 + digit;
        digits++;
        if (decimals >= 0) decimals++;
      } else if (byte === decimal && decimals < 0) {
        decimals = 0;
      } else {
        return this.#slowNumber(bytes, begin, end);
      }
    }
    if (digits === 0) return NaN;
    if (digits > 15) return this.#slowNumber(bytes, begin, end);
    this.#decimals = decimals > 0 ? decimals : 0;
    if (decimals > 0) value /= POWERS[decimals]!;
    return negative ? -value : value;
  }

  /** Thousands marks, exponents, more than 15 digits. */
  #slowNumber(bytes: Buffer, from: number, to: number): number {
    const { thousands, decimal } = this.#profile;
    let text = bytes.toString("latin1", from, to);
    if (thousands !== "") {
      const whole = text.split(decimal)[0]!;
      if (whole.includes(thousands)) {
        const groups = whole.replace(/^[+-]/, "").split(thousands);
        if (!groups.every((group, i) => (i === 0 ? /^\d{1,3}$/ : /^\d{3}$/).test(group))) return NaN;
        text = whole.replaceAll(thousands, "") + text.slice(whole.length);
      }
    }
    if (decimal === ",") {
      if (text.includes(".")) return NaN;
      text = text.replace(",", ".");
    }
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/.test(text)) return NaN;
    const number = Number(text);
    this.#decimals = /\.(\d+)$/.exec(text)?.[1]?.length ?? 0;
    return Number.isFinite(number) ? number : NaN;
  }

  #text(row: CsvRow, index: number): string {
    return index < 0 ? "" : fieldText(row, index, this.#profile.quote).trim();
  }

  #reject(row: CsvRow, code: RejectCode, field: string, value: string | null): void {
    const { line, offset, length } = row;
    this.#sink.reject({
      line,
      offset,
      length,
      code,
      field,
      value: value === null ? null : value.slice(0, 80),
    });
  }
}

/** Beside the bits of `Flag`: the quality column says that there is no read. */
const NO_READ = 1 << 30;

const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);

function isBlank({ bytes, start, end, count }: CsvRow): boolean {
  for (let i = 0; i < count; i++) {
    for (let at = start[i]!; at < end[i]!; at++) if (bytes[at]! > 32) return false;
  }
  return true;
}

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

interface WideDay {
  /** For each column: the beginning (UTC seconds), the length (0: this day has no such hour), and how many columns it takes. */
  readonly slots: readonly { readonly start: number; readonly length: number; readonly parts: number }[];
}

/**
 * Where the columns of a local day lie. Of a day of 23 hours the missing hour's columns have no place; of a day of 25
 * the repeated hour's columns are one interval of two hours.
 */
function wideDay(localDay: number, intervals: number, zone: TimeZone | undefined): WideDay {
  const seconds = DAY / intervals;
  const perHour = 3600 / seconds;
  const slots: { start: number; length: number; parts: number }[] = [];
  for (let i = 0; i < intervals; i++) {
    const local = localDay * DAY + i * seconds;
    const instants = zone === undefined ? [local] : zone.instantsOf(local);
    const [first, second] = instants;
    if (first === undefined) slots.push({ start: 0, length: 0, parts: 1 });
    else if (second === undefined) slots.push({ start: first, length: seconds, parts: 1 });
    else if (i % perHour === 0) slots.push({ start: first, length: second - first + 3600, parts: perHour });
    else slots.push({ start: first, length: seconds, parts: 1 });
  }
  return { slots };
}
