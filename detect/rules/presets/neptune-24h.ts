import type { FlowRun } from "../flow-run.js";
import { oneStep } from "../rule.js";
import { fixedFlow } from "./fixed-flow.js";

/**
 * R6: Neptune E-Coder's "continuous leak": the eighth digit moved in each of the last 96 quarter-hours. Volumes come by
 * the hour here, so an hour in which it moved at all counts: 24 of them. Its "intermittent leak", 50 of 96, is true of a
 * usual home in a fifth of all windows, as DETECTION §4.4 measured on one, and is not offered.
 */
export function neptune24h(): FlowRun {
  return fixedFlow({
    name: "neptune-24h",
    hours: 24,
    rate: ({ resolution }) => oneStep(resolution),
  });
}
