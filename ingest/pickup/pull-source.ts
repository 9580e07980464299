import { createHash } from "node:crypto";
import { link, mkdir, open, readdir, rename, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StageContext } from "../../infra/stage.js";
import type { SourceConfig, UtilityConfig } from "../../schemas/config.js";
import type { PullConfig } from "../../schemas/pull.js";
import { hashOf } from "./file-bytes.js";
import { PullConnection, type RemoteFile } from "./pull-connection.js";
import { PullFailed, type PullFailure } from "./pull-failed.js";
import { nameJudge } from "./pull-names.js";
import { pulledFiles, recordPulled, savePullMark, type FeedName } from "./pull-record.js";
import { SoleOwner } from "./sole-owner.js";

export interface PullProgress {
  readonly name: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface PullOptions {
  /** Ends the pull; what was fetched so far is kept for the next one. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
  /** Told of each file as it lies in the drop folder. */
  readonly onFetched?: (file: PulledFile) => void;
  /** Pause after the first failure, doubled with each further one. */
  readonly firstPauseMs?: number;
}

export interface PulledFile {
  readonly name: string;
  readonly bytes: number;
  /** Bytes of it that an earlier attempt had fetched. */
  readonly resumedAt: number;
}

export interface PullReport {
  readonly fetched: readonly PulledFile[];
  /** Files on the server that were fetched before and have not changed. */
  readonly known: number;
  /** Files that changed while they were looked at: their sender still writes. */
  readonly waiting: number;
  /** Names that no folder of ours may hold, and files beyond `maxFileBytes`. */
  readonly refused: readonly { readonly name: string; readonly reason: "name" | "size" }[];
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** So many failures without a further byte between them end the pull. */
const MOST_FAILURES = 6;
/** Troubles of one file: the others are fetched all the same. */
const OF_ONE_FILE: ReadonlySet<PullFailure> = new Set(["server", "in-the-way", "changed"]);
/** Mode of a fetched file: it may hold names and addresses. */
const FILE_MODE = 0o640;

/**
 * Fetches what the source's server offers and was not fetched yet into the drop folder, and does with the remote files
 * what `after` says. A connection that breaks is made again, with growing pauses, and a file goes on where it ended.
 * @throws PullFailed; Error of the file system or of PostgreSQL
 */
export async function pullSource(
  context: StageContext,
  utility: UtilityConfig,
  source: SourceConfig,
  options: PullOptions = {},
): Promise<PullReport> {
  const { database, clock } = context;
  const feed = { utility: utility.id, source: source.id };
  const began = new Date(clock.now());
  const owner = new SoleOwner(database);
  owner.of(`pull/${feed.utility}/${feed.source}`);
  try {
    if (!(await owner.isOurs()))
      throw new PullFailed("busy", "Another process pulls this source now. Wait for it to end.");
    const report = await new Pull(context, feed, source, source.pull!, options).run();
    if (report.waiting === 0) await savePullMark(database, feed, began);
    return report;
  } finally {
    await owner.release();
  }
}

/** One pull of one source. */
class Pull {
  readonly #context: StageContext;
  readonly #feed: FeedName;
  readonly #source: SourceConfig;
  readonly #pull: PullConfig;
  readonly #options: PullOptions;
  readonly #fetched: PulledFile[] = [];
  /** Bytes that came, so that attempts which bring something are told from those that do not. */
  #bytes = 0;

  constructor(
    context: StageContext,
    feed: FeedName,
    source: SourceConfig,
    pull: PullConfig,
    options: PullOptions,
  ) {
    this.#context = context;
    this.#feed = feed;
    this.#source = source;
    this.#pull = pull;
    this.#options = options;
  }

  async run(): Promise<PullReport> {
    const { whole } = this.#pull.timeoutSeconds;
    const ended = new AbortController();
    const late = setTimeout(() => {
      ended.abort(
        new PullFailed(
          "time-out",
          `The pull did not end within ${whole} s; the next goes on where it ended.`,
        ),
      );
    }, whole * 1000);
    const { signal: stop } = this.#options;
    const signal = stop === undefined ? ended.signal : AbortSignal.any([stop, ended.signal]);
    try {
      return await this.#withRetries(signal);
    } finally {
      clearTimeout(late);
    }
  }

