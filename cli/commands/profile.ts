import { open, readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Command } from "commander";
import { parse as parseYaml } from "yaml";
import { systemClock } from "../../infra/clock.js";
import { ConfigurationError, parseConfig } from "../../infra/config/load-config.js";
import { TimeZone } from "../../infra/time-zone.js";
import { FileRejected } from "../../ingest/formats/format.js";
import { zipMembers } from "../../ingest/pickup/zip.js";
import { plotDay } from "../../ingest/try/day-plot.js";
import { guess, guessText, isWhole, type Guess } from "../../ingest/try/guess.js";
import type { TrialReject, TrialValue } from "../../ingest/try/trial.js";
import {
  tryCrosswalk,
  tryFile,
  tryTemperatures,
  type TriedCrosswalk,
  type TriedFile,
  type TriedTemperatures,
} from "../../ingest/try/try-file.js";
import type { ChecksConfig } from "../../schemas/checks.js";
import type { SourceConfig } from "../../schemas/config.js";
import { detectConfig } from "../../schemas/detect-config.js";
import { isTimeZone } from "../../schemas/time-zone.js";
import { EXIT, UsageError } from "../exit.js";
import { settingsFor, wholeNumber } from "../settings.js";
import { colours, isTerminal, table, wrapped } from "../terminal.js";

interface TryCommandOptions {
  readonly source?: string;
  readonly profile?: string;
  readonly timeZone?: string;
  readonly rows: number;
  readonly showMeters?: boolean;
  readonly color: boolean;
  readonly json?: boolean;
}

/** Bytes of a file that a guess is made from. */
const HEAD_BYTES = 4 * 1024 * 1024;
const ID_END = 3;

/** `profile try` and `profile guess`: a feed's files understood before anything is stored. */
export function addTo(root: Command): void {
  const profile = root
    .command("profile")
    .summary("try a file against a profile, or guess one; nothing is stored");
  profile
    .command("try")
    .argument("<file>", "file of reads, a crosswalk, or temperatures")
    .summary("how a file would be understood, without any store")
    .description(
      "Reads a file as a source or a profile says and prints its first values as understood, counts, rejects with reasons, a " +
        "day of one meter, and what looks wrong. Nothing is stored. Ends with 0, 1 where a row or the file would be " +
        "rejected, 2 where the profile is wrong. Meter ids are masked but for their last three characters.",
    )
    .option("-s, --source <utility/source>", "source of the configuration")
    .option("-p, --profile <file.yaml>", "a source as in the configuration, or its profile alone")
    .option("-z, --time-zone <zone>", "IANA zone of the utility (default: that of the source's utility)")
    .option("-n, --rows <number>", "values that are shown", wholeNumber("--rows"), 12)
    .option("--show-meters", "print meter ids as they are")
    .option("--no-color", "plain ASCII")
    .option("--json", "one JSON object")
    .action(async (file: string, options: TryCommandOptions, command: Command) => {
      const { source, timeZone, checks, below } = await sourceToTry(options, command);
      const now = Math.floor(systemClock.now() / 1000);
      const path = await readable(file);
      const show = <T extends { readonly refused: string | null; readonly rejected: number }>(
        tried: T,
        text: (tried: T) => string,
      ) => {
        const whole = { file: basename(file), timeZone, ...tried };
        process.stdout.write(options.json === true ? JSON.stringify(whole) + "\n" : text(tried));
        if (tried.refused !== null || tried.rejected > 0) process.exitCode = EXIT.rejected;
      };
      if (source.format === "temperatures")
        return show(await tryTemperatures({ path, source, timeZone, now, below }), (tried) =>
          temperaturesReport(tried, timeZone, below),
        );
      if (source.format === "crosswalk")
        return show(await tryCrosswalk({ path, source, timeZone }), crosswalkReport);
      const nameOf = options.showMeters === true ? (id: string) => id : masked;
      show(await tryFile({ path, source, timeZone, checks, now, show: options.rows, nameOf }), (tried) =>
        report(tried, timeZone, !options.color || !isTerminal(process.stdout)),
      );
    });
  profile
    .command("guess")
    .argument("<file>", "file of reads")
    .summary("a source for a file, as far as the file tells")
    .description(
      "Looks at the first 4 MiB of a file and prints a source as YAML. What the file does not tell (mostly zone, stamp, unit) " +
        "stands in comments with its alternatives. Ends with 0, 1 where the file can't be tried before a comment is settled.",
    )
    .option("-z, --time-zone <zone>", "IANA zone of the utility, to compare stamps with its clock")
    .action(async (file: string, { timeZone }: { timeZone?: string }) => {
      const found = await guessed(file, timeZone);
      process.stdout.write(guessText(found, basename(file)));
      if (!isWhole(found)) process.exitCode = EXIT.rejected;
    });
}

