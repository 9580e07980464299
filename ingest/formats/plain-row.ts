import { fixedClock, type Stamp } from "./time-format.js";

/** What a column holds; `other`: nothing that is asked for. */
export const Role = { other: 0, identity: 1, time: 2, value: 3, quality: 4, filter: 5 } as const;
export type Role = (typeof Role)[keyof typeof Role];

export interface PlainDialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly decimal: string;
  /** Of the date and time, or of the date alone. */
  readonly timeFormat: string;
  /** Roles of the columns; a row has as many. */
  readonly roles: readonly Role[];
}

const LF = 10;
const CR = 13;
const ZERO = 48;
const MINUS = 45;
const MOST_DIGITS = 15;

/**
 * The fields of a row without quotes, blanks around values, or anything else out of the ordinary, read in one pass over
 * its bytes: most rows of most files. Any other row is left to `CsvRows`, which cuts it, and to whoever reads its fields.
 */
export class PlainRow {
  /** Where the field that names the meter lies. */
  identityFrom = 0;
  identityTo = 0;
  qualityFrom = 0;
  qualityTo = 0;
  /** Bytes that the fields of each filter had in a row that was taken; a row with others is not plain. */
  readonly taken: Uint8Array[] = [];
  readonly stamp: Stamp = { day: 0, second: 0, offset: NaN, epoch: NaN };
  /** Values in the order of their columns; NaN for an empty field. */
  readonly values: Float64Array;
  /** Decimals written, of each value. */
  readonly decimals: Uint8Array;
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #decimal: number;
  readonly #roles: Uint8Array;
  readonly #clock: ReturnType<typeof fixedClock>;

  constructor({ delimiter, quote, decimal, timeFormat, roles }: PlainDialect) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#quote = quote.charCodeAt(0);
    this.#decimal = decimal.charCodeAt(0);
    this.#roles = Uint8Array.from(roles);
    this.#clock = fixedClock(timeFormat);
    const values = roles.filter((role) => role === Role.value).length;
    this.values = new Float64Array(values);
    this.decimals = new Uint8Array(values);
  }

  /** Whether stamps of the format can be read at all here. */
  get isFit(): boolean {
    return this.#clock !== undefined;
  }

  /**
   * @param expected bytes of the identity that most likely stands there
   * @returns index of the byte that ends the row that begins at `from`; -1 where the row is not plain, or not whole
   */
  read(bytes: Buffer, from: number, expected: Uint8Array): number {
    const roles = this.#roles;
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    const last = roles.length - 1;
    let at = from;
    let n = 0;
    let filter = 0;
    for (let column = 0; column <= last; column++) {
      const role = roles[column];
      if (role === Role.value) {
        at = this.#value(bytes, at, n++);
        if (at < 0) return -1;
      } else if (role === Role.time) {
        const clock = this.#clock!;
        if (!clock.read(bytes, at, this.stamp)) return -1;
        at += clock.width;
      } else {
        if (bytes[at] === quote) return -1;
        const begin = at;
        if (role === Role.identity) {
          const { length } = expected;
          let i = 0;
          while (i < length && bytes[at + i] === expected[i]) i++;
          at += i;
        }
        let byte: number | undefined;
        while ((byte = bytes[at]) !== undefined && byte !== delimiter && byte !== LF && byte !== CR) at++;
        if (role === Role.identity) {
          this.identityFrom = begin;
          this.identityTo = at;
        } else if (role === Role.quality) {
          this.qualityFrom = begin;
          this.qualityTo = at;
        } else if (role === Role.filter && !isAt(bytes, begin, at, this.taken[filter++])) {
          return -1;
        }
      }
      const byte = bytes[at];
      if (column < last) {
        if (byte !== delimiter) return -1;
        at++;
      } else if (byte !== LF && byte !== CR) {
        return -1;
      }
    }
    return at;
  }

  /** @returns where the number at `from` ends, or -1 where there is another thing than a plain number or nothing */
  #value(bytes: Buffer, from: number, n: number): number {
    const decimal = this.#decimal;
    let at = from;
    let byte = bytes[at]!;
    const negative = byte === MINUS;
    if (negative) byte = bytes[++at]!;
    const first = at;
    let value = 0;
    let point = -1;
    for (;;) {
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) value = value * 10 + digit;
      else if (byte === decimal && point < 0) point = at;
      else break;
      byte = bytes[++at]!;
    }
    const digits = at - first - (point < 0 ? 0 : 1);
    if (digits === 0) {
      if (at !== from) return -1;
      this.values[n] = NaN;
      this.decimals[n] = 0;
      return at;
    }
    if (digits > MOST_DIGITS) return -1;
    const decimals = point < 0 ? 0 : at - point - 1;
    if (decimals > 0) value /= POWERS[decimals]!;
    this.values[n] = negative ? -value : value;
    this.decimals[n] = decimals;
    return at;
  }
}

function isAt(bytes: Buffer, from: number, to: number, word: Uint8Array | undefined): boolean {
  if (word?.length !== to - from) return false;
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word[i]) return false;
  return true;
}

const POWERS = Array.from({ length: MOST_DIGITS + 1 }, (_, i) => 10 ** i);
