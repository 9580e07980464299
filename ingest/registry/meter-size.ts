import { MILLILITRES } from "../../schemas/units.js";

const INCH_MM = 25.4;
/** mL/h */
const GALLON_PER_MINUTE = MILLILITRES.gal * 60;

/** Safe maximum operating capacity of displacement meters by nominal size in inches, US gal/min (AWWA C700). */
const GALLONS_PER_MINUTE: readonly (readonly [inches: number, gallons: number])[] = [
  [5 / 8, 20],
  [3 / 4, 30],
  [1, 50],
  [1.5, 100],
  [2, 160],
];
/** Metric sizes of the same meters, mm. */
const METRIC: Readonly<Record<number, number>> = { 15: 5 / 8, 20: 3 / 4, 25: 1, 40: 1.5, 50: 2 };
/**
 * A burst behind a meter draws more than what is safe for it; at twice as much the meter alone takes four times the pressure, about
 * what a main has. What lies beyond can't have passed. A limit of ours.
 */
const BEYOND_SAFE = 2;
/** Of other sizes: m/s in the nominal bore, which no meter is built for. A limit of ours. */
const FASTEST = 10;
const LARGEST_MM = 1000;
/** A bare number from here on is millimetres: the largest meters of a town have 12 inches. */
const LEAST_BARE_MM = 13;

/**
 * More than a meter of this size can pass in any case.
 *
 * @param text as registries write it: inches (`5/8`, `5/8" x 3/4"`, `1 1/2`, `1-1/2"`, `0.75 in`, `2`), millimetres (`DN20`,
 *   `20 mm`, `20`), or the dates that spreadsheets make of fractions (`8-May`, `5-Aug` for 5/8)
 * @returns mL/h; `undefined` where it is no size
 */
export function capacityOf(text: string): number | undefined {
  const mm = millimetres(text);
  if (mm === undefined || mm <= 0 || mm > LARGEST_MM) return undefined;
  const inches = METRIC[mm] ?? mm / INCH_MM;
  const known = GALLONS_PER_MINUTE.find(([size]) => Math.abs(size - inches) < 0.01);
  if (known !== undefined) return Math.round(known[1] * BEYOND_SAFE * GALLON_PER_MINUTE);
  const squareMetres = (Math.PI / 4) * (mm / 1000) ** 2;
  return Math.round(squareMetres * FASTEST * 3600 * 1e6);
}

function millimetres(text: string): number | undefined {
  const word = text.trim().toLowerCase();
  const metric = /^(?:dn\s*(\d+)|(\d+(?:\.\d+)?)\s*mm)$/.exec(word);
  if (metric !== null) return Number(metric[1] ?? metric[2]);
  const date = inchesOfDate(word);
  if (date !== undefined) return date * INCH_MM;
  // Of "5/8 x 3/4" the first is the meter's, the second that of its ends.
  const [size] = word.split(/\s*x\s*/);
  const inches = /^(?:(\d+)[\s-]+)?(\d+)\/(\d+)\s*(?:"|''|in\.?|inch(?:es)?)?$/.exec(size!);
  if (inches !== null) {
    const [, whole = "0", above, below] = inches;
    return below === "0" ? undefined : (Number(whole) + Number(above) / Number(below)) * INCH_MM;
  }
  const plain = /^(\d*\.?\d+)\s*("|''|in\.?|inch(?:es)?)?$/.exec(size!);
  if (plain === null) return undefined;
  const value = Number(plain[1]);
  return plain[2] === undefined && value >= LEAST_BARE_MM ? value : value * INCH_MM;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** "8-May" is what a spreadsheet made of 5/8, "5-Aug" of the same where it puts days first. */
function inchesOfDate(word: string): number | undefined {
  const found = /^(?:(\d{1,2})-([a-z]{3})|([a-z]{3})-(\d{1,2}))$/.exec(word);
  if (found === null) return undefined;
  const month = MONTHS.indexOf(found[2] ?? found[3]!) + 1;
  const day = Number(found[1] ?? found[4]);
  if (month === 0 || day === 0 || day === month) return undefined;
  return Math.min(day, month) / Math.max(day, month);
}
