import { mean } from "simple-statistics";
import { DayRule } from "./day-rule.js";

/** R10: a day above twice the mean of the last 30, as Des Moines tells its customers (dmww.com). */
export function day2x(): DayRule {
  return new DayRule({
    name: "day-2x",
    figure: "volume",
    days: 1,
    history: 30,
    least: 7,
    limit: (past) => 2 * mean([...past]),
  });
}
