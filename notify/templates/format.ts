import type { UtilityConfig } from "../../schemas/config.js";
import { MILLILITRES } from "../../schemas/units.js";
import { LOCALES, WORDS, type Language, type Words } from "../words/index.js";

/** Numbers, volumes and times as residents of a utility read them. */
export class Format {
  readonly #words: Words;
  readonly #units: UtilityConfig["units"];
  readonly #moment: Intl.DateTimeFormat;

  constructor({ units, timeZone }: Pick<UtilityConfig, "units" | "timeZone">, language: Language) {
    this.#words = WORDS[language];
    this.#units = units;
    this.#moment = new Intl.DateTimeFormat(LOCALES[language], {
      timeZone,
      weekday: "long",
      month: "long",
      day: "numeric",
      hour: "numeric",
      minute: "2-digit",
    });
  }

  /** Millilitres in the utility's unit, such as "48.2 gallons". */
  volume(millilitres: number): string {
    return this.#words.volume[this.#units]({ n: this.#number(millilitres, 3) });
  }

  /** The number alone, as a field of a form takes it, such as "48.2". */
  plain(millilitres: number): string {
    return String(this.#number(millilitres, 6));
  }

  /** The same for a text, such as "48.2 gal". */
  shortVolume(millilitres: number): string {
    return plainBlanks(this.#words.short.volume({ n: this.#number(millilitres, 3), unit: this.#units }));
  }

  /** Degrees Celsius as people who count in the utility's unit read them, such as "20 °F". */
  temperature(celsius: number): string {
    return this.#units === "gal" || this.#units === "ft3"
      ? `${Math.round((celsius * 9) / 5 + 32)} °F`
      : `${Math.round(celsius)} °C`;
  }

  /** A length in seconds, such as "26 hours" or "5 days". */
  duration(seconds: number): string {
    const { count, unit } = hoursOrDays(seconds);
    return this.#words[unit]({ n: count });
  }

  /** A length in seconds for a text, such as "26 h" or "5 days". */
  shortDuration(seconds: number): string {
    const { count, unit } = hoursOrDays(seconds);
    return this.#words.short[unit]({ n: count });
  }

  /** An instant (UTC seconds) on the local clock. */
  moment(second: number): string {
    const text = plainBlanks(this.#moment.format(second * 1000));
    // Spanish writes "a.m." with points, which would meet the one that ends a sentence.
    return text.replace(/\b([ap])\.\s?m\.$/, "$1m");
  }

  /** In the utility's unit, as far as it is shown: the plural is that of the number that is read. */
  #number(millilitres: number, digits: number): number {
    return Number((millilitres / MILLILITRES[this.#units]).toPrecision(digits));
  }
}

/** Blanks that do not break are none of the letters of texts, and look odd in mails as plain text. */
function plainBlanks(text: string): string {
  return text.replace(/[\u202f\u00a0]/g, " ");
}

/** Hours up to three days, then days. */
function hoursOrDays(seconds: number): { readonly count: number; readonly unit: "hours" | "days" } {
  const hours = Math.max(1, Math.round(seconds / 3600));
  return hours < 72 ? { count: hours, unit: "hours" } : { count: Math.floor(hours / 24), unit: "days" };
}
