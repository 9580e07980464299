import type { RuleName } from "../../schemas/anomalies.js";

export interface Detector {
  readonly name: string;
  readonly rules: ReadonlySet<RuleName>;
}

const of = (name: string, ...rules: RuleName[]): Detector => ({ name, rules: new Set(rules) });

export const OURS = "Curbstop";
export const HIGH_DAY = "Curbstop, high day";

/** Ours for leaks first, what it is measured against (DETECTION §4.4), and ours for high usage. */
export const DETECTORS: readonly Detector[] = [
  of(OURS, "leak", "burst"),
  of("R1 any flow, 24 h", "any-flow-24h"),
  of("R2 EyeOnWater", "eyeonwater-24h"),
  of("R3 WaterSmart", "watersmart-leak", "watersmart-burst"),
  of("R4 SFPUC", "sfpuc-leak"),
  of("R5 AquaHawk", "aquahawk-16h"),
  of("R6 Neptune", "neptune-24h"),
  of("R7 Kamstrup 12 × 2 h", "kamstrup-12x2h"),
  of("R8 Itron window", "itron-window"),
  of("R9 night flow", "night-flow"),
  of("R10 day > 2 ×", "day-2x"),
  of("R10 day > 3 ×, 5 days", "day-3x-5d"),
  of("R10 day > 150 % of week", "day-150-week"),
  of("R11 Cardell-Oliver", "cardell-oliver-day"),
  of("R12 Flume", "flume-2h"),
  of(HIGH_DAY, "high-day"),
  of("Curbstop, spike", "spike"),
];

/** Those of the detectors that a bar is about. */
export const OUR_RULES: ReadonlySet<RuleName> = new Set(
  DETECTORS.filter(({ name }) => name === OURS || name === HIGH_DAY).flatMap(({ rules }) => [...rules]),
);
