import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { isDatabaseUnavailable, type Database } from "../postgres/database.js";
import { assignPartitions } from "./assignment.js";
import {
  OffsetBeyondEnd,
  TopicMismatch,
  UnknownTopic,
  type ConsumerOptions,
  type Log,
  type LogConsumer,
  type LogRecord,
  type OutgoingBatch,
  type OutgoingRecord,
  type PartitionOffsets,
  type TopicSpec,
} from "./log.js";
import { decodeBatch, encodeBatch, slices, valueBytes, type DeltaRecord } from "./record-batch.js";
import { Signal } from "./signal.js";

const CHANNEL = "curbstop_log";
/** Payload of a notification that a group's members changed; all others tell ends of partitions. */
const MEMBERS = "members";
const POLL_MS = 200;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Stored batches looked at for one batch of the handler. */
const MOST_STORED = 256;
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

/** Offset that the next record of a partition gets. */
interface PartitionEnd {
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: number;
}

/**
 * One statement, so one round trip and one commit: takes the counters in one order for all writers, so that two which
 * need the same ones can't wait for each other, and cuts the batches out of one binary value.
 */
const APPEND = `
WITH incoming AS (
  SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[])
    AS i(topic, partition, records, bytes, start, length)
), counter AS MATERIALIZED (
  SELECT p.topic, p.partition FROM log_partitions p JOIN incoming i USING (topic, partition)
  ORDER BY p.topic, p.partition FOR UPDATE OF p
), moved AS (
  UPDATE log_partitions p SET next_offset = p.next_offset + i.records
  FROM counter c JOIN incoming i USING (topic, partition)
  WHERE p.topic = c.topic AND p.partition = c.partition
  RETURNING p.topic, p.partition, p.next_offset, i.records, i.bytes, i.start, i.length
), stored AS (
  INSERT INTO log_batches (topic, partition, base_offset, next_offset, bytes, payload)
  SELECT topic, partition, next_offset - records, next_offset, bytes, substring($7::bytea FROM start + 1 FOR length)
  FROM moved
)
SELECT topic, partition, next_offset FROM moved`;

/** Waits for no sync: the transaction of a notification writes to the WAL, but holds nothing worth keeping. */
const TELL = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";
const TELL_EVERY_MS = 20;

/** The log in PostgreSQL, for one machine: the same port as Kafka, with the database's durability. */
export function createEmbeddedLog(database: Database): EmbeddedLog {
  const consumers = new Set<EmbeddedConsumer>();
  const fresh = new FreshBatches();
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

  async function checkPartition(topic: string, partition: number): Promise<void> {
    const count = await partitionCount(topic);
    if (!(partition >= 0 && partition < count)) throw new UnknownTopic(`${topic}/${partition}`);
  }

  async function append(batches: readonly OutgoingBatch[]): Promise<void> {
    for (const { topic, partition } of batches) await checkPartition(topic, partition);
    const merged = byPartition(batches);
    if (merged.length === 0) return;
    const payloads = await Promise.all(
      merged.map(({ records }) =>
        encodeBatch(records.map(({ key, value }, delta) => ({ key, value, delta }))),
      ),
    );
    let end = 0;
    const starts = payloads.map(({ length }) => (end += length) - length);
    const ends = await database.query<PartitionEnd>(APPEND, [
      merged.map(({ topic }) => topic),
      merged.map(({ partition }) => partition),
      merged.map(({ records }) => records.length),
      merged.map(({ records }) => valueBytes(records)),
      starts,
      payloads.map(({ length }) => length),
      payloads.length === 1 ? payloads[0] : Buffer.concat(payloads, end),
    ]);
    for (const { topic, partition, records } of merged) {
      const end = ends.find((one) => one.topic === topic && one.partition === partition)!;
      if ([...consumers].some((consumer) => consumer.reads(topic)))
        fresh.put(topic, partition, end.next_offset - records.length, records);
    }
    for (const consumer of consumers) consumer.learn(ends);
    void tell(ends);
  }

  const untold = new Map<string, PartitionEnd>();
  let telling = false;
  let closed = false;

  /**
   * Tells other processes where partitions end, beside the appends: in their transactions it would keep concurrent
   * commits from sharing a sync. It is a hint: they poll, too.
   */
  async function tell(ends: readonly PartitionEnd[]): Promise<void> {
    for (const end of ends) {
      const name = `${end.topic}/${end.partition}`;
      if (end.next_offset > (untold.get(name)?.next_offset ?? 0)) untold.set(name, end);
    }
    if (telling) return;
    telling = true;
    while (untold.size > 0 && !closed) {
      const payload = [...untold.values()]
        .map(({ topic, partition, next_offset }) => `${topic} ${partition} ${next_offset}`)
        .join();
      untold.clear();
      await database.query(TELL, [CHANNEL, payload]).catch(() => undefined);
      await sleep(TELL_EVERY_MS, undefined, { ref: false });
    }
    telling = false;
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
      const consumer = new EmbeddedConsumer(database, fresh, options, counts[0]!, () =>
        consumers.delete(consumer),
      );
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
      await checkPartition(topic, partition);
      const [end] = await endsOf(database, [topic], partition);
      const to = end!.next_offset;
      for (let position = from; position < to;) {
        const fetched = await fetchRecords(database, topic, partition, position, to, MAX_BATCH_BYTES);
        position = fetched.next;
        const records = fetched.records.filter(({ offset }) => offset < to);
        for (const slice of slices(records, MAX_BATCH_BYTES)) yield { topic, partition, records: slice };
      }
    },
    maintain: (now) => maintain(database, now),
    async close() {
      closed = true;
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
    },
  };
}