  async #withRetries(signal: AbortSignal): Promise<PullReport> {
    const { firstPauseMs = FIRST_PAUSE_MS } = this.#options;
    for (let failures = 0; ;) {
      const before = this.#bytes;
      try {
        return await this.#attempt(signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!(error instanceof PullFailed) || !error.passes) throw error;
        const moved = this.#bytes > before && error.code !== "changed";
        failures = moved ? 1 : failures + 1;
        if (failures >= MOST_FAILURES) throw error;
        this.#context.logger.warn("pull broken off, to be tried again", {
          ...this.#feed,
          code: error.code,
          attempt: failures,
        });
        const pause = Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** (failures - 1));
        await sleep(pause, undefined, { signal }).catch(() => {
          throw signal.reason;
        });
      }
    }
  }

  async #attempt(signal: AbortSignal): Promise<PullReport> {
    const { database } = this.#context;
    const known = await pulledFiles(database, this.#feed);
    const connection = await PullConnection.open(this.#pull, signal);
    try {
      const offered = await this.#offered(connection, known, signal);
      await this.#forgetPartials(offered.fresh);
      let failed: PullFailed | undefined;
      for (const file of [...offered.fresh, ...offered.known]) {
        try {
          if (!isSame(file, known.get(file.name))) await this.#fetch(connection, file);
          await this.#finish(connection, file);
        } catch (error) {
          // One file's trouble keeps the others from nothing.
          if (!(error instanceof PullFailed) || !OF_ONE_FILE.has(error.code)) throw error;
          failed = error;
        }
      }
      if (failed !== undefined) throw failed;
      const here = new Set(this.#fetched.map(({ name }) => name));
      return {
        fetched: this.#fetched,
        known: offered.known.filter(({ name }) => !here.has(name)).length,
        waiting: offered.waiting,
        refused: offered.refused,
      };
    } finally {
      await connection.close();
    }
  }

  /** What the server has. Fresh files must stand still for as long as those in a drop folder. */
  async #offered(
    connection: PullConnection,
    known: ReadonlyMap<string, RemoteFile>,
    signal: AbortSignal,
  ): Promise<{
    readonly fresh: readonly RemoteFile[];
    readonly known: readonly RemoteFile[];
    readonly waiting: number;
    readonly refused: PullReport["refused"];
  }> {
    const { complete, maxFileBytes } = this.#source;
    const judge = nameJudge(this.#source, this.#pull);
    let listed = await connection.list();
    const isFresh = (file: RemoteFile) => !isSame(file, known.get(file.name));
    const wanted = (file: RemoteFile) => judge(file.name) === "fetch" && file.size <= maxFileBytes;
    const refused = listed.flatMap<PullReport["refused"][number]>(({ name, size }) => {
      const verdict = judge(name);
      if (verdict === "refuse") return [{ name, reason: "name" }];
      return verdict === "fetch" && size > maxFileBytes ? [{ name, reason: "size" }] : [];
    });
    if (refused.length > 0)
      this.#context.logger.warn("remote files refused", { ...this.#feed, count: refused.length });
    let waiting = 0;
    if (complete.by === "marker") {
      const names = new Set(listed.map(({ name }) => name));
      listed = listed.filter(({ name }) => names.has(name + complete.suffix));
    } else if (complete.seconds > 0 && listed.some((file) => wanted(file) && isFresh(file))) {
      const before = new Map(listed.map((file) => [file.name, file]));
      await sleep(complete.seconds * 1000, undefined, { signal });
      const after = await connection.list();
      listed = after.filter((file) => isSame(file, before.get(file.name)));
      waiting = after.filter((file) => wanted(file) && !isSame(file, before.get(file.name))).length;
    }
    const offered = listed.filter(wanted).sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      fresh: offered.filter(isFresh),
      known: offered.filter((file) => !isFresh(file)),
      waiting,
      refused,
    };
  }

  /** Brings a file into the drop folder, whole and durable, and remembers it. */
  async #fetch(connection: PullConnection, file: RemoteFile): Promise<void> {
    const { database, clock, logger } = this.#context;
    const { folder } = this.#source;
    const partial = join(folder, partialName(this.#feed, file));
    const resumedAt = await this.#download(connection, file, partial);
    // It was changed, or goes on being written, at the same size: then the bytes are of two states.
    if (!isSame(file, await connection.find(file.name))) {
      await rm(partial, { force: true });
      throw new PullFailed("changed", "A file changed on the server while it was fetched.");
    }
    await this.#land(partial, file.name);
    await recordPulled(database, this.#feed, file, new Date(clock.now()));
    const fetched = { name: file.name, bytes: file.size, resumedAt };
    this.#fetched.push(fetched);
    this.#options.onFetched?.(fetched);
    logger.info("file pulled", { ...this.#feed, bytes: file.size });
  }

  /**
   * Fetches into `partial`, from where a broken-off attempt ended; returns from where. The partial has another name while
   * it is written, and gets its own back once its bytes are durable: one that a killed process left is begun again.
   */
  async #download(connection: PullConnection, file: RemoteFile, partial: string): Promise<number> {
    const { onProgress } = this.#options;
    const inHand = partial.replace(/\.part$/, ".open.part");
    await rename(partial, inHand).catch(ifMissing);
    const handle = await open(inHand, "a", FILE_MODE);
    try {
      const { size: from } = await handle.stat();
      let done = from;
      try {
        for await (const piece of connection.read(file, from)) {
          await handle.appendFile(piece);
          done += piece.length;
          this.#bytes += piece.length;
          onProgress?.({ name: file.name, bytesDone: done, bytesTotal: file.size });
        }
      } finally {
        await handle.sync();
      }
      return from;
    } finally {
      await handle.close();
      await rename(inHand, partial);
    }
  }

  /** Gives the whole file its name. One of that name that was not taken yet stays: it may be another file. */
  async #land(partial: string, name: string): Promise<void> {
    const { folder, complete } = this.#source;
    const path = join(folder, name);
    try {
      await link(partial, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const there = await hashOf(path).catch(ifMissing);
      if (there !== undefined && there !== (await hashOf(partial))) {
        throw new PullFailed(
          "in-the-way",
          "A file of the same name with other bytes lies in the drop folder and was not taken yet. Let ingest take it first.",
        );
      }
      if (there === undefined) await link(partial, path);
    }
    await unlink(partial);
    await syncFolder(folder);
    if (complete.by === "marker") await writeFile(path + complete.suffix, "");
  }

  /** Does with a fetched file what `after` says, unless it has changed since: then it is a new one. */
  async #finish(connection: PullConnection, file: RemoteFile): Promise<void> {
    const { after } = this.#pull;
    const { complete } = this.#source;
    if (after.do === "leave" || !isSame(file, await connection.find(file.name))) return;
    const names = [file.name];
    if (complete.by === "marker") {
      const marker = file.name + complete.suffix;
      if ((await connection.find(marker)) !== undefined) names.unshift(marker);
    }
    for (const name of names) {
      if (after.do === "delete") await connection.remove(name);
      else await connection.move(name, after.to, stamp(file.modified));
    }
  }

  /** Removes what is left of files that have changed or gone since, and of killed processes. */
  async #forgetPartials(fresh: readonly RemoteFile[]): Promise<void> {
    const { folder } = this.#source;
    await mkdir(folder, { recursive: true });
    const kept = new Set(fresh.map((file) => partialName(this.#feed, file)));
    for (const name of await readdir(folder)) {
      if (name.startsWith(partialPrefix(this.#feed)) && !kept.has(name))
        await rm(join(folder, name), { force: true });
    }
  }
}

/** Several sources may share a drop folder: each knows its partial files by this. Ids hold no underscore. */
function partialPrefix({ utility, source }: FeedName): string {
  return `.pull_${utility}_${source}_`;
}

/** Hidden and partial, so that no drop folder takes it. The same for the same state of the same file alone. */
function partialName(feed: FeedName, { name, size, modified }: RemoteFile): string {
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 16);
  return `${partialPrefix(feed)}${hash}_${size}_${modified}.part`;
}

function isSame(file: RemoteFile, other: RemoteFile | undefined): boolean {
  return other !== undefined && other.size === file.size && other.modified === file.modified;
}

/** Time of change as part of a name: 20260601T101500Z. */
function stamp(modified: number): string {
  return new Date(modified).toISOString().replace(/[-:]|\.\d+/g, "");
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  await folder.sync();
  await folder.close();
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
