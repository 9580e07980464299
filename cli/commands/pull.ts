import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import { stageContext } from "../../infra/stores.js";
import { PullFailed, type PullFailure } from "../../ingest/pickup/pull-failed.js";
import { pullSource, type PulledFile, type PullReport } from "../../ingest/pickup/pull-source.js";
import type { SourceConfig, UtilityConfig } from "../../schemas/config.js";
import { EXIT, UsageError } from "../exit.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { colours, ProgressLine, table } from "../terminal.js";
import { withStores } from "../with-stores.js";

/** Failures that a look at the configuration mends. */
const OF_CONFIGURATION: ReadonlySet<PullFailure> = new Set(["host-key", "login", "secret", "folder"]);

type Outcome = Pick<PullReport, "fetched"> &
  Partial<PullReport> & { readonly failed?: { readonly code: PullFailure; readonly reason: string } };

/** `pull`: fetches the files of a source from its SFTP server, now. */
export function addTo(root: Command): void {
  root
    .command("pull")
    .argument("<source>", "id of a source that has `pull`")
    .summary("fetch the files of a source from its SFTP server, now")
    .description(
      "Fetches what the server offers and was not fetched yet into the source's drop folder, as `ingest` and `up` do on " +
        "the schedule. Ends with 0, 1 where a file was refused or the server did not let it end, 2 where the host key, the " +
        "login or the folder is wrong.",
    )
    .option("-u, --utility <id>", "utility, where several are configured")
    .option("--json", "print what was fetched as one JSON object")
    .action(async (source: string, options: { utility?: string; json?: boolean }, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      const chosen = sourceWithPull(utility, source);
      const outcome = await withStores(settings, (stores, logger) =>
        pulled(utility, chosen, stageContext(stores, settings, systemClock, logger)),
      );
      process.stdout.write(options.json === true ? JSON.stringify(outcome) + "\n" : report(outcome));
      const { failed, refused = [] } = outcome;
      if (failed !== undefined) {
        process.stderr.write(`curbstop: ${failed.reason}\n`);
        process.exitCode = OF_CONFIGURATION.has(failed.code) ? EXIT.configuration : EXIT.rejected;
      } else if (refused.length > 0) process.exitCode = EXIT.rejected;
    });
}

function sourceWithPull(utility: UtilityConfig, id: string): SourceConfig {
  const able = utility.sources.filter(({ pull }) => pull !== undefined);
  const chosen = able.find((source) => source.id === id);
  if (chosen !== undefined) return chosen;
  const ids = able.map((source) => source.id).join(", ");
  throw new UsageError(
    `Source "${id}" of utility ${utility.id} has no pull in the configuration; ${ids === "" ? "none has" : `these have: ${ids}`}.`,
  );
}

async function pulled(
  utility: UtilityConfig,
  source: SourceConfig,
  context: Parameters<typeof pullSource>[0],
): Promise<Outcome> {
  const progress = new ProgressLine(process.stderr);
  const stop = new AbortController();
  const interrupted = () =>
    stop.abort(new UsageError("Stopped. The next pull goes on where this one ended."));
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  const fetched: PulledFile[] = [];
  try {
    return await pullSource(context, utility, source, {
      signal: stop.signal,
      onFetched: (file) => fetched.push(file),
      onProgress: ({ name, bytesDone, bytesTotal }) =>
        progress.show(name, bytesDone, bytesTotal, `${bytesDone.toLocaleString("en")} bytes`),
    });
  } catch (error) {
    if (!(error instanceof PullFailed)) throw error;
    return { fetched, failed: { code: error.code, reason: error.message } };
  } finally {
    progress.clear();
    process.removeListener("SIGINT", interrupted);
    process.removeListener("SIGTERM", interrupted);
  }
}

function report({ fetched, known = 0, waiting = 0, refused = [], failed }: Outcome): string {
  const { green, yellow } = colours(process.stdout);
  let text = "";
  if (fetched.length > 0) {
    text += table(fetched, [
      { title: "name", value: ({ name }) => name },
      { title: "bytes", value: ({ bytes }) => bytes },
      { title: "went on at", value: ({ resumedAt }) => (resumedAt === 0 ? null : resumedAt) },
    ]);
  }
  for (const { name, reason } of refused) {
    const why = reason === "name" ? "no folder may hold this name" : "larger than maxFileBytes";
    text += yellow(`refused: ${JSON.stringify(name)}, ${why}\n`);
  }
  if (failed !== undefined) return text;
  const all = `${fetched.length} file${fetched.length === 1 ? "" : "s"} fetched, ${known} fetched before`;
  return text + green(`${all}${waiting === 0 ? "" : `, ${waiting} still written by their sender`}.\n`);
}
