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
import { Deferred } from "../deferred.js";
import { errorFields, type Logger } from "../logger.js";
import { assignPartitions } from "./assignment.js";
import {
  OffsetBeyondEnd,
  TopicMismatch,
  UnknownTopic,
  type ConsumerOptions,
  type Log,
  type LogBatch,
  type LogConsumer,
  type LogProducer,
  type LogRecord,
  type OutgoingBatch,
  type TopicSpec,
} from "./log.js";
import { slices } from "./record-batch.js";
import { Signal } from "./signal.js";

const { AssignerProtocol, CompressionTypes, Kafka, logLevel } = kafkajs;

export interface KafkaLogOptions {
  readonly brokers: readonly string[];
  readonly logger: Logger;
  readonly clientId?: string;
  /** Copies of each partition; default 3 where there are as many brokers, else 1. */
  readonly replicationFactor?: number;
  /** After how long a member that fell silent is given up and its partitions move; default 30 s. */
  readonly sessionTimeoutMs?: number;
}

/** Holds the identity of the log: one record, made once. A topic that is made anew gives the log another identity. */
const IDENTITY_TOPIC = "curbstop.identity";
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Largest batch that a partition takes, compressed; a larger one is refused. */
const MAX_STORED_BYTES = 16 * 1024 * 1024;
/** One fetch brings at most this much, compressed, over all partitions of a broker. */
const MAX_FETCHED_BYTES = 8 * 1024 * 1024;
/** JSON shrinks about so much: what is fetched compressed is this many times larger in memory. */
const COMPRESSION = 8;
const SESSION_TIMEOUT_MS = 30_000;
const HEARTBEAT_MS = 1_000;
/** A fault that lasts longer than about 15 s is told to the caller, who says so and tries again. */
const RETRY = { retries: 10, initialRetryTime: 100, maxRetryTime: 2_000 };

/** Apache Kafka behind the log port, through kafkajs 2.2.4. */
export function createKafkaLog(options: KafkaLogOptions): Log {
  mendRequestQueue();
  process.env["KAFKAJS_NO_PARTITIONER_WARNING"] = "1";
  const { logger } = options;
  const kafka = new Kafka({
    clientId: options.clientId ?? "curbstop",
    brokers: [...options.brokers],
    logLevel: logLevel.NOTHING,
    retry: RETRY,
  });
  const consumers = new Set<KafkaConsumer>();
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
          { name: "max.message.bytes", value: String(MAX_STORED_BYTES) },
          ...(cleanup === "delete"
            ? [{ name: "retention.ms", value: String(retentionHours * 3_600_000) }]
            : [{ name: "delete.retention.ms", value: String(retentionHours * 3_600_000) }]),
        ],
      })),
    });
  }

  async function checkPartition(topic: string, partition: number): Promise<void> {
    const count = await partitionCount(topic);
    if (!(partition >= 0 && partition < count)) throw new UnknownTopic(`${topic}/${partition}`);
  }

  async function openConsumer(consumerOptions: ConsumerOptions): Promise<KafkaConsumer> {
    const partitions = await Promise.all(consumerOptions.topics.map(partitionCount));
    if (new Set(partitions).size > 1) {
      throw new Error(
        `Topics ${consumerOptions.topics.join(", ")} differ in their number of partitions (${partitions.join(", ")}).`,
      );
    }
    const consumer = new KafkaConsumer(
      kafka,
      await admin(),
      consumerOptions,
      partitions[0]!,
      logger,
      options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
    );
    consumers.add(consumer);
    const forget = () => consumers.delete(consumer);
    consumer.finished.then(forget, forget);
    try {
      await consumer.start();
    } catch (error) {
      await consumer.stop();
      throw error;
    }
    return consumer;
  }

  /** kafkajs reads in groups alone: one of its own, deleted afterwards. */
  async function* read(topic: string, partition: number, from: number): AsyncGenerator<LogBatch> {
    await checkPartition(topic, partition);
    const client = await admin();
    const bounds = await boundsOf(client, topic);
    const { low, high } = bounds.find((one) => one.partition === partition)!;
    const start = Math.max(from, Number(low));
    const end = Number(high);
    if (start >= end) return;
    const group = `curbstop-read-${randomUUID()}`;
    const arrived = new Signal();
    const waiting: { readonly batch: LogBatch; readonly taken: Deferred }[] = [];
    const consumer = await openConsumer({
      group,
      topics: [topic],
      member: "read",
      handler: {
        assigned: (assigned) => {
          const other = bounds.find((one) => one.partition === assigned);
          return Promise.resolve({ [topic]: assigned === partition ? start : Number(other?.high ?? 0) });
        },
        async batch(batch) {
          if (batch.partition !== partition) return;
          const taken = new Deferred();
          waiting.push({ batch, taken });
          arrived.raise();
          await taken.promise;
        },
        revoked: () => Promise.resolve(),
      },
    });
    try {
      while (waiting.length > 0 || !consumer.reached(topic, partition, end)) {
        const seen = arrived.count;
        const [next] = waiting;
        if (next === undefined) {
          await Promise.race([arrived.after(seen, 20), consumer.finished]);
          continue;
        }
        const records = next.batch.records.filter(({ offset }) => offset < end);
        if (records.length > 0) yield { topic, partition, records };
        waiting.shift();
        next.taken.resolve();
      }
    } finally {
      for (const { taken } of waiting) taken.resolve();
      await consumer.stop();
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

    async producer() {
      const producer = new KafkaProducer(kafka, checkPartition);
      await producer.connect();
      return producer;
    },

    consumer: openConsumer,

    async offsets(topic) {
      await partitionCount(topic);
      const rows = await boundsOf(await admin(), topic);
      return rows
        .map(({ partition, low, high }) => ({ partition, first: Number(low), next: Number(high) }))
        .sort((a, b) => a.partition - b.partition);
    },

    read,

    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      const client = await adminClient?.catch(() => undefined);
      await client?.disconnect();
    },
  };
}

