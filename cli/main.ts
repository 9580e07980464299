import { Command, CommanderError } from "commander";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../infra/package-root.js";
import { addCodes } from "./commands/codes.js";
import { addPrivacyCommands } from "./commands/privacy.js";
import { addAlertCommands } from "./commands/alerts.js";
import { addCalls } from "./commands/calls.js";
import { addBacktest } from "./commands/backtest.js";
import { addConfigCommands } from "./commands/config.js";
import { addConsentCommands } from "./commands/consents.js";
import { addErasureCommands } from "./commands/erasures.js";
import { addDoctor } from "./commands/doctor.js";
import { addFileCommands } from "./commands/files.js";
import { addNoticeCommands } from "./commands/notices.js";
import { addPreview } from "./commands/preview.js";
import { addProfileCommands } from "./commands/profile.js";
import { addPublish } from "./commands/publish.js";
import { addPull } from "./commands/pull.js";
import { addRejectCommands } from "./commands/rejects.js";
import { addRun } from "./commands/run.js";
import { addServe } from "./commands/serve.js";
import { addShows } from "./commands/shows.js";
import { addSql } from "./commands/sql.js";
import { addSubscribe } from "./commands/subscribe.js";
import { EXIT, explain } from "./exit.js";

/** The whole command line, without running it: the reference is generated from it. */
export function program(): Command {
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
  addServe(root);
  addRun(root);
  addPull(root);
  addFileCommands(root);
  addRejectCommands(root);
  addProfileCommands(root);
  addBacktest(root);
  addSql(root);
  addSubscribe(root);
  addAlertCommands(root);
  addCalls(root);
  addCodes(root);
  addNoticeCommands(root);
  addPublish(root);
  addPrivacyCommands(root);
  addConsentCommands(root);
  addErasureCommands(root);
  addPreview(root);
  addConfigCommands(root);
  addDoctor(root);
  addShows(root);
  for (const command of [root, ...allBelow(root)]) command.exitOverride();
  return root;
}

function allBelow(command: Command): Command[] {
  return command.commands.flatMap((one) => [one, ...allBelow(one)]);
}

/** Runs one command line; resolves with its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync([...argv], { from: "user" });
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    // Commander has printed what was wrong, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.configuration;
    const { code, text } = explain(error);
    process.stderr.write(`curbstop: ${text}\n`);
    return code;
  }
}
