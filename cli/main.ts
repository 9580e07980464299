import { Command, CommanderError } from "commander";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../infra/package-root.js";
import { EXIT, explain } from "./exit.js";

/**
 * The commands in the order of the help, by the file that adds them: only the file of the command that is asked for is
 * loaded, for what all of them need takes a second.
 */
const COMMANDS: readonly {
  readonly names: readonly string[];
  readonly file: () => Promise<{ addTo(root: Command): void }>;
}[] = [
  { names: ["up", "ingest", "detect", "notify", "web"], file: () => import("./commands/serve.js") },
  { names: ["run"], file: () => import("./commands/run.js") },
  { names: ["pull"], file: () => import("./commands/pull.js") },
  { names: ["files"], file: () => import("./commands/files.js") },
  { names: ["rejects"], file: () => import("./commands/rejects.js") },
  { names: ["profile"], file: () => import("./commands/profile.js") },
  { names: ["anomalies"], file: () => import("./commands/anomalies.js") },
  { names: ["backtest"], file: () => import("./commands/backtest.js") },
  { names: ["analyst", "sql"], file: () => import("./commands/sql.js") },
  { names: ["subscribe"], file: () => import("./commands/subscribe.js") },
  { names: ["why", "texts"], file: () => import("./commands/alerts.js") },
  { names: ["calls"], file: () => import("./commands/calls.js") },
  { names: ["codes"], file: () => import("./commands/codes.js") },
  { names: ["notices"], file: () => import("./commands/notices.js") },
  { names: ["publish"], file: () => import("./commands/publish.js") },
  { names: ["privacy"], file: () => import("./commands/privacy.js") },
  { names: ["consents"], file: () => import("./commands/consents.js") },
  { names: ["erasures"], file: () => import("./commands/erasures.js") },
  { names: ["preview"], file: () => import("./commands/preview.js") },
  { names: ["init", "config"], file: () => import("./commands/config.js") },
  { names: ["doctor"], file: () => import("./commands/doctor.js") },
  { names: ["demo", "bench", "real"], file: () => import("./commands/shows.js") },
];

/**
 * The command line, without running it: the reference is generated from it.
 * @param wanted whether the commands of these names are to be on it
 */
export async function program(wanted: (names: readonly string[]) => boolean = () => true): Promise<Command> {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as {
    version: string;
  };
  const root = new Command("curbstop")
    .description(
      "Takes the meter files of a water utility, finds leaks and unusually high usage, and alerts the residents who opted in.",
    )
    .version(version)
    .option("-c, --config <file>", "configuration file", "curbstop.yaml")
    .showHelpAfterError('("curbstop --help" lists commands and options)')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText(
      "after",
      `
Exit codes: 0 done, 1 something was rejected or a check failed, 2 configuration or call is wrong, 3 a store can't be used.

Begin with:
  curbstop demo          the whole way with a made-up utility, in a minute
  curbstop init          a configuration with comments
  curbstop config check  what is wrong with it
  curbstop run           take what lies in the drop folders, once
  curbstop up            keep running`,
    );
  for (const { names, file } of COMMANDS) if (wanted(names)) (await file()).addTo(root);
  for (const command of [root, ...allBelow(root)]) command.exitOverride();
  return root;
}

function allBelow(command: Command): Command[] {
  return command.commands.flatMap((one) => [one, ...allBelow(one)]);
}

/** Which commands are needed for a command line: all of them for the help, and for a word that is none. */
function wantedBy(argv: readonly string[]): (names: readonly string[]) => boolean {
  if (argv[0] === "--version" || argv[0] === "-V") return () => false;
  const at = argv.findIndex((word, i) => !word.startsWith("-") && !isConfigOption(argv[i - 1]));
  const asked = argv[at];
  const isHelp = argv.slice(0, Math.max(at, 0)).some((word) => word === "--help" || word === "-h");
  if (asked === undefined || isHelp || !COMMANDS.some(({ names }) => names.includes(asked)))
    return () => true;
  return (names) => names.includes(asked);
}

function isConfigOption(word: string | undefined): boolean {
  return word === "-c" || word === "--config";
}

/** Runs one command line; resolves with its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const root = await program(wantedBy(argv));
    await root.parseAsync([...argv], { from: "user" });
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    // Commander has printed what was wrong, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.configuration;
    const { code, text } = await explain(error);
    process.stderr.write(`curbstop: ${text}\n`);
    return code;
  }
}
