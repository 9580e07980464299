import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { isDatabaseUnavailable, type Database } from "../postgres/database.js";
import { assignPartitions } from "./assignment.js";
import {
  TopicMismatch,
  UnknownTopic,
  type ConsumerOptions,
  type Log,
  type LogBatch,
  type LogConsumer,
  type LogProducer,
  type PartitionOffsets,
  type TopicSpec,
} from "./log.js";
import { decodeBatch, encodeBatch, type DeltaRecord } from "./record-batch.js";

const CHANNEL = "curbstop_log";
const POLL_MS = 200;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Classes of advisory locks: who is alive, who owns a partition. */
const MEMBER_LOCK = 1_129_467_905;
const PARTITION_LOCK = 1_129_467_906;
const MOST_PARTITIONS = 10_000;

export interface EmbeddedLog extends Log {
  /**
   * Deletes what every group has passed and whose retention is over, and keeps the newest record of each key of
   * compacted topics. `now` in milliseconds.
   */
  maintain(now: number): Promise<void>;
}

/** The log in PostgreSQL, for one machine: the same port as Kafka, with the database's durability. */
export function createEmbeddedLog(database: Database): EmbeddedLog {
  const consumers = new Set<EmbeddedConsumer>();
  const partitionsOf = new Map<string, number>();

  async function partitionCount(topic: string): Promise<number> {
    let count = partitionsOf.get(topic);
    if (count === undefined) {
      const [row] = await database.query<{ partitions: number }>(
        "SELECT partitions FROM log_topics WHERE topic = $1",
        [topic],
      );
      if (row === undefined) throw new UnknownTopic(topic);
      count = row.partitions;
      partitionsOf.set(topic, count);
    }
    return count;
  }

  async function append(batches: Parameters<LogProducer["append"]>[0]): Promise<void> {
    // Partitions in one order for all writers: two that need the same ones can't wait for each other.
    const ordered = batches
      .filter(({ records }) => records.length > 0)
      .sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
    for (const { topic, partition } of ordered) {
      if (partition >= (await partitionCount(topic)) || partition < 0)
        throw new UnknownTopic(`${topic}/${partition}`);
    }
    const payloads = await Promise.all(
      ordered.map(({ records }) => encodeBatch(records.map((record, delta) => ({ ...record, delta })))),
    );
    await database.transaction(async (transaction) => {
      for (const [index, { topic, partition, records }] of ordered.entries()) {
        const payload = payloads[index]!;
        await transaction.query(
          `WITH counter AS (
             UPDATE log_partitions SET next_offset = next_offset + $3 WHERE topic = $1 AND partition = $2
             RETURNING next_offset)
           INSERT INTO log_batches (topic, partition, base_offset, next_offset, bytes, payload)
           SELECT $1, $2, next_offset - $3, next_offset, $4, $5 FROM counter`,
          [topic, partition, records.length, payload.length, payload],
        );
      }
      if (ordered.length > 0) await transaction.query(`NOTIFY ${CHANNEL}`);
    });
    for (const consumer of consumers) consumer.wake();
  }

  return {
    async identity() {
      const [row] = await database.query<{ identity: string }>("SELECT identity FROM log_identity");
      return row!.identity;
    },
    async provision(topics: readonly TopicSpec[]) {
      await database.transaction(async (transaction) => {
        for (const { name, partitions, cleanup, retentionHours } of topics) {
          await transaction.query(
            "INSERT INTO log_topics (topic, partitions, cleanup, retention_hours) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            [name, partitions, cleanup, retentionHours],
          );
          const [found] = await transaction.query<{ partitions: number; cleanup: string }>(
            "SELECT partitions, cleanup FROM log_topics WHERE topic = $1",
            [name],
          );
          if (found!.partitions !== partitions)
            throw new TopicMismatch(name, "partitions", found!.partitions, partitions);
          if (found!.cleanup !== cleanup) throw new TopicMismatch(name, "cleanup", found!.cleanup, cleanup);
          await transaction.query("UPDATE log_topics SET retention_hours = $2 WHERE topic = $1", [
            name,
            retentionHours,
          ]);
          await transaction.query(
            "INSERT INTO log_partitions (topic, partition) SELECT $1, generate_series(0, $2 - 1) ON CONFLICT DO NOTHING",
            [name, partitions],
          );
        }
      });
    },
    producer: () => Promise.resolve({ append, close: () => Promise.resolve() }),
    async consumer(options: ConsumerOptions) {
      const counts = await Promise.all(options.topics.map(partitionCount));
      if (new Set(counts).size > 1) {
        throw new Error(
          `Topics ${options.topics.join(", ")} differ in their number of partitions (${counts.join(", ")}).`,
        );
      }
      const consumer = new EmbeddedConsumer(database, options, counts[0]!, () => consumers.delete(consumer));
      consumers.add(consumer);
      return consumer;
    },
    async offsets(topic: string) {
      await partitionCount(topic);
      return database.query<PartitionOffsets>(
        `SELECT p.partition, p.next_offset AS next,
                coalesce((SELECT min(base_offset) FROM log_batches b WHERE b.topic = p.topic AND b.partition = p.partition),
                         p.next_offset) AS first
         FROM log_partitions p WHERE topic = $1 ORDER BY p.partition`,
        [topic],
      );
    },
    async *read(topic, partition, from) {
      await partitionCount(topic);
      const connection = await database.connect();
      try {
        const [end] = await database.query<{ next_offset: number }>(
          "SELECT next_offset FROM log_partitions WHERE topic = $1 AND partition = $2",
          [topic, partition],
        );
        let position = from;
        while (position < end!.next_offset) {
          const fetched = await fetchBatch(connection, topic, partition, position, MAX_BATCH_BYTES);
          if (fetched === undefined) return;
          position = fetched.next;
          if (fetched.batch.records.length > 0) yield fetched.batch;
        }
      } finally {
        await connection.end();
      }
    },
    maintain: (now) => maintain(database, now),
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.stop().catch(() => undefined)));
    },
  };
}

