import { crc32 } from "node:zlib";
import { acceptsNewLog, AnotherLog } from "../infra/log/offset-store.js";
import type { Database, Queryable } from "../infra/postgres/database.js";
import type { AnomalyMessage } from "../schemas/anomalies.js";
import type { MeterSetting } from "../schemas/meters.js";
import type { MeterEnvironment } from "./meter-environment.js";
import type { MeterState } from "./meter-state.js";
import { decodeRow, encodeRows, STATE_FORMAT, type PlacedState } from "./state-codec.js";

/** Bytes of a row of states: what fits into a page of PostgreSQL, so that it stays in its place. A larger state has a row alone. */
const ROW_BYTES = 8000;
/** Rows of a partition may hold so many times the bytes of its states, and at least so many bytes, before the oldest are cleaned. */
const MOST_TIMES = 3;
const LEAST_BYTES = 4 * 1024 * 1024;

/** A row of states on its way to the database. */
export interface NewRow {
  readonly row: number;
  readonly payload: Buffer;
}

/** What a batch changed: rows behind those that were saved, and how many of the oldest are needed no more. */
export interface SavedStates {
  readonly rows: readonly NewRow[];
  /** The first row that is needed, and the one after the last. */
  readonly first: number;
  readonly next: number;
}

/** A row that was written: its bytes and the meters in it, some of whose states stand in a later row by now. */
interface WrittenRow {
  readonly bytes: number;
  readonly meters: readonly string[];
}

/**
 * A partition as its owner holds it. Its states are saved as a log: those that changed go into new rows, and of a meter
 * the last row counts. Rows that are long dead are dropped from the old end; what still counts there is written again.
 */
export class OwnedStates {
  readonly partition: number;
  readonly epoch: number;
  readonly generation: number;
  /** Next offset by topic. */
  readonly offsets: Record<string, number>;
  /** States were lost once: a meter that is missing may be one that had a state, and is rebuilt from ClickHouse when it is met. */
  readonly lost: boolean;
  /** Settings of meters whose states were lost. */
  readonly lostSettings = new Map<string, readonly MeterSetting[]>();
  /** By utility, where its temperatures are known: what judging goes by. */
  readonly environments = new Map<string, MeterEnvironment>();
  readonly #states = new Map<string, MeterState>();
  readonly #changed = new Set<MeterState>();
  /** Rows from `#first` on. */
  readonly #rows: WrittenRow[] = [];
  #first: number;
  /** Bytes of the rows, and of the states in them that count. */
  #written = 0;
  #counting = 0;
  /** Offset after the block of reads judged last. */
  judgedTo: number;
  /** Resolves when the batch judged last is saved. */
  saved: Promise<void> = Promise.resolve();
  /** The same of those judged before it, oldest first. */
  readonly underway: Promise<void>[] = [];

  /** @param rows payloads as they are saved, from row `first` on; one is read after the other, for most states in them are old */
  constructor(
    claimed: Pick<OwnedStates, "partition" | "epoch" | "generation" | "offsets" | "lost">,
    first: number,
    rows: Iterable<Buffer>,
  ) {
    this.partition = claimed.partition;
    this.epoch = claimed.epoch;
    this.generation = claimed.generation;
    this.offsets = claimed.offsets;
    this.lost = claimed.lost;
    this.judgedTo = claimed.offsets["reads"] ?? 0;
    this.#first = first;
    for (const payload of rows) {
      const placed = decodeRow(payload);
      for (const { state } of placed) this.#keep(state);
      this.#note(placed);
    }
  }

  get(meter: string): MeterState | undefined {
    return this.#states.get(meter);
  }

  *statesOf(utility: string): Iterable<MeterState> {
    for (const state of this.#states.values()) if (state.utility === utility) yield state;
  }

  /** Whether the meter may have had a state that was lost. */
  isLost(meter: string): boolean {
    return this.lost && !this.#states.has(meter);
  }

  /** Keeps the state and marks it to be saved. */
  put(state: MeterState): void {
    this.#keep(state);
    this.#changed.add(state);
  }

  /** The states that changed since the last call, as they are now. */
  takeChanged(): SavedStates {
    const rows: NewRow[] = [];
    this.#write(this.#changed, rows);
    this.#changed.clear();
    this.#write(this.#clean(), rows);
    return { rows, first: this.#first, next: this.#next };
  }

  get #next(): number {
    return this.#first + this.#rows.length;
  }

  #keep(state: MeterState): void {
    const former = this.#states.get(state.meter);
    if (former === state) return;
    if (former !== undefined) {
      this.#counting -= former.savedBytes;
      this.#changed.delete(former);
    }
    this.#states.set(state.meter, state);
  }

  #write(states: Iterable<MeterState>, into: NewRow[]): void {
    for (const { payload, states: placed } of encodeRows(states, ROW_BYTES)) {
      into.push({ row: this.#next, payload });
      this.#note(placed);
    }
  }

  #note(placed: readonly PlacedState[]): void {
    const row = this.#next;
    let bytes = 0;
    for (const { state, bytes: own } of placed) {
      this.#counting += own - state.savedBytes;
      state.savedIn = row;
      state.savedBytes = own;
      bytes += own;
    }
    this.#written += bytes;
    this.#rows.push({ bytes, meters: placed.map(({ state }) => state.meter) });
  }