/** One batch for each partition, in the order given; those without records are left out. */
function byPartition(batches: readonly OutgoingBatch[]): OutgoingBatch[] {
  const merged = new Map<string, { topic: string; partition: number; records: OutgoingRecord[] }>();
  for (const { topic, partition, records } of batches) {
    if (records.length === 0) continue;
    const name = `${topic}/${partition}`;
    const batch = merged.get(name);
    if (batch === undefined) merged.set(name, { topic, partition, records: [...records] });
    else for (const record of records) batch.records.push(record);
  }
  return [...merged.values()];
}

function endsOf(
  database: Database,
  topics: readonly string[],
  partition: number | null,
): Promise<PartitionEnd[]> {
  return database.query<PartitionEnd>(
    "SELECT topic, partition, next_offset FROM log_partitions WHERE topic = ANY($1) AND partition = coalesce($2, partition)",
    [topics, partition],
  );
}

/**
 * Records of stored batches from offset `from` on, whole batches up to `maxBytes` of values, at least one; and the
 * offset at which to go on. `to` is an end of the partition that was read before, so what lies below is visible.
 */
async function fetchRecords(
  database: Database,
  topic: string,
  partition: number,
  from: number,
  to: number,
  maxBytes: number,
): Promise<{ readonly records: readonly LogRecord[]; readonly next: number }> {
  const rows = await database.query<{ payload: Buffer; base_offset: number; next_offset: number }>(
    `SELECT payload, base_offset, next_offset FROM (
       SELECT payload, base_offset, next_offset, bytes, sum(bytes) OVER (ORDER BY base_offset) AS total FROM (
         SELECT * FROM log_batches WHERE topic = $1 AND partition = $2 AND base_offset >= coalesce(
           (SELECT max(base_offset) FROM log_batches WHERE topic = $1 AND partition = $2 AND base_offset <= $3), 0)
           AND next_offset > $3
         ORDER BY base_offset LIMIT ${MOST_STORED}) AS nearest) AS sized
     WHERE total <= $4 OR total = bytes ORDER BY base_offset`,
    [topic, partition, from, maxBytes],
  );
  // Retention or compaction took what was there.
  if (rows.length === 0) return { records: [], next: to };
  const parts = await Promise.all(
    rows.map(({ payload, base_offset }) => decodeBatch(payload, base_offset, from, `${topic}/${partition}`)),
  );
  return { records: parts.flat(), next: rows.at(-1)!.next_offset };
}

type Fetched = ReturnType<typeof fetchRecords>;

/** Bytes of values that are kept for readers of this process. */
const MOST_FRESH_BYTES = 48 * 1024 * 1024;

interface FreshBatch {
  readonly name: string;
  readonly base: number;
  readonly records: readonly OutgoingRecord[];
  readonly bytes: number;
}

/**
 * The newest batches that this process appended, for its own readers: they spare the database a look-up, and both sides
 * packing and unpacking. Nothing rests on it: what is not here is read from the database.
 */
class FreshBatches {
  readonly #byPartition = new Map<string, FreshBatch[]>();
  /** All of them, oldest first. */
  readonly #all = new Set<FreshBatch>();
  #bytes = 0;

