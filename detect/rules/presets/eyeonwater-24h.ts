import type { FlowRun } from "../flow-run.js";
import { GALLON, oneStep } from "../rule.js";
import { fixedFlow } from "./fixed-flow.js";

/**
 * R2: EyeOnWater and BEACON (Badger Meter), setting "Normal": every one of 24 consecutive hours at 1 gal/h or more, or
 * at the register's resolution where that is larger (helpeyeonwater.com, helpbeaconama.net).
 */
export function eyeOnWater24h(): FlowRun {
  return fixedFlow({
    name: "eyeonwater-24h",
    hours: 24,
    rate: ({ resolution }) => Math.max(GALLON, oneStep(resolution)),
  });
}
