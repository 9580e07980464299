import { createRequire } from "node:module";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs, {
  type Admin,
  type AssignerProtocol as AssignerProtocolType,
  type Consumer,
  type EachBatchPayload,
  type Kafka as KafkaClient,
  type PartitionAssigner,
  type Producer,
} from "kafkajs";
import { errorFields, type Logger } from "../logger.js";
import { assignPartitions } from "./assignment.js";
import {
  TopicMismatch,
  UnknownTopic,
  type ConsumerOptions,
  type Log,
  type LogConsumer,
  type LogProducer,
  type LogRecord,
  type OutgoingBatch,
  type TopicSpec,
} from "./log.js";

const { AssignerProtocol, CompressionTypes, Kafka, logLevel } = kafkajs;

export interface KafkaLogOptions {
  readonly brokers: readonly string[];
  readonly logger: Logger;
  readonly clientId?: string;
  /** Copies of each partition; default 1 with one broker, else 3. */
  readonly replicationFactor?: number;
}

/** Holds the identity of the log: one record, made once. A topic that is made anew gives the log another identity. */
const IDENTITY_TOPIC = "curbstop.identity";
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const SESSION_TIMEOUT_MS = 30_000;
const HEARTBEAT_MS = 2_000;

/** Apache Kafka behind the log port, through kafkajs 2.2.4. */
export function createKafkaLog(options: KafkaLogOptions): Log {
  mendRequestQueue();
  process.env["KAFKAJS_NO_PARTITIONER_WARNING"] = "1";
  const { logger } = options;
  const kafka = new Kafka({
    clientId: options.clientId ?? "curbstop",
    brokers: [...options.brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 8, initialRetryTime: 100, maxRetryTime: 5_000 },
  });
  const consumers = new Set<LogConsumer>();
  const counts = new Map<string, number>();
  let adminClient: Promise<Admin> | undefined;

  const admin = () => {
    adminClient ??= (async () => {
      const client = kafka.admin();
      await client.connect();
      return client;
    })();
    adminClient.catch(() => (adminClient = undefined));
    return adminClient;
  };

  async function partitionCount(topic: string): Promise<number> {
    let count = counts.get(topic);
    if (count === undefined) {
      const client = await admin();
      if (!(await client.listTopics()).includes(topic)) throw new UnknownTopic(topic);
      const { topics } = await client.fetchTopicMetadata({ topics: [topic] });
      count = topics[0]!.partitions.length;
      counts.set(topic, count);
    }
    return count;
  }

  async function makeTopics(topics: readonly TopicSpec[]): Promise<void> {
    const client = await admin();
    const existing = new Set(await client.listTopics());
    const missing = topics.filter(({ name }) => !existing.has(name));
    if (missing.length === 0) return;
    const { brokers } = await client.describeCluster();
    const replicationFactor = options.replicationFactor ?? (brokers.length >= 3 ? 3 : 1);
    await client.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ name, partitions, cleanup, retentionHours }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor,
        configEntries: [
          { name: "cleanup.policy", value: cleanup },
          { name: "max.message.bytes", value: String(16 * 1024 * 1024) },
          ...(cleanup === "delete"
            ? [{ name: "retention.ms", value: String(retentionHours * 3_600_000) }]
            : [{ name: "delete.retention.ms", value: String(retentionHours * 3_600_000) }]),
        ],
      })),
    });
  }

  async function* read(
    topic: string,
    partition: number,
    from: number,
  ): AsyncGenerator<{ topic: string; partition: number; records: LogRecord[] }> {
    await partitionCount(topic);
    const client = await admin();
    const ends = await client.fetchTopicOffsets(topic);
    const end = Number(ends.find((one) => one.partition === partition)?.high ?? 0);
    const start = Math.max(from, Number(ends.find((one) => one.partition === partition)?.low ?? 0));
    if (start >= end) return;
    const group = `curbstop-read-${randomUUID()}`;
    const consumer = kafka.consumer({
      groupId: group,
      allowAutoTopicCreation: false,
      maxBytesPerPartition: MAX_BATCH_BYTES,
    });
    const batches: LogRecord[][] = [];
    let reached = start;
    let failure: Error | undefined;
    await consumer.connect();
    try {
      await consumer.subscribe({ topic });
      consumer.on(consumer.events.CRASH, ({ payload }) => (failure = payload.error));
      await consumer.run({
        autoCommit: false,
        eachBatch: ({ batch, resolveOffset }) => {
          if (batch.partition === partition && Number(batch.lastOffset()) >= start) {
            batches.push(recordsOf(batch.messages).filter(({ offset }) => offset >= start && offset < end));
            reached = Number(batch.lastOffset()) + 1;
          }
          resolveOffset(batch.lastOffset());
          return Promise.resolve();
        },
      });
      for (const other of ends) {
        consumer.seek({
          topic,
          partition: other.partition,
          offset: other.partition === partition ? String(start) : other.high,
        });
      }
      while (reached < end || batches.length > 0) {
        if (failure !== undefined) throw failure;
        const records = batches.shift();
        if (records === undefined) await sleep(5);
        else if (records.length > 0) yield { topic, partition, records };
      }
    } finally {
      await consumer.disconnect();
      await client.deleteGroups([group]).catch(() => undefined);
    }
  }

  return {
    async identity() {
      await makeTopics([{ name: IDENTITY_TOPIC, partitions: 1, cleanup: "compact", retentionHours: 24 }]);
      for (let attempt = 0; ; attempt++) {
        for await (const { records } of read(IDENTITY_TOPIC, 0, 0)) {
          // Of two that write at once, the first record is the identity for both.
          const [first] = records;
          if (first?.value) return Buffer.from(first.value).toString("utf8");
        }
        if (attempt === 3)
          throw new Error(`Topic ${IDENTITY_TOPIC} does not keep its record. Look at the broker.`);
        const producer = await idempotentProducer(kafka);
        await producer.send({
          topic: IDENTITY_TOPIC,
          acks: -1,
          // A key of its own for each writer: compaction keeps the first.
          messages: [{ key: randomUUID(), value: `kafka-${randomUUID()}`, partition: 0 }],
        });
        await producer.disconnect();
      }
    },

    async provision(topics) {
      await makeTopics(topics);
      const client = await admin();
      const { topics: found } = await client.fetchTopicMetadata({ topics: topics.map(({ name }) => name) });
      const { resources } = await client.describeConfigs({
        includeSynonyms: false,
        resources: topics.map(({ name }) => ({
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name,
          configNames: ["cleanup.policy"],
        })),
      });
      for (const { name, partitions, cleanup } of topics) {
        const count = found.find((topic) => topic.name === name)!.partitions.length;
        if (count !== partitions) throw new TopicMismatch(name, "partitions", count, partitions);
        const policy = resources.find(({ resourceName }) => resourceName === name)?.configEntries[0]
          ?.configValue;
        if (policy !== cleanup) throw new TopicMismatch(name, "cleanup", policy, cleanup);
      }
    },

    async producer(): Promise<LogProducer> {
      const producer = await idempotentProducer(kafka);
      return {
        async append(batches: readonly OutgoingBatch[]) {
          for (const { topic, partition } of batches) {
            if (partition < 0 || partition >= (await partitionCount(topic)))
              throw new UnknownTopic(`${topic}/${partition}`);
          }
          await producer.sendBatch({
            acks: -1,
            compression: CompressionTypes.GZIP,
            topicMessages: batches.map(({ topic, partition, records }) => ({
              topic,
              messages: records.map(({ key, value }) => ({
                key,
                value: value === null ? null : asBuffer(value),
                partition,
              })),
            })),
          });
        },
        close: () => producer.disconnect(),
      };
    },

    async consumer(consumerOptions) {
      const partitions = await Promise.all(consumerOptions.topics.map(partitionCount));
      if (new Set(partitions).size > 1) {
        throw new Error(
          `Topics ${consumerOptions.topics.join(", ")} differ in their number of partitions (${partitions.join(", ")}).`,
        );
      }
      const consumer = new KafkaConsumer(kafka, await admin(), consumerOptions, partitions[0]!, logger);
      consumers.add(consumer);
      await consumer.start();
      return consumer;
    },

    async offsets(topic) {
      await partitionCount(topic);
      const rows = await (await admin()).fetchTopicOffsets(topic);
      return rows
        .map(({ partition, low, high }) => ({ partition, first: Number(low), next: Number(high) }))
        .sort((a, b) => a.partition - b.partition);
    },

    read,

    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.stop().catch(() => undefined)));
      const client = await adminClient?.catch(() => undefined);
      await client?.disconnect();
    },
  };
}