  /** Takes note of records that are durable. */
  put(topic: string, partition: number, base: number, records: readonly OutgoingRecord[]): void {
    const name = `${topic}/${partition}`;
    const batch: FreshBatch = { name, base, records, bytes: valueBytes(records) };
    const list = this.#byPartition.get(name) ?? [];
    // Appends may overlap: readers go by offset.
    let at = list.length;
    while (at > 0 && list[at - 1]!.base > base) at--;
    list.splice(at, 0, batch);
    this.#byPartition.set(name, list);
    this.#all.add(batch);
    this.#bytes += batch.bytes;
    for (const oldest of this.#all) {
      if (this.#bytes <= MOST_FRESH_BYTES) break;
      this.#forget(oldest);
    }
  }

  /** Records from an offset on, up to so many bytes of values, at least one batch; what lies before is forgotten. */
  take(topic: string, partition: number, from: number, maxBytes: number): Fetched | undefined {
    const list = this.#byPartition.get(`${topic}/${partition}`);
    if (list === undefined) return undefined;
    for (const batch of [...list]) if (batch.base + batch.records.length <= from) this.#forget(batch);
    if (list.length === 0 || list[0]!.base > from) return undefined;
    const records: LogRecord[] = [];
    let next = from;
    let bytes = 0;
    for (const batch of list) {
      if (batch.base > next || (bytes > 0 && bytes + batch.bytes > maxBytes)) break;
      for (let i = next - batch.base; i < batch.records.length; i++) {
        const { key, value } = batch.records[i]!;
        records.push({ offset: batch.base + i, key, value });
      }
      next = batch.base + batch.records.length;
      bytes += batch.bytes;
    }
    return Promise.resolve({ records, next });
  }

  #forget(batch: FreshBatch): void {
    const list = this.#byPartition.get(batch.name)!;
    list.splice(list.indexOf(batch), 1);
    this.#all.delete(batch);
    this.#bytes -= batch.bytes;
  }
}

interface OwnedPartition {
  readonly partition: number;
  readonly abort: AbortController;
  /** Next offset by topic. */
  readonly positions: Map<string, number>;
  /** `assigned` has said where to read. */
  ready: boolean;
  running: Promise<void>;
  releasing: Promise<void> | undefined;
}

class EmbeddedConsumer implements LogConsumer {
  readonly finished: Promise<void>;
  readonly #database: Database;
  readonly #fresh: FreshBatches;
  readonly #options: ConsumerOptions;
  readonly #partitions: number;
  readonly #owned = new Map<number, OwnedPartition>();
  /** Ends of the partitions as last seen: the loops look into the log only where there is more. */
  readonly #known = new Map<string, number>();
  /** A partition grew or is given back: its loop should look. */
  readonly #grown = new Signal();
  /** The session has something to do before its next poll. */
  readonly #due = new Signal();
  readonly #stop = new AbortController();
  /** Offsets that the group has passed, not yet saved, by partition. */
  readonly #passed = new Map<string, PartitionEnd>();
  #saving: Promise<void> | undefined;
  #released: number[] = [];
  #assigned: readonly number[] | undefined;
  #groupId = 0;
  #memberName = "";
  #failure: Error | undefined;

  constructor(
    database: Database,
    fresh: FreshBatches,
    options: ConsumerOptions,
    partitions: number,
    closed: () => void,
  ) {
    this.#database = database;
    this.#fresh = fresh;
    this.#options = options;
    this.#partitions = partitions;
    this.finished = this.#run().finally(closed);
    this.finished.catch(() => undefined);
  }

  reads(topic: string): boolean {
    return this.#options.topics.includes(topic);
  }

