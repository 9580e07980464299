import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Deferred } from "../infra/deferred.js";
import type { LogProducer } from "../infra/log/log.js";
import { errorFields } from "../infra/logger.js";
import { isDatabaseUnavailable } from "../infra/postgres/database.js";
import type { Stage, StageHealth } from "../infra/stage.js";
import { stalling } from "../infra/stall.js";
import { hasTemperatures, type SourceConfig, type UtilityConfig } from "../schemas/config.js";
import type { FileMessage } from "../schemas/files.js";
import { FileRejected } from "./formats/format.js";
import { Archive } from "./pickup/archive.js";
import { DropFolder } from "./pickup/drop-folder.js";
import { fileState, hashOf, type FileState } from "./pickup/file-bytes.js";
import {
  beginPublishing,
  enterDelivery,
  fileAt,
  markAnnounced,
  markArchived,
  markPublished,
  markRejected,
  unfinishedFiles,
  type LedgerFile,
} from "./pickup/ledger.js";
import { SoleOwner } from "./pickup/sole-owner.js";
import { WorkFolder } from "./pickup/work-folder.js";
import { publishFile, type IngestContext } from "./publish-file.js";
import { Readings } from "./reading-thread.js";
import { MeterKeys } from "./registry/meter-keys.js";
import { tellMeters } from "./registry/tell-meters.js";
import { Turns, type Turn } from "./turns.js";
import { tellCold } from "./weather/keep-temperatures.js";

export { listFiles, listRejects, type LedgerFile } from "./pickup/ledger.js";
export type { IngestProgress } from "./publish-file.js";

export interface IngestStage extends Stage {
  /**
   * Processes an archived file again, under a new number: after a mended profile.
   * For a stage that was not started: the loop of one that runs takes up whatever stands unfinished in the ledger.
   * @throws ReingestRefused where there is no such file, or its original is gone
   */
  reingest(file: number): Promise<LedgerFile>;
}

/** The file can't be processed again; the message says why. */
export class ReingestRefused extends Error {
  override readonly name = "ReingestRefused";
}

const POLL_MS = 1_000;
/** Pause before a file that met an error is tried again; doubled each time. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
/** A file that failed so often holds up `drain` no longer. */
const TRIES_AWAITED = 3;
/** Files in hand at once, and bytes of them: a small file waits for disks nearly all of its time. */
const MOST_FILES = 16;
const MOST_BYTES = 16 * 1024 * 1024;

/** Takes files from the drop folders, publishes their reads, and keeps the ledger and the archive. */
export function createIngest(context: IngestContext): IngestStage {
  return new Ingest(context);
}

/** A claimed file that met an error which is not its own: the others go on, and it is tried again. */
interface SetAside {
  readonly feed: Feed;
  readonly name: string;
  readonly code: string;
  readonly tries: number;
  /** Milliseconds by the monotonic clock. */
  readonly at: number;
}

/** The file was written to after it was claimed: its sender had not closed it. */
class FileChanged extends Error {
  override readonly name = "FileChanged";
  readonly code = "FILE_CHANGED";
}

interface Feed {
  readonly utility: UtilityConfig;
  readonly source: SourceConfig;
  readonly folder: DropFolder;
  /** Whole files that were found and are still to be taken, the last one first. */
  names: string[];
}

class Ingest implements IngestStage {
  readonly name = "ingest";
  readonly #context: IngestContext;
  readonly #work: WorkFolder;
  readonly #archive: Archive;
  readonly #owner: SoleOwner;
  readonly #keys = new Map<string, MeterKeys>();
  readonly #readings = new Readings();
  readonly #stop = new AbortController();
  readonly #ended = new Deferred();
  readonly #aside = new Map<string, SetAside>();
  /** Files in hand beside the loop, with their sizes in bytes. */
  readonly #underway = new Map<Promise<void>, number>();
  /** Numbers follow the order of claims, and blocks in the log that of numbers. */
  readonly #entering = new Turns();
  readonly #publishing = new Turns();
  /** Drop folders that can't be used: code of the error by name of the source. */
  readonly #folderFaults = new Map<string, string>();
  /** Columns that were named in the log as not spoken of, by name of the source. */
  readonly #unknownNamed = new Map<string, string>();
  #feeds: readonly Feed[] = [];
  #producer: LogProducer | undefined;
  #stalledOn: string | undefined;
  #live = false;
  #loop: Promise<void> = Promise.resolve();
  /** Polls done, so that `drain` can wait for one that began after it. */
  #idlePolls = 0;

