import type { Command } from "commander";
import {
  anomaliesNamed,
  hoursAround,
  listAnomalies,
  versionsOf,
  type AnomalyHours,
  type FoundAnomaly,
  type FoundVersion,
} from "../../detect/found-anomalies.js";
import { TimeZone } from "../../infra/time-zone.js";
import { plotDay } from "../../ingest/try/day-plot.js";
import { Format } from "../../notify/templates/format.js";
import { RULE_FACTS, RULES } from "../../schemas/anomalies.js";
import type { UtilityConfig } from "../../schemas/config.js";
import { EVIDENCE_FACTS, type EvidenceName } from "../../schemas/evidence.js";
import { UsageError } from "../exit.js";
import { chosenUtility, settingsFor, wholeNumber } from "../settings.js";
import { colours, isTerminal, minute, table, wrapped } from "../terminal.js";
import { withStores } from "../with-stores.js";
import { print } from "./files.js";

interface ListOptions {
  readonly utility?: string;
  readonly rule?: string;
  readonly open?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

/** `anomalies` and `anomalies show`: what the detector found, and why. */
export function addTo(root: Command): void {
  const anomalies = root
    .command("anomalies")
    .summary("what the detector found, and why")
    .description("Lists leaks, bursts and high use as they stand, those that were seen last first.")
    .option("-u, --utility <id>", "those of one utility")
    .option("-r, --rule <name>", "those of one rule, see docs/rules.md")
    .option("--open", "only those that go on")
    .option("-n, --limit <number>", "how many", wholeNumber("--limit"), 50)
    .option("--json", "one JSON array, volumes in millilitres, times in UTC seconds")
    .action(async (options: ListOptions, command: Command) => {
      const { json, ...filter } = options;
      if (filter.rule !== undefined && !RULES.some((name) => name === filter.rule))
        throw new UsageError(`--rule: "${filter.rule}" is not a rule. Known: ${RULES.join(", ")}.`);
      const settings = settingsFor(command);
      const { config } = settings;
      if (filter.utility !== undefined) chosenUtility(settings, filter.utility);
      const rows = await withStores(settings, ({ clickhouse }) => listAnomalies(clickhouse, filter));
      const words = new Map(config.utilities.map((utility) => [utility.id, new Words(utility)]));
      const wordsOf = ({ utility }: FoundAnomaly) => words.get(utility) ?? new Words(config.utilities[0]!);
      print(json, rows, "Nothing was found.", () =>
        table(rows, [
          { title: "id", value: ({ id }) => id.slice(0, 10) },
          ...(config.utilities.length > 1
            ? [{ title: "utility", value: ({ utility }: FoundAnomaly) => utility }]
            : []),
          { title: "meter key", value: ({ meter }) => meter },
          { title: "rule", value: ({ rule }) => rule },
          { title: "since (local)", value: (one) => wordsOf(one).minute(one.start) },
          { title: "for", value: (one) => wordsOf(one).format.shortDuration(one.end - one.start) },
          { title: "rate", value: (one) => `${wordsOf(one).format.shortVolume(one.rate)}/h` },
          { title: "in all", value: (one) => wordsOf(one).format.shortVolume(one.volume) },
          { title: "state", value: ({ state, reason }) => (state === "closed" ? reason : "goes on") },
        ]),
      );
    });

  anomalies
    .command("show")
    .argument("<id>", "its id, or how it begins, from `curbstop anomalies`")
    .summary("one of them to its numbers: what was seen, what was usual, what was needed")
    .description(
      "Shows what a rule saw and what it asked for, with what flowed on that day and what is usual, hour by hour. Whom it was " +
        "told: curbstop why --anomaly ID.",
    )
    .option("--json", "one JSON object")
    .action(async (id: string, _options: object, command: Command) => {
      if (!/^[0-9a-f]{4,32}$/i.test(id))
        throw new UsageError(`"${id}" is no id: expected 4 to 32 of 0-9 and a-f, from "curbstop anomalies".`);
      const settings = settingsFor(command);
      const story = await withStores(settings, async ({ clickhouse }) => {
        const [anomaly, other] = await anomaliesNamed(clickhouse, id.toLowerCase());
        if (anomaly === undefined)
          throw new UsageError(`There is no anomaly ${id}; "curbstop anomalies" lists them.`);
        if (other !== undefined)
          throw new UsageError(`The ids of several anomalies begin with ${id}: give more of it.`);
        const utility = settings.config.utilities.find((one) => one.id === anomaly.utility);
        if (utility === undefined)
          throw new UsageError(`It is of utility "${anomaly.utility}", which is not configured.`);
        const [versions, hours] = await Promise.all([
          versionsOf(clickhouse, anomaly),
          hoursAround(clickhouse, anomaly, new TimeZone(utility.timeZone)),
        ]);
        return { utility, anomaly, versions, hours };
      });
      const { json } = command.optsWithGlobals<{ json?: boolean }>();
      const { utility, ...told } = story;
      process.stdout.write(json === true ? JSON.stringify(told) + "\n" : storyAsText(utility, told));
    });
}

interface Story {
  readonly anomaly: FoundAnomaly;
  readonly versions: readonly FoundVersion[];
  readonly hours: AnomalyHours;
}

/** Figures and times as the utility's people read them. */
class Words {
  readonly format: Format;
  readonly #zone: TimeZone;

