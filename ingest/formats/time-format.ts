/** Fields of a time stamp as read from bytes. Reused for every stamp. */
export interface Stamp {
  /** Days from 1970-01-01 of the date, or NaN where the stamp is an epoch. */
  day: number;
  /** Seconds from midnight. */
  second: number;
  /** Offset from UTC in seconds where the stamp carries one, else NaN. */
  offset: number;
  /** UTC seconds where the stamp is an epoch, else NaN. */
  epoch: number;
}

/** Reads `bytes[start, end)` into `into`; false where they are not of the format. */
export type StampReader = (bytes: Buffer, start: number, end: number, into: Stamp) => boolean;

type Token =
  | {
      readonly kind: "number";
      readonly field: "year" | "month" | "day" | "hour" | "minute" | "second";
      readonly most: number;
    }
  | {
      readonly kind:
        | "fraction"
        | "meridiem"
        | "offset"
        | "epoch"
        | "epochMs"
        | "month-name"
        | "whole-month-name"
        | "short-year"
        | "rest";
    }
  | { readonly kind: "literal"; readonly byte: number };

const TOKENS: readonly (readonly [string, Token])[] = [
  ["YYYY", { kind: "number", field: "year", most: 4 }],
  ["YY", { kind: "short-year" }],
  ["MMMM", { kind: "whole-month-name" }],
  ["MMM", { kind: "month-name" }],
  ["MM", { kind: "number", field: "month", most: 2 }],
  ["DD", { kind: "number", field: "day", most: 2 }],
  ["HH", { kind: "number", field: "hour", most: 2 }],
  ["hh", { kind: "number", field: "hour", most: 2 }],
  ["mm", { kind: "number", field: "minute", most: 2 }],
  ["SSS", { kind: "fraction" }],
  ["ss", { kind: "number", field: "second", most: 2 }],
  ["A", { kind: "meridiem" }],
  ["Z", { kind: "offset" }],
  ["X", { kind: "epoch" }],
  ["x", { kind: "epochMs" }],
];

/** A format of date and time cut into that of the date and that of the time of day. */
export function splitClock(format: string): [date: string, clock: string] {
  const at = format.search(/HH|hh/);
  return at < 0 ? [format, ""] : [format.slice(0, at).trim(), format.slice(at)];
}

const MONTH_NAMES = [
  ...["january", "february", "march", "april", "may", "june", "july"],
  ...["august", "september", "october", "november", "december"],
];
const MONTHS = MONTH_NAMES.map((name) => name.slice(0, 3));
/** Years of two digits from this on are of the last century: POSIX has 69, and an epoch begins with 70. */
const LAST_CENTURY = 70;

function tokensOf(format: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < format.length;) {
    if (at === format.length - 1 && format[at] === "*") {
      tokens.push({ kind: "rest" });
      break;
    }
    const known = TOKENS.find(([word]) => format.startsWith(word, at));
    if (known) {
      tokens.push(known[1]);
      at += known[0].length;
    } else {
      tokens.push({ kind: "literal", byte: format.charCodeAt(at) });
      at++;
    }
  }
  return tokens;
}

/** Reads stamps of one width. */
export interface FixedClock {
  /** Bytes of a stamp. */
  readonly width: number;
  /** Reads the stamp that begins at `at`; false where it is not one of this width, or no time that exists. */
  read(bytes: Uint8Array, at: number, into: Stamp): boolean;
}

/**
 * Reader of stamps whose numbers all have their leading zeros, for formats of numbers alone; `undefined` for others.
 * What it reads, the reader of `compileTimeFormat` reads alike.
 */