async function idempotentProducer(kafka: KafkaClient): Promise<Producer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    retry: { retries: 30 },
  });
  await producer.connect();
  return producer;
}

function asBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function recordsOf(messages: EachBatchPayload["batch"]["messages"]): LogRecord[] {
  return messages.map(({ offset, key, value }) => ({
    offset: Number(offset),
    key: key?.toString("utf8") ?? "",
    value,
  }));
}

/** Group errors after which this member's generation is over: what it has in hand must not go on. */
const REBALANCE_ERRORS = new Set(["REBALANCE_IN_PROGRESS", "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID"]);

interface OwnedPartition {
  readonly abort: AbortController;
  readonly ready: Promise<void>;
  /** Next offset by topic. */
  readonly positions: Map<string, number>;
  isReady: boolean;
  running: Promise<void>;
}

class KafkaConsumer implements LogConsumer {
  readonly finished: Promise<void>;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #options: ConsumerOptions;
  readonly #partitions: number;
  readonly #logger: Logger;
  readonly #owned = new Map<number, OwnedPartition>();
  #joined = false;
  /** The generation ended; until the next join no batch may begin. */
  #abandoned = false;
  #stopping = false;
  #settle!: { resolve: () => void; reject: (error: Error) => void };
  #releasing: Promise<void> = Promise.resolve();

