import { setTimeout as sleep } from "node:timers/promises";
import { median } from "simple-statistics";
import { Deferred } from "../infra/deferred.js";
import { isDatabaseUnavailable, type Database } from "../infra/postgres/database.js";
import type { Stage, StageContext, StageHealth } from "../infra/stage.js";
import { stalling } from "../infra/stall.js";
import { Waker } from "../infra/waker.js";
import { bringsReads, type SourceConfig, type UtilityConfig } from "../schemas/config.js";
import type { ExpectConfig } from "../schemas/pull.js";

/** `late`: no file came when one should have. `thin`: the last file brought much less than those before it. */
export type AlarmKind = "late" | "thin";

/** A published file. `at`: milliseconds since 1970. `reads`: of sources without reads its rows. */
export interface FeedFile {
  readonly at: number;
  readonly reads: number;
}

export interface FeedState {
  readonly late: boolean;
  readonly thin: boolean;
  readonly last: FeedFile | undefined;
  /** Median of the reads of the files before the last; `undefined` where they are too few to say. */
  readonly usualReads: number | undefined;
}

/** Files before the last one that say what is usual: two weeks of a daily feed. */
export const USUAL_FILES = 14;
/** Fewer have no median that one odd file could not move. */
const FEWEST_USUAL_FILES = 3;

/**
 * Compares what a feed brought with what is expected of it.
 * @param files newest first
 * @param since when the feed began to be watched, for one that never brought a file
 */
export function judgeFeed(
  expected: ExpectConfig,
  files: readonly FeedFile[],
  since: number,
  now: number,
): FeedState {
  const { everyHours, minReadsShare } = expected;
  const [last, ...former] = files;
  const usual = former.slice(0, USUAL_FILES).map(({ reads }) => reads);
  const usualReads = usual.length < FEWEST_USUAL_FILES ? undefined : median(usual);
  return {
    late: everyHours !== undefined && now - (last?.at ?? since) > everyHours * 3_600_000,
    thin:
      minReadsShare !== undefined &&
      last !== undefined &&
      usualReads !== undefined &&
      last.reads < minReadsShare * usualReads,
    last,
    usualReads,
  };
}

const LOOK_MS = 30_000;
const STOP_PATIENCE_MS = 5_000;

interface WatchedFeed {
  readonly utility: UtilityConfig;
  readonly source: SourceConfig;
  readonly expected: ExpectConfig;
}

/**
 * Opens an alarm for the operator where a feed does not bring what its `expect` says, and ends it when it does again: in
 * the log, in the metrics and in PostgreSQL (`feed_alarms`), from where notify tells of it by mail.
 */
export function createWatch(context: StageContext): Stage {
  return new Watch(context);
}

class Watch implements Stage {
  readonly name = "watch";
  readonly #context: StageContext;
  readonly #feeds: readonly WatchedFeed[];
  readonly #stop = new AbortController();
  readonly #ended = new Deferred();
  readonly #waker = new Waker();
  /** Names of the feeds with an alarm, and its kind. */
  #alarms: readonly string[] = [];
  #loop: Promise<void> = Promise.resolve();
  /** The look under way: a stop does not break it off. */
  #look: Promise<unknown> = Promise.resolve();
  #live = false;
  #stalled = false;
  #looks = 0;

