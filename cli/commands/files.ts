import type { Command } from "commander";
import { createIngest, listFiles, listRejects, ReingestRefused } from "../../ingest/index.js";
import { REJECT_CODES, type RejectCode } from "../../ingest/check/rejects.js";
import { systemClock } from "../../infra/clock.js";
import { stageContext } from "../../infra/stores.js";
import { EXIT, UsageError } from "../exit.js";
import { settingsFor, wholeNumber } from "../settings.js";
import { table } from "../terminal.js";
import { withStores } from "../with-stores.js";

interface ListOptions {
  readonly utility?: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** `files`, `files reingest` and `rejects`: what was delivered and what was not taken. */
export function addFileCommands(root: Command): void {
  const files = root
    .command("files")
    .summary("what became of the files that were dropped")
    .description("Lists the ledger, newest file first.")
    .option("-u, --utility <id>", "files of one utility")
    .option("-s, --source <id>", "files of one source")
    .option("-n, --limit <number>", "how many", wholeNumber("--limit"), 50)
    .option("--json", "one JSON array")
    .action(async (options: ListOptions & { source?: string }, command: Command) => {
      const rows = await withStores(settingsFor(command), ({ database }) => listFiles(database, options));
      const shown = rows.map((row) => ({
        file: row.file,
        utility: row.utility,
        source: row.source,
        name: row.name,
        state: row.state,
        correction: row.correction,
        againOf: row.again_of,
        duplicateOf: row.duplicate_of,
        bytes: row.bytes,
        rows: row.rows,
        reads: row.reads,
        noReads: row.no_reads,
        rejected: row.rejected,
        meters: row.meters,
        firstRead: row.first_read,
        lastRead: row.last_read,
        claimedAt: row.claimed_at,
        publishedAt: row.published_at,
        reason: row.reason,
      }));
      print(options.json, shown, "No file was dropped yet.", () =>
        table(shown, [
          { title: "file", value: ({ file }) => file },
          { title: "source", value: ({ utility, source }) => `${utility}/${source}` },
          { title: "name", value: ({ name }) => name },
          {
            title: "state",
            value: ({ state, correction, againOf, duplicateOf }) =>
              state +
              (correction ? ", correction" : "") +
              (againOf === null ? "" : `, again of ${againOf}`) +
              (duplicateOf === null ? "" : ` of ${duplicateOf}`),
          },
          { title: "reads", value: ({ reads }) => reads },
          { title: "no read", value: ({ noReads }) => noReads },
          { title: "rejected", value: ({ rejected }) => rejected },
          { title: "claimed (UTC)", value: ({ claimedAt }) => minute(claimedAt) },
          { title: "why", value: ({ reason }) => reason ?? "" },
        ]),
      );
    });

  files
    .command("reingest")
    .argument("<file>", "number of the file, from `curbstop files`")
    .summary("process a file again, after its profile was mended")
    .description(
      "Takes the original from the archive and processes it under a new number, with the profile as it is now. " +
        "Its reads replace those of the first time.",
    )
    .action(async (file: string, _options: object, command: Command) => {
      const number = wholeNumber("file")(file);
      const settings = settingsFor(command);
      await withStores(settings, async (stores, logger) => {
        const ingest = createIngest(stageContext(stores, settings, systemClock, logger));
        try {
          const done = await ingest.reingest(number);
          process.stdout.write(
            `File ${number} was processed again as ${done.file}: ${done.state}, ${done.reads} reads, ${done.rejected} rejected.\n`,
          );
          if (done.state === "rejected" || done.rejected > 0) process.exitCode = EXIT.rejected;
        } catch (error) {
          throw error instanceof ReingestRefused ? new UsageError(error.message) : error;
        } finally {
          await ingest.stop();
        }
      });
    });

  root
    .command("rejects")
    .summary("rows that were not taken, with the reason")
    .description(
      "Lists rejected rows, newest file first. Values of personal fields are not kept; the bytes are in the archive. " +
        "After a mend of the profile: curbstop files reingest FILE.",
    )
    .option("-u, --utility <id>", "rows of one utility")
    .option("-f, --file <number>", "rows of one file", wholeNumber("--file"))
    .option("--code <code>", `rows with one reason: ${Object.keys(REJECT_CODES).join(", ")}`)
    .option("-n, --limit <number>", "how many", wholeNumber("--limit"), 50)
    .option("--json", "one JSON array")
    .action(async (options: ListOptions & { file?: number; code?: string }, command: Command) => {
      if (options.code !== undefined && !(options.code in REJECT_CODES)) {
        throw new UsageError(
          `--code: "${options.code}" is not a reason. Known: ${Object.keys(REJECT_CODES).join(", ")}.`,
        );
      }
      const rows = await withStores(settingsFor(command), ({ database }) => listRejects(database, options));
      const shown = rows.map((row) => ({
        file: row.file,
        utility: row.utility,
        source: row.source,
        line: row.line,
        byte: row.at_byte,
        length: row.length,
        code: row.code,
        field: row.field,
        value: row.value,
        expected: expectedOf(row.code),
      }));
      print(options.json, shown, "No row was rejected.", () =>
        table(shown, [
          { title: "file", value: ({ file }) => file },
          { title: "line", value: ({ line }) => line },
          { title: "source", value: ({ utility, source }) => `${utility}/${source}` },
          { title: "field", value: ({ field }) => field },
          {
            title: "received",
            value: ({ value }) => (value === null ? "(not kept)" : JSON.stringify(value)),
          },
          { title: "expected", value: ({ expected }) => expected },
        ]),
      );
    });
}

/** What was expected instead; the code itself where a newer version wrote it. */
function expectedOf(code: string): string {
  return code in REJECT_CODES ? REJECT_CODES[code as RejectCode] : code;
}

function print(json: boolean | undefined, rows: readonly object[], none: string, text: () => string): void {
  if (json === true) process.stdout.write(JSON.stringify(rows) + "\n");
  else process.stdout.write(rows.length === 0 ? none + "\n" : text());
}

function minute(date: Date): string {
  return date.toISOString().slice(0, 16).replace("T", " ");
}
