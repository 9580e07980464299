import { canonicalMeter } from "../../schemas/canonical.js";
import { Flag } from "../../schemas/flags.js";
import type { CmepField, CmepOptions } from "../../schemas/formats/cmep.js";
import { isOtherThanVolume, MILLILITRES, unitOf, type Unit } from "../../schemas/units.js";
import { CompactStamp, wholeNumber } from "./compact-stamp.js";
import { CsvRows, fieldText, type CsvRow } from "./csv-rows.js";
import { FieldMemo, hasMore, isBlank, isEmpty } from "./csv-fields.js";
import { Decimal } from "./decimal.js";
import { LocalTimes, stamped } from "./local-times.js";
import { ReadGate, shapeOf, wordOrShape, wrongId } from "./read-gate.js";
import type { FormatReader, RowCounts, ReadSink, Series } from "./format.js";

export interface CmepReaderOptions {
  readonly cmep: CmepOptions;
  /** The utility's IANA time zone. */
  readonly timeZone: string;
  /** UTC seconds: later reads than a day from here are rejected. */
  readonly now: number;
}

const NO_READ = 1 << 30;
const MINUTE = 60;
const DAY = 86_400;

/** Places of the fields that a record begins with. */
const AT = {
  senderCustomer: 3,
  purpose: 8,
  commodity: 9,
  units: 10,
  constant: 11,
  interval: 12,
  count: 13,
  first: 14,
} as const;
const FIELD: Readonly<Record<CmepField, number>> = {
  "receiver-id": 4,
  "receiver-customer-id": 5,
  "meter-id": 7,
};
/** Fields that the first three digits of Sensus's key speak of. */
const KEYED = [FIELD["receiver-id"], FIELD["receiver-customer-id"], FIELD["meter-id"]];
const PURPOSES: ReadonlySet<string> = new Set(["", "OK", "RESEND", "HISTORY"]);

/** What bits of Sensus's mask behind a flag's letter say of the read; bit 5 (missing) is no read. */
const MASK_FLAGS: readonly (readonly [bit: number, flag: number])[] = [
  [5, NO_READ],
  [8, Flag.deviceClock],
  [9, Flag.suspect],
  [10, Flag.suspect],
  [11, Flag.suspect],
  [12, Flag.testMode],
  [13, Flag.deviceRollover],
  [14, Flag.deviceReset],
  [15, Flag.deviceClock],
  [16, Flag.deviceReset],
  [17, Flag.deviceReset],
];

/** What bits of an alarm's mask say. */
const ALARM_FLAGS: readonly (readonly [bit: bigint, flag: number])[] = [
  [2n, Flag.deviceFault],
  [25n, Flag.deviceFault],
  [28n, Flag.deviceClock],
  [40n, Flag.deviceFault],
  [41n, Flag.deviceLeak],
  [42n, Flag.deviceBurst],
  [43n, Flag.deviceBackflow],
  [46n, Flag.deviceFault],
  [47n, Flag.deviceFault],
];

/**
 * Reads CMEP, the California Metering Exchange Protocol, with what Sensus's FlexNet adds to it.
 *
 *     record  = header , n , n × ( stamp , flag , value ) [ , Hcrc ]       one a line, no row of column names
 *     header  = type , version , sender , sender customer , receiver , receiver customer , created ,
 *               meter , purpose , commodity , units , constant , interval
 *     type    = MEPMD01 (values) | MLA01 (alarms) | MEPEC01 (a meter's settings: passed over)
 *     stamp   = YYYYMMDDHHmm, the end of its interval; empty: one interval after the one before
 *     flag    = [ letter ] [ mask ]      letter: R or none actual, E estimated, A adjusted, N no read
 *     value   = 12 | -0.5 | 1.2E+3 | 1.2D+3 | H1F; empty: no read
 *     interval = MMDDHHmm as a length: 00000100 is an hour
 *
 * Units that end in REG are registers, read at their stamp; others are usage, from stamp − interval to stamp. A value is
 * in its units × the record's constant. Stamps are UTC unless the options say otherwise. An MLA01 value is a mask of
 * alarms: each becomes a no-read with its flags at its stamp, on a series of its own (registers in mL), whatever reads
 * the file has of that instant: a no-read displaces no read, and an alarm needs no read to be told. The CRC is not
 * checked.
 *
 * A record counts as a row, with n values. Sources: CMEP of 1997-08-19 and 2008-05-01 as vendors describe them.
 */
