import type { Reader, Writer } from "../varints.js";

/**
 * The highest of what was noted in the last days. Kept are only notes that no later one reaches: a handful, however
 * many were made.
 */
export class RecentMaximum {
  #days: number[] = [];
  #values: number[] = [];

  /** @param day days since 1970-01-01, never falling */
  note(day: number, value: number): void {
    while (this.#values.length > 0 && this.#values[this.#values.length - 1]! <= value) {
      this.#values.pop();
      this.#days.pop();
    }
    if (this.#values.length === MOST) {
      this.#values.pop();
      this.#days.pop();
    }
    this.#values.push(value);
    this.#days.push(day);
  }

  /** Highest value noted on `from` or later, 0 without one; older ones are forgotten. */
  since(from: number): number {
    while (this.#days.length > 0 && this.#days[0]! < from) {
      this.#days.shift();
      this.#values.shift();
    }
    return this.#values[0] ?? 0;
  }

  writeTo(to: Writer): void {
    to.number(this.#days.length);
    to.differences(this.#days);
    to.differences(this.#values);
  }

  readFrom(from: Reader): void {
    const count = from.number();
    from.differences(this.#days, 0, count);
    from.differences(this.#values, 0, count);
  }
}

/** A full list gives up its lowest, so the maximum stands. */
const MOST = 12;
