import type { LogProducer } from "../infra/log/log.js";
import type { StageContext } from "../infra/stage.js";
import { limitOf } from "../schemas/checks.js";
import type { SourceConfig, UtilityConfig } from "../schemas/config.js";
import { csvProfile } from "../schemas/profile.js";
import type { Reject } from "./check/rejects.js";
import { fileText } from "./pickup/file-bytes.js";
import { saveRejects, type LedgerFile, type Published } from "./pickup/ledger.js";
import { BlockPublisher } from "./publish.js";
import type { Portion, ReadingTotals } from "./reading.js";
import type { Readings } from "./reading-thread.js";
import { applyCrosswalk } from "./registry/apply-crosswalk.js";
import { readCrosswalk } from "./registry/crosswalk.js";
import type { MeterKeys } from "./registry/meter-keys.js";
import { keepTemperatures, tellCold } from "./weather/keep-temperatures.js";
import { readTemperatures } from "./weather/temperatures.js";

export interface IngestProgress {
  readonly utility: string;
  readonly source: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** So many reads so far; of a file without them so many rows. */
  readonly count: number;
  readonly what: "reads" | "rows";
}

export interface IngestContext extends StageContext {
  readonly onProgress?: (progress: IngestProgress) => void;
}

/** Where a file comes from, and what it is published with. */
export interface Publishing {
  readonly context: IngestContext;
  readonly utility: UtilityConfig;
  readonly source: SourceConfig;
  readonly producer: LogProducer;
  readonly keys: MeterKeys;
  readonly readings: Readings;
  /** Does the work again for as long as the store can't be reached. */
  readonly stalling: <T>(store: "PostgreSQL" | "log", work: () => Promise<T>) => Promise<T>;
  /** The stage stops. */
  readonly signal: AbortSignal;
}

/** Portions of a file in hand at once. */
const MOST_PORTIONS = 4;

/** What a file without reads brought of them. */
const NO_READS = {
  leftOut: 0,
  reads: 0,
  lateReads: 0,
  noReads: 0,
  valuesRejected: 0,
  meters: 0,
  firstRead: null,
  lastRead: null,
} as const;

/**
 * Reads a file of the ledger from its work path, and tells the log, the registry or the table of temperatures what it says;
 * done again from its beginning, it changes nothing more.
 * @throws FileRejected where the file as a whole can't be taken
 */
export function publishFile(file: LedgerFile, publishing: Publishing): Promise<Published> {
  const { format } = publishing.source;
  if (format === "crosswalk") return publishCrosswalk(file, publishing);
  if (format === "temperatures") return publishTemperatures(file, publishing);
  return publishReads(file, publishing);
}

async function publishReads(file: LedgerFile, publishing: Publishing): Promise<Published> {
  const { context, utility, source, producer, keys, readings, stalling, signal } = publishing;
  const { clock } = context;
  const publisher = new BlockPublisher(producer, (work) => stalling("log", work));
  const handOver = async (portion: Portion, named: ReturnType<MeterKeys["of"]>) => {
    await publisher.publish(portion, await named);
    await keepRejects(file, portion.rejects, publishing);
    tellProgress(file, portion.bytesDone, portion.reads, "reads", publishing);
    signal.throwIfAborted();
  };
  const portions = readings.read({
    path: file.work_path!,
    name: file.name,
    bytes: file.bytes,
    file: file.file,
    utility: utility.id,
    timeZone: utility.timeZone,
    source,
    checks: utility.checks,
    now: Math.floor(clock.now() / 1000),
    lateUntil: lateUntilOf(file, publishing),
  });
  // Portions are handed over in order; meanwhile the meters of the next are looked up, and more are read.
  const underway: Promise<void>[] = [];
  let totals: ReadingTotals | undefined;
  try {
    while (totals === undefined) {
      const next = await portions.next();
      if (next.done === true) {
        totals = next.value;
        break;
      }
      const portion = next.value;
      const named = stalling("PostgreSQL", () => keys.of(portion.registers));
      named.catch(() => undefined);
      const before = underway.at(-1);
      const done = (async () => {
        await before;
        await handOver(portion, named);
      })();
      done.catch(() => undefined);
      underway.push(done);
      if (underway.length >= MOST_PORTIONS) await underway.shift();
    }
    await underway.at(-1);
  } finally {
    await underway.at(-1)?.catch(() => undefined);
    await portions.return(undefined as never).catch(() => undefined);
  }
  await publisher.flush();
  const { rows, rejected, leftOut, valuesRejected, unknownColumns } = totals;
  const { reads, lateReads, noReads, meters, first, last } = totals;
  return {
    rows,
    rejected,
    leftOut,
    unknownColumns,
    reads,
    lateReads,
    noReads,
    valuesRejected,
    meters,
    firstRead: reads === 0 ? null : new Date(first * 1000),
    lastRead: reads === 0 ? null : new Date(last * 1000),
    at: new Date(clock.now()),
  };
}