/** @throws UsageError where the file can't be read as text, or the zone is none */
async function guessed(file: string, timeZone: string | undefined): Promise<Guess> {
  const zone = timeZone === undefined ? {} : { timeZone: zoneOf(timeZone) };
  try {
    return guess({ ...(await headOf(file)), ...zone });
  } catch (error) {
    throw error instanceof FileRejected ? new UsageError(error.message) : error;
  }
}

/** @throws UsageError where it is no zone */
function zoneOf(zone: string): string {
  if (!isTimeZone(zone))
    throw new UsageError(
      `--time-zone: expected an IANA time zone such as America/Los_Angeles, received "${zone}".`,
    );
  return zone;
}

/** The path, if a file can be read there. @throws UsageError */
async function readable(path: string): Promise<string> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} can't be read (${error.code ?? "error"}).`);
  });
  const isFile = (await handle.stat()).isFile();
  await handle.close();
  if (!isFile) throw new UsageError(`${path} is no file.`);
  return path;
}

async function headOf(path: string): Promise<{ readonly head: Buffer; readonly whole: boolean }> {
  const handle = await open(await readable(path));
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(Math.min(size, HEAD_BYTES));
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    if (head.toString("latin1", 0, 4) === "PK\x03\x04") return await headOfMember(path);
    return { head: head.subarray(0, bytesRead), whole: bytesRead === size };
  } finally {
    await handle.close();
  }
}

/** The same of the first member of a zip archive. @throws FileRejected where it can't be read */
async function headOfMember(path: string): Promise<{ readonly head: Buffer; readonly whole: boolean }> {
  const pieces: Buffer[] = [];
  let length = 0;
  members: for await (const chunks of zipMembers(path, { members: "*", maxBytes: Infinity })) {
    for await (const chunk of chunks) {
      pieces.push(chunk);
      length += chunk.length;
      if (length > HEAD_BYTES) break members;
    }
    break;
  }
  return { head: Buffer.concat(pieces).subarray(0, HEAD_BYTES), whole: length <= HEAD_BYTES };
}

/** @throws UsageError, ConfigurationError */
async function sourceToTry(
  options: TryCommandOptions,
  command: Command,
): Promise<{
  readonly source: SourceConfig;
  readonly timeZone: string;
  readonly checks: ChecksConfig;
  /** °C from which down it is cold. */
  readonly below: number;
}> {
  const { source, profile, timeZone } = options;
  if ((source === undefined) === (profile === undefined))
    throw new UsageError(
      "Name either --source UTILITY/SOURCE or --profile FILE.yaml. Without one: curbstop profile guess FILE",
    );
  if (source !== undefined) {
    const { config } = settingsFor(command);
    const all = config.utilities.flatMap((utility) =>
      utility.sources.map((one) => ({ name: `${utility.id}/${one.id}`, utility, one })),
    );
    const found = all.find(({ name }) => name === source);
    if (found === undefined)
      throw new UsageError(
        `Source "${source}" is not configured; these are: ${all.map(({ name }) => name).join(", ")}.`,
      );
    return {
      source: found.one,
      checks: found.utility.checks,
      below: found.utility.detect.freezeRisk.below,
      timeZone: timeZone === undefined ? found.utility.timeZone : zoneOf(timeZone),
    };
  }
  const zone = timeZone === undefined ? onlyZone(command) : zoneOf(timeZone);
  const { below } = detectConfig.parse({}).freezeRisk;
  return { source: await sourceIn(profile!, zone), timeZone: zone, checks: {}, below };
}

/** The zone of the one utility of the configuration. */
function onlyZone(command: Command): string {
  try {
    const [one, ...others] = settingsFor(command).config.utilities;
    if (one !== undefined && others.length === 0) return one.timeZone;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
  }
  throw new UsageError("Name the utility's time zone with --time-zone, such as America/Los_Angeles.");
}

/** Members that a source has and a profile has not. */
const OF_SOURCE = new Set(["format", "profile", "folder", "files", "id"]);

