import type { FlowRun } from "../flow-run.js";
import { GALLON } from "../rule.js";
import { fixedFlow } from "./fixed-flow.js";

/**
 * R4: San Francisco: 7.5 gal (1 ft³) or more in every hour, 48 hours for homes and irrigation, 72 for commercial and
 * larger buildings (sfpuc.gov FAQ). Its further look at such buildings' flow from 1 to 4 in the night is made by people
 * against a limit that is not published, and left out.
 */
export function sfpucLeak(): FlowRun {
  return fixedFlow({
    name: "sfpuc-leak",
    hours: (context) => (context.class === "commercial" || context.class === "multi-family" ? 72 : 48),
    rate: 7.5 * GALLON,
  });
}