/** Appends without duplicates while it lives: its retries carry the sequence numbers of the first try. */
class KafkaProducer implements LogProducer {
  readonly #kafka: KafkaClient;
  readonly #checkPartition: (topic: string, partition: number) => Promise<void>;
  #producer: Producer | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(kafka: KafkaClient, checkPartition: (topic: string, partition: number) => Promise<void>) {
    this.#kafka = kafka;
    this.#checkPartition = checkPartition;
  }

  async connect(): Promise<Producer> {
    this.#producer ??= await idempotentProducer(this.#kafka);
    return this.#producer;
  }

  async append(batches: readonly OutgoingBatch[]): Promise<void> {
    for (const { topic, partition } of batches) await this.#checkPartition(topic, partition);
    const filled = batches.filter(({ records }) => records.length > 0);
    if (filled.length === 0) return;
    // An idempotent producer of kafkajs must not send two requests at once (tulios/kafkajs#353).
    const sent = this.#last.then(() => this.#send(filled));
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#producer?.disconnect();
  }

  async #send(batches: readonly OutgoingBatch[]): Promise<void> {
    const producer = await this.connect();
    try {
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
    } catch (error) {
      // The broker may have stored what kafkajs counts as not sent. The next batch would go out under the same sequence
      // number and be taken for that one, and be lost: go on as another producer.
      this.#producer = undefined;
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
  }
}

async function idempotentProducer(kafka: KafkaClient): Promise<Producer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    retry: RETRY,
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
  /** Next offset by topic. */
  readonly positions: Map<string, number>;
  /** `assigned` has said where to read. */
  ready: boolean;
  beginning: Promise<void>;
  /** The batches so far, of any topic: one at a time. */
  running: Promise<void>;
}

class KafkaConsumer implements LogConsumer {
  readonly finished: Promise<void>;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly #options: ConsumerOptions;
  readonly #partitions: number;
  readonly #logger: Logger;
  readonly #ended = new Deferred();
  readonly #owned = new Map<number, OwnedPartition>();
  #joined = false;
  /** The generation ended; until the next join no batch may begin. */
  #abandoned = false;
  #failure: Error | undefined;
  #stopped: Promise<void> | undefined;
  #releasing: Promise<void> = Promise.resolve();
  /** Commits through it are of the present generation; there is none before the first batch. */
  #latest: EachBatchPayload | undefined;