  constructor(context: IngestContext) {
    this.#context = context;
    this.#work = new WorkFolder(join(context.config.dataDirectory, "work"));
    this.#archive = new Archive(join(context.config.dataDirectory, "archive"), context.vault);
    this.#owner = new SoleOwner(context.database);
    this.#ended.promise.catch(() => undefined);
  }

  get finished(): Promise<void> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    await this.#open();
    this.#producer = await this.#context.log.producer();
    this.#live = true;
    const run = this.#run().finally(() => Promise.allSettled(this.#underway.keys()));
    this.#loop = run.then(
      () => {
        this.#live = false;
        this.#ended.resolve();
      },
      (error: unknown) => {
        this.#live = false;
        if (this.#stopping) this.#ended.resolve();
        else this.#ended.reject(error as Error);
      },
    );
  }

  async drain(): Promise<void> {
    // One whole poll that began after this call and found nothing.
    const from = this.#idlePolls;
    while (this.#idlePolls < from + 2 && this.#live) {
      this.#wake?.();
      await sleep(5);
    }
    if (!this.#live) await this.finished;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    // Ends a long reading at once.
    await this.#readings.close();
    await this.#loop;
    await this.#owner.release();
    await this.#producer?.close();
    this.#ended.resolve();
  }

  health(): StageHealth {
    if (!this.#live) return { live: false, ready: false, reason: "not running" };
    if (this.#stalledOn !== undefined)
      return { live: true, ready: false, reason: `waiting for ${this.#stalledOn}` };
    if (this.#aside.size > 0) {
      const codes = [...new Set([...this.#aside.values()].map(({ code }) => code))].join(", ");
      return {
        live: true,
        ready: false,
        reason: `${this.#aside.size} claimed files wait for another try: ${codes}`,
      };
    }
    for (const [source, code] of this.#folderFaults)
      return { live: true, ready: false, reason: `drop folder of ${source} can't be used: ${code}` };
    return { live: true, ready: true };
  }

  async reingest(file: number): Promise<LedgerFile> {
    const { database, clock } = this.#context;
    await this.#open();
    const [old] = await database.query<LedgerFile>("SELECT * FROM files WHERE file = $1", [file]);
    if (old === undefined)
      throw new ReingestRefused(`There is no file ${file}; "curbstop files" lists them.`);
    if (old.duplicate_of !== null) {
      throw new ReingestRefused(
        `File ${file} has the same bytes as file ${old.duplicate_of}: reingest that one.`,
      );
    }
    const feed = this.#feedOf(old);
    if (feed === undefined)
      throw new ReingestRefused(
        `Source ${old.source} of utility ${old.utility} is no longer in the configuration.`,
      );
    if (old.archive_path === null || old.archive_key === null) {
      throw new ReingestRefused(
        `The original of file ${file} is no longer in the archive (kept for retentionDays.archive days). Drop it again.`,
      );
    }
    const work = await this.#work.newPath(old.utility, old.source, old.name);
    await this.#archive.restore(old.archive_path, old.utility, file, old.archive_key, work);
    const { utility, source, name, sha256, bytes } = old;
    const entered = await enterDelivery(database, {
      utility,
      source,
      name,
      sha256,
      bytes,
      workPath: work,
      claimedAt: new Date(clock.now()),
      nameCounts: nameCounts(feed.source),
      againOf: old.again_of ?? file,
    });
    this.#producer ??= await this.#context.log.producer();
    // Keys of its own: the loop may be reading another file.
    const turn = this.#publishing.draw();
    try {
      await this.#process(entered, feed, turn, this.#newKeys(utility));
    } finally {
      turn.over();
    }
    const [done] = await database.query<LedgerFile>("SELECT * FROM files WHERE file = $1", [entered.file]);
    return done!;
  }

  #wake: (() => void) | undefined;

  get #stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Makes the work folder, which has a random name for its lock and for what was claimed for it. */
  async #open(): Promise<void> {
    if (this.#feeds.length > 0) return;
    const id = await this.#work.open();
    this.#owner.of(`ingest/${id}`);
    this.#feeds = this.#context.config.utilities.flatMap((utility) =>
      utility.sources.map((source) => ({ utility, source, folder: new DropFolder(source, id), names: [] })),
    );
  }

  async #run(): Promise<void> {
    let recovered = false;
    let purged = -Infinity;
    while (!this.#stopping) {
      const first = await this.#stalling("PostgreSQL", () => this.#owner.isOurs());
      if (!first) {
        this.#stalledOn = "the process that ingests into this data directory now";
        recovered = false;
        await this.#pause(POLL_MS);
        continue;
      }
      if (!recovered) {
        this.#stalledOn = undefined;
        await this.#recover();
        await this.#tellCold();
        recovered = true;
      }
      await this.#tellMeters();
      const { waiting, taken, left } = await this.#poll();
      const awaited = [...this.#aside.values()].some(({ tries }) => tries < TRIES_AWAITED);
      if (waiting === 0 && taken === 0 && left === 0 && !awaited) this.#idlePolls++;
      if (performance.now() - purged > 3_600_000) {
        purged = performance.now();
        await this.#purge();
      }
      if (taken === 0 && left === 0) await this.#pause(waiting > 0 || awaited ? POLL_MS / 4 : POLL_MS);
    }
  }

  /**
   * Looks into the folders and takes a file of each in turn, for about a second: one with a hundred thousand files keeps no
   * other waiting, and is listed again only when its files are taken.
   * @returns how many files are not whole yet, were taken, and are still to be taken
   */
  async #poll(): Promise<{ readonly waiting: number; readonly taken: number; readonly left: number }> {
    let waiting = 0;
    let taken = 0;
    const until = performance.now() + POLL_MS;
    for (const [work, { feed, name, at }] of [...this.#aside]) {
      if (this.#stopping) break;
      if (at <= performance.now()) await this.#bringToEnd(feed, work, name);
    }
    for (const feed of this.#feeds) {
      if (feed.names.length > 0) continue;
      await this.#atFolder(feed, async () => {
        const found = await feed.folder.complete();
        waiting += found.waiting;
        // The next one stands at the end.
        feed.names = found.names.reverse();
      });
    }
    let left = this.#feeds.filter(({ names }) => names.length > 0);
    while (left.length > 0 && (taken === 0 || performance.now() < until)) {
      for (const feed of left) {
        if (this.#stopping) return { waiting, taken, left: left.length };
        const name = feed.names.pop()!;
        await this.#atFolder(feed, async () => {
          if (await this.#take(feed, name)) taken++;
        });
      }
      left = left.filter(({ names }) => names.length > 0);
    }
    if (left.length === 0) await Promise.all(this.#underway.keys());
    return { waiting, taken, left: left.length };
  }

  /** Does something with a drop folder; one that can't be used is told once, and keeps no other from its turn. */
  async #atFolder(feed: Feed, work: () => Promise<void>): Promise<void> {
    const labels = { utility: feed.utility.id, source: feed.source.id };
    const source = `${labels.utility}/${labels.source}`;
    try {
      await work();
      this.#folderFaults.delete(source);
    } catch (error) {
      if (this.#stopping) throw error;
      feed.names = [];
      const { code = "error" } = error as { code?: string };
      if (this.#folderFaults.get(source) !== code)
        this.#context.logger.error("drop folder can't be used", { ...labels, ...errorFields(error) });
      this.#folderFaults.set(source, code);
    }
  }

  /** Waits for the next poll, or until somebody asks for one. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }

  /** Goes on with what a former run left: files in the ledger, and claimed files that it had not entered yet. */
  async #recover(): Promise<void> {
    const { database } = this.#context;
    for (const file of await this.#stalling("PostgreSQL", () => unfinishedFiles(database))) {
      const feed = this.#feedOf(file);
      // Files of another data directory are its process's.
      if (feed !== undefined && file.work_path !== null && this.#work.holds(file.work_path))
        await this.#bringToEnd(feed, file.work_path, file.name);
    }
    for (const feed of this.#feeds) {
      const folder = await this.#work.folderOf(feed.utility.id, feed.source.id);
      for (const name of await feed.folder.claimedBefore()) {
        try {
          await feed.folder.bring(name, join(folder, name));
        } catch (error) {
          // Its rights or its disk are wrong: it stays where it is for the next start, and the others go on.
          this.#context.logger.error("claimed file can't be brought over", {
            utility: feed.utility.id,
            source: feed.source.id,
            ...errorFields(error),
          });
        }
      }
      for (const name of (await readdir(folder)).sort()) {
        const original = name.slice(name.indexOf("_") + 1);
        if (name.endsWith(".part")) await rm(join(folder, name), { force: true });
        else if (!this.#aside.has(join(folder, name))) {
          await feed.folder.dropMarker(original);
          await this.#bringToEnd(feed, join(folder, name), original);
        }
      }
    }
  }

  #feedOf({ utility, source }: LedgerFile): Feed | undefined {
    return this.#feeds.find((feed) => feed.utility.id === utility && feed.source.id === source);
  }

  async #take(feed: Feed, name: string): Promise<boolean> {
    const work = await this.#work.newPath(feed.utility.id, feed.source.id, name);
    if (!(await feed.folder.claim(name, work))) return false;
    await this.#beside(feed, work, name);
    return true;
  }

  /** Brings a claimed file to its end beside the loop, as soon as there is room for it among those in hand. */
  async #beside(feed: Feed, work: string, name: string): Promise<void> {
    const bytes = await fileState(work).then(
      ({ size }) => size,
      () => 0,
    );
    const underway = this.#underway;
    const isFull = () => {
      const inHand = [...underway.values()].reduce((sum, each) => sum + each, 0);
      return underway.size >= MOST_FILES || (underway.size > 0 && inHand + bytes > MOST_BYTES);
    };
    while (isFull()) await Promise.race(underway.keys());
    const done = this.#bringToEnd(feed, work, name, true).finally(() => underway.delete(done));
    done.catch(() => undefined);
    underway.set(done, bytes);
  }

  /**
   * Takes a claimed file from wherever it stands to its end. An error that is not the file's own (a full disk, missing
   * rights) sets it aside: it is tried again, and the others go on.
   * @param isNew it was claimed just now, so the ledger knows nothing of it
   */
  async #bringToEnd(feed: Feed, work: string, name: string, isNew = false): Promise<void> {
    const { database, logger } = this.#context;
    const tries = (this.#aside.get(work)?.tries ?? 0) + 1;
    const entering = this.#entering.draw();
    const publishing = this.#publishing.draw();
    try {
      try {
        const known = isNew ? undefined : await this.#stalling("PostgreSQL", () => fileAt(database, work));
        const file = known ?? (await this.#enter(feed, work, name, entering));
        entering.over();
        if (file !== undefined) await this.#process(file, feed, publishing);
      } finally {
        entering.over();
        publishing.over();
      }
      this.#aside.delete(work);
    } catch (error) {
      if (this.#stopping) throw error;
      if (error instanceof FileChanged && (await this.#changed(work))) return;
      const fields = errorFields(error);
      logger.error("file set aside, to be tried again", {
        utility: feed.utility.id,
        source: feed.source.id,
        attempt: tries,
        ...fields,
      });
      this.#aside.set(work, {
        feed,
        name,
        code: String(fields.code ?? fields.errorName),
        tries,
        at: performance.now() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1)),
      });
    }
    this.#context.metrics.stalled.set({ stage: this.name }, this.#aside.size === 0 ? 0 : 1);
  }

  /** @returns the file as it stands in the ledger; `undefined` where there is none any more */
  async #enter(feed: Feed, work: string, name: string, turn: Turn): Promise<LedgerFile | undefined> {
    const { database, clock, logger } = this.#context;
    const before = await fileState(work).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (before === undefined) return undefined;
    if (!before.regular) {
      // Put in the place of a file between the look at the folder and the claim.
      await rm(work, { recursive: true, force: true });
      logger.warn("claimed name is no file", { utility: feed.utility.id, source: feed.source.id });
      return undefined;
    }
    const sha256 = await hashOf(work);
    if (!isSame(before, await fileState(work))) throw new FileChanged("The file is still being written.");
    await turn.begins;
    return this.#stalling("PostgreSQL", () =>
      enterDelivery(database, {
        utility: feed.utility.id,
        source: feed.source.id,
        name,
        sha256,
        bytes: before.size,
        workPath: work,
        claimedAt: new Date(clock.now()),
        nameCounts: nameCounts(feed.source),
      }),
    );
  }

  /**
   * Brings a file of the ledger from whatever state it is in to its end.
   * @param turn at publishing; over when its blocks are in the log
   */
  async #process(
    file: LedgerFile,
    feed: Feed,
    turn: Turn,
    keys = this.#keysOf(feed.utility.id),
  ): Promise<void> {
    const { database, logger, clock } = this.#context;
    const work = file.work_path!;
    const labels = { utility: file.utility, source: file.source };
    // Beside the reading: packing is another processor's work.
    const archived =
      file.state !== "duplicate" && file.archive_path === null
        ? this.#archive.store(work, file.utility, file.file, file.claimed_at)
        : undefined;
    archived?.catch(() => undefined);
    if (file.state === "claimed" || file.state === "publishing") {
      await this.#stalling("PostgreSQL", () => beginPublishing(database, file.file));
      try {
        const before = await fileState(work);
        if (before.size !== file.bytes)
          throw new FileChanged("The file was written to after it was claimed.");
        if (before.size > feed.source.maxFileBytes) {
          throw new FileRejected(
            "file",
            `The file has ${before.size} bytes, more than the source's maxFileBytes (${feed.source.maxFileBytes}).`,
          );
        }
        await turn.begins;
        this.#stop.signal.throwIfAborted();
        const result = await publishFile(file, {
          context: this.#context,
          utility: feed.utility,
          source: feed.source,
          producer: this.#producer!,
          keys,
          readings: this.#readings,
          stalling: (store, work) => this.#stalling(store, work),
          signal: this.#stop.signal,
        });
        turn.over();
        if (!isSame(before, await fileState(work)))
          throw new FileChanged("The file was written to while it was read.");
        this.#nameUnknown(file, result.unknownColumns);
        await this.#stalling("PostgreSQL", () => markPublished(database, file.file, result));
      } catch (error) {
        if (!(error instanceof FileRejected)) {
          await archived?.then(
            ({ path }) => this.#archive.remove(path),
            () => undefined,
          );
          throw error;
        }
        // First the report: once the ledger says rejected, nobody comes back here.
        await feed.folder
          .reportPath(file.name)
          .then((path) => writeFile(path, rejectionReport(file, error), { mode: 0o640 }))
          .catch((failure: unknown) => {
            logger.warn("report on a rejected file can't be written", { ...labels, ...errorFields(failure) });
          });
        await this.#stalling("PostgreSQL", () =>
          markRejected(database, file.file, error.message, new Date(clock.now())),
        );
        logger.warn("file rejected", { ...labels, file: file.file, reason: error.field });
      }
    }
    let done = file;
    if (archived !== undefined) {
      const stored = await archived;
      done = await this.#stalling("PostgreSQL", () =>
        markArchived(database, file.file, stored.path, stored.key),
      );
    }
    await rm(work, { force: true });
    await this.#announce(done);
  }

  /** Names columns that nobody speaks of in the log: once for a source, and again when they change. */
  #nameUnknown({ utility, source, file }: LedgerFile, names: readonly string[]): void {
    const columns = names.join(", ");
    const feed = `${utility}/${source}`;
    if (columns === (this.#unknownNamed.get(feed) ?? "")) return;
    this.#unknownNamed.set(feed, columns);
    this.#context.logger.info("columns passed over", { utility, source, file, columns });
  }

  /**
   * A file that was written to after it was entered: what was read of it counts as one delivery, which ends here, and
   * what it holds now will be entered as the next, whose reads win. False where it was not entered yet.
   */
  async #changed(work: string): Promise<boolean> {
    const { database, clock } = this.#context;
    const file = await this.#stalling("PostgreSQL", () => fileAt(database, work));
    if (file === undefined) return false;
    const reason =
      "The file was written to after it was taken. What it held then is taken as another delivery. " +
      "Have the sender write under a partial name and rename, or raise complete.seconds.";
    const rejected = await this.#stalling("PostgreSQL", () =>
      markRejected(database, file.file, reason, new Date(clock.now())),
    );
    await this.#announce(rejected);
    this.#context.logger.warn("file changed while it was read", {
      utility: file.utility,
      source: file.source,
      file: file.file,
    });
    const feed = this.#feedOf(file);
    if (feed !== undefined) await this.#bringToEnd(feed, work, file.name);
    return true;
  }

  /** @param file as it stands in the ledger at its end */
  async #announce(file: LedgerFile): Promise<void> {
    const { database, metrics, logger } = this.#context;
    const message = fileMessageOf(file);
    await this.#stalling("log", () =>
      this.#producer!.append([
        {
          topic: "files",
          partition: 0,
          records: [{ key: `${file.utility}/${file.source}`, value: Buffer.from(JSON.stringify(message)) }],
        },
      ]),
    );
    await this.#stalling("PostgreSQL", () => markAnnounced(database, file.file));
    const { utility, source, state } = message;
    metrics.files.inc({ utility, source, state });
    metrics.reads.inc({ utility, source }, message.reads);
    metrics.lateReads.inc({ utility, source }, message.lateReads);
    logger.info("file done", {
      utility,
      source,
      file: file.file,
      state,
      rows: message.rows,
      reads: message.reads,
      rejected: message.rejected,
    });
  }

  #keysOf(utility: string): MeterKeys {
    let keys = this.#keys.get(utility);
    if (keys === undefined) {
      keys = this.#newKeys(utility);
      this.#keys.set(utility, keys);
    }
    return keys;
  }

  #newKeys(utility: string): MeterKeys {
    const { database, vault, clock } = this.#context;
    return new MeterKeys(database, vault, utility, () => clock.now());
  }

  /** What residents declared since the last look. */
  async #tellMeters(): Promise<void> {
    const { database } = this.#context;
    const due = await this.#stalling("PostgreSQL", () =>
      database.query("SELECT 1 FROM meters_to_tell LIMIT 1"),
    );
    if (due.length > 0) await this.#stalling("log", () => tellMeters(database, this.#producer!));
  }

  /** The limit of frost may be another than it was when the detector was told. */
  async #tellCold(): Promise<void> {
    const { config, database } = this.#context;
    for (const utility of config.utilities.filter(hasTemperatures))
      await this.#stalling("log", () => tellCold(database, this.#producer!, utility));
  }

  async #purge(): Promise<void> {
    const { config, database, clock } = this.#context;
    for (const { id, retentionDays } of config.utilities) {
      const before = new Date(clock.now() - retentionDays.archive * 86_400_000);
      await this.#stalling("PostgreSQL", () => this.#archive.purge(database, id, before));
    }
  }

  #stalling<T>(store: "PostgreSQL" | "log", work: () => Promise<T>): Promise<T> {
    return stalling(work, {
      store,
      signal: this.#stop.signal,
      isUnavailable: store === "log" ? (error) => !(error instanceof TypeError) : isDatabaseUnavailable,
      logger: this.#context.logger,
      onStall: (on) => {
        this.#stalledOn = on;
        this.#context.metrics.stalled.set({ stage: this.name }, on === undefined ? 0 : 1);
      },
    });
  }
}

