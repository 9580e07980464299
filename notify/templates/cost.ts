import { MILLILITRES } from "../../schemas/units.js";
import { Format } from "./format.js";
import type { Frame, Told } from "./frame.js";

const WORDS = {
  en: { cost: "Cost", soFar: "so far", aDay: "a day", by: "at", per: "per", about: "about" },
  es: { cost: "Costo", soFar: "hasta ahora", aDay: "por día", by: "a", per: "por", about: "unos" },
} as const;

/**
 * What the water costs by the utility's price, as a fact of a letter; none where the utility names no price. Tiers are not
 * reckoned: the price is said with it.
 */
export function cost({ utility, language }: Frame, { rate, volume, over, kind }: Told): [string, string][] {
  const { price } = utility;
  if (price === undefined) return [];
  const words = WORDS[language];
  const perMl = price.amount / (price.per * MILLILITRES[price.unit]);
  const money = (amount: number) =>
    new Intl.NumberFormat(language === "es" ? "es-US" : "en-US", {
      style: "currency",
      currency: price.currency,
      // Under a hundred the cents, above it nobody counts them.
      maximumFractionDigits: amount < 100 ? 2 : 0,
    }).format(amount);
  const parts: string[] = [];
  if (volume !== undefined) parts.push(money(volume * perMl) + (over ? "" : ` ${words.soFar}`));
  if (!over && kind === "leak") parts.push(`${money(rate * 24 * perMl)} ${words.aDay}`);
  if (parts.length === 0) return [];
  const ofPrice = new Format({ ...utility, units: price.unit }, language).volume(
    price.per * MILLILITRES[price.unit],
  );
  return [
    [
      words.cost,
      `${words.about} ${parts.join(", ")} (${words.by} ${money(price.amount)} ${words.per} ${ofPrice})`,
    ],
  ];
}
