import type { FlowRun } from "../flow-run.js";
import { fixedFlow } from "./fixed-flow.js";

/**
 * R12: Flume's smart leak, water that runs for 2 hours (help.flumewater.com 1548336). Flume leaves out what it takes
 * for irrigation, by a method that is not published: here it counts.
 */
export function flume2h(): FlowRun {
  return fixedFlow({ name: "flume-2h", hours: 2, rate: 0 });
}
