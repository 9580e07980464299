import { MILLILITRES } from "../../schemas/units.js";
import { LOCALES, WORDS } from "../words/index.js";
import { Format } from "./format.js";
import type { Frame, Told } from "./frame.js";

/**
 * What the water costs by the utility's price, as a fact of a letter; none where the utility names no price. Where it rises
 * with use, from the lowest to the highest: what else the home uses in the month decides. The price is said with it.
 */
export function cost({ utility, language }: Frame, { rate, volume, over, kind }: Told): [string, string][] {
  const { price } = utility;
  if (price === undefined) return [];
  const words = WORDS[language].mail.cost;
  const ofPriceMl = price.per * MILLILITRES[price.unit];
  const money = (amount: number) =>
    new Intl.NumberFormat(LOCALES[language], {
      style: "currency",
      currency: price.currency,
      // Under a hundred the cents, above it nobody counts them.
      maximumFractionDigits: amount < 100 ? 2 : 0,
    }).format(amount);
  /** Of so much water, or of as much as the price is for. */
  const costOf = (millilitres: number) => {
    const [low, high] = [price.amount, price.highest ?? price.amount].map((each) =>
      money((millilitres / ofPriceMl) * each),
    );
    return low === high ? low! : words.range({ low: low!, high: high! });
  };
  const amounts: string[] = [];
  if (volume !== undefined) {
    const amount = costOf(volume);
    amounts.push(over ? amount : words.soFar({ amount }));
  }
  if (!over && kind === "leak") amounts.push(words.aDay({ amount: costOf(rate * 24) }));
  if (amounts.length === 0) return [];
  const ofPrice = new Format({ ...utility, units: price.unit }, language).volume(ofPriceMl);
  const about = words.about({
    amounts: amounts.join(", "),
    price: costOf(ofPriceMl),
    volume: ofPrice,
  });
  return [[words.label, about]];
}
