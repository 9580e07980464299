const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);
/** A longer text is no number that a meter shows. */
const MOST_TEXT = 64;
/** Decimals that are told at most. */
const MOST_DECIMALS = 15;
const PLAIN = /^[+-]?(?:\d+(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,3}))?$/;
const HEX = /^H([0-9a-fA-F]{1,13})$/;
/** Blanks that no line is broken at, and thin ones: what spreadsheets put between thousands. */
const BLANKS = /[\u00a0\u2009\u202f]/g;

export interface DecimalMarks {
  readonly decimal?: "." | ",";
  /** Between thousands; "": none. A blank stands for blanks of all kinds, an apostrophe for a curly one too. */
  readonly thousands?: string;
  /** `1.2E+3` is a number. */
  readonly exponents?: boolean;
  /** Also reads `H1F` (hexadecimal) and exponents with `D`, as CMEP has them. */
  readonly protocol?: boolean;
}

/**
 * Reads decimal numbers (`12`, `-0.5`, `.5`, `1.2E+3`, by other marks `1.234,5`) from bytes, without a string for the
 * common ones. Exact for up to 15 digits.
 */
export class Decimal {
  /** Digits behind the point of the number read last, its exponent written out. */
  decimals = 0;
  readonly #mark: number;
  readonly #decimal: string;
  readonly #thousands: string;
  readonly #exponents: boolean;
  readonly #protocol: boolean;

  constructor({ decimal = ".", thousands = "", exponents = true, protocol = false }: DecimalMarks = {}) {
    this.#mark = decimal.charCodeAt(0);
    this.#decimal = decimal;
    this.#thousands = thousands;
    this.#exponents = exponents;
    this.#protocol = protocol;
  }

  /** The number in `bytes[from, to)`, NaN where there is none. Outer blanks don't count. */
  read(bytes: Buffer, from: number, to: number): number {
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
    const mark = this.#mark;
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
      } else if (byte === mark && decimals < 0) {
        decimals = 0;
      } else {
        return this.#slow(bytes, begin, end);
      }
    }
    if (digits === 0) return NaN;
    if (digits > 15) return this.#slow(bytes, begin, end);
    this.decimals = decimals > 0 ? decimals : 0;
    if (decimals > 0) value /= POWERS[decimals]!;
    return negative ? -value : value;
  }

  /** Thousands marks, exponents, more than 15 digits. */
  #slow(bytes: Buffer, from: number, to: number): number {
    if (to - from > MOST_TEXT) return NaN;
    let text = bytes.toString("utf8", from, to);
    this.decimals = 0;
    if (this.#protocol) {
      const hex = HEX.exec(text);
      if (hex !== null) return parseInt(hex[1]!, 16);
      text = text.replace(/[dD]/, "e");
    }
    const joined = this.#thousands === "" ? text : this.#joined(text);
    if (joined === undefined) return NaN;
    if (this.#decimal !== ".") {
      if (joined.includes(".")) return NaN;
      text = joined.replace(this.#decimal, ".");
    } else text = joined;
    const plain = PLAIN.exec(text);
    if (plain === null || (plain[3] !== undefined && !this.#exponents)) return NaN;
    const number = Number(text);
    const fraction = (plain[1] ?? plain[2] ?? "").length - Number(plain[3] ?? 0);
    this.decimals = Math.min(MOST_DECIMALS, Math.max(0, fraction));
    return Number.isFinite(number) ? number : NaN;
  }

  /** The text without its marks between thousands; `undefined` where they don't stand between thousands. */
  #joined(given: string): string | undefined {
    const thousands = this.#thousands;
    let text = given;
    if (thousands === " ") text = text.replace(BLANKS, " ");
    else if (thousands === "'") text = text.replaceAll("\u2019", "'");
    const whole = text.split(this.#decimal)[0]!;
    if (!whole.includes(thousands)) return text;
    const groups = whole.replace(/^[+-]/, "").split(thousands);
    if (!groups.every((group, i) => (i === 0 ? /^\d{1,3}$/ : /^\d{3}$/).test(group))) return undefined;
    return whole.replaceAll(thousands, "") + text.slice(whole.length);
  }
}
