import type { FlowRun } from "../flow-run.js";
import { GALLON } from "../rule.js";
import { fixedFlow } from "./fixed-flow.js";

/**
 * R4: San Francisco: 7.5 gal (1 ft³) or more in every hour, 48 hours for homes of up to five units and irrigation, 72 for
 * commercial meters and larger buildings, which are of class commercial too (sfpuc.gov FAQ). Left out: its further look at
 * such buildings' flow from 1 to 4 in the night, which people make against a limit that is not published, and that homes of
 * four and five units must use half more than in the last 90 days besides, for nobody says how many units a home has.
 */
export function sfpucLeak(): FlowRun {
  return fixedFlow({
    name: "sfpuc-leak",
    version: 2,
    hours: (context) => (context.class === "commercial" ? 72 : 48),
    rate: 7.5 * GALLON,
  });
}
