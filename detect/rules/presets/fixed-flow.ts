import type { RuleName } from "../../../schemas/anomalies.js";
import { FlowRun, type FlowRunRule } from "../flow-run.js";
import { HOUR, type RuleContext } from "../rule.js";

/** Sources say nothing of holes: one of up to 4 hours is passed over, as `continuous-flow` does by default. */
const MAX_GAP_HOURS = 4;

export interface FixedFlow {
  readonly name: RuleName;
  /** Of the rule, where it changed since the first. */
  readonly version?: number;
  /** Hours in a row, of the meter's class. */
  readonly hours: number | ((context: RuleContext) => number);
  /** mL/h from which an hour flows. */
  readonly rate: number | ((context: RuleContext) => number);
  /** An hour at exactly the rate does not flow: the source says "more than". */
  readonly above?: boolean;
}

/** A rule with one rate and one number of hours, as a vendor or a utility publishes it. */
export function fixedFlow({ name, version = 1, hours, rate, above = false }: FixedFlow): FlowRun {
  const rule: FlowRunRule = {
    name,
    version,
    hours: (context) => (typeof hours === "number" ? hours : hours(context)),
    flows({ start, end, ml }, context) {
      const perHour = typeof rate === "number" ? rate : rate(context);
      const threshold = (perHour * (end - start)) / HOUR;
      // Volumes are whole millilitres: one that was rounded down from the threshold reaches it.
      return above ? ml > threshold : ml >= Math.floor(threshold);
    },
    maxGapHours: () => MAX_GAP_HOURS,
    parameters: () => ({
      ...(typeof hours === "number" ? { requiredHours: hours } : {}),
      ...(typeof rate === "number" ? { minRate: Math.round(rate) } : {}),
      maxGapHours: MAX_GAP_HOURS,
    }),
  };
  return new FlowRun(rule);
}
