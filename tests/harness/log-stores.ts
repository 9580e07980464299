import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import { createEmbeddedLog } from "../../infra/log/embedded-log.js";
import { createKafkaLog } from "../../infra/log/kafka-log.js";
import type { Log } from "../../infra/log/log.js";
import { createLogger } from "../../infra/logger.js";
import { packageRoot } from "../../infra/package-root.js";
import { openDatabase, type Database } from "../../infra/postgres/database.js";
import { startPostgres } from "../../infra/postgres/embedded-server.js";
import { migrateDatabase } from "../../infra/postgres/migrate.js";
import type { TestKafka } from "./kafka.js";
import { temporaryFolder } from "./stores.js";

/** A store that holds a log, and what tests do to it from outside. */
export interface LogStore {
  /** The log as one process sees it: with connections of its own. */
  open(): Log;
  /** How `log-worker.mjs` finds it. */
  readonly address: Readonly<Record<string, unknown>>;
  /** What a group committed; `undefined` before it did. */
  committed(group: string, topic: string, partition: number): Promise<number | undefined>;
  /** Names of all topics. */
  topics(): Promise<string[]>;
  /** Lets compaction happen, or goes on with it. */
  compact(): Promise<void>;
  /** Kills the server, which comes back at the same address. */
  readonly crash: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

/** The embedded log on a PostgreSQL of its own. */
export async function embeddedStore(): Promise<LogStore> {
  const folder = temporaryFolder("log");
  const postgres = await startPostgres({ directory: join(folder, "postgres") });
  const databases: Database[] = [];
  const connect = () => {
    const database = openDatabase(postgres.url);
    databases.push(database);
    return database;
  };
  const database = connect();
  await migrateDatabase(database);
  return {
    open: () => createEmbeddedLog(connect()),
    address: { url: postgres.url },
    async committed(group, topic, partition) {
      const [row] = await database.query<{ next_offset: number }>(
        `SELECT next_offset FROM log_offsets JOIN log_groups USING (group_id)
         WHERE group_name = $1 AND topic = $2 AND partition = $3`,
        [group, topic, partition],
      );
      return row?.next_offset;
    },
    async topics() {
      const rows = await database.query<{ topic: string }>("SELECT topic FROM log_topics");
      return rows.map(({ topic }) => topic);
    },
    compact: () => createEmbeddedLog(database).maintain(Date.now()),
    async crash() {
      process.kill(postgres.server.pid, "SIGKILL");
      const healthy = () => postgres.server.healthy;
      while (healthy()) await sleep(10);
      while (!healthy()) await sleep(10);
    },
    async close() {
      await Promise.all(databases.map((one) => one.close()));
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The log on a Kafka that is started already. */
export function kafkaStore(kafka: TestKafka): LogStore {
  const { Kafka, logLevel } = kafkajs;
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  const connected = admin.connect();
  const sessionTimeoutMs = 3_000;
  return {
    open: () =>
      createKafkaLog({
        brokers: kafka.brokers,
        sessionTimeoutMs,
        logger: createLogger({ level: "silent" }),
      }),
    address: { brokers: kafka.brokers, sessionTimeoutMs },
    async committed(groupId, topic, partition) {
      await connected;
      const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
      const offset = Number(found?.partitions.find((one) => one.partition === partition)?.offset ?? -1);
      return offset < 0 ? undefined : offset;
    },
    async topics() {
      await connected;
      return admin.listTopics();
    },
    // The broker's cleaner runs by itself (FAST in kafka.ts).
    compact: () => sleep(500),
    crash: kafka.crash,
    async close() {
      await admin.disconnect();
      await kafka.stop();
    },
  };
}

export interface LogWorker {
  readonly process: ChildProcess;
  /** Lines that it said so far, whole ones. */
  lines(): string[];
  /** Resolves once it has said so many lines. */
  said(lines: number): Promise<void>;
  /** Resolves when it has ended by itself. */
  done(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts `log-worker.mjs`. */
export function startLogWorker(task: Readonly<Record<string, unknown>>): LogWorker {
  const script = join(packageRoot(), "tests", "harness", "log-worker.mjs");
  if (!existsSync(join(packageRoot(), "dist", "infra", "log", "embedded-log.js")))
    throw new Error("The workers of this test run compiled: npm run build");
  const child = spawn(process.execPath, [script, JSON.stringify(task)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  const exited = once(child, "exit") as Promise<[number | null]>;
  const lines = () => said.split("\n").slice(0, -1);
  return {
    process: child,
    lines,
    async said(count) {
      while (lines().length < count) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`The worker ended after ${lines().length} lines, expected ${count}.`);
        await sleep(5);
      }
    },
    async done() {
      const [code] = await exited;
      if (code !== 0) throw new Error(`The worker ended with ${code}.`);
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
