import type { RuleName } from "../../schemas/anomalies.js";
import { continuousFlow } from "./continuous-flow.js";
import type { RuleFold } from "./rule.js";
import { Spike } from "./spike.js";

/** How a rule's memory of a meter begins: a new rule is an entry here and a file. */
const NEW: Readonly<Record<RuleName, () => RuleFold>> = {
  "continuous-flow": continuousFlow,
  spike: () => new Spike(),
};

export function newRule(name: RuleName): RuleFold {
  return NEW[name]();
}
