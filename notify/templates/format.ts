import type { UtilityConfig } from "../../schemas/config.js";
import { MILLILITRES } from "../../schemas/units.js";
import type { Language } from "../consent/wording.js";

/** Numbers, volumes and times as residents of a utility read them. */
export class Format {
  readonly #language: Language;
  readonly #units: UtilityConfig["units"];
  readonly #number: Intl.NumberFormat;
  readonly #moment: Intl.DateTimeFormat;

  constructor({ units, timeZone }: Pick<UtilityConfig, "units" | "timeZone">, language: Language) {
    const locale = language === "es" ? "es-US" : "en-US";
    this.#language = language;
    this.#units = units;
    // Three digits: more would claim a precision that meters do not have.
    this.#number = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
    this.#moment = new Intl.DateTimeFormat(locale, {
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
    const number = this.#number.format(millilitres / MILLILITRES[this.#units]);
    const [one, many] = UNIT_NAMES[this.#language][this.#units];
    return `${number} ${number === "1" ? one : many}`;
  }

  /** An instant (UTC seconds) on the local clock. */
  moment(second: number): string {
    const text = this.#moment.format(second * 1000).replace(/[\u202f\u00a0]/g, " ");
    // Spanish writes "a.m." with points, which would meet the one that ends a sentence.
    return text.replace(/\b([ap])\.\s?m\.$/, "$1m");
  }

  /** A length in seconds: hours up to three days, then days. */
  duration(seconds: number): string {
    const hours = Math.max(1, Math.round(seconds / 3600));
    const [count, [one, many]] =
      hours < 72
        ? [hours, this.#language === "es" ? ["hora", "horas"] : ["hour", "hours"]]
        : [Math.floor(hours / 24), this.#language === "es" ? ["día", "días"] : ["day", "days"]];
    return `${this.#number.format(count)} ${count === 1 ? one : many}`;
  }
}

const UNIT_NAMES: Readonly<Record<Language, Record<UtilityConfig["units"], readonly [string, string]>>> = {
  en: {
    gal: ["gallon", "gallons"],
    L: ["liter", "liters"],
    m3: ["cubic meter", "cubic meters"],
    ft3: ["cubic foot", "cubic feet"],
  },
  es: {
    gal: ["galón", "galones"],
    L: ["litro", "litros"],
    m3: ["metro cúbico", "metros cúbicos"],
    ft3: ["pie cúbico", "pies cúbicos"],
  },
};