/** Stored batches from an offset on, as many as fit into `maxBytes`, at least one; `undefined` at the end. */
async function fetchBatch(
  connection: pg.Client,
  topic: string,
  partition: number,
  from: number,
  maxBytes: number,
): Promise<{ readonly batch: LogBatch; readonly next: number } | undefined> {
  const result = await connection.query(
    `SELECT payload, base_offset, next_offset FROM (
       SELECT payload, base_offset, next_offset, bytes, sum(bytes) OVER (ORDER BY base_offset) AS total FROM (
         SELECT * FROM log_batches WHERE topic = $1 AND partition = $2 AND base_offset >= coalesce(
           (SELECT max(base_offset) FROM log_batches WHERE topic = $1 AND partition = $2 AND base_offset <= $3), 0)
           AND next_offset > $3
         ORDER BY base_offset LIMIT 64) AS nearest) AS sized
     WHERE total <= $4 OR total = bytes ORDER BY base_offset`,
    [topic, partition, from, maxBytes],
  );
  const rows = result.rows as { payload: Buffer; base_offset: number; next_offset: number }[];
  if (rows.length === 0) return undefined;
  const where = `${topic}/${partition}`;
  const parts = await Promise.all(
    rows.map(({ payload, base_offset }) => decodeBatch(payload, base_offset, from, where)),
  );
  const next = rows.at(-1)!.next_offset;
  return { batch: { topic, partition, records: parts.flat() }, next };
}

interface OwnedPartition {
  readonly partition: number;
  readonly abort: AbortController;
  readonly positions: Map<string, number>;
  /** Topics whose `assigned` position is known. */
  ready: boolean;
  running: Promise<void>;
}

class EmbeddedConsumer implements LogConsumer {
  readonly finished: Promise<void>;
  readonly #database: Database;
  readonly #options: ConsumerOptions;
  readonly #partitions: number;
  readonly #closed: () => void;
  readonly #owned = new Map<number, OwnedPartition>();
  readonly #stop = new AbortController();
  #assigned: readonly number[] | undefined;
  #groupId = 0;
  #memberName = "";
  #wakers = new Set<() => void>();
  #fail!: (error: unknown) => void;