/** The source that a file holds, whole or as its profile alone. @throws ConfigurationError */
async function sourceIn(path: string, timeZone: string): Promise<SourceConfig> {
  const text = await readFile(await readable(path), "utf8");
  let given: unknown;
  try {
    given = parseYaml(text);
  } catch (error) {
    throw new ConfigurationError([`${path}: ${(error as Error).message.split("\n")[0]!}`]);
  }
  if (Array.isArray(given) && given.length === 1) [given] = given as unknown[];
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new ConfigurationError([`${path}: expected one source, or its profile`]);
  const isSource = Object.keys(given).some((name) => OF_SOURCE.has(name));
  const source = { id: "ami", folder: ".", ...(isSource ? given : { format: "csv", profile: given }) };
  const utility = {
    id: "trial",
    name: "Trial",
    timeZone,
    mail: { from: "a@trial.example", postalAddress: "Trial", privacy: "a@trial.example" },
    sources: [source],
  };
  try {
    // JSON is YAML.
    return parseConfig(JSON.stringify({ utilities: [utility] }), path, {}).config.utilities[0]!.sources[0]!;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const within = isSource
      ? /:\d+ utilities\[0\]\.sources\[0\]\.?/
      : /:\d+ utilities\[0\]\.sources\[0\]\.(profile\.?)?/;
    throw new ConfigurationError(error.problems.map((problem) => problem.replace(within, " ")));
  }
}

function crosswalkReport({
  rows,
  rejected,
  meters,
  accounts,
  premises,
  rejects,
  refused,
}: TriedCrosswalk): string {
  const count = (number: number) => number.toLocaleString("en");
  if (refused !== null) return wrapped("", `The file would be rejected whole: ${refused}`);
  return (
    `${count(rows)} rows taken, ${count(rejected)} rejected: ` +
    `${count(meters)} meters, ${count(accounts)} accounts, ${count(premises)} premises.\n` +
    rejects.map(rejectLines).join("")
  );
}

/** The air is warmest in these hours of the local day; elsewhere the stamps are on another clock. */
const [WARM_FROM, WARM_UNTIL] = [10, 19];
const MOST_SPELLS = 10;

function temperaturesReport(tried: TriedTemperatures, timeZone: string, below: number): string {
  const { rows, leftOut, rejected, first, last, lowest, highest, cold, warmestHour, refused } = tried;
  const count = (number: number) => number.toLocaleString("en");
  const zone = new TimeZone(timeZone);
  const local = (second: number) => stamp(second + zone.offsetAt(second));
  const left = leftOut === 0 ? "" : `, ${count(leftOut)} left out by filters`;
  const parts = [`${count(rows)} rows taken, ${count(rejected)} rejected${left}.\n`];
  if (first !== null && last !== null) {
    parts.push(`  local ${local(first)} to ${local(last)} (${timeZone})\n`);
    parts.push(`  ${lowest} to ${highest} °C; at ${below} °C or less ${cold.length} times\n`);
    for (const { from, until } of cold.slice(-MOST_SPELLS))
      parts.push(`    ${local(from)} until ${local(until)}\n`);
  }
  if (warmestHour !== null && (warmestHour < WARM_FROM || warmestHour > WARM_UNTIL))
    parts.push(
      wrapped(
        "! ",
        `It is warmest at ${warmestHour}:00 local: the stamps are on another clock; mend temperatures.time.zone.`,
      ),
    );
  if (tried.unknownColumns.length > 0)
    parts.push(wrapped("  ", `Columns passed over: ${tried.unknownColumns.join(", ")}`));
  parts.push(...tried.rejects.map(rejectLines));
  if (refused !== null) parts.push(wrapped("", `The file would be rejected whole: ${refused}`));
  return parts.join("");
}

/** The last characters of an id, at most half of it, behind a mark. */
function masked(id: string): string {
  return `*${id.slice(id.length - Math.min(ID_END, Math.floor(id.length / 2)))}`;
}

function report(tried: TriedFile, timeZone: string, ascii: boolean): string {
  const { bold, red, green, yellow, dim } = ascii ? PLAIN : colours(process.stdout);
  const parts: string[] = [];
  const heading = (title: string) => parts.push(`${bold(title)}\n`);
  if (tried.values.length > 0) {
    heading(`First values (local: ${timeZone})`);
    parts.push(valuesTable(tried.values, timeZone), "\n");
  }
  heading("Counts");
  parts.push(...facts(tried, timeZone), "\n");
  if (tried.unknownColumns.length > 0) {
    heading("Columns passed over");
    parts.push(wrapped("", tried.unknownColumns.join(", ")), "\n");
  }
  if (tried.rejects.length > 0) {
    heading("Not taken");
    parts.push(...tried.rejects.map(rejectLines), "\n");
  }
  if (tried.day !== null) {
    heading(`Meter ${tried.day.meter} on ${tried.day.day}, litres by the local hour`);
    parts.push(plotDay(tried.day.litres, ascii), "\n");
  }
  if (tried.warnings.length > 0) {
    heading("Looks wrong");
    for (const { text, mend } of tried.warnings)
      parts.push(wrapped(`${yellow("!")} `, text), dim(wrapped("  ", mend)));
    parts.push("\n");
  }
  if (tried.refused !== null)
    parts.push(red(wrapped("", `The file would be rejected whole: ${tried.refused}`)));
  else if (tried.rejected > 0)
    parts.push(red(`${tried.rejected} of ${tried.rows + tried.rejected} rows would be rejected.\n`));
  else if (tried.leftOut > 0)
    parts.push(green(`${tried.rows} rows would be taken, ${tried.leftOut} left out by the filters.\n`));
  else parts.push(green(`All ${tried.rows} rows would be taken.\n`));
  return parts.join("");
}