export class Cmep implements FormatReader {
  readonly #options: CmepOptions;
  readonly #commodities: ReadonlySet<string>;
  readonly #treatAs: ReadonlyMap<string, Unit>;
  readonly #sink: ReadSink;
  readonly #gate: ReadGate;
  readonly #lines: CsvRows;
  readonly #times: LocalTimes;
  readonly #stamp = new CompactStamp();
  readonly #decimal = new Decimal({ protocol: true });
  #lastMask = 0;
  #lastMaskFlags = 0;
  readonly #type = new FieldMemo((text) => text.toUpperCase());
  readonly #keyed = new FieldMemo(keyedMeter);
  readonly #isPurpose = new FieldMemo((text) => PURPOSES.has(text.toUpperCase()));
  readonly #isCommodity = new FieldMemo((text) => this.#commodities.has(text.toUpperCase()));
  readonly #units = new FieldMemo((text) => this.#unitsOf(text));
  /** Series by what their fields say, as it stands: of registers, of usage, of alarms. */
  readonly #registers = new Map<string, Series>();
  readonly #usages = new Map<string, Series>();
  readonly #alarmed = new Map<string, Series>();

  constructor({ cmep, timeZone, now }: CmepReaderOptions, sink: ReadSink) {
    this.#options = cmep;
    this.#commodities = new Set(cmep.commodities.map((commodity) => commodity.toUpperCase()));
    this.#treatAs = new Map(Object.entries(cmep.treatAs).map(([word, unit]) => [word.toUpperCase(), unit]));
    this.#times = new LocalTimes(cmep.zone, timeZone);
    this.#sink = sink;
    this.#gate = new ReadGate(sink, now, "source.cmep");
    this.#lines = new CsvRows(
      { delimiter: ",", quote: '"' },
      {
        row: (row) => this.#record(row),
        fault: (fault, line, offset, length) => {
          this.#gate.begin({ line, offset, length });
          this.#gate.rejectRow(fault, "row", null, 0);
          this.#gate.end();
        },
      },
    );
  }

  get counts(): RowCounts {
    return this.#gate;
  }

  push(chunk: Buffer, last: boolean): void {
    this.#lines.push(chunk, last);
  }

  #record(row: CsvRow): void {
    const type = this.#type.of(row, 0);
    if (type === "MEPEC01" || (type === "" && isBlank(row))) return;
    this.#gate.begin(row);
    if (type === "MEPMD01") this.#values(row);
    else if (type === "MLA01") this.#alarms(row);
    else
      this.#gate.rejectRow("unknown-record", "record type", /^MEP[A-Z]{2}\d\d$/.test(type) ? type : null, 0);
    this.#gate.end();
  }

  #values(row: CsvRow): void {
    const count = this.#count(row);
    if (count < 0) return;
    const units = this.#units.of(row, AT.units);
    if (typeof units === "string") {
      this.#gate.rejectRow(units, "units", wordOrShape(fieldText(row, AT.units).trim()), count);
      return;
    }
    const constant = this.#constant(row);
    if (!(constant > 0)) {
      this.#gate.rejectRow("bad-number", "constant", fieldText(row, AT.constant), count);
      return;
    }
    const interval = this.#interval(row);
    if (units.kind === "usage" && !(interval >= MINUTE && interval <= DAY)) {
      this.#gate.rejectRow("bad-interval", "interval", fieldText(row, AT.interval), count);
      return;
    }
    const known = units.kind === "usage" ? this.#usages : this.#registers;
    const series = this.#series(row, units.kind, count, known);
    if (series === undefined) return;
    series.unit = units.unit;
    series.mlPerUnit = MILLILITRES[units.unit] * constant * this.#options.multiplier;
    this.#triples(row, series, count, interval);
  }

  #triples(row: CsvRow, series: Series, count: number, interval: number): void {
    const { bytes, start, end } = row;
    const { snap } = this.#options;
    const usage = series.kind === "usage";
    let instant = NaN;
    for (let i = 0, at: number = AT.first; i < count; i++, at += 3) {
      instant = this.#instant(row, at, series, instant, interval);
      if (Number.isNaN(instant)) continue;
      const flags = this.#flagsOf(bytes, start[at + 1]!, end[at + 1]!);
      if (flags < 0) {
        this.#gate.rejectValue("unknown-quality", "flag", fieldText(row, at + 1));
        continue;
      }
      let value = NaN;
      if ((flags & NO_READ) === 0 && !isEmpty(row, at + 2)) {
        value = this.#decimal.read(bytes, start[at + 2]!, end[at + 2]!);
        if (Number.isNaN(value)) {
          this.#gate.rejectValue("bad-number", "value", fieldText(row, at + 2));
          continue;
        }
        if (this.#decimal.decimals > series.decimals) series.decimals = this.#decimal.decimals;
      }
      let until = instant;
      if (usage && snap > 0) {
        until = this.#times.onGrid(instant, interval);
        if (Math.abs(until - instant) > snap) {
          this.#gate.rejectValue("not-on-grid", "time", fieldText(row, at));
          continue;
        }
      }
      const from = usage ? this.#times.beginningOf(until, interval) : until;
      const refused = this.#gate.read(series, from, until - from, value, flags & ~NO_READ);
      if (refused !== undefined) {
        const isTime = refused.startsWith("time");
        this.#gate.rejectValue(refused, isTime ? "time" : "value", fieldText(row, isTime ? at : at + 2));
      }
    }
  }

  #alarms(row: CsvRow): void {
    const count = this.#count(row);
    if (count < 0) return;
    const series = this.#series(row, "register", count, this.#alarmed);
    if (series === undefined) return;
    series.unit = "mL";
    series.mlPerUnit = MILLILITRES.mL;
    // No value of the series tells a resolution: so many decimals are none.
    series.decimals = Infinity;
    const interval = this.#interval(row);
    let instant = NaN;
    for (let i = 0, at: number = AT.first; i < count; i++, at += 3) {
      instant = this.#instant(row, at, series, instant, interval);
      if (Number.isNaN(instant)) continue;
      const text = fieldText(row, at + 2).trim();
      if (!/^\d{0,20}$/.test(text)) {
        this.#gate.rejectValue("bad-number", "value", text);
        continue;
      }
      const refused = this.#gate.read(series, instant, 0, NaN, alarmFlags(text));
      if (refused !== undefined) this.#gate.rejectValue(refused, "time", fieldText(row, at));
    }
  }

  /** Number of values of a record whose fields are as many as they must be, and whose values are water's; else -1. */
  #count(row: CsvRow): number {
    const present = Math.max(0, Math.floor((row.count - AT.first) / 3));
    if (row.count < AT.first) return this.#refuse("too-few-columns", row, 0);
    const count = wholeNumber(row.bytes, row.start[AT.count]!, row.end[AT.count]!);
    if (Number.isNaN(count)) {
      this.#gate.rejectRow("bad-number", "count", shapeOf(fieldText(row, AT.count)), present);
      return -1;
    }
    const needed = AT.first + 3 * count;
    if (row.count < needed) return this.#refuse("too-few-columns", row, present);
    const hasCrc = row.count > needed && /^H[0-9a-fA-F]{1,8}$/.test(fieldText(row, needed).trim());
    if (hasMore(row, hasCrc ? needed + 1 : needed)) return this.#refuse("too-many-columns", row, present);
    if (!this.#isPurpose.of(row, AT.purpose)) {
      this.#gate.rejectRow("not-reads", "purpose", wordOrShape(fieldText(row, AT.purpose).trim()), count);
      return -1;
    }
    if (!this.#isCommodity.of(row, AT.commodity)) {
      this.#gate.rejectRow("not-water", "commodity", wordOrShape(fieldText(row, AT.commodity).trim()), count);
      return -1;
    }
    return count;
  }

  #refuse(code: "too-few-columns" | "too-many-columns", { count }: CsvRow, values: number): -1 {
    this.#gate.rejectRow(code, "row", `${count} fields`, values);
    return -1;
  }

  #unitsOf(word: string): Units {
    const upper = word.toUpperCase();
    const isRegister = upper.endsWith("REG");
    const bare = isRegister ? word.slice(0, -3) : word;
    const unit = this.#treatAs.get(upper) ?? this.#treatAs.get(bare.toUpperCase()) ?? unitOf(bare);
    if (unit !== undefined) return { unit, kind: isRegister ? "register" : "usage" };
    return isOtherThanVolume(bare) ? "not-water" : "unknown-unit";
  }

  #constant(row: CsvRow): number {
    if (this.#options.constant === "ignore" || isEmpty(row, AT.constant)) return 1;
    return this.#decimal.read(row.bytes, row.start[AT.constant]!, row.end[AT.constant]!);
  }

  /** Seconds of the record's interval; NaN where it has none, or one of months. */
  #interval({ bytes, start, end }: CsvRow): number {
    const digits = wholeNumber(bytes, start[AT.interval]!, end[AT.interval]!);
    if (!(digits < 1_000_000)) return NaN;
    const day = Math.floor(digits / 10_000);
    const hour = Math.floor(digits / 100) % 100;
    return day * DAY + hour * 3600 + (digits % 100) * MINUTE;
  }

  /** The record's series; undefined where its ids are missing or wrong and the record was rejected. */
  #series(row: CsvRow, kind: Series["kind"], count: number, known: Map<string, Series>): Series | undefined {
    const { meter, channel, serial, meterId } = this.#options;
    const at = meter === "key" ? this.#keyed.of(row, AT.senderCustomer) : FIELD[meter];
    const meterText = at < 0 ? "" : fieldText(row, at);
    const channelText = channel === undefined ? "" : fieldText(row, FIELD[channel]).trim();
    const serialText = serial === undefined ? "" : fieldText(row, FIELD[serial]).trim();
    const names =
      channel === undefined && serial === undefined
        ? meterText
        : `${meterText}\n${channelText}\n${serialText}`;
    let series = known.get(names);
    if (series !== undefined) return series;
    const canonical = canonicalMeter(meterText, meterId);
    const wrong = wrongId(canonical, channelText, serialText);
    if (wrong !== undefined) {
      this.#gate.rejectRow(wrong.code, wrong.field, null, count);
      return undefined;
    }
    series = this.#sink.series(canonical, channelText, serialText, kind);
    known.set(names, series);
    return series;
  }

  /** The instant of the stamp in field `at`; NaN where it was rejected. */
  #instant(row: CsvRow, at: number, series: Series, previous: number, interval: number): number {
    let instant: number;
    if (isEmpty(row, at)) {
      instant = Number.isNaN(previous + interval) ? NaN : this.#times.endOf(previous, interval);
    } else {
      const local = this.#stamp.read(row.bytes, row.start[at]!, row.end[at]!, 12);
      instant = this.#times.instantOf(local, series);
      if (Number.isNaN(instant) && !Number.isNaN(local)) {
        this.#gate.rejectValue("no-such-local-time", "time", fieldText(row, at));
        return NaN;
      }
    }
    if (Number.isNaN(instant)) this.#gate.rejectValue("bad-time", "time", fieldText(row, at));
    else stamped(series, instant);
    return instant;
  }

  /** Flags of a letter and a mask, with NO_READ; -1 where they are none. */
  #flagsOf(bytes: Buffer, from: number, to: number): number {
    let at = from;
    let end = to;
    while (at < end && bytes[at] === 32) at++;
    while (end > at && bytes[end - 1] === 32) end--;
    if (at === end) return 0;
    let flags = 0;
    const letter = bytes[at]! & ~0x20;
    if (letter >= 65 && letter <= 90) {
      at++;
      if (letter === 69) flags = Flag.estimated;
      else if (letter === 65) flags = Flag.adjusted;
      else if (letter === 78) flags = NO_READ;
      else if (letter !== 82) return -1;
    }
    if (at === end) return flags;
    const mask = wholeNumber(bytes, at, end);
    if (!(mask < 2 ** 32)) return -1;
    return flags | this.#maskFlags(mask);
  }

  #maskFlags(mask: number): number {
    if (mask === this.#lastMask) return this.#lastMaskFlags;
    let flags = 0;
    for (const [bit, flag] of MASK_FLAGS) if (((mask >>> bit) & 1) === 1) flags |= flag;
    this.#lastMask = mask;
    this.#lastMaskFlags = flags;
    return flags;
  }
}

/** What the word for a record's units says, or why it can't be read. */
type Units = { readonly unit: Unit; readonly kind: "register" | "usage" } | "not-water" | "unknown-unit";

/** Place of the field that holds the meter's id by Sensus's key, as in SPS:130000; -1 where none does. */
function keyedMeter(senderCustomer: string): number {
  const digits = /:(\d{3})\d{3}$/.exec(senderCustomer)?.[1] ?? "";
  // 3: the id by the meter's settings, 2: as the meter reports it.
  const index = digits.includes("3") ? digits.indexOf("3") : digits.indexOf("2");
  return index < 0 ? -1 : KEYED[index]!;
}

function alarmFlags(mask: string): number {
  const bits = BigInt(mask === "" ? 0 : mask);
  let flags = 0;
  for (const [bit, flag] of ALARM_FLAGS) if (((bits >> bit) & 1n) === 1n) flags |= flag;
  return flags;
}
