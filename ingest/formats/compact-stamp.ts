const DAY = 86_400;

/**
 * Reads stamps of digits alone, `YYYYMMDD` with or without `HHmm` and `ss`, into seconds from 1970-01-01T00:00 on their
 * own clock. `2400` is midnight at the end of the day.
 */
export class CompactStamp {
  #date = -1;
  #seconds = NaN;

  /**
   * @param digits 8, 12 or 14: how long the stamp must be
   * @returns NaN where `bytes[from, to)` is no such stamp
   */
  read(bytes: Buffer, from: number, to: number, digits: number): number {
    let at = from;
    let end = to;
    while (at < end && bytes[at] === 32) at++;
    while (end > at && bytes[end - 1] === 32) end--;
    if (end - at !== digits) return NaN;
    const date = wholeNumber(bytes, at, at + 8);
    if (date !== this.#date) {
      this.#date = date;
      this.#seconds = midnightOf(date);
    }
    if (digits === 8) return this.#seconds;
    const clock = wholeNumber(bytes, at + 8, at + 12);
    const second = digits === 14 ? wholeNumber(bytes, at + 12, end) : 0;
    const hour = Math.floor(clock / 100);
    const minute = clock % 100;
    // NaN, where a byte is no digit, fails each comparison.
    const exists = hour <= 23 ? minute <= 59 && second <= 59 : clock === 2400 && second === 0;
    return exists ? this.#seconds + hour * 3600 + minute * 60 + second : NaN;
  }
}

/** The digits in `bytes[from, to)` as a number; NaN where another byte is among them, or none is there. */
export function wholeNumber(bytes: Buffer, from: number, to: number): number {
  if (from >= to || to - from > 15) return NaN;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at]! - 48;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Seconds to the beginning of a date written as the number YYYYMMDD, NaN where there is no such date. */
function midnightOf(date: number): number {
  const year = Math.floor(date / 10_000);
  const month = Math.floor(date / 100) % 100;
  const day = date % 100;
  if (!(year >= 1970 && year <= 2105)) return NaN;
  const midnight = Date.UTC(year, month - 1, day) / 1000;
  const back = new Date(midnight * 1000);
  return back.getUTCMonth() === month - 1 && back.getUTCDate() === day
    ? Math.floor(midnight / DAY) * DAY
    : NaN;
}
