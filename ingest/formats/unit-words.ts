import { unitOf, type Unit } from "../../schemas/units.js";

/** Units by the words of a file: those that its source names come before those that are known. Case does not count. */
export class UnitWords {
  readonly #own: ReadonlyMap<string, Unit>;

  constructor(treatAs: Readonly<Record<string, Unit>>) {
    this.#own = new Map(Object.entries(treatAs).map(([word, unit]) => [word.toUpperCase(), unit]));
  }

  of(word: string): Unit | undefined {
    return this.#own.get(word.toUpperCase()) ?? unitOf(word);
  }
}
