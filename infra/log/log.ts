/**
 * The log: topics of keyed records in numbered partitions, appended in order and read from any offset.
 *
 * Two adapters implement this port, Kafka (`kafka-log.ts`) and record batches in PostgreSQL
 * (`embedded-log.ts`); one contract suite holds both to the same behaviour.
 *
 * Offsets are whole numbers that grow along a partition. They may have holes (compaction), so a reader goes on
 * from `lastOffset + 1` and never counts records. Delivery is at least once: whoever reads must be idempotent.
 */
export interface Log {
  /**
   * The identity of the stored log. It stays the same for the life of the storage and is never given twice:
   * offsets saved beside another identity mean nothing here and must be refused, not used.
   */
  identity(): Promise<string>;

  /** Creates the topics that are missing; throws `TopicMismatch` where one exists with other settings. */
  provision(topics: readonly TopicSpec[]): Promise<void>;

  producer(): Promise<LogProducer>;

  consumer(options: ConsumerOptions): Promise<LogConsumer>;

  /** First offset still kept, and the offset that the next record will get, for each partition. */
  offsets(topic: string): Promise<readonly PartitionOffsets[]>;

  /**
   * Reads one partition outside any group, from `from` up to the end that held at the call, in order.
   * For tools (`doctor`, rebuilds, tests); stages use `consumer`.
   */
  read(topic: string, partition: number, from: number): AsyncIterable<LogBatch>;

  close(): Promise<void>;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** `delete`: records go when older than `retentionHours`. `compact`: the newest record of each key is kept. */
  readonly cleanup: "delete" | "compact";
  readonly retentionHours: number;
}

export interface PartitionOffsets {
  readonly partition: number;
  readonly first: number;
  readonly next: number;
}

export interface OutgoingRecord {
  readonly key: string;
  /** `null` is a tombstone: it deletes the key from a compacted topic. */
  readonly value: Uint8Array | null;
}

export interface OutgoingBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly OutgoingRecord[];
}

export interface LogProducer {
  /**
   * Appends the batches and resolves when all of them are durable (fsync, or acks from all replicas).
   * Records of one batch get consecutive offsets in the order given. A rejection means "unknown": some of the
   * batches may have been stored. Throws `UnknownTopic` for a topic that was not provisioned. Calls may overlap;
   * the order of overlapping ones is open.
   */
  append(batches: readonly OutgoingBatch[]): Promise<void>;
  close(): Promise<void>;
}

export interface LogRecord {
  readonly offset: number;
  readonly key: string;
  readonly value: Uint8Array | null;
}

export interface LogBatch {
  readonly topic: string;
  readonly partition: number;
  /** In offset order, never empty. */
  readonly records: readonly LogRecord[];
}

export interface ConsumerOptions {
  readonly group: string;
  /** Topics with the same number of partitions: a member that owns partition p owns it in all of them. */
  readonly topics: readonly string[];
  /** Stable name of this member: after a restart it gets the same partitions where that is possible. */
  readonly member: string;
  /** Upper bound of one batch, in bytes of values (one larger record still comes alone). Default 4 MiB. */
  readonly maxBatchBytes?: number;
  readonly handler: PartitionHandler;
}

/**
 * What a stage does with its partitions. Calls for one partition never overlap; those of different partitions may
 * run concurrently. A throw from any method stops the consumer for good and rejects `LogConsumer.finished`:
 * the stage's supervisor decides whether to start again. Handlers stall (await) on infrastructure faults.
 */
export interface PartitionHandler {
  /**
   * The partition is ours from now on. Returns the offset from which to read each topic; a topic that is left out
   * is read from its first kept offset. An offset beyond the end of the log ends the consumer with `OffsetBeyondEnd`.
   */
  assigned(partition: number): Promise<Readonly<Record<string, number>>>;
  /**
   * Resolves when the next batch may come: the position moves on. A handler that resolves before the batch's effects are
   * durable, to prepare the next beside it, waits for them in `revoked`, and whoever waits for `drained` waits for them too.
   */
  batch(batch: LogBatch, signal: AbortSignal): Promise<void>;
  /** The partition is no longer ours: running batches have ended; drop its state. */
  revoked(partition: number): Promise<void>;
}

export interface LogConsumer {
  /**
   * Saves, for lag displays only, the offset at which a group goes on. Reading starts where `assigned` says.
   */
  commit(topic: string, partition: number, next: number): Promise<void>;
  /**
   * Resolves once, for each owned partition, every record that was in the log at the time of the call is handled.
   */
  drained(): Promise<void>;
  /** Lets running batches end, gives the partitions back, then resolves. */
  stop(): Promise<void>;
  /** Resolves after `stop`, rejects when the handler or the log failed for good. */
  readonly finished: Promise<void>;
}

export class UnknownTopic extends Error {
  override readonly name = "UnknownTopic";
  constructor(topic: string) {
    super(
      `Topic "${topic}" does not exist. Topics are provisioned from schemas/topics.ts at start; none is made by use.`,
    );
  }
}

export class TopicMismatch extends Error {
  override readonly name = "TopicMismatch";
  constructor(topic: string, what: string, found: unknown, expected: unknown) {
    super(
      `Topic "${topic}" exists with ${what} ${String(found)}, expected ${String(expected)}. ` +
        `The partition count of a topic is fixed for good: use a new log, or set it back.`,
    );
  }
}

/** A saved offset that the log never reached: it was replaced or lost records, and going on would skip what comes. */
export class OffsetBeyondEnd extends Error {
  override readonly name = "OffsetBeyondEnd";
  constructor(topic: string, partition: number, offset: number, next: number) {
    super(
      `Topic "${topic}", partition ${partition}: reading should go on at offset ${offset}, but the log ends at ${next}. ` +
        `It is not the log that this offset was saved for: restore it, or start over from an empty one.`,
    );
  }
}

/** Partition of a meter key: its leading 32 bits modulo the count. Meter keys are random, so this spreads evenly. */
export function partitionOf(meterKey: string, partitions: number): number {
  return Number.parseInt(meterKey.slice(0, 8), 16) % partitions;
}
