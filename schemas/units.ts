import { z } from "zod";

/**
 * Millilitres in one unit of volume. US gallon 231 in³ and cubic foot 1,728 in³ with 1 in = 25.4 mm exactly (NIST
 * SP 811, appendix B.8); `imp-gal` 4.54609 L (UK Weights and Measures Act 1985).
 */
export const MILLILITRES = {
  mL: 1,
  L: 1_000,
  /** A cubic metre, as Australian files write it. */
  kL: 1_000_000,
  ML: 1_000_000_000,
  m3: 1_000_000,
  gal: 3785.411784,
  "10gal": 37_854.11784,
  "100gal": 378_541.1784,
  kgal: 3_785_411.784,
  "imp-gal": 4546.09,
  ft3: 28316.846592,
  "10ft3": 283_168.46592,
  /** 100 cubic feet, also written HCF. */
  ccf: 2_831_684.6592,
  kcf: 28_316_846.592,
  acft: 1_233_481_837.54752,
} as const;

export const unit = z.enum(
  Object.keys(MILLILITRES) as [keyof typeof MILLILITRES, ...(keyof typeof MILLILITRES)[]],
);
export type Unit = z.infer<typeof unit>;

/** Words for units as head-ends write them, in lower case without blanks, dots and underscores. */
const UNIT_WORDS: Readonly<Record<string, Unit>> = {
  ml: "mL",
  l: "L",
  liter: "L",
  liters: "L",
  litre: "L",
  litres: "L",
  ltr: "L",
  dm3: "L",
  kl: "kL",
  kiloliter: "kL",
  kiloliters: "kL",
  kilolitre: "kL",
  kilolitres: "kL",
  megaliter: "ML",
  megaliters: "ML",
  megalitre: "ML",
  megalitres: "ML",
  m3: "m3",
  "m³": "m3",
  cm: "m3",
  cubicmeter: "m3",
  cubicmeters: "m3",
  cubicmetre: "m3",
  cubicmetres: "m3",
  gal: "gal",
  gals: "gal",
  gallon: "gal",
  gallons: "gal",
  usgal: "gal",
  kgal: "kgal",
  kilogallons: "kgal",
  "10gal": "10gal",
  "10gallons": "10gal",
  "100gal": "100gal",
  "100gallons": "100gal",
  "1000gal": "kgal",
  "1000gallons": "kgal",
  thousandgallons: "kgal",
  impgal: "imp-gal",
  imperialgallons: "imp-gal",
  cf: "ft3",
  ft3: "ft3",
  "ft³": "ft3",
  cuft: "ft3",
  cubicfeet: "ft3",
  cubicfoot: "ft3",
  "10cf": "10ft3",
  "10ft3": "10ft3",
  "10cuft": "10ft3",
  "10cubicfeet": "10ft3",
  "100cf": "ccf",
  "100ft3": "ccf",
  "100cuft": "ccf",
  "100cubicfeet": "ccf",
  hundredcubicfeet: "ccf",
  "1000cf": "kcf",
  "1000ft3": "kcf",
  ccf: "ccf",
  hcf: "ccf",
  kcf: "kcf",
  mcf: "kcf",
  acft: "acft",
};

/**
 * The unit that a word in a file names, or `undefined`. Case does not count, but for `ML`: megalitres, where `ml` are
 * millilitres.
 */
export function unitOf(word: string): Unit | undefined {
  const bare = word.replace(/[\s._-]/g, "");
  return bare === "ML" ? "ML" : UNIT_WORDS[bare.toLowerCase()];
}

/** Words for units of energy, power, voltage and current, in lower case without blanks, dots and underscores. */
const NO_VOLUMES: ReadonlySet<string> = new Set(
  (
    "wh kwh mwh gwh varh kvarh mvarh vah kvah mvah w kw mw va kva var kvar v kv volts a amps pf " +
    "therm therms btu mbtu mmbtu dth j kj mj gj tj ccfc gas"
  ).split(" "),
);

/** Whether a word names a unit that measures something other than volume: its values are no water. */
export function isOtherThanVolume(word: string): boolean {
  return NO_VOLUMES.has(word.toLowerCase().replace(/[\s._-]/g, ""));
}
