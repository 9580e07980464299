import { GALLON } from "../rule.js";
import { WindowedRun } from "./windowed-flow.js";

/** mL/h: the smallest leak to catch, 48 gal a day, a toilet's by energy.gov. */
const RATE = (48 * GALLON) / 24;

/**
 * R8: Itron (US 7,119,698 B2): the window is the register's resolution over the rate to catch, so that such a leak moves
 * the register in each. Here in whole hours, over 24 hours, for the leak of a toilet.
 */
export function itronWindow(): WindowedRun {
  const hours = (resolution: number) => Math.min(8, Math.max(1, Math.ceil(resolution / RATE)));
  return new WindowedRun({ name: "itron-window", windows: 24, hours });
}
