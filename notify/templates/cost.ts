import { MILLILITRES } from "../../schemas/units.js";
import { LOCALES, WORDS } from "../words/index.js";
import { Format } from "./format.js";
import type { Frame, Told } from "./frame.js";

/**
 * What the water costs by the utility's price, as a fact of a letter; none where the utility names no price. Tiers are not
 * reckoned: the price is said with it.
 */
export function cost({ utility, language }: Frame, { rate, volume, over, kind }: Told): [string, string][] {
  const { price } = utility;
  if (price === undefined) return [];
  const words = WORDS[language].mail.cost;
  const perMl = price.amount / (price.per * MILLILITRES[price.unit]);
  const money = (amount: number) =>
    new Intl.NumberFormat(LOCALES[language], {
      style: "currency",
      currency: price.currency,
      // Under a hundred the cents, above it nobody counts them.
      maximumFractionDigits: amount < 100 ? 2 : 0,
    }).format(amount);
  const amounts: string[] = [];
  if (volume !== undefined) {
    const amount = money(volume * perMl);
    amounts.push(over ? amount : words.soFar({ amount }));
  }
  if (!over && kind === "leak") amounts.push(words.aDay({ amount: money(rate * 24 * perMl) }));
  if (amounts.length === 0) return [];
  const ofPrice = new Format({ ...utility, units: price.unit }, language).volume(
    price.per * MILLILITRES[price.unit],
  );
  const about = words.about({
    amounts: amounts.join(", "),
    price: money(price.amount),
    volume: ofPrice,
  });
  return [[words.label, about]];
}
