import type { ClickHouse } from "../infra/clickhouse/client.js";
import { RULES, type RuleName } from "../schemas/anomalies.js";
import type { UtilityConfig } from "../schemas/config.js";
import type { MeterSetting } from "../schemas/meters.js";
import type { ColdSpell } from "../schemas/temperatures.js";
import { loadHistory, METER_KEY } from "./history.js";
import { environmentOf, inCold } from "./meter-environment.js";
import { NO_ROWS } from "./row-sink.js";

export interface BacktestPlan {
  readonly utility: UtilityConfig;
  readonly rules: readonly RuleName[];
  /** When it was cold at its meters, in order of time. */
  readonly cold: readonly ColdSpell[];
  /** What the registry and residents told of these meters. */
  settingsOf(meters: readonly string[]): Promise<ReadonlyMap<string, readonly MeterSetting[]>>;
  /** Residents who get alerts of the rule for any of these meters. */
  contactsOf(rule: RuleName, meters: readonly string[]): Promise<number>;
  /** Evidence that first sufficed in this time, UTC seconds, `until` not included. */
  readonly from: number;
  readonly until: number;
}

/** Anomalies of a rule in the time asked for. */
export interface RuleCount {
  readonly rule: RuleName;
  readonly alerts: number;
  readonly meters: number;
  /** Those that go on where the reads end. */
  readonly open: number;
  /** Residents who have agreed to hear of such, as it stands now. */
  readonly contacts: number;
}

export interface Backtest {
  readonly meters: number;
  /** Days of meters that counting intervals cover in the time. */
  readonly meterDays: number;
  /** What the rules would have found, and what was found and not withdrawn. */
  readonly would: readonly RuleCount[];
  readonly was: readonly RuleCount[];
  /** Meters that would have alerted and did not, and the other way round. */
  readonly metersMore: number;
  readonly metersLess: number;
}

const CHUNK = 100;
/**
 * Judges a utility's stored reads by some rules with its parameters, and writes nothing. Each meter is judged from its
 * first read on, so that the rules know at `from` what they would have learnt, and by its settings as they stand now.
 * @param progress called with meters done and all of them
 */
export async function backtest(
  clickhouse: ClickHouse,
  plan: BacktestPlan,
  progress: (done: number, all: number) => void,
): Promise<Backtest> {
  const { utility, rules, cold, from, until } = plan;
  const parameters = { utility: utility.id, from, until };
  const meters = await clickhouse.query<{ readonly key: string }>(
    `SELECT DISTINCT ${METER_KEY} AS key FROM curbstop.intervals
     WHERE utility = {utility:String} ORDER BY key`,
    parameters,
  );
  const [covered] = await clickhouse.query<{ readonly days: number }>(
    `SELECT sum(length) / 86400 AS days FROM curbstop.intervals FINAL
     WHERE utility = {utility:String} AND gone = 0 AND counts = 1
       AND start >= toDateTime({from:UInt32}) AND start < toDateTime({until:UInt32})`,
    parameters,
  );
  const was = await clickhouse.query<Told>(
    `SELECT ${METER_KEY} AS key, rule, state != 'closed' AS open FROM curbstop.anomalies FINAL
     WHERE utility = {utility:String} AND state != 'withdrawn'
       AND detected_at >= toDateTime({from:UInt32}) AND detected_at < toDateTime({until:UInt32})`,
    parameters,
  );
  const environment = inCold(environmentOf(utility.detect, rules, utility.timeZone), cold);
  const would: Told[] = [];
  for (let at = 0; at < meters.length; at += CHUNK) {
    const keys = meters.slice(at, at + CHUNK).map(({ key }) => key);
    const said = await plan.settingsOf(keys);
    const chunk = new Map(keys.map((key) => [key, undefined]));
    for (const state of await loadHistory(clickhouse, utility.id, chunk)) {
      state.known = [];
      const settings = said.get(state.meter) ?? [];
      for (const { rule, state: told, detectedAt } of state.applySettings(settings, environment, NO_ROWS))
        if (detectedAt >= from && detectedAt < until)
          would.push({ key: state.meter, rule, open: told === "closed" ? 0 : 1 });
    }
    progress(Math.min(at + CHUNK, meters.length), meters.length);
  }
  const [metersWould, metersWere] = [would, was].map((list) => new Set(list.map(({ key }) => key)));
  const without = (some: ReadonlySet<string>, others: ReadonlySet<string>) =>
    [...some].filter((key) => !others.has(key)).length;
  return {
    meters: meters.length,
    meterDays: covered?.days ?? 0,
    would: await countsOf(would, rules, plan),
    was: (await countsOf(was, RULES, plan)).filter(({ alerts }) => alerts > 0),
    metersMore: without(metersWould!, metersWere!),
    metersLess: without(metersWere!, metersWould!),
  };
}

interface Told {
  readonly key: string;
  readonly rule: RuleName;
  readonly open: number;
}

function countsOf(
  list: readonly Told[],
  rules: readonly RuleName[],
  plan: BacktestPlan,
): Promise<RuleCount[]> {
  return Promise.all(
    rules.map(async (rule) => {
      const own = list.filter((one) => one.rule === rule);
      const meters = [...new Set(own.map(({ key }) => key))];
      return {
        rule,
        alerts: own.length,
        meters: meters.length,
        open: own.filter(({ open }) => open === 1).length,
        contacts: meters.length === 0 ? 0 : await plan.contactsOf(rule, meters),
      };
    }),
  );
}