const PLAIN = Object.fromEntries(
  ["bold", "red", "green", "yellow", "dim"].map((name) => [name, (text: string) => text]),
) as ReturnType<typeof colours>;

function valuesTable(values: readonly TrialValue[], timeZone: string): string {
  const zone = new TimeZone(timeZone);
  const local = (second: number) => stamp(second + zone.offsetAt(second));
  const some = (name: (value: TrialValue) => boolean) => values.some(name);
  return table(values, [
    { title: "line", value: ({ line }) => line },
    { title: "meter", value: ({ meter }) => meter },
    ...(some(({ channel }) => channel !== "")
      ? [{ title: "channel", value: ({ channel }: TrialValue) => channel }]
      : []),
    { title: "local", value: ({ beginning }) => local(beginning) },
    {
      title: "until",
      value: ({ kind, beginning, end }) =>
        kind === "register"
          ? "at"
          : local(end).slice(local(beginning).slice(0, 10) === local(end).slice(0, 10) ? 11 : 5),
    },
    { title: "UTC", value: ({ beginning }) => stamp(beginning).slice(5) },
    {
      title: "delivered",
      value: ({ delivered, unit }) => (delivered === null ? "no read" : `${delivered} ${unit}`),
    },
    { title: "litres", value: ({ litres }) => litres },
    ...(some(({ flags }) => flags.length > 0)
      ? [{ title: "flags", value: ({ flags }: TrialValue) => flags.join(", ") }]
      : []),
  ]);
}

/** YYYY-MM-DD hh:mm, with seconds where there are any. */
function stamp(second: number): string {
  const text = new Date(second * 1000).toISOString().slice(0, 19).replace("T", " ");
  return text.endsWith(":00") ? text.slice(0, 16) : text;
}

function facts(tried: TriedFile, timeZone: string): string[] {
  const zone = new TimeZone(timeZone);
  const local = (second: number) => stamp(second + zone.offsetAt(second));
  const { rows, rejected, leftOut, valuesRejected, reads, noReads, meters, first, last } = tried;
  const count = (number: number) => number.toLocaleString("en");
  const lines: [string, string][] = [
    [
      "rows",
      `${count(rows)} taken, ${count(rejected)} rejected${leftOut === 0 ? "" : `, ${count(leftOut)} left out by filters`}`,
    ],
    ["values", `${count(reads)} reads, ${count(noReads)} no reads, ${count(valuesRejected)} rejected`],
    ["meters", count(meters)],
  ];
  if (first !== null && last !== null) {
    lines.push(["local", `${local(first)} to ${local(last)}`]);
    lines.push(["UTC", `${stamp(first)} to ${stamp(last)}`]);
  }
  for (const { seconds, reads: many } of tried.intervals.slice(0, 4))
    lines.push(["interval", `${span(seconds)}: ${count(many)} reads`]);
  for (const { seconds, times } of tried.spacings.slice(0, 3))
    lines.push(["register each", `${span(seconds)}: ${count(times)} times`]);
  for (const { kind, unit, step, reads: many } of tried.units)
    lines.push(["unit", `${kind} in ${unit}, steps of ${step}: ${count(many)} reads`]);
  for (const { flag, reads: many } of tried.flags) lines.push(["flag", `${flag}: ${count(many)} values`]);
  if (!tried.whole) lines.push(["", "Too many reads to keep: what follows is of the first ones."]);
  return lines.map(([name, text]) => `  ${name.padEnd(14)} ${text}\n`);
}

function span(seconds: number): string {
  if (seconds > 48 * 3600) return `${Number((seconds / 86_400).toFixed(1))} days`;
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

function rejectLines({ code, expected, count, first }: TrialReject): string {
  const lines = first.map(({ line, field, value }) => {
    const received = value === null ? "(not shown)" : JSON.stringify(value);
    return `    line ${line}, ${field}: ${received}\n`;
  });
  return `  ${code}: ${count} times\n${wrapped("    ", `expected ${expected}`)}${lines.join("")}`;
}
