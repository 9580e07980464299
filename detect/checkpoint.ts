import { crc32 } from "node:zlib";
import { acceptsNewLog, AnotherLog } from "../infra/log/offset-store.js";
import type { Database, Queryable } from "../infra/postgres/database.js";
import type { AnomalyMessage } from "../schemas/anomalies.js";
import type { MeterSetting } from "../schemas/meters.js";
import type { MeterState } from "./meter-state.js";
import { decodeStates, encodeStates, STATE_FORMAT } from "./state-codec.js";

/**
 * Meters of a partition are saved in so many buckets: a checkpoint writes those that changed. A file in the order of its
 * meters changes few meters at a time, so a bucket should hold few; a row of each its own would cost more than it spares.
 */
const BUCKETS = 4096;

/** Bucket of a meter: by bits of the key that the partition is not chosen by. */
export function bucketOf(meter: string): number {
  return Number.parseInt(meter.slice(8, 12), 16) % BUCKETS;
}

/** A bucket's states as bytes. */
export interface SavedBucket {
  readonly bucket: number;
  readonly payload: Buffer;
  readonly meters: number;
  /** None of its meters is missing. */
  readonly whole: boolean;
}

/** A partition as its owner holds it. */
export class OwnedStates {
  readonly partition: number;
  readonly epoch: number;
  readonly generation: number;
  /** Next offset by topic. */
  readonly offsets: Record<string, number>;
  readonly #buckets = new Map<number, Map<string, MeterState>>();
  /** Buckets with states that were lost: a meter that is missing there is rebuilt from ClickHouse when it is met. */
  readonly lost: ReadonlySet<number>;
  /** Settings of meters whose states were lost. */
  readonly lostSettings = new Map<string, readonly MeterSetting[]>();
  readonly #dirty = new Set<number>();
  /** Offset after the block of reads judged last. */
  judgedTo: number;
  /** Resolves when the batch judged last is saved. */
  saved: Promise<void> = Promise.resolve();
  /** The same of those judged before it, oldest first. */
  readonly underway: Promise<void>[] = [];

  constructor(
    partition: number,
    epoch: number,
    generation: number,
    offsets: Record<string, number>,
    states: readonly MeterState[],
    lost: ReadonlySet<number>,
  ) {
    this.partition = partition;
    this.epoch = epoch;
    this.generation = generation;
    this.offsets = offsets;
    this.lost = lost;
    this.judgedTo = offsets["reads"] ?? 0;
    for (const state of states) this.#bucket(bucketOf(state.meter)).set(state.meter, state);
  }

  get(meter: string): MeterState | undefined {
    return this.#buckets.get(bucketOf(meter))?.get(meter);
  }

  /** Whether the meter may have had a state that was lost. */
  isLost(meter: string): boolean {
    return this.lost.has(bucketOf(meter)) && this.get(meter) === undefined;
  }

  /** Keeps the state and marks it to be saved. */
  put(state: MeterState): void {
    const bucket = bucketOf(state.meter);
    this.#bucket(bucket).set(state.meter, state);
    this.#dirty.add(bucket);
  }

  /** The states that changed since the last call, as they are now. */
  takeChanged(): SavedBucket[] {
    const changed = [...this.#dirty].map((bucket) => {
      const states = this.#bucket(bucket);
      const payload = encodeStates(states.values());
      return { bucket, payload, meters: states.size, whole: !this.lost.has(bucket) };
    });
    this.#dirty.clear();
    return changed;
  }

  get meters(): number {
    let count = 0;
    for (const bucket of this.#buckets.values()) count += bucket.size;
    return count;
  }

  #bucket(number: number): Map<string, MeterState> {
    let bucket = this.#buckets.get(number);
    if (bucket === undefined) {
      bucket = new Map();
      this.#buckets.set(number, bucket);
    }
    return bucket;
  }
}

/** Another process took the partition over: what this one has in hand must not be saved. */
export class Fenced extends Error {
  override readonly name = "Fenced";
  constructor(partition: number) {
    super(`Partition ${partition} has another owner since; this one's work is dropped and done again there.`);
  }
}

