import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Deferred } from "../infra/deferred.js";
import type { LogProducer } from "../infra/log/log.js";
import { isDatabaseUnavailable } from "../infra/postgres/database.js";
import type { Stage, StageContext, StageHealth } from "../infra/stage.js";
import { stalling } from "../infra/stall.js";
import type { SourceConfig, UtilityConfig } from "../schemas/config.js";
import type { FileMessage } from "../schemas/files.js";
import { BlockBuilder } from "./blocks.js";
import type { Reject } from "./check/rejects.js";
import { CsvRows } from "./formats/csv-rows.js";
import { decodedChunks } from "./formats/decode.js";
import { profileOf } from "./formats/presets.js";
import { FileRejected, ReadsCsv } from "./formats/reads-csv.js";
import { Archive } from "./pickup/archive.js";
import { DropFolder } from "./pickup/drop-folder.js";
import {
  beginPublishing,
  enterDelivery,
  markAnnounced,
  markArchived,
  markPublished,
  markRejected,
  saveRejects,
  unfinishedFiles,
  type LedgerFile,
} from "./pickup/ledger.js";
import { BlockPublisher } from "./publish.js";
import { applyCrosswalk, readCrosswalk } from "./registry/crosswalk.js";
import { MeterKeys } from "./registry/meter-keys.js";

export { listFiles, listRejects, type LedgerFile, type RejectRow } from "./pickup/ledger.js";

export interface IngestProgress {
  readonly utility: string;
  readonly source: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly reads: number;
}

export interface IngestContext extends StageContext {
  readonly onProgress?: (progress: IngestProgress) => void;
}

export interface IngestStage extends Stage {
  /**
   * Processes an archived file again, under a new number: after a mended profile.
   * @throws Error where there is no such file, or its original is gone
   */
  reingest(file: number): Promise<LedgerFile>;
}

const POLL_MS = 1_000;
const NO_TEXT = Buffer.alloc(0);

/** Takes files from the drop folders, publishes their reads, and keeps the ledger and the archive. */
export function createIngest(context: IngestContext): IngestStage {
  return new Ingest(context);
}

interface Feed {
  readonly utility: UtilityConfig;
  readonly source: SourceConfig;
  readonly folder: DropFolder;
}

class Ingest implements IngestStage {
  readonly name = "ingest";
  readonly #context: IngestContext;
  readonly #feeds: readonly Feed[];
  readonly #archive: Archive;
  readonly #keys = new Map<string, MeterKeys>();
  readonly #stop = new AbortController();
  readonly #ended = new Deferred();
  #producer: LogProducer | undefined;
  #stalledOn: string | undefined;
  #live = false;
  #loop: Promise<void> = Promise.resolve();
  /** Polls done, so that `drain` can wait for one that began after it. */
  #idlePolls = 0;

