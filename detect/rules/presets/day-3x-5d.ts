import { mean } from "simple-statistics";
import { DayRule } from "./day-rule.js";

/** R10: five days one after the other above three times the mean of the last 30. */
export function day3x5d(): DayRule {
  return new DayRule({
    name: "day-3x-5d",
    figure: "volume",
    days: 5,
    history: 30,
    least: 7,
    limit: (past) => 3 * mean([...past]),
  });
}