/** Whether the partition ever had an owner. */
export async function isKnownPartition(database: Queryable, partition: number): Promise<boolean> {
  const rows = await database.query("SELECT 1 FROM detector_partitions WHERE partition = $1", [partition]);
  return rows.length > 0;
}

/**
 * Takes a partition over: raises its epoch, which fences the former owner, and loads its states.
 * @param identity of the log whose offsets will be used
 * @param beginsAnew the partition is not known here though reads were stored before: every state counts as lost
 * @throws AnotherLog where the saved offsets belong to another log
 */
export async function claimPartition(
  database: Database,
  partition: number,
  identity: string,
  beginsAnew: boolean,
): Promise<OwnedStates> {
  return database.transaction(async (transaction) => {
    const generation = await generationOf(transaction, identity);
    const [row] = await transaction.query<{
      epoch: number;
      generation: number;
      offsets: Record<string, number>;
      buckets: number[];
    }>(
      `INSERT INTO detector_partitions (partition, epoch, generation, offsets, buckets, saved_at)
       VALUES ($1, 1, $2, '{}', $3, now())
       ON CONFLICT (partition) DO UPDATE SET epoch = detector_partitions.epoch + 1
       RETURNING epoch, generation, offsets, buckets`,
      [partition, generation, beginsAnew ? [...Array(BUCKETS).keys()] : []],
    );
    let { offsets } = row!;
    if (row!.generation !== generation) {
      if (!acceptsNewLog()) {
        const [saved] = await transaction.query<{ identity: string }>(
          "SELECT identity FROM log_generations WHERE generation = $1",
          [row!.generation],
        );
        throw new AnotherLog("detect", saved!.identity, identity);
      }
      await transaction.query(
        "UPDATE detector_partitions SET generation = $2, offsets = '{}' WHERE partition = $1",
        [partition, generation],
      );
      offsets = {};
    }
    const stored = await transaction.query<{
      bucket: number;
      format: number;
      crc32: number;
      whole: boolean;
      payload: Buffer;
    }>("SELECT bucket, format, crc32, whole, payload FROM detector_state WHERE partition = $1", [partition]);
    const states: MeterState[] = [];
    const lost = new Set(row!.buckets);
    for (const { bucket, format, crc32: checksum, whole, payload } of stored) {
      if (format !== STATE_FORMAT || crc32(payload) !== checksum) continue;
      states.push(...decodeStates(payload));
      if (whole) lost.delete(bucket);
    }
    return new OwnedStates(partition, row!.epoch, generation, offsets, states, lost);
  });
}

async function generationOf(transaction: Queryable, identity: string): Promise<number> {
  await transaction.query("INSERT INTO log_generations (identity) VALUES ($1) ON CONFLICT DO NOTHING", [
    identity,
  ]);
  const [row] = await transaction.query<{ generation: number }>(
    "SELECT generation FROM log_generations WHERE identity = $1",
    [identity],
  );
  return row!.generation;
}

export interface PartitionChange {
  readonly owned: OwnedStates;
  readonly topic: string;
  readonly next: number;
  /** States as they were after it. */
  readonly changed: readonly SavedBucket[];
  readonly messages: readonly AnomalyMessage[];
}

/**
 * One statement, so one transaction and one round trip: a process that judges the next batches meanwhile looks up only
 * between them. All buckets are cut out of one binary value. Nothing is changed where a partition has another owner.
 */
