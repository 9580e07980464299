import type { UtilityConfig } from "../../schemas/config.js";
import { wordsFrom, type Words } from "./catalogue.js";
import { en } from "./en.js";
import { es } from "./es.js";

export type Language = UtilityConfig["languages"][number];
export type { Words };

/** Of numbers, dates, plurals and voices. */
export const LOCALES: Readonly<Record<Language, string>> = { en: "en-US", es: "es-US" };

/** All that residents read and hear, by language. CONTRIBUTING.md says how one is added. */
export const WORDS: Readonly<Record<Language, Words>> = {
  en: wordsFrom(en, LOCALES.en),
  es: wordsFrom(es, LOCALES.es),
};
