const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);
/** A longer text is no number that a meter shows. */
const MOST_TEXT = 64;
const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d{1,3})?$/;
const HEX = /^H([0-9a-fA-F]{1,13})$/;

/**
 * Reads decimal numbers (`12`, `-0.5`, `.5`, `1.2E+3`) from bytes, without a string for the common ones. Exact for up to
 * 15 digits.
 */
export class Decimal {
  /** Digits behind the point of the number read last. */
  decimals = 0;
  readonly #protocol: boolean;

  /** @param protocol also reads `H1F` (hexadecimal) and exponents with `D`, as CMEP has them */
  constructor(protocol = false) {
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
      } else if (byte === 46 && decimals < 0) {
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

  #slow(bytes: Buffer, from: number, to: number): number {
    if (to - from > MOST_TEXT) return NaN;
    const text = bytes.toString("latin1", from, to);
    this.decimals = 0;
    if (this.#protocol) {
      const hex = HEX.exec(text);
      if (hex !== null) return parseInt(hex[1]!, 16);
    }
    const plain = PLAIN.exec(text);
    if (plain === null || (!this.#protocol && /[dD]/.test(text))) return NaN;
    const number = Number(text.replace(/[dD]/, "e"));
    this.decimals = Math.min(15, /\.(\d+)/.exec(text)?.[1]?.length ?? 0);
    return Number.isFinite(number) ? number : NaN;
  }
}
