import { canonicalMeter } from "../../schemas/canonical.js";
import { Flag } from "../../schemas/flags.js";
import type { JsonLinesOptions, RtlamrType, StatusMeaning } from "../../schemas/formats/json-lines.js";
import { MILLILITRES, type Unit } from "../../schemas/units.js";
import type { RejectCode } from "../check/rejects.js";
import { MAX_ROW_BYTES } from "./csv-rows.js";
import { ReadGate, wordOrShape, wrongId } from "./read-gate.js";
import type { FormatReader, RowCounts, ReadSink } from "./format.js";

export interface JsonLinesReaderOptions {
  readonly jsonLines: JsonLinesOptions;
  /** UTC seconds: later reads than a day from here are rejected. */
  readonly now: number;
}

const LF = 10;
const NOTHING = Buffer.alloc(0);
/** Words of one status that are looked at. */
const MOST_WORDS = 64;

const FLAGS: Readonly<Record<StatusMeaning, number>> = {
  leak: Flag.deviceLeak,
  burst: Flag.deviceBurst,
  backflow: Flag.deviceBackflow,
  dry: Flag.deviceDry,
  fault: Flag.deviceFault,
  nothing: 0,
};

/** Words of wmbusmeters' drivers for water; words that are not here mean nothing. */
const STATUS_WORDS: Readonly<Record<string, StatusMeaning>> = {
  "LEAKING?": "leak",
  LEAKING: "leak",
  LEAK: "leak",
  LEAKAGE: "leak",
  BURST: "burst",
  REVERSED: "backflow",
  REVERSE_FLOW: "backflow",
  BACKFLOW: "backflow",
  BACK_FLOW: "backflow",
  DRY: "dry",
  TAMPER: "fault",
  SABOTAGE_ENCLOSURE: "fault",
  MODULE_REMOVED: "fault",
  SENSOR_FRAUD: "fault",
  MECHANICAL_FRAUD: "fault",
  METER_BLOCKED: "fault",
  GENERAL_ALARM: "fault",
  PERMANENT_ERROR: "fault",
  LOW_BATTERY: "fault",
  POWER_LOW: "fault",
};

/** Where the messages of rtlamr have the meter's id, its ERT type and its counter. */
const RTLAMR_FIELDS: Readonly<
  Record<RtlamrType, { readonly id: string; readonly endpointType?: string; readonly counter: string }>
> = {
  SCM: { id: "ID", endpointType: "Type", counter: "Consumption" },
  "SCM+": { id: "EndpointID", endpointType: "EndpointType", counter: "Consumption" },
  IDM: { id: "ERTSerialNumber", endpointType: "ERTType", counter: "LastConsumptionCount" },
  R900: { id: "ID", counter: "Consumption" },
  R900BCD: { id: "ID", counter: "Consumption" },
};

type Members = Readonly<Record<string, unknown>>;

/** A line that is a read, its values not yet checked. */
interface Telegram {
  readonly meter: unknown;
  readonly time: unknown;
  readonly timeField: string;
  readonly value: unknown;
  readonly valueField: string;
  readonly unit: Unit;
  readonly multiplier: number;
  readonly flags: number;
}

interface Refusal {
  readonly code: RejectCode;
  readonly field: string;
  readonly value: string | null;
}

/**
 * Reads what radio receivers log, one JSON object a line: the telegrams of wmbusmeters and the messages of rtlamr, told
 * apart by their members.
 *
 *     wmbusmeters = {"_":"telegram","media":…,"id":…,"total_m3":…,"status":…,"timestamp":…, …}
 *     rtlamr      = {"Time":…,"Type":"SCM"|"SCM+"|"IDM"|"R900"|"R900BCD","Message":{…}, …}
 *
 * Both give registers at irregular times: `total_m3` in cubic metres; the counters of rtlamr in the unit that the options
 * name. Times are ISO 8601 with an offset, of the receiver's clock; fractions of a second are cut off.
 *
 * A row is a line that is not blank, and has one value. Facts: wmbusmeters and rtlamr, their sources on GitHub.
 */