const SAVE = `
WITH given AS (
  SELECT * FROM unnest($10::int[], $11::bigint[], $12::jsonb[]) AS g(partition, epoch, offsets)
), bucket AS (
  SELECT * FROM unnest($3::int[], $4::int[], $5::bigint[], $6::int[], $7::boolean[], $8::int[], $9::int[])
    AS b(partition, bucket, crc32, meters, whole, past, length)
), owned AS MATERIALIZED (
  SELECT p.partition, g.offsets FROM detector_partitions p JOIN given g USING (partition, epoch)
  ORDER BY p.partition FOR UPDATE OF p
), ours AS MATERIALIZED (
  SELECT count(*) = cardinality($10::int[]) AS all FROM owned
), moved AS (
  UPDATE detector_partitions p SET offsets = o.offsets, saved_at = now(),
    buckets = CASE WHEN o.saved <@ p.buckets THEN p.buckets ELSE ARRAY(
      SELECT unnest(p.buckets) UNION SELECT unnest(o.saved)) END
  FROM (SELECT owned.*, ARRAY(SELECT bucket FROM bucket b WHERE b.partition = owned.partition) AS saved FROM owned) o, ours
  WHERE ours.all AND p.partition = o.partition
), kept AS (
  INSERT INTO detector_state (partition, bucket, format, crc32, meters, whole, payload)
  SELECT partition, bucket, $1, crc32, meters, whole, substring($2::bytea FROM past - length + 1 FOR length)
  FROM bucket, ours WHERE ours.all
  ON CONFLICT (partition, bucket) DO UPDATE SET format = excluded.format, crc32 = excluded.crc32,
    meters = excluded.meters, whole = excluded.whole, payload = excluded.payload
), told AS (
  INSERT INTO detector_pending (partition, message)
  SELECT m.partition, m.message
  FROM unnest($13::int[], $14::jsonb[]) WITH ORDINALITY AS m(partition, message, place), ours
  WHERE ours.all ORDER BY m.place
)
SELECT coalesce(array_agg(partition), '{}') AS owned FROM owned`;

/**
 * Saves, in one transaction, the changed states, the offsets and the anomalies to be told. Of a partition's changes, the
 * later come later.
 * @throws Fenced where a partition has another owner
 */
export async function saveCheckpoint(database: Database, changes: readonly PartitionChange[]): Promise<void> {
  const latest = new Map<OwnedStates, Map<number, SavedBucket>>();
  for (const { owned, changed } of changes) {
    const buckets = latest.get(owned) ?? new Map<number, SavedBucket>();
    for (const saved of changed) buckets.set(saved.bucket, saved);
    latest.set(owned, buckets);
  }
  const buckets = [...latest].flatMap(([owned, saved]) =>
    [...saved.values()].map((bucket) => ({ partition: owned.partition, ...bucket })),
  );
  let end = 0;
  const ends = buckets.map(({ payload }) => (end += payload.length));
  const partitions = [...latest.keys()].sort((x, y) => x.partition - y.partition);
  const offsets = partitions.map((owned) => {
    const next = { ...owned.offsets };
    for (const change of changes) if (change.owned === owned) next[change.topic] = change.next;
    return JSON.stringify(next);
  });
  const messages = changes.flatMap((change) =>
    change.messages.map((message) => ({ partition: change.owned.partition, message })),
  );
  const [saved] = await database.query<{ owned: number[] }>(SAVE, [
    STATE_FORMAT,
    Buffer.concat(
      buckets.map(({ payload }) => payload),
      end,
    ),
    buckets.map(({ partition }) => partition),
    buckets.map(({ bucket }) => bucket),
    buckets.map(({ payload }) => crc32(payload)),
    buckets.map(({ meters }) => meters),
    buckets.map(({ whole }) => whole),
    ends,
    buckets.map(({ payload }) => payload.length),
    partitions.map(({ partition }) => partition),
    partitions.map(({ epoch }) => epoch),
    offsets,
    messages.map(({ partition }) => partition),
    messages.map(({ message }) => JSON.stringify(message)),
  ]);
  const lost = partitions.find(({ partition }) => !saved!.owned.includes(partition));
  if (lost !== undefined) throw new Fenced(lost.partition);
  for (const { owned, topic, next } of changes) owned.offsets[topic] = next;
}

/** Anomalies decided and not yet told, in order, with the ids to forget them by. */
export async function pendingAnomalies(
  database: Queryable,
  partitions: readonly number[],
): Promise<{ readonly ids: number[]; readonly messages: AnomalyMessage[] }> {
  const rows = await database.query<{ id: number; message: AnomalyMessage }>(
    "SELECT id, message FROM detector_pending WHERE partition = ANY($1) ORDER BY id",
    [partitions],
  );
  return { ids: rows.map(({ id }) => id), messages: rows.map(({ message }) => message) };
}

export async function forgetPending(database: Queryable, ids: readonly number[]): Promise<void> {
  await database.query("DELETE FROM detector_pending WHERE id = ANY($1)", [ids]);
}