export function fixedClock(format: string): FixedClock | undefined {
  const places = { year: -1, month: -1, day: -1, hour: -1, minute: -1, second: -1 };
  const literals: { readonly place: number; readonly byte: number }[] = [];
  let width = 0;
  for (const token of tokensOf(format)) {
    if (token.kind === "literal") literals.push({ place: width++, byte: token.byte });
    else if (token.kind !== "number" || places[token.field] >= 0) return undefined;
    else {
      places[token.field] = width;
      width += token.most;
    }
  }
  const {
    year: yearAt,
    month: monthAt,
    day: dayAt,
    hour: hourAt,
    minute: minuteAt,
    second: secondAt,
  } = places;
  if (yearAt < 0 || monthAt < 0 || dayAt < 0 || /hh/.test(format)) return undefined;
  let lastDate = -1;
  let lastDay = 0;
  const memory = width > MOST_REMEMBERED ? undefined : new StampMemory(width);

  function parse(bytes: Uint8Array, at: number, into: Stamp): boolean {
    for (const { place, byte } of literals) if (bytes[at + place] !== byte) return false;
    const century = twoDigits(bytes, at + yearAt);
    const year = 100 * century + twoDigits(bytes, at + yearAt + 2);
    const month = twoDigits(bytes, at + monthAt);
    const day = twoDigits(bytes, at + dayAt);
    const hour = hourAt < 0 ? 0 : twoDigits(bytes, at + hourAt);
    const minute = minuteAt < 0 ? 0 : twoDigits(bytes, at + minuteAt);
    const second = secondAt < 0 ? 0 : twoDigits(bytes, at + secondAt);
    // A digit that is none makes its number NaN, which is in no range.
    if (!(hour <= 23 && minute <= 59 && second <= 59)) return false;
    const date = (year * 100 + month) * 100 + day;
    if (date !== lastDate) {
      if (!(year >= 1970 && year <= 2105 && month >= 1 && month <= 12 && day >= 1)) return false;
      const start = Date.UTC(year, month - 1, 1) / 86_400_000;
      if (day > Date.UTC(year, month, 1) / 86_400_000 - start) return false;
      lastDate = date;
      lastDay = start + day - 1;
    }
    into.day = lastDay;
    into.second = hour * 3600 + minute * 60 + second;
    into.offset = NaN;
    into.epoch = NaN;
    return true;
  }

  return {
    width,
    read(bytes, at, into) {
      if (memory === undefined) return parse(bytes, at, into);
      if (memory.recall(bytes, at, into)) return true;
      if (!parse(bytes, at, into)) return false;
      memory.keep(into);
      return true;
    },
  };
}

/** Bytes of the longest stamp that `StampMemory` compares. */
const MOST_REMEMBERED = 20;
const MOST_STAMPS = 20_000;

/** A stamp as words of its bytes, the last one overlapping, and the one that came after it last. */
interface KnownStamp {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly day: number;
  readonly second: number;
  next: KnownStamp | undefined;
}

/**
 * Files repeat their stamps: sorted by meter, each meter has the same row of them; sorted by time, each comes once a
 * meter. A stamp that is the one before, or the one that came after that before, is compared by words, not read.
 */
class StampMemory {
  readonly #width: number;
  #bytes: Uint8Array | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #last: KnownStamp | undefined;
  readonly #known = new Map<number, KnownStamp>();
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;
  #e = 0;

  constructor(width: number) {
    this.#width = width;
  }

  recall(bytes: Uint8Array, at: number, into: Stamp): boolean {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const end = at + this.#width - 4;
    if (end + 4 > bytes.length) return this.#nothing();
    const view = this.#view;
    const a = view.getUint32(at);
    const b = view.getUint32(at + 4 < end ? at + 4 : end);
    const c = view.getUint32(at + 8 < end ? at + 8 : end);
    const d = view.getUint32(at + 12 < end ? at + 12 : end);
    const e = view.getUint32(end);
    let known = this.#last;
    if (known !== undefined) {
      const { next } = known;
      if (next !== undefined && isStamp(next, a, b, c, d, e)) {
        known = this.#last = next;
      } else if (!isStamp(known, a, b, c, d, e)) {
        known = undefined;
      }
    }
    if (known === undefined) {
      this.#a = a;
      this.#b = b;
      this.#c = c;
      this.#d = d;
      this.#e = e;
      return false;
    }
    into.day = known.day;
    into.second = known.second;
    into.offset = NaN;
    into.epoch = NaN;
    return true;
  }