async function publishCrosswalk(file: LedgerFile, publishing: Publishing): Promise<Published> {
  const { context, utility, source, producer, keys, stalling, signal } = publishing;
  const { database, vault, clock } = context;
  const profile = source.profile ?? csvProfile.parse({});
  const text = await fileText(file.work_path!, file.bytes, source);
  const read = () => readCrosswalk(text.texts(true), utility.timeZone, profile, source.crosswalk);
  // Read to its end before anything of it is kept: what is no crosswalk changes nothing.
  const check = read();
  let unknownColumns: readonly string[] | undefined;
  while (unknownColumns === undefined) {
    const { done, value } = await check.next();
    if (done === true) unknownColumns = value;
    signal.throwIfAborted();
  }
  const now = new Date(clock.now());
  const meters = new Set<string>();
  let [rows, rejected] = [0, 0];
  for await (const portion of read()) {
    await keepRejects(file, portion.rejects, publishing);
    await stalling("PostgreSQL", () =>
      applyCrosswalk(portion.rows, utility.id, { now, file: file.file }, { database, vault, keys, producer }),
    );
    for (const { meterId } of portion.rows) meters.add(meterId);
    rows += portion.rows.length;
    rejected += portion.rejects.length;
    tellProgress(file, portion.bytesDone, rows, "rows", publishing);
    signal.throwIfAborted();
  }
  return { ...NO_READS, rows, rejected, unknownColumns, meters: meters.size, at: now };
}

async function publishTemperatures(file: LedgerFile, publishing: Publishing): Promise<Published> {
  const { context, utility, source, producer, stalling, signal } = publishing;
  const { database, clock } = context;
  const now = new Date(clock.now());
  const text = await fileText(file.work_path!, file.bytes, source);
  const seconds = Math.floor(now.getTime() / 1000);
  const portions = readTemperatures(text.texts(true), utility.timeZone, source.temperatures!, seconds);
  let [rows, rejected, leftOut] = [0, 0, 0];
  for (;;) {
    const { done, value } = await portions.next();
    if (done === true) {
      await stalling("log", () => tellCold(database, producer, utility));
      return { ...NO_READS, rows, rejected, leftOut, unknownColumns: value, at: now };
    }
    const { temperatures, without, rejects, bytesDone } = value;
    await keepRejects(file, rejects, publishing);
    await stalling("PostgreSQL", () =>
      keepTemperatures(database, temperatures, { utility: utility.id, file: file.file, now }),
    );
    rows += temperatures.length + without;
    rejected += rejects.length;
    leftOut += value.leftOut;
    tellProgress(file, bytesDone, rows, "rows", publishing);
    signal.throwIfAborted();
  }
}

function tellProgress(
  { utility, source, bytes: bytesTotal }: LedgerFile,
  done: number,
  count: number,
  what: IngestProgress["what"],
  { context }: Publishing,
): void {
  const bytesDone = Math.min(done, bytesTotal);
  context.onProgress?.({ utility, source, bytesDone, bytesTotal, count, what });
}

async function keepRejects(
  { file, utility, source }: LedgerFile,
  rejects: readonly Reject[],
  { context: { database, metrics }, stalling }: Publishing,
): Promise<void> {
  if (rejects.length === 0) return;
  await stalling("PostgreSQL", () => saveRejects(database, file, rejects));
  for (const { code } of rejects) metrics.rejects.inc({ utility, source, reason: code });
}

/** What ends by then (UTC seconds) comes late in the file; old reads that are asked for do not. */
function lateUntilOf({ claimed_at }: LedgerFile, { utility, source }: Publishing): number {
  const hours = source.backfill ? undefined : limitOf(utility.checks, "late");
  return hours === undefined ? -Infinity : Math.floor(claimed_at.getTime() / 1000) - hours * 3600;
}