  constructor(context: IngestContext) {
    this.#context = context;
    this.#feeds = context.config.utilities.flatMap((utility) =>
      utility.sources.map((source) => ({ utility, source, folder: new DropFolder(source) })),
    );
    this.#archive = new Archive(join(context.config.dataDirectory, "archive"), context.vault);
    this.#ended.promise.catch(() => undefined);
  }

  get finished(): Promise<void> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    this.#producer = await this.#context.log.producer();
    this.#live = true;
    this.#loop = this.#run().then(
      () => {
        this.#live = false;
        this.#ended.resolve();
      },
      (error: unknown) => {
        this.#live = false;
        if (this.#stop.signal.aborted) this.#ended.resolve();
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
    await this.#loop;
    await this.#producer?.close();
    this.#ended.resolve();
  }

  health(): StageHealth {
    if (!this.#live) return { live: false, ready: false, reason: "not running" };
    if (this.#stalledOn !== undefined)
      return { live: true, ready: false, reason: `waiting for ${this.#stalledOn}` };
    return { live: true, ready: true };
  }

  async reingest(file: number): Promise<LedgerFile> {
    const { database, config, clock } = this.#context;
    const [old] = await database.query<LedgerFile>("SELECT * FROM files WHERE file = $1", [file]);
    if (old === undefined) throw new Error(`There is no file ${file}; "curbstop files" lists them.`);
    if (old.archive_path === null || old.archive_key === null) {
      throw new Error(
        `The original of file ${file} is no longer in the archive (kept for retentionDays.archive days). Drop it again.`,
      );
    }
    const work = await this.#workPath(old.utility, old.source, old.name);
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
      againOf: old.again_of ?? file,
    });
    const feed = this.#feedOf(entered);
    if (feed === undefined)
      throw new Error(
        `Source ${source} of utility ${utility} is no longer configured (${config.utilities.length} utilities are).`,
      );
    this.#producer ??= await this.#context.log.producer();
    await this.#process(entered, feed);
    const [done] = await database.query<LedgerFile>("SELECT * FROM files WHERE file = $1", [entered.file]);
    return done!;
  }

  #wake: (() => void) | undefined;

  async #run(): Promise<void> {
    await this.#recover();
    let purged = 0;
    while (!this.#stop.signal.aborted) {
      let waiting = 0;
      let taken = 0;
      for (const feed of this.#feeds) {
        if (this.#stop.signal.aborted) return;
        const found = await feed.folder.complete();
        waiting += found.waiting;
        for (const name of found.names) {
          if (this.#stop.signal.aborted) return;
          if (await this.#take(feed, name)) taken++;
        }
      }
      if (waiting === 0 && taken === 0) this.#idlePolls++;
      if (performance.now() - purged > 3_600_000) {
        purged = performance.now();
        await this.#purge();
      }
      if (taken === 0) await this.#pause(waiting > 0 ? POLL_MS / 4 : POLL_MS);
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
    const { database, config } = this.#context;
    const known = new Set<string>();
    for (const file of await this.#stalling("PostgreSQL", () => unfinishedFiles(database))) {
      const feed = this.#feedOf(file);
      if (file.work_path !== null) known.add(file.work_path);
      if (feed !== undefined) await this.#process(file, feed);
    }
    for (const { utility, source } of this.#feeds) {
      const folder = join(config.dataDirectory, "work", utility.id, source.id);
      for (const name of await readdir(folder).catch(() => [])) {
        const path = join(folder, name);
        if (known.has(path)) continue;
        const feed = this.#feeds.find((one) => one.utility === utility && one.source === source)!;
        await this.#enterAndProcess(feed, path, name.slice(name.indexOf("_") + 1));
      }
    }
  }

  #feedOf({ utility, source }: LedgerFile): Feed | undefined {
    return this.#feeds.find((feed) => feed.utility.id === utility && feed.source.id === source);
  }

  async #workPath(utility: string, source: string, name: string): Promise<string> {
    const folder = join(this.#context.config.dataDirectory, "work", utility, source);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const unique = `${Date.now().toString(36)}${process.hrtime.bigint().toString(36)}`;
    return join(folder, `${unique}_${basename(name).slice(-120)}`);
  }

  async #take(feed: Feed, name: string): Promise<boolean> {
    const work = await this.#workPath(feed.utility.id, feed.source.id, name);
    if (!(await feed.folder.claim(name, work))) return false;
    await this.#enterAndProcess(feed, work, name);
    return true;
  }

  async #enterAndProcess(feed: Feed, work: string, name: string): Promise<void> {
    const { database, clock } = this.#context;
    const { size } = await lstat(work);
    const sha256 = await hashOf(work);
    const entered = await this.#stalling("PostgreSQL", () =>
      enterDelivery(database, {
        utility: feed.utility.id,
        source: feed.source.id,
        name,
        sha256,
        bytes: size,
        workPath: work,
        claimedAt: new Date(clock.now()),
      }),
    );
    await this.#process(entered, feed);
  }

  /** Brings a file from whatever state it is in to its end. */
  async #process(file: LedgerFile, feed: Feed): Promise<void> {
    const { database, logger, clock } = this.#context;
    const labels = { utility: file.utility, source: file.source };
    if (file.state === "claimed" || file.state === "publishing") {
      await this.#stalling("PostgreSQL", () => beginPublishing(database, file.file));
      try {
        const { size } = await lstat(file.work_path!);
        if (size > feed.source.maxFileBytes) {
          throw new FileRejected(
            "file",
            `The file has ${size} bytes, more than the source's maxFileBytes (${feed.source.maxFileBytes}).`,
          );
        }
        if (feed.source.format === "crosswalk") await this.#publishCrosswalk(file, feed);
        else await this.#publishReads(file, feed);
      } catch (error) {
        if (!(error instanceof FileRejected)) throw error;
        await this.#stalling("PostgreSQL", () =>
          markRejected(database, file.file, error.message, new Date(clock.now())),
        );
        await writeFile(await feed.folder.reportPath(file.name), rejectionReport(file, error), {
          mode: 0o640,
        });
        logger.warn("file rejected", { ...labels, file: file.file, reason: error.field });
      }
    }
    if (file.work_path !== null) {
      if (file.state !== "duplicate") {
        const stored = await this.#archive.store(file.work_path, file.utility, file.file, file.claimed_at);
        await this.#stalling("PostgreSQL", () => markArchived(database, file.file, stored.path, stored.key));
      }
      await rm(file.work_path, { force: true });
    }
    await this.#announce(file.file);
  }

  async #announce(number: number): Promise<void> {
    const { database, metrics, logger } = this.#context;
    const [file] = await this.#stalling("PostgreSQL", () =>
      database.query<LedgerFile>("SELECT * FROM files WHERE file = $1", [number]),
    );
    const message = fileMessageOf(file!);
    await this.#stalling("log", () =>
      this.#producer!.append([
        {
          topic: "files",
          partition: 0,
          records: [{ key: `${file!.utility}/${file!.source}`, value: Buffer.from(JSON.stringify(message)) }],
        },
      ]),
    );
    await this.#stalling("PostgreSQL", () => markAnnounced(database, number));
    const { utility, source, state } = message;
    metrics.files.inc({ utility, source, state });
    metrics.reads.inc({ utility, source }, message.reads);
    logger.info("file done", {
      utility,
      source,
      file: number,
      state,
      rows: message.rows,
      reads: message.reads,
      rejected: message.rejected,
    });
  }

  async #publishReads(file: LedgerFile, feed: Feed): Promise<void> {
    const { database, clock, onProgress } = this.#context;
    const { utility, source } = feed;
    const profile = profileOf(source);
    const builder = new BlockBuilder({
      utility: utility.id,
      source: source.id,
      file: file.file,
      backfill: source.backfill,
      resolution: profile.resolution,
      digits: profile.digits,
    });
    const reader = new ReadsCsv(
      { profile, timeZone: utility.timeZone, now: Math.floor(clock.now() / 1000) },
      builder,
    );
    const scanner = new CsvRows(profile);
    const keys = this.#keysOf(utility.id);
    const publisher = new BlockPublisher(this.#producer!, keys, (work) => this.#stalling("log", work));
    const onRow = (row: Parameters<ReadsCsv["row"]>[0]) => reader.row(row);
    const onTooLong = (line: number, offset: number) =>
      builder.reject({ line, offset, length: 0, code: "row-too-long", field: "row", value: null });
    let rejected = 0;
    let bytesDone = 0;
    const handOver = async () => {
      const blocks = builder.ready.splice(0);
      if (blocks.length > 0) {
        await this.#stalling("PostgreSQL", () => keys.learn(blocks));
        await publisher.publish(blocks);
      }
      rejected += await this.#keepRejects(file, builder.rejects.splice(0));
      onProgress?.({
        utility: utility.id,
        source: source.id,
        bytesDone,
        bytesTotal: file.bytes,
        reads: builder.reads,
      });
      this.#stop.signal.throwIfAborted();
    };
    for await (const chunk of decodedChunks(file.work_path!, file.bytes, profile, source.maxFileBytes)) {
      scanner.push(chunk, false, onRow, onTooLong);
      bytesDone += chunk.length;
      await handOver();
    }
    scanner.push(NO_TEXT, true, onRow, onTooLong);
    reader.end();
    builder.finish();
    await handOver();
    await publisher.flush();
    await this.#stalling("PostgreSQL", () =>
      markPublished(database, file.file, {
        rows: reader.rows,
        rejected,
        reads: builder.reads,
        noReads: builder.noReads,
        meters: builder.meters.size,
        firstRead: builder.reads === 0 ? null : new Date(builder.first * 1000),
        lastRead: builder.reads === 0 ? null : new Date(builder.last * 1000),
        at: new Date(clock.now()),
      }),
    );
  }

  async #publishCrosswalk(file: LedgerFile, feed: Feed): Promise<void> {
    const { database, vault, clock } = this.#context;
    const rejects: Reject[] = [];
    const plain = { encoding: "utf-8", compression: "none" } as const;
    const chunks = decodedChunks(file.work_path!, file.bytes, plain, feed.source.maxFileBytes);
    const rows = await readCrosswalk(chunks, feed.utility.timeZone, (reject) => rejects.push(reject));
    const rejected = await this.#keepRejects(file, rejects);
    const keys = this.#keysOf(feed.utility.id);
    const now = new Date(clock.now());
    await this.#stalling("PostgreSQL", () =>
      applyCrosswalk(rows, feed.utility.id, now, { database, vault, keys, producer: this.#producer! }),
    );
    const meters = new Set(rows.map(({ meterId }) => meterId)).size;
    await this.#stalling("PostgreSQL", () =>
      markPublished(database, file.file, {
        rows: rows.length,
        rejected,
        reads: 0,
        noReads: 0,
        meters,
        firstRead: null,
        lastRead: null,
        at: now,
      }),
    );
  }

  async #keepRejects(file: LedgerFile, rejects: readonly Reject[]): Promise<number> {
    if (rejects.length === 0) return 0;
    await this.#stalling("PostgreSQL", () => saveRejects(this.#context.database, file.file, rejects));
    for (const { code } of rejects) {
      this.#context.metrics.rejects.inc({ utility: file.utility, source: file.source, reason: code });
    }
    return rejects.length;
  }

  #keysOf(utility: string): MeterKeys {
    let keys = this.#keys.get(utility);
    if (keys === undefined) {
      const { database, vault, clock } = this.#context;
      keys = new MeterKeys(database, vault, utility, () => clock.now());
      this.#keys.set(utility, keys);
    }
    return keys;
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

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
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
    mend: `After the mend: curbstop files reingest ${number}`,
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
    meters: file.meters,
    firstRead: seconds(file.first_read),
    lastRead: seconds(file.last_read),
    claimedAt: file.claimed_at.getTime(),
    publishedAt: (file.published_at ?? file.claimed_at).getTime(),
  };
}
