import type { FlowRun } from "../flow-run.js";
import { fixedFlow } from "./fixed-flow.js";

/**
 * R1: some flow in each of 24 hours. Kamstrup MULTICAL 21 at its lowest limit, Next Century, and the sensitive setting
 * of EyeOnWater (the register's resolution) work so.
 */
export function anyFlow24h(): FlowRun {
  return fixedFlow({ name: "any-flow-24h", hours: 24, rate: 0 });
}
