import { median } from "simple-statistics";
import { robustDeviation } from "../robust-deviation.js";
import { DayRule } from "./day-rule.js";

/**
 * R9: minimum night flow, as networks are watched, for one meter: the lowest hour from midnight to 5 above the median
 * and three robust deviations of the last 28 nights, by a step of the register at least, for two nights.
 */
export function nightFlow(): DayRule {
  return new DayRule({
    name: "night-flow",
    figure: "night",
    days: 2,
    history: 28,
    least: 7,
    limit: (past, resolution) =>
      median([...past]) + Math.max(Math.max(0, resolution - 1), 3 * robustDeviation(past)),
  });
}
