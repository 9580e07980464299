import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { createDetect } from "../../detect/index.js";
import { systemClock } from "../../infra/clock.js";
import type { Settings } from "../../infra/config/load-config.js";
import { runningServers } from "../../infra/data-directory.js";
import type { Logger } from "../../infra/logger.js";
import { stageContext, type Stores } from "../../infra/stores.js";
import { createIngest, listRejects, ReingestRefused } from "../../ingest/index.js";
import { expectedOf, REJECT_CODES } from "../../ingest/check/rejects.js";
import { Archive } from "../../ingest/pickup/archive.js";
import { fileText } from "../../ingest/pickup/file-bytes.js";
import { findFile, type LedgerFile, type RejectRow } from "../../ingest/pickup/ledger.js";
import { unjudged } from "../../ingest/try/judged.js";
import { replay, type ReplayReport, type ReplaySteps } from "../../ingest/try/replay.js";
import type { SourceConfig, UtilityConfig } from "../../schemas/config.js";
import { EXIT, UsageError } from "../exit.js";
import { settingsFor, time, wholeNumber } from "../settings.js";
import { table } from "../terminal.js";
import { withStores } from "../with-stores.js";
import { print } from "./files.js";

interface ListOptions {
  readonly utility?: string;
  readonly source?: string;
  readonly file?: number;
  readonly reason?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly limit: number;
  readonly json?: boolean;
}

interface FeedOptions {
  readonly utility?: string;
  readonly source?: string;
  readonly json?: boolean;
}

/** `rejects list`, `rejects show` and `rejects replay`: rows that were not taken. */
export function addTo(root: Command): void {
  const rejects = root.command("rejects").summary("rows that were not taken: list, show, replay");
  addList(rejects);
  addShow(rejects);
  addReplay(rejects);
}

function addList(rejects: Command): void {
  rejects
    .command("list", { isDefault: true })
    .summary("rows that were not taken, with the reason")
    .description(
      "Lists rejected rows, newest file first. Values of personal fields are not kept; the bytes are in the archive. " +
        "After a mend of the profile: curbstop rejects replay FILE.",
    )
    .option("-u, --utility <id>", "rows of one utility")
    .option("-s, --source <id>", "rows of one source")
    .option("-f, --file <number>", "rows of one file", wholeNumber("--file"))
    .option("-r, --reason <code>", `rows with one reason: ${Object.keys(REJECT_CODES).join(", ")}`)
    .option(
      "--since <time>",
      "of files claimed from then on (2026-05-01, or with a time; UTC)",
      time("--since"),
    )
    .option("--until <time>", "of files claimed before then", time("--until"))
    .option("-n, --limit <number>", "how many", wholeNumber("--limit"), 50)
    .option("--json", "one JSON array")
    .action(async (options: ListOptions, command: Command) => {
      const { reason, json, ...filter } = options;
      if (reason !== undefined && !(reason in REJECT_CODES)) {
        throw new UsageError(
          `--reason: "${reason}" is not a reason. Known: ${Object.keys(REJECT_CODES).join(", ")}.`,
        );
      }
      const rows = await withStores(settingsFor(command), ({ database }) =>
        listRejects(database, { ...filter, ...(reason === undefined ? {} : { code: reason }) }),
      );
      const shown = rows.map(rejectAsJson);
      print(json, shown, "No row was rejected.", () =>
        table(shown, [
          { title: "file", value: ({ file }) => file },
          { title: "line", value: ({ line }) => line },
          { title: "source", value: ({ utility, source }) => `${utility}/${source}` },
          { title: "field", value: ({ field }) => field },
          { title: "received", value: received },
          { title: "expected", value: ({ expected }) => expected },
        ]),
      );
    });
}

function rejectAsJson(row: RejectRow) {
  return {
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
  };
}

function received({ value }: Pick<RejectRow, "value">): string {
  return value === null ? "(not kept)" : JSON.stringify(value);
}