  constructor(database: Database, options: ConsumerOptions, partitions: number, closed: () => void) {
    this.#database = database;
    this.#options = options;
    this.#partitions = partitions;
    this.#closed = closed;
    this.finished = new Promise<void>((resolve, reject) => {
      this.#fail = (error) => {
        reject(error as Error);
        this.#stop.abort();
      };
      void this.#run().then(resolve, reject);
    });
    this.finished.catch(() => undefined);
  }

  /** Records may have come: look now instead of at the next poll. */
  wake(): void {
    const wakers = this.#wakers;
    this.#wakers = new Set();
    for (const waker of wakers) waker();
  }

  async commit(topic: string, partition: number, next: number): Promise<void> {
    if (this.#groupId === 0) return;
    await this.#database.query(
      `INSERT INTO log_offsets (group_id, topic, partition, next_offset) VALUES ($1, $2, $3, $4)
       ON CONFLICT (group_id, topic, partition) DO UPDATE SET next_offset = excluded.next_offset`,
      [this.#groupId, topic, partition, next],
    );
  }

  async drained(): Promise<void> {
    const ends = await this.#ends();
    while (!this.#stop.signal.aborted) {
      const mine = this.#assigned;
      const done = mine?.every((partition) => {
        const owned = this.#owned.get(partition);
        if (owned?.ready !== true) return false;
        return this.#options.topics.every(
          (topic) => owned.positions.get(topic)! >= ends.get(`${topic}/${partition}`)!,
        );
      });
      if (done === true) return;
      await sleep(5);
    }
    return this.finished;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.wake();
    await this.finished.catch(() => undefined);
  }

  /** One session after the other: each holds its locks on a connection of its own, which PostgreSQL frees if we die. */
  async #run(): Promise<void> {
    try {
      while (!this.#stop.signal.aborted) {
        try {
          await this.#session();
        } catch (error) {
          if (!isDatabaseUnavailable(error)) throw error;
          await sleep(POLL_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
        }
      }
    } finally {
      this.#closed();
    }
  }

  async #session(): Promise<void> {
    const connection = await this.#database.connect();
    let lost = false;
    connection.on("end", () => {
      lost = true;
      this.wake();
    });
    connection.on("notification", () => this.wake());
    try {
      await connection.query(`LISTEN ${CHANNEL}`);
      await this.#join(connection);
      while (!this.#stop.signal.aborted && !lost) {
        await this.#rebalance(connection);
        await this.#pollEnds(connection);
        await this.#waited(POLL_MS);
      }
    } finally {
      await Promise.all(
        [...this.#owned.values()].map((owned) => this.#release(owned, lost ? undefined : connection)),
      );
      this.#assigned = undefined;
      await connection.end().catch(() => undefined);
    }
  }

  async #join(connection: pg.Client): Promise<void> {
    const { group, member } = this.#options;
    await connection.query("INSERT INTO log_groups (group_name) VALUES ($1) ON CONFLICT DO NOTHING", [group]);
    const groups = await connection.query("SELECT group_id FROM log_groups WHERE group_name = $1", [group]);
    this.#groupId = (groups.rows[0] as { group_id: number }).group_id;
    for (let copy = 1; ; copy++) {
      const name = copy === 1 ? member : `${member}#${copy}`;
      const inserted = await connection.query(
        `INSERT INTO log_members (group_id, member) VALUES ($1, $2)
         ON CONFLICT (group_id, member) DO UPDATE SET member = excluded.member RETURNING member_id`,
        [this.#groupId, name],
      );
      const id = (inserted.rows[0] as { member_id: number }).member_id;
      const locked = await connection.query("SELECT pg_try_advisory_lock($1, $2) AS got", [MEMBER_LOCK, id]);
      if ((locked.rows[0] as { got: boolean }).got) {
        this.#memberName = name;
        await connection.query(`NOTIFY ${CHANNEL}`);
        return;
      }
    }
  }

  async #rebalance(connection: pg.Client): Promise<void> {
    const alive = await connection.query(
      `SELECT m.member FROM log_members m JOIN pg_locks l
         ON l.locktype = 'advisory' AND l.classid = $2 AND l.objid = m.member_id AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       WHERE m.group_id = $1`,
      [this.#groupId, MEMBER_LOCK],
    );
    const members = (alive.rows as { member: string }[]).map(({ member }) => member);
    const mine = assignPartitions(members, this.#partitions).get(this.#memberName) ?? [];
    this.#assigned = mine;
    for (const owned of [...this.#owned.values()]) {
      if (!mine.includes(owned.partition)) void this.#release(owned, connection).catch(this.#fail);
    }
    for (const partition of mine) {
      if (this.#owned.has(partition)) continue;
      const locked = await connection.query("SELECT pg_try_advisory_lock($1, $2) AS got", [
        PARTITION_LOCK,
        this.#lockId(partition),
      ]);
      if ((locked.rows[0] as { got: boolean }).got) this.#take(partition);
    }
  }

  #lockId(partition: number): number {
    return this.#groupId * MOST_PARTITIONS + partition;
  }

  #take(partition: number): void {
    const owned: OwnedPartition = {
      partition,
      abort: new AbortController(),
      positions: new Map(),
      ready: false,
      running: Promise.resolve(),
    };
    this.#owned.set(partition, owned);
    owned.running = this.#consume(owned).catch((error: unknown) => {
      if (!owned.abort.signal.aborted) this.#fail(error);
    });
  }

  /** Lets the running batch end, then gives the partition back. */
  async #release(owned: OwnedPartition, connection: pg.Client | undefined): Promise<void> {
    if (owned.abort.signal.aborted) return owned.running;
    owned.abort.abort();
    this.wake();
    await owned.running;
    await this.#options.handler.revoked(owned.partition);
    this.#owned.delete(owned.partition);
    await connection
      ?.query("SELECT pg_advisory_unlock($1, $2)", [PARTITION_LOCK, this.#lockId(owned.partition)])
      .catch(() => undefined);
  }

  async #consume(owned: OwnedPartition): Promise<void> {
    const { handler, topics, maxBatchBytes = MAX_BATCH_BYTES } = this.#options;
    const { partition, abort, positions } = owned;
    const starts = await handler.assigned(partition);
    for (const topic of topics) positions.set(topic, starts[topic] ?? 0);
    owned.ready = true;
    let reader: pg.Client | undefined;
    let ahead: { topic: string; from: number; fetched: ReturnType<typeof fetchBatch> } | undefined;
    const fetch = async (topic: string, from: number) => {
      if (ahead?.topic === topic && ahead.from === from) return ahead.fetched;
      await ahead?.fetched.catch(() => undefined);
      reader ??= await this.#database.connect();
      return fetchBatch(reader, topic, partition, from, maxBatchBytes);
    };
    try {
      while (!abort.signal.aborted) {
        let idle = true;
        for (const topic of topics) {
          if (abort.signal.aborted) break;
          const from = positions.get(topic)!;
          if (from >= (this.#known.get(`${topic}/${partition}`) ?? 0)) continue;
          try {
            const fetched = await fetch(topic, from);
            ahead = undefined;
            if (fetched === undefined) continue;
            idle = false;
            // The next batch comes while this one is handled.
            const next = fetched.next;
            if (next < (this.#known.get(`${topic}/${partition}`) ?? 0) && reader !== undefined) {
              ahead = {
                topic,
                from: next,
                fetched: fetchBatch(reader, topic, partition, next, maxBatchBytes),
              };
              ahead.fetched.catch(() => undefined);
            }
            if (fetched.batch.records.length > 0) await handler.batch(fetched.batch, abort.signal);
            positions.set(topic, next);
          } catch (error) {
            if (abort.signal.aborted) return;
            if (!isDatabaseUnavailable(error)) throw error;
            ahead = undefined;
            await reader?.end().catch(() => undefined);
            reader = undefined;
            await sleep(POLL_MS);
          }
        }
        if (idle) {
          await reader?.end();
          reader = undefined;
          await this.#waited(POLL_MS * 5);
        }
      }
    } finally {
      await ahead?.fetched.catch(() => undefined);
      await reader?.end().catch(() => undefined);
    }
  }

  /** Ends of the partitions as last seen: the loops look into the log only where there is more. */
  readonly #known = new Map<string, number>();

  async #pollEnds(connection: pg.Client): Promise<void> {
    const rows = await connection.query(
      "SELECT topic, partition, next_offset FROM log_partitions WHERE topic = ANY($1)",
      [this.#options.topics],
    );
    let grown = false;
    for (const { topic, partition, next_offset } of rows.rows as {
      topic: string;
      partition: number;
      next_offset: number;
    }[]) {
      const name = `${topic}/${partition}`;
      if (this.#known.get(name) !== next_offset) grown = true;
      this.#known.set(name, next_offset);
    }
    if (grown) this.wake();
  }

  async #ends(): Promise<Map<string, number>> {
    const rows = await this.#database.query<{ topic: string; partition: number; next_offset: number }>(
      "SELECT topic, partition, next_offset FROM log_partitions WHERE topic = ANY($1)",
      [this.#options.topics],
    );
    return new Map(rows.map(({ topic, partition, next_offset }) => [`${topic}/${partition}`, next_offset]));
  }

  #waited(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#wakers.delete(done);
        resolve();
      }, ms);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#wakers.add(done);
    });
  }
}

