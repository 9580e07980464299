import type { FlowRun } from "../flow-run.js";
import { GALLON } from "../rule.js";
import { fixedFlow } from "./fixed-flow.js";

/** R3: WaterSmart's burst as Athens-Clarke County, GA, sets it: a home above 30 gal/h for 8 hours (accgov.com FAQ 1074). */
export function waterSmartBurst(): FlowRun {
  return fixedFlow({ name: "watersmart-burst", hours: 8, rate: 30 * GALLON, above: true });
}
