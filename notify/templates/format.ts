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

  /** The number alone, as a field of a form takes it, such as "48.2". */
  plain(millilitres: number): string {
    return String(Number((millilitres / MILLILITRES[this.#units]).toPrecision(6)));
  }

  /** The same for a text, such as "48.2 gal". */
  shortVolume(millilitres: number): string {
    return `${this.#number.format(millilitres / MILLILITRES[this.#units])} ${this.#units}`;
  }

  /** A length in seconds for a text, such as "26 h" or "5 days". */
  shortDuration(seconds: number): string {
    const { count, unit } = hoursOrDays(seconds);
    return `${this.#number.format(count)} ${unit === "hour" ? "h" : this.#language === "es" ? "d" : "days"}`;
  }

  /** An instant (UTC seconds) on the local clock. */
  moment(second: number): string {
    const text = this.#moment.format(second * 1000).replace(/[\u202f\u00a0]/g, " ");
    // Spanish writes "a.m." with points, which would meet the one that ends a sentence.
    return text.replace(/\b([ap])\.\s?m\.$/, "$1m");
  }

  /** A length in seconds, such as "26 hours" or "5 days". */
  duration(seconds: number): string {
    const { count, unit } = hoursOrDays(seconds);
    const [one, many] = LENGTHS[this.#language][unit];
    return `${this.#number.format(count)} ${count === 1 ? one : many}`;
  }
}

/** Hours up to three days, then days. */
function hoursOrDays(seconds: number): { readonly count: number; readonly unit: "hour" | "day" } {
  const hours = Math.max(1, Math.round(seconds / 3600));
  return hours < 72 ? { count: hours, unit: "hour" } : { count: Math.floor(hours / 24), unit: "day" };
}

const LENGTHS = {
  en: { hour: ["hour", "hours"], day: ["day", "days"] },
  es: { hour: ["hora", "horas"], day: ["día", "días"] },
} as const;

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