function addShow(rejects: Command): void {
  rejects
    .command("show")
    .argument("<file>", "number of the file")
    .argument("<line>", "line of the row")
    .summary("one rejected row: why, and on request its text")
    .description(
      "Tells why a row was rejected. With --show-row also prints the row, from the archive: it may hold names and addresses, " +
        "so it is asked for by that option, and a line in the log (file and time, never the row) says that it was shown.",
    )
    .option("--show-row", "print the row, which may hold personal data")
    .option("--json", "one JSON object")
    .action(
      async (
        file: string,
        line: string,
        options: { showRow?: boolean; json?: boolean },
        command: Command,
      ) => {
        const settings = settingsFor(command);
        const [number, at] = [wholeNumber("file")(file), wholeNumber("line")(line)];
        await withStores(settings, async (stores, logger) => {
          const rows = await listRejects(stores.database, { file: number, line: at, limit: 10_000 });
          if (rows.length === 0)
            throw new UsageError(
              `No row was rejected at line ${at} of file ${number}; "curbstop rejects -f ${number}" lists them.`,
            );
          const row =
            options.showRow === true ? await rowOf(settings, stores, logger, number, rows[0]!) : undefined;
          const shown = rows.map(rejectAsJson);
          if (options.json === true) {
            process.stdout.write(
              JSON.stringify({
                file: number,
                line: at,
                rejects: shown,
                ...(row === undefined ? {} : { row }),
              }) + "\n",
            );
            return;
          }
          for (const one of shown)
            process.stdout.write(
              `${one.code}, ${one.field}: received ${received(one)}, expected ${one.expected}\n`,
            );
          process.stdout.write(
            row === undefined
              ? `Bytes ${rows[0]!.at_byte} to ${rows[0]!.at_byte + rows[0]!.length} of the unpacked text. --show-row prints the row, which may hold personal data.\n`
              : printable(row) + "\n",
          );
        });
      },
    );
}

/** Control characters as escapes: a terminal would obey them. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\t]/gu, (one) => `\\x${one.codePointAt(0)!.toString(16).padStart(2, "0")}`);
}

/** The row's text from the archived original. */
async function rowOf(
  settings: Settings,
  stores: Stores,
  logger: Logger,
  number: number,
  { at_byte, length, utility, source }: RejectRow,
): Promise<string> {
  const file = await fileOf(stores, number, {});
  const feed = feedOf(settings, file);
  const bytes = await withOriginal(settings, stores, file, async (path) => {
    const pieces: Buffer[] = [];
    let from = 0;
    const text = await fileText(path, file.bytes, feed.source);
    for await (const chunks of text.texts()) {
      for await (const chunk of chunks) {
        const begin = Math.max(0, at_byte - from);
        const end = Math.min(chunk.length, at_byte + length - from);
        if (begin < end) pieces.push(Buffer.from(chunk.subarray(begin, end)));
        from += chunk.length;
        if (from >= at_byte + length) return Buffer.concat(pieces);
      }
    }
    return Buffer.concat(pieces);
  });
  logger.warn("row of an archived file shown", { utility, source, file: number });
  return bytes.toString("utf8");
}

interface Feed {
  readonly utility: UtilityConfig;
  readonly source: SourceConfig;
}

function feedOf({ config }: Settings, { utility: id, source: sourceId }: LedgerFile): Feed {
  const utility = config.utilities.find((one) => one.id === id);
  const source = utility?.sources.find((one) => one.id === sourceId);
  if (utility === undefined || source === undefined)
    throw new UsageError(`Source ${sourceId} of utility ${id} is no longer in the configuration.`);
  return { utility, source };
}

async function fileOf(
  { database }: Pick<Stores, "database">,
  wanted: number | string,
  options: FeedOptions,
): Promise<LedgerFile> {
  const file = await findFile(database, wanted, options);
  if (file === undefined) throw new UsageError(`There is no file ${wanted}; "curbstop files" lists them.`);
  return file;
}

