import type { FlowRun } from "../flow-run.js";
import { GALLON } from "../rule.js";
import { fixedFlow } from "./fixed-flow.js";

/**
 * R3: WaterSmart (VertexOne) as Athens-Clarke County, GA, sets it: a home above 3 gal/h for 48 hours; a commercial
 * service above 10 gal/h for 168 hours (accgov.com FAQ 1074, 1078).
 */
export function waterSmartLeak(): FlowRun {
  return fixedFlow({
    name: "watersmart-leak",
    hours: (context) => (context.class === "commercial" ? 168 : 48),
    rate: (context) => (context.class === "commercial" ? 10 : 3) * GALLON,
    above: true,
  });
}
