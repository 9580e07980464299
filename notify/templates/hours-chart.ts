import { WORDS } from "../words/index.js";
import { Format } from "./format.js";
import type { Frame, Told } from "./frame.js";
import type { Block } from "./letter.js";

/** Fewer known hours make no picture. */
const LEAST_HOURS = 12;

/** The hours as a small chart with its sentence; nothing where too few are known. */
export function hoursChart({ language, utility }: Frame, { hours, start }: Told): Block[] {
  const known = hours?.ml.filter((ml) => ml !== null) ?? [];
  if (hours === undefined || known.length < LEAST_HOURS) return [];
  const format = new Format(utility, language);
  const first = hours.ml.findIndex((ml) => ml !== null);
  const bars = hours.ml.slice(first);
  const from = hours.from + first * 3600;
  const words = WORDS[language].mail.chart;
  return [
    {
      title: words.title,
      bars,
      dark: Math.max(0, Math.floor((start - from) / 3600)),
      caption: words.caption({
        from: format.moment(from),
        to: format.moment(from + bars.length * 3600),
        least: format.volume(Math.min(...known)),
        most: format.volume(Math.max(...known)),
      }),
    },
  ];
}
