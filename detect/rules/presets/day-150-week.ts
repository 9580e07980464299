import { DayRule } from "./day-rule.js";

/** R10: a day above 150 % of the last week's highest, as North Miami Beach sets it (citynmb.com). */
export function day150Week(): DayRule {
  return new DayRule({
    name: "day-150-week",
    figure: "volume",
    days: 1,
    history: 7,
    least: 7,
    limit: (past) => 1.5 * Math.max(...past),
  });
}