  constructor(utility: UtilityConfig) {
    this.format = new Format(utility, "en");
    this.#zone = new TimeZone(utility.timeZone);
  }

  /** An instant (UTC seconds) on the local clock. */
  minute(second: number): string {
    const local = new Date((second + this.#zone.offsetAt(second)) * 1000);
    return local.toISOString().slice(0, 16).replace("T", " ");
  }

  /** A figure of evidence in its unit. */
  figure(name: string, value: number | string | boolean | null): string {
    const fact = EVIDENCE_FACTS[name as EvidenceName] as (typeof EVIDENCE_FACTS)[EvidenceName] | undefined;
    if (typeof value !== "number") return String(value);
    const number = value.toLocaleString("en", { maximumFractionDigits: 2 });
    switch (fact?.measure) {
      case "volume":
        return this.format.shortVolume(value);
      case "rate":
        return `${this.format.shortVolume(value)}/h`;
      case "hours":
        return `${number} h`;
      case "days":
        return `${number} days`;
      case "times":
        return `${number} times`;
      case "nats":
        return `${number} nats`;
      case "share":
        return `${Math.round(100 * value)} %`;
      case "celsius":
        return this.format.temperature(value);
      case "time":
        return this.minute(value);
      default:
        return number;
    }
  }
}

function storyAsText(utility: UtilityConfig, { anomaly, versions, hours }: Story): string {
  const { bold } = colours(process.stdout);
  const words = new Words(utility);
  const { rule, state, reason, start, end, detectedAt, rate, volume, evidence, meter } = anomaly;
  const fact = (name: string, what: string) => `${name.padEnd(NAME_WIDTH)} ${what}\n`;
  const span = (from: number, until: number) => words.format.shortDuration(until - from);
  const order = Object.keys(EVIDENCE_FACTS);
  const known = Object.entries(evidence).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  const width = Math.max(0, ...known.map(([name]) => name.length));
  const figures = known.map(([name, value]) => [name, words.figure(name, value)] as const);
  const figureWidth = Math.max(0, ...figures.map(([, text]) => text.length));
  const plot = (of: readonly (number | null)[]) => plotDay(of, !isTerminal(process.stdout));
  const day = new Date(hours.day * 86_400_000).toISOString().slice(0, 10);
  return [
    bold(
      `${rule}, ${state === "closed" ? `over (${reason})` : state === "withdrawn" ? `withdrawn (${reason})` : "goes on"}\n`,
    ),
    wrapped("", RULE_FACTS[rule].means),
    "\n",
    fact("id", anomaly.id),
    fact("meter key", `${meter}${anomaly.class === "" ? "" : `, ${anomaly.class}`}`),
    fact("since", `${words.minute(start)}, local time`),
    fact(state === "closed" ? "until" : "seen until", `${words.minute(end)}: ${span(start, end)}`),
    fact("sure at", `${words.minute(detectedAt)}, ${span(start, detectedAt)} after it began`),
    fact("rate", `${words.format.shortVolume(rate)}/h`),
    fact("in all", words.format.shortVolume(volume)),
    ...(anomaly.backfill ? [fact("told", "nobody: found in reads that were delivered late on purpose")] : []),
    bold(`\nWhat rule ${rule}, version ${anomaly.ruleVersion}, saw and asked for\n`),
    ...figures.map(([name, text]) => {
      const lead = `${name.padEnd(width)}  ${text.padEnd(figureWidth)}  `;
      const means = EVIDENCE_FACTS[name as EvidenceName] as { means: string } | undefined;
      return means === undefined ? `${lead.trimEnd()}\n` : wrapped(lead, means.means.replaceAll("`", ""));
    }),
    bold(`\nLitres by the hour on ${day}, local time, when it was sure of it\n`),
    plot(hours.thatDay),
    bold("\nUsual: the middle one of each hour, of the two weeks before it began\n"),
    plot(hours.usual),
    bold("\nHow it came to stand so (UTC)\n"),
    table(versions, [
      { title: "version", value: ({ version }) => version },
      { title: "state", value: ({ state: then, reason: why }) => (why === "" ? then : `${then}, ${why}`) },
      { title: "reached until", value: (one) => minute(new Date(one.end * 1000)) },
      { title: "stored", value: (one) => minute(new Date(one.storedAt * 1000)) },
    ]),
  ].join("");
}

const NAME_WIDTH = 10;
