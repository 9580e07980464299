import { DayRule } from "./day-rule.js";

/** R11: a leak day has 2 L at least in its lowest hour (Cardell-Oliver and Carter-Turner, BuildSys 2021). */
export function cardellOliverDay(): DayRule {
  return new DayRule({
    name: "cardell-oliver-day",
    figure: "lowest",
    days: 1,
    history: 1,
    least: 0,
    limit: () => 2000 - 1,
  });
}
