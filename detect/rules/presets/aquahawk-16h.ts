import type { FlowRun } from "../flow-run.js";
import { GALLON } from "../rule.js";
import { fixedFlow } from "./fixed-flow.js";

/**
 * R5: AquaHawk's example of an account's own rule, 7 gal/h in each of 16 hours. It also looks at 4, 8 and 24 hours;
 * the rates of those are not published (aquahawkalerting.com).
 */
export function aquaHawk16h(): FlowRun {
  return fixedFlow({ name: "aquahawk-16h", hours: 16, rate: 7 * GALLON });
}