  /** Keeps the stamp that was not recalled. */
  keep({ day, second }: Stamp): void {
    if (this.#bytes === undefined) return;
    const instant = day * 86_400 + second;
    let known = this.#known.get(instant);
    if (known === undefined) {
      if (this.#known.size >= MOST_STAMPS) this.#known.clear();
      known = { a: this.#a, b: this.#b, c: this.#c, d: this.#d, e: this.#e, day, second, next: undefined };
      this.#known.set(instant, known);
    }
    if (this.#last !== undefined) this.#last.next = known;
    this.#last = known;
  }

  /** Too near to the end of the bytes in hand to be compared, or kept. */
  #nothing(): boolean {
    this.#bytes = undefined;
    return false;
  }
}

function isStamp(known: KnownStamp, a: number, b: number, c: number, d: number, e: number): boolean {
  return known.e === e && known.d === d && known.c === c && known.b === b && known.a === a;
}

/** The number in two bytes, NaN where they are not digits. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 48;
  const ones = bytes[at + 1]! - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

/**
 * Compiles a format such as `DD/MM/YYYY HH:mm:ss` (see `CsvProfile.time.format`). Numbers may lack a leading zero.
 * 24:00 is midnight at the end of the day.
 * @param lastHour the latest hour of a day, which has no minutes: 25 where hours of a day are counted
 */
export function compileTimeFormat(format: string, lastHour: 24 | 25 = 24): StampReader {
  const tokens = tokensOf(format);
  const date = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
  // Rows that follow each other are mostly of one date: its bytes are compared, not read again.
  const dateTokens = leadingDate(tokens);
  const lastDate = { bytes: new Uint8Array(64), length: 0, year: 0, month: 0, day: 0 };
  let lastYear = -1;
  let lastMonth = -1;
  let monthStart = 0;
  let monthDays = 0;

  return (bytes, start, end, into) => {
    let at = start;
    date.year = 1970;
    date.month = date.day = 1;
    date.hour = date.minute = date.second = 0;
    let afternoon: boolean | undefined;
    into.offset = NaN;
    into.epoch = NaN;
    let next = 0;
    if (startsWith(bytes, start, end, lastDate)) {
      at += lastDate.length;
      next = dateTokens;
      date.year = lastDate.year;
      date.month = lastDate.month;
      date.day = lastDate.day;
    }
    for (; next < tokens.length; next++) {
      if (next === dateTokens && at - start <= lastDate.bytes.length) {
        lastDate.length = at - start;
        for (let i = 0; i < lastDate.length; i++) lastDate.bytes[i] = bytes[start + i]!;
        lastDate.year = date.year;
        lastDate.month = date.month;
        lastDate.day = date.day;
      }
      const token = tokens[next]!;
      switch (token.kind) {
        case "number": {
          let value = 0;
          let digits = 0;
          while (digits < token.most && at < end) {
            const digit = bytes[at]! - 48;
            if (digit < 0 || digit > 9) break;
            value = value * 10 + digit;
            digits++;
            at++;
          }
          if (digits === 0) return false;
          date[token.field] = value;
          break;
        }
        case "literal":
          if (at >= end || bytes[at] !== token.byte) return false;
          at++;
          break;
        case "fraction":
          if (at >= end || bytes[at]! < 48 || bytes[at]! > 57) return false;
          while (at < end && bytes[at]! >= 48 && bytes[at]! <= 57) at++;
          break;
        case "month-name": {
          const index = MONTHS.indexOf(bytes.toString("latin1", at, at + 3).toLowerCase());
          if (index < 0) return false;
          date.month = index + 1;
          at += 3;
          break;
        }
        case "whole-month-name": {
          const text = bytes.toString("latin1", at, Math.min(end, at + 9)).toLowerCase();
          const index = MONTH_NAMES.findIndex((name) => text.startsWith(name));
          if (index < 0) return false;
          date.month = index + 1;
          at += MONTH_NAMES[index]!.length;
          break;
        }
        case "short-year": {
          const year = at + 2 <= end ? twoDigits(bytes, at) : NaN;
          if (Number.isNaN(year)) return false;
          date.year = year + (year < LAST_CENTURY ? 2000 : 1900);
          at += 2;
          break;
        }
        case "meridiem": {
          const word = bytes.toString("latin1", at, at + 2).toUpperCase();
          if (word !== "AM" && word !== "PM") return false;
          afternoon = word === "PM";
          at += 2;
          break;
        }
        case "offset": {
          const match = /^(Z|[+-]\d{2}:?\d{2})/i.exec(bytes.toString("latin1", at, Math.min(end, at + 6)));
          if (match === null) return false;
          at += match[0].length;
          into.offset = offsetSeconds(match[0]);
          if (Math.abs(into.offset) > FURTHEST_OFFSET) return false;
          break;
        }
        case "rest":
          at = end;
          break;
        case "epoch":
        case "epochMs": {
          const text = bytes.toString("latin1", at, end);
          if (!/^\d{1,14}(\.\d+)?$/.test(text)) return false;
          into.epoch = Math.floor(Number(text) / (token.kind === "epoch" ? 1 : 1000));
          into.day = NaN;
          return into.epoch <= 4_294_967_295;
        }
      }
    }
    if (at !== end) return false;
    let { hour } = date;
    if (afternoon !== undefined) {
      if (hour < 1 || hour > 12) return false;
      hour = (hour % 12) + (afternoon ? 12 : 0);
    }
    const { year, month, day, minute, second } = date;
    if (
      month < 1 ||
      month > 12 ||
      minute > 59 ||
      second > 60 ||
      hour > lastHour ||
      (hour === lastHour && (minute > 0 || second > 0))
    ) {
      return false;
    }
    if (year !== lastYear || month !== lastMonth) {
      monthStart = Date.UTC(year, month - 1, 1) / 86_400_000;
      monthDays = Date.UTC(year, month, 1) / 86_400_000 - monthStart;
      lastYear = year;
      lastMonth = month;
    }
    if (day < 1 || day > monthDays || year < 1970 || year > 2105) return false;
    into.day = monthStart + day - 1;
    into.second = hour * 3600 + minute * 60 + Math.min(second, 59);
    return true;
  };
}

const DATE_FIELDS: ReadonlySet<string> = new Set(["year", "month", "day"]);

/** How many tokens the date at the beginning of a format takes, -1 where it does not begin with a date alone. */
function leadingDate(tokens: readonly Token[]): number {
  const isTime = tokens.findIndex(
    (token) => token.kind !== "literal" && !(token.kind === "number" && DATE_FIELDS.has(token.field)),
  );
  const date = isTime < 0 ? -1 : isTime - 1;
  return date > 0 && tokens[date]!.kind === "literal" ? date : -1;
}

/** Whether the stamp begins with the date, and the date ends there. */
function startsWith(
  bytes: Buffer,
  start: number,
  end: number,
  date: { readonly bytes: Uint8Array; readonly length: number },
): boolean {
  const { length } = date;
  if (length === 0 || end - start <= length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== date.bytes[i]) return false;
  const after = bytes[start + length]!;
  return after < 48 || after > 57;
}

/** No clock is further from UTC than Kiribati's, by 14 hours: seconds. */
const FURTHEST_OFFSET = 14 * 3600;

function offsetSeconds(text: string): number {
  if (text.toUpperCase() === "Z") return 0;
  const sign = text.startsWith("-") ? -1 : 1;
  const digits = text.slice(1).replace(":", "");
  return sign * (Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2)) * 60);
}
