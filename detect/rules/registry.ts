import { Watering } from "./watering.js";
import type { RuleName } from "../../schemas/anomalies.js";
import { Away } from "./away.js";
import { BillAhead } from "./bill-ahead.js";
import { Budget } from "./budget.js";
import { Burst } from "./burst.js";
import { continuousFlow } from "./continuous-flow.js";
import { FreezeRisk } from "./freeze-risk.js";
import { HighDay } from "./high-day.js";
import { Leak } from "./leak/leak.js";
import { anyFlow24h } from "./presets/any-flow-24h.js";
import { aquaHawk16h } from "./presets/aquahawk-16h.js";
import { cardellOliverDay } from "./presets/cardell-oliver-day.js";
import { day150Week } from "./presets/day-150-week.js";
import { day2x } from "./presets/day-2x.js";
import { day3x5d } from "./presets/day-3x-5d.js";
import { eyeOnWater24h } from "./presets/eyeonwater-24h.js";
import { flume2h } from "./presets/flume-2h.js";
import { itronWindow } from "./presets/itron-window.js";
import { kamstrup12x2h } from "./presets/kamstrup-12x2h.js";
import { neptune24h } from "./presets/neptune-24h.js";
import { nightFlow } from "./presets/night-flow.js";
import { sfpucLeak } from "./presets/sfpuc-leak.js";
import { waterSmartBurst } from "./presets/watersmart-burst.js";
import { waterSmartLeak } from "./presets/watersmart-leak.js";
import type { RuleFold } from "./rule.js";
import { Spike } from "./spike.js";

/** How a rule's memory of a meter begins: a new rule is an entry here and a file. */
const NEW: Readonly<Record<RuleName, () => RuleFold>> = {
  "continuous-flow": continuousFlow,
  spike: () => new Spike(),
  leak: () => new Leak(),
  burst: () => new Burst(),
  "any-flow-24h": anyFlow24h,
  "eyeonwater-24h": eyeOnWater24h,
  "watersmart-leak": waterSmartLeak,
  "watersmart-burst": waterSmartBurst,
  "sfpuc-leak": sfpucLeak,
  "aquahawk-16h": aquaHawk16h,
  "kamstrup-12x2h": kamstrup12x2h,
  "itron-window": itronWindow,
  "night-flow": nightFlow,
  "day-2x": day2x,
  "day-3x-5d": day3x5d,
  "day-150-week": day150Week,
  "cardell-oliver-day": cardellOliverDay,
  "flume-2h": flume2h,
  "neptune-24h": neptune24h,
  "high-day": () => new HighDay(),
  away: () => new Away(),
  budget: () => new Budget(),
  watering: () => new Watering(),
  "freeze-risk": () => new FreezeRisk(),
  "bill-ahead": () => new BillAhead(),
};

export function newRule(name: RuleName): RuleFold {
  return NEW[name]();
}
