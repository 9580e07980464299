import type { Command } from "commander";
import { createIngest, listFiles, ReingestRefused } from "../../ingest/index.js";
import { expectedOf } from "../../ingest/check/rejects.js";
import { fileStory, type FileStory, type LedgerFile } from "../../ingest/pickup/ledger.js";
import { unjudged, type Unjudged } from "../../ingest/try/judged.js";
import { storedReads, type StoredReads } from "../../ingest/try/stored-reads.js";
import { systemClock } from "../../infra/clock.js";
import { stageContext, type Stores } from "../../infra/stores.js";
import { EXIT, UsageError } from "../exit.js";
import { settingsFor, wholeNumber } from "../settings.js";
import { minute, table } from "../terminal.js";
import { withStores } from "../with-stores.js";

interface ListOptions {
  readonly utility?: string;
  readonly limit: number;
  readonly json?: boolean;
}

interface Story extends FileStory {
  /** Of a file with reads. */
  readonly stored?: StoredReads;
  readonly unjudged: Unjudged;
}

/** `files`, `files show` and `files reingest`: what was delivered, and what became of it. */
export function addTo(root: Command): void {
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
        leftOut: row.left_out,
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
    .command("show")
    .argument("<file>", "number of the file, from `curbstop files`")
    .summary("a file's story: when, how much, what it replaced, whether all of it is judged")
    .description(
      "Shows what the ledger, ClickHouse and the detector's checkpoints know of one file: when it came, what was rejected and " +
        "why, what its reads replaced and what replaced them.",
    )
    .option("--json", "one JSON object")
    .action(async (file: string, _options: object, command: Command) => {
      const number = wholeNumber("file")(file);
      const story = await withStores(settingsFor(command), (stores) => storyOf(stores, number));
      if (story === undefined)
        throw new UsageError(`There is no file ${number}; "curbstop files" lists them.`);
      const { json } = command.optsWithGlobals<{ json?: boolean }>();
      process.stdout.write(json === true ? JSON.stringify(storyAsJson(story)) + "\n" : storyAsText(story));
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
}

/** @returns `undefined` where there is no such file */
export async function storyOf(
  { database, clickhouse, log }: Pick<Stores, "database" | "clickhouse" | "log">,
  number: number,
): Promise<Story | undefined> {
  const story = await fileStory(database, number);
  if (story === undefined) return undefined;
  const { utility, claimed_at, first_read, last_read } = story.file;
  const behind = await unjudged(log, database, number);
  if (first_read === null || last_read === null) return { ...story, unjudged: behind };
  const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
  const of = { utility, file: number, first: seconds(first_read), last: seconds(last_read) };
  return { ...story, unjudged: behind, stored: await storedReads(clickhouse, of, seconds(claimed_at)) };
}

function storyAsJson(story: Story): object {
  const { file, pulledAt, rejects, duplicates, runs, sameName, stored, unjudged: behind } = story;
  const brief = (one: LedgerFile) => ({ file: one.file, state: one.state, claimedAt: one.claimed_at });
  return {
    file: file.file,
    utility: file.utility,
    source: file.source,
    name: file.name,
    state: file.state,
    reason: file.reason,
    bytes: file.bytes,
    sha256: file.sha256,
    pulledAt,
    claimedAt: file.claimed_at,
    publishedAt: file.published_at,
    archived: file.archive_path !== null,
    rows: file.rows,
    rejectedRows: file.rejected,
    leftOutRows: file.left_out,
    unknownColumns: file.unknown_columns,
    reads: file.reads,
    lateReads: file.late_reads,
    noReads: file.no_reads,
    rejectedValues: file.values_rejected,
    meters: file.meters,
    firstRead: file.first_read,
    lastRead: file.last_read,
    rejects: rejects.map((one) => ({ ...one, expected: expectedOf(one.code) })),
    correction: file.correction,
    againOf: file.again_of,
    duplicateOf: file.duplicate_of,
    duplicates: duplicates.map(brief),
    runs: runs.map(brief),
    sameName: sameName.map(brief),
    stored: stored ?? null,
    unjudged: behind,
  };
}

function storyAsText(story: Story): string {
  const { file, rejects, duplicates, runs, sameName } = story;
  const lines = new Facts();
  const list = (some: readonly LedgerFile[]) =>
    some.map((one) => `${one.file} (${one.state}, ${minute(one.claimed_at)})`).join(", ");
  lines.add("file", `${file.file}, ${file.utility}/${file.source}`);
  lines.add("name", file.name);
  lines.add("state", file.state + (file.reason === null ? "" : `: ${file.reason}`));
  lines.add("size", `${count(file.bytes)} bytes`);
  lines.add("sha256", file.sha256);
  lines.gap();
  tellTimes(story, lines);
  lines.gap();
  const left = file.left_out === 0 ? "" : `, ${count(file.left_out)} left out by the source's filters`;
  lines.add("rows", `${count(file.rows)} taken, ${count(file.rejected)} rejected${left}`);
  for (const { code, rows, values } of rejects) {
    lines.add("", `${code}: ${count(rows)} rows, ${count(values)} values;`);
    lines.add("", `  expected ${expectedOf(code)}`);
  }
  lines.add(
    "values",
    `${count(file.reads)} reads, ${count(file.no_reads)} no reads, ${count(file.values_rejected)} rejected`,
  );
  if (file.late_reads > 0) lines.add("late", `${count(file.late_reads)} of the reads (check late)`);
  lines.add("meters", count(file.meters));
  if (file.unknown_columns.length > 0) lines.add("passed over", `columns ${file.unknown_columns.join(", ")}`);
  if (file.first_read !== null && file.last_read !== null)
    lines.add("reads from", `${minute(file.first_read)} to ${minute(file.last_read)} UTC`);
  lines.gap();
  tellStored(story, lines);
  lines.add("judged", judgedOf(story.unjudged));
  if (file.again_of !== null || runs.length > 1) lines.add("processed", list(runs));
  if (file.duplicate_of !== null) lines.add("duplicate of", String(file.duplicate_of));
  if (duplicates.length > 0) lines.add("came again", list(duplicates));
  if (sameName.length > 0) lines.add("same name", list(sameName));
  return lines.text;
}

const NAME_WIDTH = 13;

class Facts {
  text = "";

  add(name: string, what: string): void {
    this.text += `${name.padEnd(NAME_WIDTH)} ${what}\n`;
  }

  gap(): void {
    this.text += "\n";
  }
}

function tellTimes({ file, pulledAt }: Story, lines: Facts): void {
  if (pulledAt !== null) lines.add("pulled", `${minute(pulledAt)} UTC`);
  lines.add("claimed", `${minute(file.claimed_at)} UTC`);
  if (file.published_at !== null) {
    const after = (file.published_at.getTime() - file.claimed_at.getTime()) / 1000;
    const what = file.state === "rejected" ? "rejected" : "published";
    lines.add(what, `${minute(file.published_at)} UTC, ${after.toFixed(1)} s later`);
  }
  lines.add(
    "archive",
    file.archive_path === null ? "does not hold the original" : "holds the original, encrypted",
  );
}

function tellStored(story: Story, lines: Facts): void {
  const { file, stored } = story;
  if (stored === undefined) return;
  const { standing, lag, replaced, replacedBy } = stored;
  if (lag !== null) {
    lines.add(
      "lag",
      `reads ended ${span(lag.least)} to ${span(lag.most)} before the claim, median ${span(lag.median)}`,
    );
  }
  lines.add("stand now", `${count(standing)} of ${count(file.reads)} reads`);
  for (const { file: other, reads, otherValue } of replaced)
    lines.add("replaced", `${count(reads)} reads of file ${other}, ${count(otherValue)} with another value`);
  if (replaced.length === 0) lines.add("replaced", "no read");
  for (const { file: other, reads } of replacedBy)
    lines.add("replaced by", `file ${other}: ${count(reads)} reads`);
}

function judgedOf({ blocks, ofFile }: Unjudged): string {
  if (ofFile === null) return `not known: ${count(blocks)} blocks wait, too many to look through`;
  if (ofFile > 0) return `no: ${count(ofFile)} blocks of it wait for the detector`;
  return `everything of it${blocks === 0 ? "" : `; ${count(blocks)} blocks of other files wait`}`;
}

function count(number: number): string {
  return number.toLocaleString("en");
}

/** A span in its two largest units. */
function span(seconds: number): string {
  if (seconds < 0) return `-${span(-seconds)}`;
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`;
}

export function print(
  json: boolean | undefined,
  rows: readonly object[],
  none: string,
  text: () => string,
): void {
  if (json === true) process.stdout.write(JSON.stringify(rows) + "\n");
  else process.stdout.write(rows.length === 0 ? none + "\n" : text());
}