/** The same bytes under another name are of another meter. */
function nameCounts({ profile }: SourceConfig): boolean {
  return profile?.meterFrom?.fileName !== undefined;
}

function isSame(before: FileState, after: FileState): boolean {
  return before.size === after.size && before.mtimeMs === after.mtimeMs;
}

function rejectionReport(file: LedgerFile, error: FileRejected): string {
  const { file: number, utility, source, sha256, bytes, claimed_at } = file;
  const report = {
    file: number,
    utility,
    source,
    sha256,
    bytes,
    claimedAt: claimed_at.toISOString(),
    field: error.field,
    reason: error.message,
    mend: `After a mend of the profile: curbstop files reingest ${number}, or drop the file again.`,
  };
  return JSON.stringify(report, null, 2) + "\n";
}

function fileMessageOf(file: LedgerFile): FileMessage {
  const seconds = (date: Date | null) => (date === null ? null : Math.floor(date.getTime() / 1000));
  return {
    v: 1,
    utility: file.utility,
    source: file.source,
    file: file.file,
    sha256: file.sha256,
    state: file.state === "rejected" || file.state === "duplicate" ? file.state : "published",
    correction: file.correction,
    bytes: file.bytes,
    rows: file.rows,
    rejected: file.rejected,
    reads: file.reads,
    lateReads: file.late_reads,
    meters: file.meters,
    firstRead: seconds(file.first_read),
    lastRead: seconds(file.last_read),
    claimedAt: file.claimed_at.getTime(),
    publishedAt: (file.published_at ?? file.claimed_at).getTime(),
  };
}
