import { setTimeout as sleep } from "node:timers/promises";
import { schedule } from "node-cron";
import { Deferred } from "../../infra/deferred.js";
import { errorFields } from "../../infra/logger.js";
import { isDatabaseUnavailable } from "../../infra/postgres/database.js";
import type { Stage, StageContext, StageHealth } from "../../infra/stage.js";
import { stalling } from "../../infra/stall.js";
import { Waker } from "../../infra/waker.js";
import type { SourceConfig, UtilityConfig } from "../../schemas/config.js";
import { PullFailed } from "./pull-failed.js";
import { pullMark } from "./pull-record.js";
import { PullSchedule } from "./pull-schedule.js";
import { pullSource } from "./pull-source.js";

export interface PullerContext extends StageContext {
  /** Pause after the first failure of a pull, doubled with each further one. */
  readonly firstPauseMs?: number;
}

const FIRST_REST_MS = 30_000;
const LONGEST_REST_MS = 15 * 60_000;
/** A look at the clock at least so often, should it be set. */
const LOOK_MS = 30_000;
/** Until a look at files whose sender still wrote. */
const WAITING_MS = 60_000;

interface PulledFeed {
  readonly utility: UtilityConfig;
  readonly source: SourceConfig;
  readonly schedule: PullSchedule;
  readonly wake: Waker;
  failures: number;
  /** Why the last pull failed. */
  code: string | undefined;
  /** Turns that ended. */
  turns: number;
}

/**
 * Pulls each source with `pull` on its schedule, beside ingest, one pull of a source at a time. A time that was missed is
 * caught up on at the start, and a pull that failed is tried again until it brings everything.
 */
export function createPuller(context: PullerContext): Stage {
  return new Puller(context);
}

class Puller implements Stage {
  readonly name = "pull";
  readonly #context: PullerContext;
  readonly #feeds: readonly PulledFeed[];
  readonly #stop = new AbortController();
  readonly #ended = new Deferred();
  #loops: Promise<unknown> = Promise.resolve();
  #live = false;

  constructor(context: PullerContext) {
    this.#context = context;
    this.#ended.promise.catch(() => undefined);
    this.#feeds = context.config.utilities.flatMap((utility) =>
      utility.sources
        .filter(({ pull }) => pull !== undefined)
        .map((source) => ({
          utility,
          source,
          schedule: new PullSchedule(source.pull!.schedule),
          wake: new Waker(),
          failures: 0,
          code: undefined,
          turns: 0,
        })),
    );
  }

  get finished(): Promise<void> {
    return this.#ended.promise;
  }

  start(): Promise<void> {
    this.#live = true;
    this.#loops = Promise.all(this.#feeds.map((feed) => this.#run(feed))).then(
      () => this.#end(),
      (error: unknown) => this.#end(error),
    );
    return Promise.resolve();
  }

  async drain(): Promise<void> {
    const from = this.#feeds.map(({ turns }) => turns);
    // One whole turn that began after this call.
    while (this.#live && this.#feeds.some(({ turns }, i) => turns < from[i]! + 2)) {
      for (const { wake } of this.#feeds) wake.wake();
      await sleep(10);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const { wake } of this.#feeds) wake.wake();
    await this.#loops;
    this.#end();
  }

  health(): StageHealth {
    if (!this.#live) return { live: false, ready: false, reason: "not running" };
    for (const { utility, source, code } of this.#feeds) {
      if (code !== undefined) {
        return { live: true, ready: false, reason: `pull of ${utility.id}/${source.id} failed: ${code}` };
      }
    }
    return { live: true, ready: true };
  }

  #end(error?: unknown): void {
    this.#live = false;
    if (error === undefined) this.#ended.resolve();
    else this.#ended.reject(error as Error);
  }

  async #run(feed: PulledFeed): Promise<void> {
    const { pull } = feed.source;
    const times = schedule(pull!.schedule, () => feed.wake.wake(), {
      timezone: "UTC",
      noOverlap: true,
      suppressMissedWarning: true,
    });
    /** Until when a server that failed is left alone, by the monotonic clock. */
    let rests: number | undefined;
    try {
      while (!this.#stop.signal.aborted) {
        if (rests === undefined || performance.now() >= rests) {
          const rest = await this.#turn(feed);
          rests = rest === 0 ? undefined : performance.now() + rest;
        }
        feed.turns++;
        await feed.wake.asleep(rests === undefined ? LOOK_MS : Math.max(0, rests - performance.now()));
      }
    } finally {
      await times.destroy();
      await feed.schedule.end();
    }
  }

  /** Pulls where it is due. Returns for how long to leave the server alone before the same is tried again, 0: it is done. */
  async #turn(feed: PulledFeed): Promise<number> {
    const { database, clock, logger, firstPauseMs } = this.#context;
    const { utility, source } = feed;
    const fields = { utility: utility.id, source: source.id };
    try {
      const mark = await this.#stalling(() => pullMark(database, fields));
      if (!feed.schedule.isDue(mark, clock.now())) return 0;
      const { waiting } = await pullSource(this.#context, utility, source, {
        signal: this.#stop.signal,
        ...(firstPauseMs === undefined ? {} : { firstPauseMs }),
      });
      feed.failures = 0;
      feed.code = undefined;
      return waiting > 0 ? WAITING_MS : 0;
    } catch (error) {
      if (this.#stop.signal.aborted) return 0;
      const known = error instanceof PullFailed;
      logger.error("pull failed", {
        ...fields,
        ...errorFields(error),
        attempt: ++feed.failures,
        ...(known ? { reason: error.message } : {}),
      });
      feed.code = known ? error.code : String(errorFields(error).code ?? "error");
      const first = firstPauseMs ?? FIRST_REST_MS;
      return Math.min(LONGEST_REST_MS, first * 2 ** (feed.failures - 1));
    }
  }

  #stalling<T>(work: () => Promise<T>): Promise<T> {
    return stalling(work, {
      store: "PostgreSQL",
      signal: this.#stop.signal,
      isUnavailable: isDatabaseUnavailable,
      logger: this.#context.logger,
      onStall: (on) => this.#context.metrics.stalled.set({ stage: this.name }, on === undefined ? 0 : 1),
    });
  }
}