  /** Drops the oldest rows while there are too many; returns the states that must be written again. */
  #clean(): MeterState[] {
    const again: MeterState[] = [];
    let most = Math.max(LEAST_BYTES, MOST_TIMES * this.#counting);
    while (this.#written > most) {
      const { bytes, meters } = this.#rows.shift()!;
      for (const meter of meters) {
        const state = this.#states.get(meter)!;
        if (state.savedIn !== this.#first) continue;
        again.push(state);
        most -= state.savedBytes;
      }
      this.#written -= bytes;
      this.#first++;
    }
    return again;
  }
}

/** Another process took the partition over: what this one has in hand must not be saved. */
export class Fenced extends Error {
  override readonly name = "Fenced";
  constructor(partition: number) {
    super(
      `Partition ${partition} has another owner since; this one's work is dropped and done again there. Started again, this process takes its share.`,
    );
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
      first_row: number;
      next_row: number;
      lost: boolean;
    }>(
      `INSERT INTO detector_partitions (partition, epoch, generation, offsets, lost, saved_at)
       VALUES ($1, 1, $2, '{}', $3, now())
       ON CONFLICT (partition) DO UPDATE SET epoch = detector_partitions.epoch + 1
       RETURNING epoch, generation, offsets, first_row, next_row, lost`,
      [partition, generation, beginsAnew],
    );
    let { offsets } = row!;
    const { epoch, first_row: first, next_row: next } = row!;
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
    const claimed = { partition, epoch, generation, offsets };
    const rows = await savedRows(transaction, partition, first, next);
    if (rows !== undefined) return new OwnedStates({ ...claimed, lost: row!.lost }, first, rows);
    await transaction.query("UPDATE detector_partitions SET lost = true WHERE partition = $1", [partition]);
    return new OwnedStates({ ...claimed, lost: true }, next, []);
  });
}

/**
 * The rows' payloads, or `undefined` where one of them is missing, damaged or of another format: of its meters older
 * rows may tell, but not which meters they are.
 */
async function savedRows(
  database: Queryable,
  partition: number,
  first: number,
  next: number,
): Promise<Buffer[] | undefined> {
  const stored = await database.query<{ format: number; crc32: number; payload: Buffer }>(
    "SELECT format, crc32, payload FROM detector_rows WHERE partition = $1 AND row >= $2 AND row < $3 ORDER BY row",
    [partition, first, next],
  );
  if (stored.length !== next - first) return undefined;
  const sound = ({ format, crc32: checksum, payload }: (typeof stored)[number]) =>
    format === STATE_FORMAT && crc32(payload) === checksum;
  return stored.every(sound) ? stored.map(({ payload }) => payload) : undefined;
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
  readonly changed: SavedStates;
  readonly messages: readonly AnomalyMessage[];
}

/**
 * One statement, so one transaction and one round trip: a process that judges the next batches meanwhile looks up only
 * between them. All rows are cut out of one binary value. Nothing is changed where a partition has another owner; a
 * call whose answer was lost may be made again.
 */
const SAVE = `
WITH given AS (
  SELECT * FROM unnest($8::int[], $9::bigint[], $10::jsonb[], $11::bigint[], $12::bigint[])
    AS g(partition, epoch, offsets, first_row, next_row)
), fresh AS (
  SELECT * FROM unnest($3::int[], $4::bigint[], $5::bigint[], $6::int[], $7::int[]) AS r(partition, row, crc32, past, length)
), owned AS MATERIALIZED (
  SELECT p.partition, g.offsets, g.first_row, g.next_row FROM detector_partitions p JOIN given g USING (partition, epoch)
  ORDER BY p.partition FOR UPDATE OF p
), ours AS MATERIALIZED (
  SELECT count(*) = cardinality($8::int[]) AS all FROM owned
), moved AS (
  UPDATE detector_partitions p
  SET offsets = o.offsets, first_row = o.first_row, next_row = o.next_row, saved_at = now()
  FROM owned o, ours WHERE ours.all AND p.partition = o.partition
), dropped AS (
  DELETE FROM detector_rows d USING owned o, ours
  WHERE ours.all AND d.partition = o.partition AND d.row < o.first_row
), kept AS (
  INSERT INTO detector_rows (partition, row, format, crc32, payload)
  SELECT partition, row, $1, crc32, substring($2::bytea FROM past - length + 1 FOR length)
  FROM fresh, ours WHERE ours.all
  ON CONFLICT (partition, row) DO UPDATE SET format = excluded.format, crc32 = excluded.crc32, payload = excluded.payload
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
  const latest = new Map(changes.map((change) => [change.owned, change.changed]));
  const partitions = [...latest.keys()].sort((x, y) => x.partition - y.partition);
  const bounds = partitions.map((owned) => latest.get(owned)!);
  const rows: (NewRow & { readonly partition: number })[] = [];
  for (const { owned, changed } of changes) {
    const { first } = latest.get(owned)!;
    for (const one of changed.rows) if (one.row >= first) rows.push({ partition: owned.partition, ...one });
  }
  let end = 0;
  const ends = rows.map(({ payload }) => (end += payload.length));
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
      rows.map(({ payload }) => payload),
      end,
    ),
    rows.map(({ partition }) => partition),
    rows.map(({ row }) => row),
    rows.map(({ payload }) => crc32(payload)),
    ends,
    rows.map(({ payload }) => payload.length),
    partitions.map(({ partition }) => partition),
    partitions.map(({ epoch }) => epoch),
    offsets,
    bounds.map(({ first }) => first),
    bounds.map(({ next }) => next),
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