  /** Takes note of where partitions end, as writers tell. */
  learn(ends: readonly PartitionEnd[]): void {
    let grown = false;
    for (const { topic, partition, next_offset } of ends) {
      const name = `${topic}/${partition}`;
      if (next_offset <= (this.#known.get(name) ?? 0)) continue;
      this.#known.set(name, next_offset);
      grown = true;
    }
    if (grown) this.#grown.raise();
  }

  commit(topic: string, partition: number, next: number): Promise<void> {
    this.#passed.set(`${topic}/${partition}`, { topic, partition, next_offset: next });
    // What other partitions say until this one's turn goes along.
    this.#saving ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#savePassed());
    return this.#saving;
  }

  /** Waits for no sync: offsets that are lost with a machine only show a longer lag, and keep batches for longer. */
  async #savePassed(): Promise<void> {
    const passed = [...this.#passed.values()];
    this.#passed.clear();
    this.#saving = undefined;
    if (this.#groupId === 0) return;
    await this.#database.query(
      `INSERT INTO log_offsets (group_id, topic, partition, next_offset)
       SELECT $1, topic, partition, next FROM (SELECT set_config('synchronous_commit', 'off', true)) AS s,
         unnest($2::text[], $3::int[], $4::bigint[]) AS t(topic, partition, next)
       ON CONFLICT (group_id, topic, partition) DO UPDATE SET next_offset = excluded.next_offset`,
      [
        this.#groupId,
        passed.map(({ topic }) => topic),
        passed.map(({ partition }) => partition),
        passed.map(({ next_offset }) => next_offset),
      ],
    );
  }

  async drained(): Promise<void> {
    const ends = await endsOf(this.#database, this.#options.topics, null);
    this.learn(ends);
    while (!this.#stop.signal.aborted) {
      const mine = this.#assigned;
      const reached = ({ topic, partition, next_offset }: PartitionEnd) => {
        if (mine?.includes(partition) !== true) return true;
        const owned = this.#owned.get(partition);
        return owned?.ready === true && owned.positions.get(topic)! >= next_offset;
      };
      if (mine !== undefined && ends.every(reached)) return;
      await sleep(5);
    }
    return this.finished;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#due.raise();
    await this.finished.catch(() => undefined);
  }

  #fail(error: unknown): void {
    this.#failure ??= error as Error;
    this.#stop.abort();
    this.#due.raise();
  }

  /** One session after the other: each holds its locks on a connection of its own, which PostgreSQL frees if we die. */
  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#session();
      } catch (error) {
        if (isDatabaseUnavailable(error)) await sleep(POLL_MS);
        else this.#fail(error);
      }
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #session(): Promise<void> {
    const connection = await this.#database.connect();
    const lost = new AbortController();
    connection.on("end", () => {
      lost.abort();
      this.#due.raise();
    });
    const over = () => this.#stop.signal.aborted || lost.signal.aborted;
    connection.on("notification", ({ payload = "" }) => {
      if (payload === MEMBERS) this.#due.raise();
      else this.learn(endsIn(payload, this.#options.topics));
    });
    try {
      await connection.query(`LISTEN ${CHANNEL}`);
      await this.#join(connection);
      while (!over()) {
        const seen = this.#due.count;
        await this.#unlock(connection);
        await this.#rebalance(connection);
        this.learn(await endsOf(this.#database, this.#options.topics, null));
        await this.#due.after(seen, POLL_MS);
      }
    } finally {
      await Promise.all([...this.#owned.values()].map((owned) => this.#release(owned)));
      this.#owned.clear();
      this.#released = [];
      this.#assigned = undefined;
      if (!lost.signal.aborted) {
        await connection
          .query("SELECT pg_advisory_unlock_all(), pg_notify($1, $2)", [CHANNEL, MEMBERS])
          .catch(() => undefined);
      }
      await connection.end().catch(() => undefined);
    }
  }

  async #join(connection: pg.Client): Promise<void> {
    const { group, member, topics } = this.#options;
    await connection.query("INSERT INTO log_groups (group_name) VALUES ($1) ON CONFLICT DO NOTHING", [group]);
    const groups = await connection.query("SELECT group_id FROM log_groups WHERE group_name = $1", [group]);
    this.#groupId = (groups.rows[0] as { group_id: number }).group_id;
    // From now on nothing is deleted that this group has not passed.
    await connection.query(
      `INSERT INTO log_offsets (group_id, topic, partition, next_offset)
       SELECT $1, topic, partition, 0 FROM log_partitions WHERE topic = ANY($2) ON CONFLICT DO NOTHING`,
      [this.#groupId, topics],
    );
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
        await connection.query("SELECT pg_notify($1, $2)", [CHANNEL, MEMBERS]);
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
    for (const owned of this.#owned.values()) {
      if (!mine.includes(owned.partition)) void this.#release(owned);
    }
    const wanted = mine.filter((partition) => !this.#owned.has(partition));
    if (wanted.length === 0) return;
    const locked = await connection.query(
      "SELECT partition FROM unnest($1::int[]) AS partition WHERE pg_try_advisory_lock($2, $3 + partition)",
      [wanted, PARTITION_LOCK, this.#lockId(0)],
    );
    for (const { partition } of locked.rows as { partition: number }[]) this.#take(partition);
  }

  /** Gives back, for others to take, the partitions whose work here has ended. */
  async #unlock(connection: pg.Client): Promise<void> {
    if (this.#released.length === 0) return;
    const released = this.#released;
    this.#released = [];
    await connection.query(
      "SELECT pg_advisory_unlock($1, id), pg_notify($3, $4) FROM unnest($2::int[]) AS id",
      [PARTITION_LOCK, released.map((partition) => this.#lockId(partition)), CHANNEL, MEMBERS],
    );
    for (const partition of released) this.#owned.delete(partition);
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
      releasing: undefined,
    };
    this.#owned.set(partition, owned);
    owned.running = this.#consume(owned).catch((error: unknown) => {
      if (!owned.abort.signal.aborted) this.#fail(error);
    });
  }

  /** Lets the running batch end and tells the handler; the session then gives the lock back. */
  #release(owned: OwnedPartition): Promise<void> {
    owned.releasing ??= (async () => {
      owned.abort.abort();
      this.#grown.raise();
      await owned.running;
      try {
        await this.#options.handler.revoked(owned.partition);
      } catch (error) {
        this.#fail(error);
      }
      this.#released.push(owned.partition);
      this.#due.raise();
    })();
    return owned.releasing;
  }

  async #consume(owned: OwnedPartition): Promise<void> {
    const { handler, topics, maxBatchBytes = MAX_BATCH_BYTES } = this.#options;
    const { partition, positions } = owned;
    const { signal } = owned.abort;
    const over = () => signal.aborted;
    await this.#begin(owned);
    const fetch = (topic: string, from: number) =>
      this.#fresh.take(topic, partition, from, maxBatchBytes) ??
      fetchRecords(this.#database, topic, partition, from, this.#end(topic, partition), maxBatchBytes);
    let ahead: { topic: string; from: number; fetched: Fetched } | undefined;
    while (!over()) {
      const seen = this.#grown.count;
      let idle = true;
      for (const topic of topics) {
        const from = positions.get(topic)!;
        if (from >= this.#end(topic, partition)) continue;
        idle = false;
        let fetched: Awaited<Fetched>;
        try {
          fetched = await (ahead?.topic === topic && ahead.from === from
            ? ahead.fetched
            : fetch(topic, from));
        } catch (error) {
          ahead = undefined;
          if (!isDatabaseUnavailable(error)) throw error;
          await sleep(POLL_MS);
          break;
        }
        // The next records come while these are handled.
        const { records, next } = fetched;
        ahead =
          next < this.#end(topic, partition) ? { topic, from: next, fetched: fetch(topic, next) } : undefined;
        ahead?.fetched.catch(() => undefined);
        for (const slice of slices(records, maxBatchBytes)) {
          if (over()) return;
          await handler.batch({ topic, partition, records: slice }, signal);
          positions.set(topic, slice.at(-1)!.offset + 1);
        }
        positions.set(topic, next);
      }
      if (idle && !over()) await this.#grown.after(seen);
    }
  }

  /** Asks the handler where to read, and checks that the log reaches there. */
  async #begin(owned: OwnedPartition): Promise<void> {
    const { partition, positions, abort } = owned;
    const starts = await this.#options.handler.assigned(partition);
    for (const topic of this.#options.topics) positions.set(topic, starts[topic] ?? 0);
    const beyond = () =>
      this.#options.topics.find((topic) => positions.get(topic)! > this.#end(topic, partition));
    while (beyond() !== undefined && !abort.signal.aborted) {
      // What was seen of the ends may be old.
      try {
        this.learn(await endsOf(this.#database, this.#options.topics, partition));
      } catch (error) {
        if (!isDatabaseUnavailable(error)) throw error;
        await sleep(POLL_MS);
        continue;
      }
      const topic = beyond();
      if (topic === undefined) break;
      throw new OffsetBeyondEnd(topic, partition, positions.get(topic)!, this.#end(topic, partition));
    }
    owned.ready = true;
  }

  #end(topic: string, partition: number): number {
    return this.#known.get(`${topic}/${partition}`) ?? 0;
  }
}

/** What a writer's notification says of some topics. */
function endsIn(payload: string, topics: readonly string[]): PartitionEnd[] {
  return payload
    .split(",")
    .map((end) => end.split(" "))
    .filter(([topic]) => topics.includes(topic!))
    .map(([topic, partition, next]) => ({
      topic: topic!,
      partition: Number(partition),
      next_offset: Number(next),
    }));
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