async function maintain(database: Database, now: number): Promise<void> {
  const topics = await database.query<{ topic: string; cleanup: string; retention_hours: number }>(
    "SELECT topic, cleanup, retention_hours FROM log_topics",
  );
  for (const { topic, cleanup, retention_hours } of topics) {
    const before = new Date(now - retention_hours * 3_600_000);
    if (cleanup === "delete") {
      await database.query(
        `DELETE FROM log_batches b WHERE topic = $1 AND created_at < $2 AND NOT EXISTS (
           SELECT 1 FROM log_offsets o WHERE o.topic = b.topic AND o.partition = b.partition AND o.next_offset < b.next_offset)`,
        [topic, before],
      );
    } else {
      await compact(database, topic, before);
    }
  }
}

/** Rewrites the batches of a compacted topic: the newest record of each key stays, with its offset. */
async function compact(database: Database, topic: string, tombstonesBefore: Date): Promise<void> {
  const partitions = await database.query<{ partition: number }>(
    "SELECT partition FROM log_partitions WHERE topic = $1",
    [topic],
  );
  for (const { partition } of partitions) {
    await database.transaction(async (transaction) => {
      // The counter's lock keeps writers away while batches are rewritten.
      await transaction.query("SELECT 1 FROM log_partitions WHERE topic = $1 AND partition = $2 FOR UPDATE", [
        topic,
        partition,
      ]);
      const rows = await transaction.query<{
        base_offset: number;
        next_offset: number;
        created_at: Date;
        payload: Buffer;
      }>(
        "SELECT base_offset, next_offset, created_at, payload FROM log_batches WHERE topic = $1 AND partition = $2 ORDER BY base_offset DESC",
        [topic, partition],
      );
      const seen = new Set<string>();
      for (const { base_offset, created_at, payload } of rows) {
        const records = await decodeBatch(payload, base_offset, 0, `${topic}/${partition}`);
        const kept: DeltaRecord[] = [];
        for (const { key, value, offset } of [...records].reverse()) {
          const newest = !seen.has(key);
          seen.add(key);
          if (newest && (value !== null || created_at >= tombstonesBefore)) {
            kept.unshift({ key, value, delta: offset - base_offset });
          }
        }
        if (kept.length === records.length) continue;
        if (kept.length === 0) {
          await transaction.query(
            "DELETE FROM log_batches WHERE topic = $1 AND partition = $2 AND base_offset = $3",
            [topic, partition, base_offset],
          );
          continue;
        }
        const rewritten = await encodeBatch(kept);
        await transaction.query(
          "UPDATE log_batches SET payload = $4, bytes = $5 WHERE topic = $1 AND partition = $2 AND base_offset = $3",
          [topic, partition, base_offset, rewritten, rewritten.length],
        );
      }
    });
  }
}
