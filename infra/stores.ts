import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TOPICS } from "../schemas/topics.js";
import { isClickHouseUnavailable, openClickHouse, type ClickHouse } from "./clickhouse/client.js";
import { startClickHouse } from "./clickhouse/embedded-server.js";
import { migrateClickHouse } from "./clickhouse/migrate.js";
import type { Clock } from "./clock.js";
import type { Settings } from "./config/load-config.js";
import { Vault } from "./crypto/vault.js";
import {
  DataDirectoryInUse,
  lockDataDirectory,
  runningServers,
  type DataDirectoryLock,
} from "./data-directory.js";
import { createEmbeddedLog } from "./log/embedded-log.js";
import type { Log } from "./log/log.js";
import type { Logger } from "./logger.js";
import { Metrics } from "./metrics.js";
import { isDatabaseUnavailable, openDatabase, type Database } from "./postgres/database.js";
import { startPostgres } from "./postgres/embedded-server.js";
import { migrateDatabase } from "./postgres/migrate.js";
import type { StageContext } from "./stage.js";

export interface Stores {
  readonly database: Database;
  readonly clickhouse: ClickHouse;
  readonly log: Log;
  readonly vault: Vault;
  /** HTTP address of ClickHouse for the read-only user of a utility; `undefined` with a server of one's own. */
  analystUrl(utility: string): string | undefined;
  readonly clickhouseUrl: string;
  /** Settings that lead another thread of this process to the same servers. */
  readonly reachedBy: Settings;
  readonly embedded: { readonly postgres: boolean; readonly clickhouse: boolean; readonly log: boolean };
  /** Puts a maintenance run of the embedded log on the caller's schedule; nothing on Kafka. */
  maintain(now: number): Promise<void>;
  close(): Promise<void>;
}

export interface StoresOptions {
  readonly logger: Logger;
  /** Use the servers of the process that owns the data directory, where there is one, instead of refusing. */
  readonly share?: boolean;
}

/** A store that can't be reached or started. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

/** Its client is loaded where it is needed. */
async function kafkaLog(brokers: string, logger: Logger): Promise<Log> {
  const { createKafkaLog } = await import("./log/kafka-log.js");
  return createKafkaLog({ brokers: brokers.split(","), logger });
}

/**
 * Opens the three stores: each the server that its variable names, else the embedded one in the data directory; brings
 * their schemas up to date and checks the topics.
 * @throws DataDirectoryInUse, StoreUnavailable
 */
export async function openStores(settings: Settings, options: StoresOptions): Promise<Stores> {
  const { config, environment } = settings;
  const { logger, share = false } = options;
  const { dataDirectory } = config;
  const needsEmbedded =
    environment.CURBSTOP_DATABASE_URL === undefined || environment.CURBSTOP_CLICKHOUSE_URL === undefined;
  const closing: (() => Promise<void> | void)[] = [];
  let lock: DataDirectoryLock | undefined;
  let running = share ? runningServers(dataDirectory) : undefined;
  if (needsEmbedded && running === undefined) {
    try {
      lock = lockDataDirectory(dataDirectory);
      closing.push(() => lock!.release());
    } catch (error) {
      if (!(error instanceof DataDirectoryInUse) || !share) throw error;
      running = error.owner;
    }
  }
  const analysts: Record<string, string> = {};
  try {
    let databaseUrl = environment.CURBSTOP_DATABASE_URL ?? running?.databaseUrl;
    let clickhouseUrl = environment.CURBSTOP_CLICKHOUSE_URL ?? running?.clickhouseUrl;
    Object.assign(analysts, running?.analystUrls);
    const embedded = {
      postgres: environment.CURBSTOP_DATABASE_URL === undefined,
      clickhouse: environment.CURBSTOP_CLICKHOUSE_URL === undefined,
      log: environment.CURBSTOP_KAFKA_BROKERS === undefined,
    };
    const starting: Promise<void>[] = [];
    if (databaseUrl === undefined) {
      starting.push(
        startPostgres({ directory: join(dataDirectory, "postgres"), logger }).then((server) => {
          databaseUrl = server.url;
          closing.push(() => server.stop());
        }),
      );
    }
    if (clickhouseUrl === undefined) {
      const utilities = config.utilities.map(({ id }) => id);
      starting.push(
        startClickHouse({ directory: join(dataDirectory, "clickhouse"), utilities, logger }).then(
          (server) => {
            clickhouseUrl = server.url;
            for (const utility of utilities) analysts[utility] = server.analystUrl(utility);
            closing.push(() => server.stop());
          },
        ),
      );
    }
    const started = await Promise.allSettled(starting);
    const failed = started.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;

    const database = openDatabase(databaseUrl!);
    closing.push(() => database.close());
    const clickhouse = openClickHouse(clickhouseUrl!);
    closing.push(() => clickhouse.close());
    const passing = {
      database: embedded.postgres && isDatabaseUnavailable,
      clickhouse: embedded.clickhouse && isClickHouseUnavailable,
    };
    await reached("PostgreSQL", () => migrateDatabase(database), passing.database);
    await reached("ClickHouse", () => migrateClickHouse(clickhouse), passing.clickhouse);
    const embeddedLog = embedded.log ? createEmbeddedLog(database) : undefined;
    const log: Log = embeddedLog ?? (await kafkaLog(environment.CURBSTOP_KAFKA_BROKERS!, logger));
    closing.push(() => log.close());
    await reached("the log", () => log.provision(TOPICS), embedded.log && passing.database);
    const vault = await Vault.open(config.keyFile!);
    lock?.publish({ databaseUrl: databaseUrl!, clickhouseUrl: clickhouseUrl!, analystUrls: analysts });
    return {
      database,
      clickhouse,
      log,
      vault,
      analystUrl: (utility) => analysts[utility],
      clickhouseUrl: clickhouseUrl!,
      reachedBy: {
        config,
        environment: {
          ...environment,
          CURBSTOP_DATABASE_URL: databaseUrl,
          CURBSTOP_CLICKHOUSE_URL: clickhouseUrl,
        },
      },
      embedded,
      maintain: async (now) => embeddedLog?.maintain(now),
      close: () => closeAll(closing),
    };
  } catch (error) {
    await closeAll(closing);
    throw error;
  }
}

/** What stages are built from, over opened stores. */
export function stageContext(
  { database, log, vault }: Stores,
  { config }: Settings,
  clock: Clock,
  logger: Logger,
): StageContext {
  return { config, database, log, vault, clock, logger, metrics: new Metrics() };
}

/** Last opened, first closed. */
async function closeAll(closing: (() => Promise<void> | void)[]): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
}

const RESTARTED_MS = 15_000;

/**
 * The store's first use. An embedded server that ended just after its start is up again in a moment, by its supervisor:
 * what `passing` says of an error is waited out.
 */
async function reached<T>(
  store: string,
  work: () => Promise<T>,
  passing: ((error: unknown) => boolean) | false,
): Promise<T> {
  const until = Date.now() + RESTARTED_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (passing === false || !passing(error) || Date.now() > until)
        throw new StoreUnavailable(`${store} can't be used: ${(error as Error).message}`, { cause: error });
    }
    await sleep(100);
  }
}
