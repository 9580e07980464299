import type { Command } from "commander";
import { backtest, type Backtest, type RuleCount } from "../../detect/backtest.js";
import { RULES, type RuleName } from "../../schemas/anomalies.js";
import { judgedRules } from "../../schemas/config.js";
import { systemClock } from "../../infra/clock.js";
import { settingsOfMeters } from "../../ingest/registry/tell-meters.js";
import { contactsWhoHear } from "../../notify/consent/would-hear.js";
import { coldOf } from "../../ingest/weather/keep-temperatures.js";
import { EXIT, UsageError } from "../exit.js";
import { chosenUtility, settingsFor, time } from "../settings.js";
import { ProgressLine, table } from "../terminal.js";
import { withStores } from "../with-stores.js";

interface Options {
  readonly utility?: string;
  readonly rule?: readonly RuleName[];
  readonly from: Date;
  readonly to: Date;
  readonly json?: boolean;
}

/** `backtest`: what rules or parameters would have found, before they are put to work. */
export function addTo(root: Command): void {
  root
    .command("backtest")
    .summary("what rules would have found in stored reads")
    .description(
      "Judges the stored reads of a utility by the rules named, with the parameters of the configuration, and counts what they " +
        "would have found between two times against what was found, and the residents who hear of such by their consents of " +
        "today. Meters are judged from their first read on, by what is said of them today. Writes nothing and tells nobody. " +
        "To try parameters, change them in a copy of the configuration and name it with --config.",
    )
    .option("-u, --utility <id>", "utility; may be left out where there is one")
    .option(
      "-r, --rule <name>",
      "rule to judge by; may be given several times (default: those of the configuration)",
      addRule,
    )
    .requiredOption("--from <time>", "count what was evident from this time on", time("--from"))
    .requiredOption("--to <time>", "and before this one", time("--to"))
    .option("--json", "one JSON object")
    .action(async ({ utility: id, rule, from, to, json = false }: Options, command: Command) => {
      if (from >= to) throw new UsageError("--from must be before --to.");
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, id);
      const rules = rule ?? judgedRules(utility);
      const line = new ProgressLine(process.stderr);
      const result = await withStores(settings, async ({ clickhouse, database }) =>
        backtest(
          clickhouse,
          {
            ...{ utility, rules, from: from.getTime() / 1000, until: to.getTime() / 1000 },
            cold: await coldOf(database, utility.id, utility.detect.freezeRisk.below, { late: true }),
            settingsOf: (meters) => settingsOfMeters(database, meters),
            contactsOf: (of, meters) => contactsWhoHear(database, of, meters, new Date(systemClock.now())),
          },
          (done, all) => line.show("judging", done, all, `${done} of ${all} meters`),
        ),
      );
      line.clear();
      process.stdout.write(json ? JSON.stringify(result) + "\n" : report(result));
      process.exitCode = EXIT.done;
    });
}

function addRule(name: string, before: readonly RuleName[] = []): readonly RuleName[] {
  const rule = RULES.find((one) => one === name);
  if (rule === undefined)
    throw new UsageError(`--rule: expected one of ${RULES.join(", ")}, received "${name}".`);
  return [...before, rule];
}

function report({ meters, meterDays, would, was, metersMore, metersLess }: Backtest): string {
  const columns = [
    { title: "rule", value: ({ rule }: RuleCount) => rule },
    { title: "anomalies", value: ({ alerts }: RuleCount) => alerts },
    { title: "meters", value: (one: RuleCount) => one.meters },
    { title: "still open", value: ({ open }: RuleCount) => open },
    { title: "residents", value: ({ contacts }: RuleCount) => contacts },
    {
      title: "per 1,000 meter-days",
      value: ({ alerts }: RuleCount) => (meterDays === 0 ? null : ((1000 * alerts) / meterDays).toFixed(2)),
    },
  ];
  return [
    `${meters} meters, ${Math.round(meterDays).toLocaleString("en")} meter-days.\n`,
    "\nWould have been found:\n",
    table(would, columns),
    "\nWas found:\n",
    was.length === 0 ? "nothing\n" : table(was, columns),
    `\nMeters that would alert and did not: ${metersMore}; that did and would not: ${metersLess}.\n`,
  ].join("");
}