  constructor(context: StageContext) {
    this.#context = context;
    this.#ended.promise.catch(() => undefined);
    this.#feeds = context.config.utilities.flatMap((utility) =>
      utility.sources.flatMap((source) =>
        source.expect === undefined ? [] : [{ utility, source, expected: source.expect }],
      ),
    );
  }

  get finished(): Promise<void> {
    return this.#ended.promise;
  }

  start(): Promise<void> {
    this.#live = true;
    this.#loop = this.#run().then(
      () => this.#end(),
      (error: unknown) => this.#end(this.#stop.signal.aborted ? undefined : error),
    );
    return Promise.resolve();
  }

  async drain(): Promise<void> {
    const from = this.#looks;
    // One whole look that began after this call.
    while (this.#live && this.#looks < from + 2) {
      this.#waker.wake();
      await sleep(5);
    }
    if (!this.#live) await this.finished;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#waker.wake();
    await this.#loop;
    await Promise.race([this.#look, sleep(STOP_PATIENCE_MS, undefined, { ref: false })]);
    this.#end();
  }

  health(): StageHealth {
    if (!this.#live) return { live: false, ready: false, reason: "not running" };
    if (this.#stalled) return { live: true, ready: false, reason: "waiting for PostgreSQL" };
    // The watch does its work; the feed does not.
    if (this.#alarms.length > 0) {
      return { live: true, ready: true, reason: `feed alarms: ${this.#alarms.join(", ")}` };
    }
    return { live: true, ready: true };
  }

  #end(error?: unknown): void {
    this.#live = false;
    if (error === undefined) this.#ended.resolve();
    else this.#ended.reject(error as Error);
  }

  async #run(): Promise<void> {
    await this.#stalling(() => this.#endUnwatched());
    while (!this.#stop.signal.aborted) {
      const alarms: string[] = [];
      for (const feed of this.#feeds) {
        const state = await this.#stalling(() => this.#judge(feed));
        const name = `${feed.utility.id}/${feed.source.id}`;
        if (state.late) alarms.push(`${name} late`);
        if (state.thin) alarms.push(`${name} thin`);
      }
      this.#alarms = alarms;
      this.#looks++;
      await this.#waker.asleep(LOOK_MS);
    }
  }

  async #judge({ utility, source, expected }: WatchedFeed): Promise<FeedState> {
    const { database, clock, metrics, logger } = this.#context;
    const feed = { utility: utility.id, source: source.id };
    const now = clock.now();
    const since = await watchedSince(database, feed, now);
    const files = await publishedFiles(database, feed, !bringsReads(source));
    const state = judgeFeed(expected, files, since, now);
    for (const kind of ["late", "thin"] as const) {
      const changed = state[kind]
        ? await openAlarm(database, { ...feed, kind, at: now, state })
        : await closeAlarm(database, { ...feed, kind, at: now });
      metrics.feedAlarm.set({ ...feed, kind }, state[kind] ? 1 : 0);
      if (!changed) continue;
      if (state[kind]) logger.warn("feed alarm opened", { ...feed, code: kind });
      else logger.info("feed alarm ended", { ...feed, code: kind });
    }
    return state;
  }

  /** Alarms of feeds of which nothing is expected any more. */
  async #endUnwatched(): Promise<void> {
    const { database, clock } = this.#context;
    await database.query(
      `UPDATE feed_alarms SET closed_at = $1 WHERE closed_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM unnest($2::text[], $3::text[]) AS watched (utility, source)
                         WHERE watched.utility = feed_alarms.utility AND watched.source = feed_alarms.source)`,
      [
        new Date(clock.now()),
        this.#feeds.map(({ utility }) => utility.id),
        this.#feeds.map(({ source }) => source.id),
      ],
    );
  }

  #stalling<T>(work: () => Promise<T>): Promise<T> {
    const look = () => {
      const looking = work();
      this.#look = looking.catch(() => undefined);
      return looking;
    };
    return stalling(look, {
      store: "PostgreSQL",
      signal: this.#stop.signal,
      isUnavailable: isDatabaseUnavailable,
      logger: this.#context.logger,
      onStall: (on) => {
        this.#stalled = on !== undefined;
        this.#context.metrics.stalled.set({ stage: this.name }, on === undefined ? 0 : 1);
      },
    });
  }
}

interface FeedName {
  readonly utility: string;
  readonly source: string;
}

async function watchedSince(database: Database, { utility, source }: FeedName, now: number): Promise<number> {
  await database.query(
    "INSERT INTO feed_watches (utility, source, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    [utility, source, new Date(now)],
  );
  const [row] = await database.query<{ since: Date }>(
    "SELECT since FROM feed_watches WHERE utility = $1 AND source = $2",
    [utility, source],
  );
  return row!.since.getTime();
}

/** The latest files, newest first. One that was processed again on request came before. */
async function publishedFiles(
  database: Database,
  { utility, source }: FeedName,
  byRows: boolean,
): Promise<FeedFile[]> {
  const rows = await database.query<{ published_at: Date; reads: number; rows: number }>(
    `SELECT published_at, reads, rows FROM files f
     WHERE utility = $1 AND source = $2 AND state IN ('published', 'archived')
       AND (again_of IS NULL OR NOT EXISTS (SELECT 1 FROM files o WHERE o.file = f.again_of AND o.state IN ('published', 'archived')))
     ORDER BY published_at DESC, file DESC LIMIT $3`,
    [utility, source, USUAL_FILES + 1],
  );
  return rows.map(({ published_at, reads, rows: lines }) => ({
    at: published_at.getTime(),
    reads: byRows ? lines : reads,
  }));
}

interface AlarmChange extends FeedName {
  readonly kind: AlarmKind;
  readonly at: number;
}

/** Returns whether it was not open yet. */
async function openAlarm(
  database: Database,
  { utility, source, kind, at, state }: AlarmChange & { readonly state: FeedState },
): Promise<boolean> {
  const { last, usualReads } = state;
  const thin = kind === "thin";
  const opened = await database.query(
    `INSERT INTO feed_alarms (utility, source, kind, opened_at, last_file_at, reads, usual_reads)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (utility, source, kind) WHERE closed_at IS NULL DO NOTHING RETURNING feed_alarm`,
    [
      utility,
      source,
      kind,
      new Date(at),
      last === undefined ? null : new Date(last.at),
      thin ? last!.reads : null,
      thin ? Math.round(usualReads!) : null,
    ],
  );
  return opened.length > 0;
}

/** Returns whether it was open. */
async function closeAlarm(database: Database, { utility, source, kind, at }: AlarmChange): Promise<boolean> {
  const closed = await database.query(
    `UPDATE feed_alarms SET closed_at = $4
     WHERE utility = $1 AND source = $2 AND kind = $3 AND closed_at IS NULL RETURNING feed_alarm`,
    [utility, source, kind, new Date(at)],
  );
  return closed.length > 0;
}