  constructor(
    kafka: KafkaClient,
    admin: Admin,
    options: ConsumerOptions,
    partitions: number,
    logger: Logger,
  ) {
    this.#admin = admin;
    this.#options = options;
    this.#partitions = partitions;
    this.#logger = logger;
    this.#consumer = kafka.consumer({
      groupId: options.group,
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: 60_000,
      heartbeatInterval: HEARTBEAT_MS,
      allowAutoTopicCreation: false,
      maxBytesPerPartition: Math.min(options.maxBatchBytes ?? MAX_BATCH_BYTES, MAX_BATCH_BYTES),
      maxWaitTimeInMs: 100,
      partitionAssigners: [coPartitioned(options.member, options.topics, partitions)],
      retry: { retries: 30, restartOnFailure: () => Promise.resolve(false) },
    });
    this.finished = new Promise<void>((resolve, reject) => (this.#settle = { resolve, reject }));
    this.finished.catch(() => undefined);
  }

  async start(): Promise<void> {
    const consumer = this.#consumer;
    const { CRASH, GROUP_JOIN, REBALANCING } = consumer.events;
    consumer.on(CRASH, ({ payload }) => {
      // A fault of the broker passes; anything else ends the consumer, and its supervisor is told.
      if (!isBrokerFault(payload.error)) return this.#fail(payload.error);
      this.#logger.warn("consumer lost the log, waiting", {
        group: this.#options.group,
        ...errorFields(payload.error),
      });
      void this.#again();
    });
    consumer.on(REBALANCING, () => (this.#abandoned = true));
    consumer.on(GROUP_JOIN, ({ payload }) => {
      const mine = new Set(Object.values(payload.memberAssignment).flat());
      this.#joined = true;
      this.#releasing = this.#keepOnly(mine);
      for (const partition of mine) if (!this.#owned.has(partition)) this.#take(partition);
      this.#abandoned = false;
    });
    await this.#run();
  }

  async #run(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.#partitions,
      eachBatch: (payload) => this.#batch(payload),
    });
  }

  async #again(): Promise<void> {
    await sleep(500);
    if (this.#stopping) return;
    try {
      await this.#consumer.stop().catch(() => undefined);
      await this.#run();
    } catch (error) {
      if (!isBrokerFault(error)) return this.#fail(error as Error);
      void this.#again();
    }
  }

  #fail(error: Error): void {
    this.#settle.reject(error);
    void this.stop();
  }

  #take(partition: number): void {
    const positions = new Map<string, number>();
    const owned: OwnedPartition = {
      abort: new AbortController(),
      positions,
      isReady: false,
      running: Promise.resolve(),
      ready: this.#releasing
        .then(() => this.#options.handler.assigned(partition))
        .then(async (starts) => {
          for (const topic of this.#options.topics) {
            const lows = await this.#admin.fetchTopicOffsets(topic);
            const low = Number(lows.find((one) => one.partition === partition)?.low ?? 0);
            const position = Math.max(starts[topic] ?? 0, low);
            positions.set(topic, position);
            this.#consumer.seek({ topic, partition, offset: String(position) });
          }
          owned.isReady = true;
        }),
    };
    owned.ready.catch((error: unknown) => this.#fail(error as Error));
    this.#owned.set(partition, owned);
  }

  async #keepOnly(mine: ReadonlySet<number>): Promise<void> {
    await Promise.all(
      [...this.#owned]
        .filter(([partition]) => !mine.has(partition))
        .map(async ([partition, owned]) => {
          this.#owned.delete(partition);
          owned.abort.abort();
          await owned.ready.catch(() => undefined);
          await owned.running.catch(() => undefined);
          await this.#options.handler.revoked(partition);
        }),
    );
  }

  async #batch({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    if (this.#abandoned || this.#stopping) throw new Rebalanced();
    const owned = this.#owned.get(partition);
    if (owned === undefined) throw new Rebalanced();
    const beat = async () => {
      try {
        await heartbeat();
      } catch (error) {
        if (REBALANCE_ERRORS.has((error as { type?: string }).type ?? "")) this.#abandoned = true;
      }
    };
    const beating = setInterval(() => void beat(), HEARTBEAT_MS);
    try {
      if (!owned.isReady) {
        // Fetched before the seek to the saved position: kafkajs fetches again from there.
        await owned.ready;
        return;
      }
      const from = owned.positions.get(topic)!;
      const records = recordsOf(batch.messages).filter(({ offset }) => offset >= from);
      if (records.length > 0) {
        owned.running = this.#options.handler.batch({ topic, partition, records }, owned.abort.signal);
        await owned.running;
      }
      const next = Math.max(from, Number(batch.lastOffset()) + 1);
      owned.positions.set(topic, next);
      resolveOffset(batch.lastOffset());
    } catch (error) {
      if (owned.abort.signal.aborted || this.#stopping) throw new Rebalanced();
      if (!(error instanceof Rebalanced)) this.#fail(error as Error);
      throw error;
    } finally {
      clearInterval(beating);
    }
    await beat();
  }

  async commit(topic: string, partition: number, next: number): Promise<void> {
    await this.#consumer.commitOffsets([{ topic, partition, offset: String(next) }]);
  }

  async drained(): Promise<void> {
    const ends = new Map<string, number>();
    for (const topic of this.#options.topics) {
      for (const { partition, high } of await this.#admin.fetchTopicOffsets(topic))
        ends.set(`${topic}/${partition}`, Number(high));
    }
    while (!this.#stopping) {
      const done =
        this.#joined &&
        !this.#abandoned &&
        [...this.#owned].every(
          ([partition, { isReady, positions }]) =>
            isReady &&
            this.#options.topics.every(
              (topic) => positions.get(topic)! >= (ends.get(`${topic}/${partition}`) ?? 0),
            ),
        );
      if (done) return;
      await sleep(10);
    }
    return this.finished;
  }

  async stop(): Promise<void> {
    if (this.#stopping) return this.finished.catch(() => undefined);
    this.#stopping = true;
    await Promise.all([...this.#owned.values()].map(({ running }) => running.catch(() => undefined)));
    await this.#consumer.stop().catch(() => undefined);
    await this.#keepOnly(new Set());
    await this.#consumer.disconnect().catch(() => undefined);
    this.#settle.resolve();
  }
}

/** Thrown into kafkajs to end the work of a generation that is over; it joins again and goes on from saved offsets. */
class Rebalanced extends Error {
  override readonly name = "KafkaJSError";
  readonly type = "REBALANCE_IN_PROGRESS";
  readonly retriable = true;
  constructor() {
    super("The partition's generation ended");
  }
}

function isBrokerFault(error: unknown): boolean {
  const { name, cause } = error as { name?: string; cause?: unknown };
  if (name?.startsWith("KafkaJS") === true) return true;
  return cause !== undefined && isBrokerFault(cause);
}

/**
 * Gives partition p of every topic to one member, and the same members the same partitions (kafkajs knows round robin
 * over topics alone). Members tell their stable name in their user data.
 */
function coPartitioned(member: string, topics: readonly string[], partitions: number): PartitionAssigner {
  return () => ({
    name: "CurbstopCoPartitioned",
    version: 1,
    assign({ members }) {
      const names = new Map<string, string>();
      for (const { memberId, memberMetadata } of members) {
        const decoded = AssignerProtocol.MemberMetadata.decode(memberMetadata);
        const name = decoded?.userData.toString("utf8") ?? memberId;
        // Two of one name stay apart.
        names.set(names.has(name) ? `${name}#${memberId}` : name, memberId);
      }
      const shares = assignPartitions([...names.keys()], partitions);
      return Promise.resolve(
        [...shares].map(([name, owned]) => ({
          memberId: names.get(name)!,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: 1,
            assignment: Object.fromEntries(topics.map((topic) => [topic, owned])),
            userData: Buffer.alloc(0),
          } satisfies Parameters<typeof AssignerProtocolType.MemberAssignment.encode>[0]),
        })),
      );
    },
    protocol({ topics: subscribed }) {
      return {
        name: "CurbstopCoPartitioned",
        metadata: AssignerProtocol.MemberMetadata.encode({
          version: 1,
          topics: subscribed,
          userData: Buffer.from(member),
        }),
      };
    },
  });
}

/**
 * kafkajs 2.2.4 arms a timer of 1 ms again and again while a connection is idle (tulios/kafkajs#1704, #1751): it only
 * needs to look again when requests wait.
 */
function mendRequestQueue(): void {
  const load = createRequire(import.meta.url);
  const { version } = load("kafkajs/package.json") as { version: string };
  if (version !== "2.2.4")
    throw new Error(
      `kafkajs ${version}: the mend of its request queue was made for 2.2.4. Look at both, then change this line.`,
    );
  const Queue = load("kafkajs/src/network/requestQueue") as { prototype: RequestQueue };
  const original = Queue.prototype.scheduleCheckPendingRequests;
  if (Object.hasOwn(Queue.prototype, "curbstopMended")) return;
  Object.defineProperty(Queue.prototype, "curbstopMended", { value: true });
  Queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return;
    original.call(this);
  };
}

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}
