import { schedule } from "node-cron";
import { systemClock } from "../infra/clock.js";
import type { Settings } from "../infra/config/load-config.js";
import { createLogger, errorFields, type Logger } from "../infra/logger.js";
import type { Stage, StageContext } from "../infra/stage.js";
import { openStores, stageContext, type Stores } from "../infra/stores.js";
import type { IngestProgress } from "../ingest/index.js";

/** Those that can be asked for; what serves ingest beside it (pull, watch) comes with it. */
export type StageName = Exclude<Stage["name"], "pull" | "watch">;

/** In the order of the way of a read: they start from the end and stop from the beginning. */
export const STAGES: readonly StageName[] = ["ingest", "detect", "notify", "web"];

export interface Services {
  readonly stores: Stores;
  readonly logger: Logger;
  readonly context: StageContext;
  readonly stages: readonly Stage[];
  readonly webUrl: string | undefined;
  /** Stops the stages in order, then closes the stores. */
  close(): Promise<void>;
  /** Rejects with the error of the first stage that can't go on. */
  readonly failed: Promise<never>;
}

export interface ServicesOptions {
  /** Use the servers of the process that owns the data directory, where there is one. */
  readonly share: boolean;
  /** Beside ingest, pull on schedule and watch feeds: for services that stay. */
  readonly stays?: boolean;
  readonly onProgress?: (progress: IngestProgress) => void;
  /** Least severe log line; the variable CURBSTOP_LOG_LEVEL goes before it. */
  readonly logLevel: "info" | "warn" | "silent";
}

/** Opens the stores and starts the stages that are named. */
export async function startServices(
  settings: Settings,
  names: readonly StageName[],
  options: ServicesOptions,
): Promise<Services> {
  const level = settings.environment.CURBSTOP_LOG_LEVEL ?? options.logLevel;
  const logger = createLogger({ level });
  const stores = await openStores(settings, { logger, share: options.share });
  const context = stageContext(stores, settings, systemClock, logger);
  const stages: Stage[] = [];
  let webUrl: string | undefined;
  // Each with what it alone needs.
  const make = async (name: StageName): Promise<Stage> => {
    const { onProgress } = options;
    switch (name) {
      case "ingest":
        return (await import("../ingest/index.js")).createIngest({
          ...context,
          ...(onProgress === undefined ? {} : { onProgress }),
        });
      case "detect":
        // Alone it has the process to itself.
        return names.length > 1
          ? (await import("../detect/thread.js")).createDetectBeside(context, stores, level)
          : (await import("../detect/index.js")).createDetect({ ...context, clickhouse: stores.clickhouse });
      case "notify":
        return (await import("../notify/index.js")).createNotify(context);
      case "web":
        return (await import("../web/index.js")).createWeb({ ...context, stages: () => stages });
    }
  };
  const maintenance = keepMaintained(stores, logger);
  const close = async () => {
    await maintenance.stop();
    for (const stage of stages.toReversed()) await stage.stop();
    await stores.close();
    logger.flush();
  };
  try {
    for (const name of STAGES.filter((one) => names.includes(one)).reverse()) {
      const stage = await make(name);
      await stage.start();
      stages.push(stage);
      if ("url" in stage) webUrl = String(stage.url);
    }
    if (options.stays === true && names.includes("ingest")) {
      for (const stage of await besideIngest(context)) {
        await stage.start();
        stages.push(stage);
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  const failed = Promise.race(
    stages.map((stage) => stage.finished.then(() => new Promise<never>(() => undefined))),
  );
  failed.catch((error: unknown) => logger.error("stage ended by itself", errorFields(error)));
  return {
    stores,
    logger,
    context,
    stages,
    webUrl,
    close,
    failed,
  };
}

/** What serves ingest. */
async function besideIngest(context: StageContext): Promise<Stage[]> {
  const sources = context.config.utilities.flatMap((utility) => utility.sources);
  const pulls = sources.some(({ pull }) => pull !== undefined);
  // The watch also ends alarms of feeds of which nothing is expected any more.
  const { createWatch } = await import("../ingest/watch.js");
  if (!pulls) return [createWatch(context)];
  const { createPuller } = await import("../ingest/pickup/pull.js");
  return [createPuller(context), createWatch(context)];
}

/** The embedded log's retention and compaction: at start and each hour, so a missed tick costs nothing. */
function keepMaintained(stores: Stores, logger: Logger): { stop(): Promise<void> } {
  let running = Promise.resolve();
  const maintain = () => {
    running = running
      .then(() => stores.maintain(systemClock.now()))
      .catch((error: unknown) => logger.warn("maintenance of the log failed", errorFields(error)));
    return running;
  };
  const task = schedule("17 * * * *", maintain, { timezone: "UTC", noOverlap: true });
  void maintain();
  return {
    async stop() {
      await task.destroy();
      await running;
    },
  };
}

/**
 * Waits until a signal asks for the end or a stage fails, then closes in order. A second signal ends at once.
 * @throws the stage's error
 */
export async function serve(services: Services): Promise<void> {
  const asked = new Promise<void>((resolve) => {
    let times = 0;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        if (++times > 1) process.exit(128 + (signal === "SIGTERM" ? 15 : 2));
        services.logger.info("stopping", { signal });
        resolve();
      });
    }
  });
  try {
    await Promise.race([asked, services.failed]);
  } finally {
    await services.close();
  }
}
