/**
 * What stands in a column of values in place of a number, for no read or for 0: words, whose case does not count, and numbers
 * such as `4294967294` or `-999`, however they are written.
 */
export class ValueMarks {
  readonly #words: ReadonlySet<string>;
  readonly #numbers: readonly number[];

  constructor(words: readonly string[]) {
    this.#words = new Set(words.map((word) => word.trim().toUpperCase()));
    this.#numbers = words
      .filter((word) => word.trim() !== "")
      .map(Number)
      .filter(Number.isFinite);
  }

  /** @param text without outer blanks */
  isWord(text: string): boolean {
    return this.#words.has(text.toUpperCase());
  }

  isNumber(value: number): boolean {
    return this.#numbers.length > 0 && this.#numbers.includes(value);
  }
}
