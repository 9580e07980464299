import { TimeZone } from "../infra/time-zone.js";
import type { RuleName } from "../schemas/anomalies.js";
import type { DetectConfig } from "../schemas/detect-config.js";
import type { ColdSpell } from "../schemas/temperatures.js";
import type { CheckContext } from "./checks/finding.js";
import type { FoldContext } from "./fold.js";
import type { RegisterParameters } from "./registers.js";

/** What meters of a utility are judged by. */
export interface MeterEnvironment {
  readonly context: Omit<FoldContext, "settings" | "resolution" | "checks">;
  /** The rules that are judged where nobody ever said what these need: three rules less for nearly all meters. */
  readonly rulesWithoutWord: ReadonlySet<RuleName>;
  readonly checkLimits: CheckContext["limits"];
  readonly registers: Omit<RegisterParameters, "modulus" | "resolution">;
}

/** Rules that speak only of meters of which somebody said something. */
const NEED_WORD: readonly RuleName[] = ["away", "budget", "watering"];

/** @param rules that are judged; checks of data are, where they have limits */
export function environmentOf(
  detect: DetectConfig,
  rules: Iterable<RuleName>,
  timeZone: string,
  checkLimits: CheckContext["limits"] = {},
  since?: ReadonlyMap<RuleName, number>,
): MeterEnvironment {
  const judged = new Set(rules);
  return {
    context: { detect, rules: judged, since, days: new TimeZone(timeZone), cold: [] },
    rulesWithoutWord: new Set([...judged].filter((name) => !NEED_WORD.includes(name))),
    checkLimits,
    registers: detect.registers,
  };
}

/** The same where it was cold at other times. */
export function inCold(environment: MeterEnvironment, cold: readonly ColdSpell[]): MeterEnvironment {
  return { ...environment, context: { ...environment.context, cold } };
}