  constructor(
    kafka: KafkaClient,
    admin: Admin,
    options: ConsumerOptions,
    partitions: number,
    logger: Logger,
    sessionTimeout: number,
  ) {
    this.#admin = admin;
    this.#options = options;
    this.#partitions = partitions;
    this.#logger = logger;
    const { maxBatchBytes = MAX_BATCH_BYTES } = options;
    this.#consumer = kafka.consumer({
      groupId: options.group,
      sessionTimeout,
      rebalanceTimeout: Math.max(60_000, sessionTimeout),
      heartbeatInterval: HEARTBEAT_MS,
      allowAutoTopicCreation: false,
      maxBytes: MAX_FETCHED_BYTES,
      maxBytesPerPartition: Math.max(64 * 1024, Math.floor(maxBatchBytes / COMPRESSION)),
      maxWaitTimeInMs: 100,
      partitionAssigners: [coPartitioned(options.member, options.topics, partitions)],
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(false) },
    });
    this.finished = this.#ended.promise;
    this.finished.catch(() => undefined);
  }

  async start(): Promise<void> {
    const { CRASH, GROUP_JOIN, REBALANCING, END_BATCH_PROCESS } = this.#consumer.events;
    const consumer = this.#consumer;
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
      this.#rejoined(new Set(Object.values(payload.memberAssignment).flat()));
    });
    consumer.on(END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, lastOffset } }) => {
      // What compaction emptied passes the handler by.
      const owned = this.#owned.get(partition);
      if (batchSize === 0 && owned?.ready === true) owned.positions.set(topic, Number(lastOffset) + 1);
    });
    await this.#run();
  }

  /** Whether what lies before an offset of an owned partition is handled. */
  reached(topic: string, partition: number, offset: number): boolean {
    const owned = this.#owned.get(partition);
    return owned?.ready === true && owned.positions.get(topic)! >= offset;
  }

  async commit(topic: string, partition: number, next: number): Promise<void> {
    // Once, and in vain while the group rebalances: waiting for it here would keep this member from joining again.
    const topics = [{ topic, partitions: [{ partition, offset: String(next) }] }];
    await this.#latest?.commitOffsetsIfNecessary({ topics }).catch(() => undefined);
  }

  async drained(): Promise<void> {
    const ends: { topic: string; partition: number; end: number }[] = [];
    for (const topic of this.#options.topics) {
      for (const { partition, high } of await boundsOf(this.#admin, topic))
        ends.push({ topic, partition, end: Number(high) });
    }
    while (this.#stopped === undefined) {
      const done =
        this.#joined &&
        !this.#abandoned &&
        ends.every(
          ({ topic, partition, end }) => !this.#owned.has(partition) || this.reached(topic, partition, end),
        );
      if (done) return;
      await sleep(10);
    }
    return this.finished;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #shutDown(): Promise<void> {
    for (const { abort } of this.#owned.values()) abort.abort();
    // Waits for the running batches.
    await this.#consumer.stop().catch(() => undefined);
    await this.#keepOnly(new Set());
    await this.#releasing;
    await this.#consumer.disconnect().catch(() => undefined);
    if (this.#failure === undefined) this.#ended.resolve();
    else this.#ended.reject(this.#failure);
  }

  #fail(error: unknown): void {
    this.#failure ??= error as Error;
    void this.stop();
  }

  async #run(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.#partitions * this.#options.topics.length,
      eachBatch: (payload) => this.#batch(payload),
    });
    if (this.#stopped !== undefined) await this.#consumer.disconnect();
  }

  async #again(): Promise<void> {
    this.#abandoned = true;
    await sleep(500);
    if (this.#stopped !== undefined) return;
    try {
      await this.#run();
    } catch (error) {
      if (!isBrokerFault(error)) return this.#fail(error);
      void this.#again();
    }
  }

  /** A generation begins: keeps what stays, gives back what goes, takes what comes. Before the first fetch. */
  #rejoined(mine: ReadonlySet<number>): void {
    this.#joined = true;
    this.#releasing = Promise.all([this.#releasing, this.#keepOnly(mine)]).then(() => undefined);
    for (const partition of mine) {
      const owned = this.#owned.get(partition) ?? this.#take(partition);
      if (owned.ready) this.#goOn(partition, owned);
      else this.#consumer.pause(this.#inEachTopic(partition));
    }
    this.#abandoned = false;
  }

  #inEachTopic(partition: number): { topic: string; partitions: number[] }[] {
    return this.#options.topics.map((topic) => ({ topic, partitions: [partition] }));
  }

  /** Reads an owned partition from our positions on; kafkajs alone would begin at what was committed. */
  #goOn(partition: number, { positions }: OwnedPartition): void {
    for (const [topic, position] of positions)
      this.#consumer.seek({ topic, partition, offset: String(position) });
    this.#consumer.resume(this.#inEachTopic(partition));
  }

  #take(partition: number): OwnedPartition {
    const owned: OwnedPartition = {
      abort: new AbortController(),
      positions: new Map(),
      ready: false,
      beginning: Promise.resolve(),
      running: Promise.resolve(),
    };
    this.#owned.set(partition, owned);
    owned.beginning = this.#begin(partition, owned, this.#releasing).catch((error: unknown) =>
      this.#fail(error),
    );
    return owned;
  }

  async #begin(partition: number, owned: OwnedPartition, released: Promise<void>): Promise<void> {
    await released;
    const starts = await this.#options.handler.assigned(partition);
    for (const topic of this.#options.topics)
      owned.positions.set(topic, await this.#inBounds(topic, partition, starts[topic] ?? 0));
    owned.ready = true;
    if (owned.abort.signal.aborted) return;
    try {
      this.#goOn(partition, owned);
    } catch {
      // Not in the group just now: the next join goes on.
    }
  }

  /** The offset, or the first one still kept. */
  async #inBounds(topic: string, partition: number, offset: number): Promise<number> {
    const bounds = await boundsOf(this.#admin, topic);
    const { low, high } = bounds.find((one) => one.partition === partition)!;
    if (offset > Number(high)) throw new OffsetBeyondEnd(topic, partition, offset, Number(high));
    return Math.max(offset, Number(low));
  }

  async #keepOnly(mine: ReadonlySet<number>): Promise<void> {
    await Promise.all(
      [...this.#owned]
        .filter(([partition]) => !mine.has(partition))
        .map(async ([partition, owned]) => {
          this.#owned.delete(partition);
          owned.abort.abort();
          await Promise.all([owned.beginning, owned.running]);
          try {
            await this.#options.handler.revoked(partition);
          } catch (error) {
            this.#fail(error);
          }
        }),
    );
  }

  async #batch(payload: EachBatchPayload): Promise<void> {
    const owned = this.#owned.get(payload.batch.partition);
    if (this.#stopped !== undefined) return;
    if (this.#abandoned || owned === undefined) throw new Rebalanced();
    this.#latest = payload;
    const beat = async () => {
      try {
        await payload.heartbeat();
      } catch (error) {
        if (REBALANCE_ERRORS.has((error as { type?: string }).type ?? "")) this.#abandoned = true;
      }
    };
    const beating = setInterval(() => void beat(), HEARTBEAT_MS);
    try {
      owned.running = owned.running.then(() => this.#handle(payload, owned));
      await owned.running;
    } finally {
      clearInterval(beating);
    }
  }

  async #handle(payload: EachBatchPayload, owned: OwnedPartition): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    if (this.#over(owned) || !owned.ready || payload.isStale()) return;
    try {
      // kafkajs moves by itself where the log no longer has the offset, and after a rebalance.
      const { fetchedOffset } = payload.batch as unknown as { readonly fetchedOffset: string };
      const position = owned.positions.get(topic)!;
      if (Number(fetchedOffset) !== position) {
        owned.positions.set(topic, await this.#inBounds(topic, partition, position));
        this.#goOn(partition, owned);
        return;
      }
      const { maxBatchBytes = MAX_BATCH_BYTES, handler } = this.#options;
      for (const records of slices(recordsOf(messages), maxBatchBytes)) {
        if (this.#over(owned)) return;
        await handler.batch({ topic, partition, records }, owned.abort.signal);
        owned.positions.set(topic, records.at(-1)!.offset + 1);
      }
      const last = payload.batch.lastOffset();
      owned.positions.set(topic, Number(last) + 1);
      payload.resolveOffset(last);
    } catch (error) {
      if (!owned.abort.signal.aborted) this.#fail(error);
    }
  }

  #over(owned: OwnedPartition): boolean {
    return this.#stopped !== undefined || this.#abandoned || owned.abort.signal.aborted;
  }
}

/** Of a topic that was just made the leaders may be unknown for a moment; kafkajs 2.2.4 then fails in its own code. */
const LEADERLESS = { tries: 50, waitMs: 100 };

/** First and next offset of each partition of a topic. */
async function boundsOf(client: Admin, topic: string): ReturnType<Admin["fetchTopicOffsets"]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.fetchTopicOffsets(topic);
    } catch (error) {
      const passes = error instanceof TypeError || (error as { retriable?: boolean }).retriable === true;
      if (!passes || attempt === LEADERLESS.tries) throw error;
      await sleep(LEADERLESS.waitMs);
    }
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
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}
