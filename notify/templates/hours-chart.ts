import { Format } from "./format.js";
import type { Frame, Told } from "./frame.js";
import type { Block } from "./letter.js";

const CHART = {
  en: {
    title: "Hour by hour",
    caption: (from: string, to: string, least: string, most: string) =>
      `From ${from} to ${to}: ${least} in the lowest hour, ${most} in the highest. Dark: since it began.`,
  },
  es: {
    title: "Hora por hora",
    caption: (from: string, to: string, least: string, most: string) =>
      `Del ${from} al ${to}: ${least} en la hora más baja, ${most} en la más alta. Oscuro: desde que empezó.`,
  },
} as const;
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
  const words = CHART[language];
  return [
    {
      title: words.title,
      bars,
      dark: Math.max(0, Math.floor((start - from) / 3600)),
      caption: words.caption(
        format.moment(from),
        format.moment(from + bars.length * 3600),
        format.volume(Math.min(...known)),
        format.volume(Math.max(...known)),
      ),
    },
  ];
}
