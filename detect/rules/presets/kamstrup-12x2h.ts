import { WindowedRun } from "./windowed-flow.js";

/**
 * R7: Kamstrup MULTICAL 602 and 803, cold-water leak at its most sensitive: a pulse in each of 12 windows of 2 hours
 * (24 of 1 hour is their default and R1; manualslib.com 652018, 3388817).
 */
export function kamstrup12x2h(): WindowedRun {
  return new WindowedRun({ name: "kamstrup-12x2h", windows: 12, hours: () => 2 });
}