export class JsonLinesReader implements FormatReader {
  readonly #options: JsonLinesOptions;
  readonly #gate: ReadGate;
  readonly #media: ReadonlySet<string>;
  readonly #words: ReadonlyMap<string, number>;
  #rest: Buffer = NOTHING;
  #line = 1;
  #offset = 0;
  /** Where the line that is passed over, because it is too long, began; -1 outside of one. */
  #longFrom = -1;

  constructor({ jsonLines, now }: JsonLinesReaderOptions, sink: ReadSink) {
    this.#options = jsonLines;
    this.#gate = new ReadGate(sink, now, "source.jsonLines");
    this.#media = new Set(jsonLines.media.map((media) => media.toLowerCase()));
    const words = { ...STATUS_WORDS, ...upperCased(jsonLines.status) };
    this.#words = new Map(Object.entries(words).map(([word, meaning]) => [word, FLAGS[meaning]]));
  }

  get counts(): RowCounts {
    return this.#gate;
  }

  push(chunk: Buffer, last: boolean): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      let end = bytes.indexOf(LF, at);
      if (end < 0) {
        if (!last) break;
        end = bytes.length;
      }
      this.#endLine(bytes, at, end);
      at = end + 1;
      if (at > bytes.length || (last && at === bytes.length)) break;
    }
    at = Math.min(at, bytes.length);
    if (bytes.length - at > MAX_ROW_BYTES && this.#longFrom < 0) this.#longFrom = this.#offset + at;
    if (this.#longFrom >= 0) at = bytes.length;
    this.#offset += at;
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  /** `bytes[from, to)` is a line, or the end of one that is too long. */
  #endLine(bytes: Buffer, from: number, to: number): void {
    const long = this.#longFrom >= 0;
    const offset = long ? this.#longFrom : this.#offset + from;
    const length = this.#offset + to - offset;
    this.#longFrom = -1;
    const text = long || length > MAX_ROW_BYTES ? undefined : bytes.toString("utf8", from, to).trim();
    if (text !== "") {
      this.#gate.begin({ line: this.#line, offset, length });
      const refusal =
        text === undefined ? { code: "row-too-long" as const, field: "row", value: null } : this.#read(text);
      if (refusal !== undefined) this.#gate.rejectRow(refusal.code, refusal.field, refusal.value, 1);
      this.#gate.end();
    }
    this.#line++;
  }

  #read(text: string): Refusal | undefined {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    if (!isObject(value)) return { code: "not-json", field: "row", value: null };
    const telegram = this.#telegram(value);
    return "code" in telegram ? telegram : this.#take(telegram);
  }

  #telegram(members: Members): Telegram | Refusal {
    const type = members["Type"];
    const message = members["Message"];
    if (typeof type === "string" && isObject(message)) return this.#rtlamr(type, members["Time"], message);
    // Early versions of wmbusmeters wrote no "_".
    if (members["_"] === "telegram" || (typeof members["media"] === "string" && "timestamp" in members))
      return this.#wmbusmeters(members);
    return { code: "unknown-message", field: "row", value: null };
  }

  #wmbusmeters(members: Members): Telegram | Refusal {
    const { id: meter, media, timestamp: time, total_m3: value } = members;
    const word = typeof media === "string" ? media.trim().toLowerCase() : "";
    if (!this.#media.has(word)) return { code: "not-water", field: "media", value: wordOrShape(word) };
    const flags =
      this.#flagsOf(members["status"]) |
      this.#flagsOf(members["current_status"]) |
      this.#flagsOf(members["current_alarms"]);
    return {
      meter,
      time,
      timeField: "timestamp",
      value,
      valueField: "total_m3",
      unit: "m3",
      multiplier: 1,
      flags,
    };
  }

  #flagsOf(status: unknown): number {
    if (typeof status !== "string") return 0;
    let flags = 0;
    for (const word of status.toUpperCase().split(/[\s,;]+/, MOST_WORDS)) flags |= this.#words.get(word) ?? 0;
    return flags;
  }

  #rtlamr(type: string, time: unknown, message: Members): Telegram | Refusal {
    const fields = Object.hasOwn(RTLAMR_FIELDS, type) ? RTLAMR_FIELDS[type as RtlamrType] : undefined;
    const measure = fields === undefined ? undefined : this.#options.rtlamr[type as RtlamrType];
    if (fields === undefined || measure === undefined)
      return {
        code: "unknown-message",
        field: "Type",
        value: fields === undefined ? wordOrShape(type) : type,
      };
    const { id, endpointType, counter } = fields;
    if (endpointType !== undefined) {
      const kind = message[endpointType];
      if (typeof kind !== "number" || !this.#options.endpointTypes.includes(kind & 15)) {
        const value = typeof kind === "number" ? String(kind) : null;
        return { code: "not-water", field: endpointType, value };
      }
    }
    const flags =
      (isPositive(message["LeakNow"]) ? Flag.deviceLeak : 0) |
      (isPositive(message["BackFlow"]) ? Flag.deviceBackflow : 0);
    return {
      meter: message[id],
      time,
      timeField: "Time",
      value: message[counter],
      valueField: counter,
      ...measure,
      flags,
    };
  }

  #take(telegram: Telegram): Refusal | undefined {
    const { meter, time, timeField, value, valueField, unit, multiplier, flags } = telegram;
    const name = typeof meter === "number" ? String(meter) : typeof meter === "string" ? meter : "";
    const meterId = canonicalMeter(name, this.#options.meterId);
    const wrong = wrongId(meterId, "", "");
    if (wrong !== undefined) return { ...wrong, value: null };
    const instant = typeof time === "string" ? instantOf(time) : NaN;
    if (Number.isNaN(instant)) return { code: "bad-time", field: timeField, value: shown(time) };
    if (value === undefined) return { code: "missing-field", field: valueField, value: null };
    if (value !== null && typeof value !== "number")
      return { code: "bad-number", field: valueField, value: shown(value) };
    const series = this.#gate.series(meterId, "", "", "register");
    series.unit = unit;
    series.mlPerUnit = MILLILITRES[unit] * multiplier;
    if (value !== null) series.decimals = Math.max(series.decimals, decimalsOf(value));
    series.last = instant;
    const code = this.#gate.read(series, instant, 0, value ?? NaN, flags);
    if (code === undefined) return undefined;
    return code === "out-of-range"
      ? { code, field: valueField, value: String(value) }
      : { code, field: timeField, value: shown(time) };
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPositive(value: unknown): boolean {
  return typeof value === "number" && value > 0;
}

function upperCased(words: Readonly<Record<string, StatusMeaning>>): Record<string, StatusMeaning> {
  return Object.fromEntries(Object.entries(words).map(([word, meaning]) => [word.toUpperCase(), meaning]));
}

/** What was received where text or a number was expected: of others, what they are. */
function shown(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "string" || typeof value === "number" ? String(value) : typeof value;
}

/** Digits behind the point, as the number is written in short. */
function decimalsOf(value: number): number {
  const [digits, power = "0"] = String(value).split("e");
  return Math.min(15, Math.max(0, (digits!.split(".")[1]?.length ?? 0) - Number(power)));
}

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,12})?)?(?:[Zz]|([+-])(\d{2}):?(\d{2}))$/;

/** UTC seconds of an ISO 8601 time with offset; NaN where the text is none. Years before 1970 give a negative number. */
function instantOf(text: string): number {
  const match = ISO.exec(text);
  if (match === null) return NaN;
  const [year, month, day, hour, minute] = match.slice(1, 6).map(Number);
  const second = Number(match[6] ?? 0);
  if (month! > 12 || hour! > 23 || minute! > 59 || second > 60) return NaN;
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day);
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day) return NaN;
  const offset = Number(match[8] ?? 0) * 3600 + Number(match[9] ?? 0) * 60;
  const local = date.getTime() / 1000 + hour! * 3600 + minute! * 60 + Math.min(second, 59);
  return match[7] === "-" ? local + offset : local - offset;
}
