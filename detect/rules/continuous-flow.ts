import { FlowRun, type FlowRunRule } from "./flow-run.js";
import { HOUR, oneStep } from "./rule.js";

/**
 * Continuous flow as the utility sets it: water in every hour for `hours` hours (24 by default), the rule of
 * EyeOnWater, AquaCUE and MULTICAL 21 (DETECTION §1.1, R1 and R2).
 *
 * An hour flows when its volume reaches the threshold: the larger of the register's resolution and the meter's rate
 * ("normal for us", else `minRate`) for the time that the unit lasts.
 */
const RULE: FlowRunRule = {
  name: "continuous-flow",
  version: 1,
  hours: ({ detect }) => detect.continuousFlow.hours,
  flows({ start, end, ml }, { detect, resolution, rate }) {
    const least = rate ?? detect.continuousFlow.minRate;
    return ml >= Math.max(oneStep(resolution), (least * (end - start)) / HOUR);
  },
  maxGapHours: ({ continuousFlow }) => continuousFlow.maxGapHours,
  parameters: ({ continuousFlow: { hours, minRate, maxGapHours } }) => ({
    requiredHours: hours,
    minRate,
    maxGapHours,
  }),
};

export function continuousFlow(): FlowRun {
  return new FlowRun(RULE);
}