/** Hands the original to `work` as a file that nobody else can read, and takes it away. */
async function withOriginal<T>(
  { config }: Settings,
  { vault }: Stores,
  file: LedgerFile,
  work: (path: string) => Promise<T>,
): Promise<T> {
  if (file.archive_path === null || file.archive_key === null)
    throw new UsageError(
      `The original of file ${file.file} is no longer in the archive (kept for retentionDays.archive days).`,
    );
  const folder = await mkdtemp(join(config.dataDirectory, "original-"));
  try {
    const path = join(folder, "file");
    const archive = new Archive(join(config.dataDirectory, "archive"), vault);
    await archive.restore(file.archive_path, file.utility, file.file, file.archive_key, path);
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function addReplay(rejects: Command): void {
  rejects
    .command("replay")
    .argument("<file>", "number of the file, or its name")
    .summary("process a file again after a mend, and tell exactly what came of it")
    .description(
      "Takes the original from the archive and processes it under a new number with the profile as it is now, as " +
        "`files reingest` does, and waits for the detector. A read has one identity (meter, channel, time): what was there " +
        "already comes in no second time. Ends with 0, or 1 where rows are still rejected.",
    )
    .option("-u, --utility <id>", "utility, where the name is that of several files")
    .option("-s, --source <id>", "source, where the name is that of several files")
    .option("--wait <seconds>", "how long to wait for a detector elsewhere", wholeNumber("--wait"), 120)
    .option("--json", "one JSON object")
    .action(async (wanted: string, options: FeedOptions & { wait: number }, command: Command) => {
      const settings = settingsFor(command);
      // With servers of one's own, the detector is another process's; so it is where one owns the data directory.
      const owned = runningServers(settings.config.dataDirectory) !== undefined;
      const done = await withStores(settings, async (stores, logger) => {
        const { postgres, clickhouse, log } = stores.embedded;
        const alone = !owned && postgres && clickhouse && log;
        const file = await fileOf(stores, /^\d+$/.test(wanted) ? Number(wanted) : wanted, options);
        return replayFile(file, { settings, stores, logger, alone, waitSeconds: options.wait });
      });
      process.stdout.write(options.json === true ? JSON.stringify(done) + "\n" : replayAsText(done));
      if (done.state === "rejected" || done.rejected > 0) process.exitCode = EXIT.rejected;
    });
}

export interface ReplayContext {
  readonly settings: Settings;
  readonly stores: Stores;
  readonly logger: Logger;
  /** No other process can judge: do it here. */
  readonly alone: boolean;
  readonly waitSeconds: number;
}

/** @throws UsageError where the file can't be processed again */
export async function replayFile(file: LedgerFile, context: ReplayContext): Promise<ReplayReport> {
  const { settings, stores, logger, alone } = context;
  const original = file.duplicate_of === null ? file : await fileOf(stores, file.duplicate_of, {});
  const stage = stageContext(stores, settings, systemClock, logger);
  const ingest = createIngest(stage);
  const detect = alone ? createDetect({ ...stage, clickhouse: stores.clickhouse }) : undefined;
  const steps: ReplaySteps = {
    judged: async () => {
      if (detect === undefined) return isJudged(stores, context.waitSeconds);
      // A stage that can't go on rejects `finished`, and never drains.
      await Promise.race([detect.drain(), detect.finished]);
      return true;
    },
    reingest: (number) => ingest.reingest(number),
  };
  try {
    await detect?.start();
    return await replay(original, stores, steps);
  } catch (error) {
    throw error instanceof ReingestRefused ? new UsageError(error.message) : error;
  } finally {
    await ingest.stop();
    await detect?.stop();
  }
}

const POLL_MS = 250;

async function isJudged({ log, database }: Stores, waitSeconds: number): Promise<boolean> {
  const until = performance.now() + waitSeconds * 1000;
  for (;;) {
    const { blocks } = await unjudged(log, database, 0);
    if (blocks === 0) return true;
    if (performance.now() >= until) return false;
    await sleep(POLL_MS);
  }
}

function replayAsText({ file, again, state, reason, rows, rejected, reads, compared }: ReplayReport): string {
  const lines: string[] = [];
  const fact = (name: string, number: number, note = "") =>
    lines.push(
      `  ${name.padEnd(34)} ${number.toLocaleString("en").padStart(12)}${note === "" ? "" : `  ${note}`}\n`,
    );
  if (state === "rejected")
    return `File ${file} was processed again as ${again} and rejected whole: ${reason ?? ""}\n`;
  lines.push(`File ${file} was processed again as ${again}, with the profile as it is now.\n`);
  if (rows === null) {
    lines.push("  Before, it was rejected whole.\n");
    fact("rows rejected now", rejected);
  } else {
    fact("rows rejected before", rows.before);
    fact("of these taken now", rows.takenNow);
    fact("of these still rejected", rows.stillRejected);
    fact("rows rejected anew", rows.rejectedAnew);
  }
  fact("reads", reads);
  if (compared === null) {
    lines.push(
      `  The detector has not judged them yet. What they replaced: curbstop files show ${again}, later.\n`,
    );
  } else {
    fact("of these new", compared.added);
    fact("of these there already, equal", compared.equal, "they count once, as before");
    fact("of these there with another value", compared.corrected, "corrected");
    fact("of these not counted", compared.outranked, "a better read has their time");
  }
  if (rejected > 0) lines.push(`What is still rejected: curbstop rejects -f ${again}\n`);
  return lines.join("");
}
