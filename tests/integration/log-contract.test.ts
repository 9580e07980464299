import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  OffsetBeyondEnd,
  TopicMismatch,
  UnknownTopic,
  type ConsumerOptions,
  type Log,
  type LogConsumer,
  type LogRecord,
  type OutgoingRecord,
  type TopicSpec,
} from "../../infra/log/log.js";
import { findKafka } from "../harness/kafka.js";
import {
  embeddedStore,
  kafkaStore,
  startLogWorker,
  type LogStore,
  type LogWorker,
} from "../harness/log-stores.js";
import { temporaryFolder } from "../harness/stores.js";

/** Bytes in buffers that are still in use: what waits to be collected is collected first. */
function bytesHeld(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  // The buffers that the first run found unused are counted out with the second.
  collect();
  return process.memoryUsage().arrayBuffers;
}

const kafka = await findKafka();

const adapters: [string, (() => Promise<LogStore>) | undefined][] = [
  ["embedded", embeddedStore],
  "start" in kafka
    ? [`Kafka (${kafka.from})`, async () => kafkaStore(await kafka.start())]
    : [`Kafka: skipped, ${kafka.missing}`, undefined],
];

for (const [name, start] of adapters) {
  const suite = start === undefined ? describe.skip : describe;
  suite(`the log, ${name}`, () => {
    let store: LogStore;
    let log: Log;
    const opened: Log[] = [];
    const consumers: LogConsumer[] = [];
    const workers: LogWorker[] = [];
    let topics = 0;

    beforeAll(async () => {
      store = await start!();
      log = store.open();
    }, 120_000);
    afterEach(async () => {
      await Promise.all(workers.splice(0).map((worker) => worker.kill()));
      await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
      await Promise.all(opened.splice(0).map((one) => one.close()));
    });
    afterAll(async () => {
      await log.close();
      await store.close();
    });

    async function newTopic(options: Partial<TopicSpec> = {}): Promise<string> {
      const topic = `topic-${++topics}`;
      await log.provision([
        { name: topic, partitions: 1, cleanup: "delete", retentionHours: 24, ...options },
      ]);
      return topic;
    }
    function anotherProcess(): Log {
      const another = store.open();
      opened.push(another);
      return another;
    }
    function work(task: Record<string, unknown>): LogWorker {
      const worker = startLogWorker({ log: store.address, ...task });
      workers.push(worker);
      return worker;
    }
    async function consume(options: Partial<ConsumerOptions> & { topics: readonly string[] }, on = log) {
      const seen: (LogRecord & { topic: string; partition: number })[] = [];
      const consumer = await on.consumer({
        group: `group-${options.topics.join("-")}`,
        member: "one",
        ...options,
        handler: {
          assigned: () => Promise.resolve({}),
          batch({ topic, partition, records }) {
            for (const record of records) seen.push({ ...record, topic, partition });
            return Promise.resolve();
          },
          revoked: () => Promise.resolve(),
          ...options.handler,
        },
      });
      consumers.push(consumer);
      return { consumer, seen };
    }
    async function append(
      topic: string,
      partition: number,
      records: readonly OutgoingRecord[],
    ): Promise<void> {
      const producer = await log.producer();
      await producer.append([{ topic, partition, records }]);
      await producer.close();
    }
    async function everything(topic: string, partition = 0, from = 0, on = log): Promise<LogRecord[]> {
      const found: LogRecord[] = [];
      for await (const { records } of on.read(topic, partition, from)) found.push(...records);
      return found;
    }

    it("keeps the order of a partition, with offsets from 0 on and without gaps", async () => {
      const topic = await newTopic({ partitions: 2 });
      const producer = await log.producer();
      for (let first = 0; first < 300; first += 30) {
        const records = numbered(first, 30);
        await producer.append([
          { topic, partition: 1, records },
          { topic, partition: 0, records: records.slice(0, 10) },
        ]);
      }
      await producer.close();
      const { consumer, seen } = await consume({ topics: [topic] });
      await consumer.drained();
      const second = seen.filter(({ partition }) => partition === 1);
      expect(second.map(({ offset }) => offset)).toEqual(Array.from({ length: 300 }, (_, index) => index));
      expect(second.map(({ key }) => key)).toEqual(numbered(0, 300).map(({ key }) => key));
      expect(second.map(text)).toEqual(numbered(0, 300).map(text));
      expect(seen).toHaveLength(400);
      expect(await log.offsets(topic)).toEqual([
        { partition: 0, first: 0, next: 100 },
        { partition: 1, first: 0, next: 300 },
      ]);
    });

    it("takes several batches of one partition in one append, in their order", async () => {
      const topic = await newTopic();
      const producer = await log.producer();
      await producer.append([
        { topic, partition: 0, records: numbered(0, 2) },
        { topic, partition: 0, records: [] },
        { topic, partition: 0, records: numbered(2, 2) },
      ]);
      await producer.append([]);
      await producer.close();
      expect((await everything(topic)).map(({ key }) => key)).toEqual(["0", "1", "2", "3"]);
    });

    it("loses no offset under concurrent writers of several processes", async () => {
      const partitions = 3;
      const topic = await newTopic({ partitions });
      const { consumer, seen } = await consume({ topics: [topic], maxBatchBytes: 2_000 });
      const others = ["p", "q"].map((writer) =>
        work({ work: "produce", topic, partitions, writer, count: 600, size: 7 }),
      );
      await Promise.all(
        ["a", "b", "c"].map(async (writer) => {
          const producer = await anotherProcess().producer();
          for (let first = 0; first < 600; first += 10) {
            const batches = Array.from({ length: partitions }, (_, partition) => ({
              topic,
              partition,
              records: Array.from({ length: 10 }, (_, index) => first + index)
                .filter((number) => number % partitions === partition)
                .map((number) => ({ key: writer, value: Buffer.from(`${writer}:${number}`) })),
            }));
            await producer.append(writer === "b" ? batches.reverse() : batches);
          }
          await producer.close();
        }),
      );
      await Promise.all(others.map((worker) => worker.done()));
      await consumer.drained();
      for (let partition = 0; partition < partitions; partition++) {
        const here = seen.filter((record) => record.partition === partition);
        expect(here.map(({ offset }) => offset)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
        for (const writer of ["a", "b", "c", "p", "q"]) {
          const expected = Array.from({ length: 200 }, (_, index) => `${writer}:${index * 3 + partition}`);
          expect(here.filter(({ key }) => key === writer).map(text)).toEqual(expected);
        }
      }
    });

    it("gives each partition to one member at a time, through 2, 3 and 1 members", async () => {
      const partitions = 6;
      const topic = await newTopic({ partitions });
      const next = new Map<number, number>();
      const handled: string[] = [];
      const busy = new Map<number, string>();
      const overlaps: string[] = [];
      const owned = new Map<string, Set<number>>();
      const join = async (member: string) => {
        const mine = new Set<number>();
        owned.set(member, mine);
        const { consumer } = await consume(
          {
            topics: [topic],
            member,
            maxBatchBytes: 200,
            handler: {
              assigned(partition) {
                mine.add(partition);
                return Promise.resolve({ [topic]: next.get(partition) ?? 0 });
              },
              async batch({ partition, records }) {
                const other = busy.get(partition);
                if (other !== undefined) overlaps.push(`${other} and ${member} on ${partition}`);
                busy.set(partition, member);
                await sleep(2);
                for (const { offset } of records) handled.push(`${partition}/${offset}`);
                next.set(partition, records.at(-1)!.offset + 1);
                busy.delete(partition);
              },
              revoked(partition) {
                mine.delete(partition);
                return Promise.resolve();
              },
            },
          },
          anotherProcess(),
        );
        return consumer;
      };
      const share = (member: string) => [...(owned.get(member) ?? [])].sort();
      const shares = async (...sizes: number[]) => {
        await until(
          () =>
            sizes.join() === [...owned.values()].map(({ size }) => size).join() &&
            new Set([...owned.values()].flatMap((mine) => [...mine])).size === partitions,
        );
      };
      const enough = new AbortController();
      let written = 0;
      const writer = (async () => {
        const producer = await log.producer();
        while (!enough.signal.aborted) {
          await producer.append(
            Array.from({ length: partitions }, (_, partition) => ({
              topic,
              partition,
              records: numbered(written, 5),
            })),
          );
          written += 5;
          await sleep(5);
        }
        await producer.close();
      })();
      const first = await join("m-1");
      const second = await join("m-2");
      await shares(3, 3);
      const before = [share("m-1"), share("m-2")];
      const third = await join("m-3");
      await shares(2, 2, 2);
      await third.stop();
      await shares(3, 3, 0);
      expect([share("m-1"), share("m-2")]).toEqual(before);
      await second.stop();
      await shares(6, 0, 0);
      enough.abort();
      await writer;
      await first.drained();
      expect(overlaps).toEqual([]);
      expect(handled).toHaveLength(written * partitions);
      expect(new Set(handled).size).toBe(written * partitions);
    });

    it("goes on where a killed consumer's effects ended, with the same partitions", async () => {
      const partitions = 2;
      const topic = await newTopic({ partitions });
      const folder = temporaryFolder("journal");
      const journal = join(folder, "journal");
      const task = { work: "consume", topic, group: `group-${topic}`, member: "reader", journal, pauseMs: 2 };
      for (const partition of [0, 1]) await append(topic, partition, numbered(0, 400));
      const first = work(task);
      await first.said(100);
      await first.kill();
      const second = work(task);
      await second.said(100);
      await second.kill();
      const third = work(task);
      await until(() => existsSync(journal) && readFileSync(journal, "utf8").split("\n").length === 801);
      await third.kill();
      const lines = readFileSync(journal, "utf8").trimEnd().split("\n");
      rmSync(folder, { recursive: true });
      for (const partition of [0, 1]) {
        const here = lines.filter((line) => line.startsWith(`${partition} `));
        expect(here).toEqual(
          numbered(0, 400).map((record, offset) => `${partition} ${offset} ${text(record)}`),
        );
      }
    });

    it("keeps every record that a killed producer was told of, and no half batch", async () => {
      const topic = await newTopic({ partitions: 2 });
      const { consumer, seen } = await consume({ topics: [topic] });
      const worker = work({ work: "produce", topic, partitions: 2, writer: "w", count: 1_000_000, size: 20 });
      await worker.said(300);
      await worker.kill();
      const told = worker.lines().map(Number);
      await append(topic, 0, [{ key: "last", value: Buffer.from("last") }]);
      await consumer.drained();
      const stored = seen.filter(({ key }) => key === "w").map((record) => Number(text(record).slice(2)));
      expect(new Set(stored).size).toBe(stored.length);
      expect(told.filter((number) => !stored.includes(number))).toEqual([]);
      // At most the batch in flight was stored and not told.
      expect(stored.length - told.length).toBeLessThanOrEqual(20);
      expect(stored.length % 10).toBe(0);
      expect(seen.filter(({ key }) => key === "last")).toHaveLength(1);
    });

    it("reads from the offset that the handler says, whatever was committed", async () => {
      const topic = await newTopic({ partitions: 2 });
      for (const partition of [0, 1]) await append(topic, partition, numbered(0, 50));
      const from = async (offset: number) => {
        const { consumer, seen } = await consume({
          topics: [topic],
          handler: {
            assigned: (partition) => Promise.resolve(partition === 0 ? { [topic]: offset } : {}),
            async batch({ partition, records }) {
              seen.push(...records.map((record) => ({ ...record, topic, partition })));
              await consumer.commit(topic, partition, records.at(-1)!.offset + 1);
            },
            revoked: () => Promise.resolve(),
          },
        });
        await consumer.drained();
        await consumer.stop();
        return [0, 1].map((wanted) =>
          seen.filter(({ partition }) => partition === wanted).map(({ offset }) => offset),
        );
      };
      const all = Array.from({ length: 50 }, (_, index) => index);
      expect(await from(40)).toEqual([all.slice(40), all]);
      expect(await from(7)).toEqual([all.slice(7), all]);
      expect(await from(50)).toEqual([[], all]);
      expect(await store.committed(`group-${topic}`, topic, 0)).toBe(50);
    });

    it("refuses to go on beyond the end of the log", async () => {
      const topic = await newTopic();
      await append(topic, 0, numbered(0, 3));
      const { consumer } = await consume({
        topics: [topic],
        handler: {
          assigned: () => Promise.resolve({ [topic]: 4 }),
          batch: () => Promise.resolve(),
          revoked: () => Promise.resolve(),
        },
      });
      await expect(consumer.finished).rejects.toThrow(OffsetBeyondEnd);
    });

    it("keeps the newest record of each key of a compacted topic, with its offset", async () => {
      const topic = await newTopic({ cleanup: "compact" });
      const { consumer, seen } = await consume({ topics: [topic] });
      for (let round = 0; round < 4; round++) {
        await append(
          topic,
          0,
          ["a", "b", "c"].map((key) => ({ key, value: Buffer.from(`${key}${round}`) })),
        );
      }
      await append(topic, 0, [{ key: "c", value: null }]);
      // A segment of Kafka is closed by the first record after log.roll.ms.
      await sleep(1_200);
      await append(topic, 0, [{ key: "d", value: Buffer.from("d0") }]);
      await consumer.drained();
      expect(seen).toHaveLength(14);
      await until(async () => {
        await store.compact();
        return (await everything(topic)).length === 4;
      });
      expect(
        (await everything(topic)).map(({ offset, key, value }) => [offset, key, value && text({ value })]),
      ).toEqual([
        [9, "a", "a3"],
        [10, "b", "b3"],
        [12, "c", null],
        [13, "d", "d0"],
      ]);
      const again = await consume({ topics: [topic], group: "later" });
      await again.consumer.drained();
      expect(again.seen.map(({ offset }) => offset)).toEqual([9, 10, 12, 13]);
      expect(await log.offsets(topic)).toMatchObject([{ next: 14 }]);
    });

    it("carries large, empty and missing values, and keys beyond ASCII, byte for byte", async () => {
      const topic = await newTopic();
      const records = [
        { key: "large", value: randomBytes(6 * 1024 * 1024) },
        { key: "empty", value: Buffer.alloc(0) },
        { key: "tombstone", value: null },
        { key: "zähler-€", value: new Uint8Array([0, 255, 10, 13]) },
        { key: "shrinks", value: Buffer.alloc(3 * 1024 * 1024, "water ") },
      ];
      await append(topic, 0, records);
      const { consumer, seen } = await consume({ topics: [topic], maxBatchBytes: 1024 * 1024 });
      await consumer.drained();
      expect(seen.map(({ key, value }) => [key, value?.length])).toEqual(
        records.map(({ key, value }) => [key, value?.length]),
      );
      for (const [index, { value }] of records.entries())
        expect(
          value === null ? seen[index]!.value === null : Buffer.compare(seen[index]!.value!, value),
        ).toBe(value === null ? true : 0);
    });

    it("fetches no more than it hands over while a handler is slow, in batches within the bound", async () => {
      const topic = await newTopic();
      const megabyte = 1024 * 1024;
      const producer = await log.producer();
      for (let round = 0; round < 12; round++) {
        await producer.append([
          {
            topic,
            partition: 0,
            records: Array.from({ length: 16 }, () => ({ key: "k", value: randomBytes(megabyte / 8) })),
          },
        ]);
      }
      await producer.close();
      const sizes: number[] = [];
      let release!: () => void;
      const released = new Promise<void>((resolve) => (release = resolve));
      const before = bytesHeld();
      const { consumer } = await consume({
        topics: [topic],
        maxBatchBytes: megabyte,
        handler: {
          assigned: () => Promise.resolve({}),
          async batch({ records }) {
            sizes.push(records.reduce((sum, { value }) => sum + value!.length, 0));
            await released;
          },
          revoked: () => Promise.resolve(),
        },
      });
      await until(() => sizes.length === 1);
      await sleep(1_000);
      const handedOver = sizes.length;
      const during = bytesHeld();
      release();
      expect(handedOver).toBe(1);
      expect(during - before).toBeLessThan(12 * megabyte);
      await consumer.drained();
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(24 * megabyte);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(megabyte);
    });

    it("never overlaps the batches of a partition, and runs those of different ones side by side", async () => {
      const [one, two] = [await newTopic({ partitions: 2 }), await newTopic({ partitions: 2 })];
      for (const topic of [one, two])
        for (const partition of [0, 1]) await append(topic, partition, numbered(0, 30));
      const busy = new Set<number>();
      let overlapped = false;
      let sideBySide = false;
      const counts = new Map<string, number>();
      const { consumer } = await consume({
        topics: [one, two],
        maxBatchBytes: 16,
        handler: {
          assigned: () => Promise.resolve({}),
          async batch({ topic, partition, records }) {
            if (busy.has(partition)) overlapped = true;
            busy.add(partition);
            if (busy.size === 2) sideBySide = true;
            await sleep(1);
            busy.delete(partition);
            const name = `${topic}/${partition}`;
            counts.set(name, (counts.get(name) ?? 0) + records.length);
          },
          revoked: () => Promise.resolve(),
        },
      });
      await consumer.drained();
      expect({ overlapped, sideBySide }).toEqual({ overlapped: false, sideBySide: true });
      expect([...counts.values()]).toEqual([30, 30, 30, 30]);
    });

    it("refuses an unknown topic or partition and makes none by use", async () => {
      const unknown = "no-such-topic";
      const producer = await log.producer();
      await expect(
        producer.append([{ topic: unknown, partition: 0, records: numbered(0, 1) }]),
      ).rejects.toThrow(UnknownTopic);
      const known = await newTopic({ partitions: 2 });
      for (const partition of [2, -1]) {
        await expect(producer.append([{ topic: known, partition, records: numbered(0, 1) }])).rejects.toThrow(
          UnknownTopic,
        );
        await expect(everything(known, partition)).rejects.toThrow(UnknownTopic);
      }
      await producer.close();
      await expect(consume({ topics: [unknown] })).rejects.toThrow(UnknownTopic);
      await expect(everything(unknown)).rejects.toThrow(UnknownTopic);
      await expect(log.offsets(unknown)).rejects.toThrow(UnknownTopic);
      expect(await store.topics()).not.toContain(unknown);
      expect(await log.offsets(known)).toMatchObject([{ next: 0 }, { next: 0 }]);
    });

    it("refuses a topic that exists with other settings, and topics that can't be read together", async () => {
      const topic = await newTopic({ partitions: 2 });
      const spec = { name: topic, partitions: 2, cleanup: "delete", retentionHours: 24 } as const;
      await log.provision([spec]);
      await expect(log.provision([{ ...spec, partitions: 3 }])).rejects.toThrow(TopicMismatch);
      await expect(log.provision([{ ...spec, cleanup: "compact" }])).rejects.toThrow(TopicMismatch);
      expect(await log.offsets(topic)).toHaveLength(2);
      await expect(consume({ topics: [topic, await newTopic()] })).rejects.toThrow(/differ in their number/);
    });

    it("lets several processes provision at once", async () => {
      const specs = ["x", "y"].map((name) => ({
        name: `shared-${name}`,
        partitions: 2,
        cleanup: "delete" as const,
        retentionHours: 1,
      }));
      await Promise.all([log, anotherProcess(), anotherProcess()].map((one) => one.provision(specs)));
      expect(await log.offsets("shared-y")).toHaveLength(2);
    });

    it("has one identity for every process", async () => {
      const identities = await Promise.all(
        [log, anotherProcess(), anotherProcess()].map((one) => one.identity()),
      );
      expect(new Set(identities).size).toBe(1);
      expect(identities[0]).toMatch(/^(embedded|kafka)-[0-9a-f-]{36}$/);
      expect(await log.identity()).toBe(identities[0]);
    });

    it("keeps what a group committed", async () => {
      const topic = await newTopic();
      await append(topic, 0, numbered(0, 10));
      const { consumer } = await consume({
        topics: [topic],
        handler: {
          assigned: () => Promise.resolve({}),
          batch: () => consumer.commit(topic, 0, 6),
          revoked: () => Promise.resolve(),
        },
      });
      await consumer.drained();
      expect(await store.committed(`group-${topic}`, topic, 0)).toBe(6);
      const [end] = await log.offsets(topic);
      expect(end!.next - 6).toBe(4);
    });

    it("is drained when all that was there at the call is handled, not before", async () => {
      const topic = await newTopic({ partitions: 3 });
      let handled = 0;
      const { consumer } = await consume({
        topics: [topic],
        handler: {
          assigned: () => sleep(50).then(() => ({})),
          async batch({ records }) {
            await sleep(50);
            handled += records.length;
          },
          revoked: () => Promise.resolve(),
        },
      });
      await consumer.drained();
      expect(handled).toBe(0);
      const producer = await anotherProcess().producer();
      for (let round = 1; round <= 3; round++) {
        await producer.append([0, 1, 2].map((partition) => ({ topic, partition, records: numbered(0, 5) })));
        await consumer.drained();
        expect(handled).toBe(15 * round);
      }
      await producer.close();
    });

    it("hands over what another process appends within a second", async () => {
      const topic = await newTopic();
      const { consumer, seen } = await consume({ topics: [topic] });
      await consumer.drained();
      const producer = await anotherProcess().producer();
      for (let round = 1; round <= 5; round++) {
        await producer.append([{ topic, partition: 0, records: numbered(round, 1) }]);
        const appended = performance.now();
        await until(() => seen.length === round);
        expect(performance.now() - appended).toBeLessThan(1_000);
      }
      await producer.close();
    });

    it("reads outside groups from an offset up to the end that held at the call", async () => {
      const topic = await newTopic({ partitions: 2 });
      await append(topic, 1, numbered(0, 20));
      const batches = log.read(topic, 1, 5)[Symbol.asyncIterator]();
      const first = await batches.next();
      await append(topic, 1, numbered(20, 20));
      const offsets = (first.value as { records: LogRecord[] }).records.map(({ offset }) => offset);
      for (let next = await batches.next(); next.done !== true; next = await batches.next())
        offsets.push(...next.value.records.map(({ offset }) => offset));
      expect(offsets).toEqual(Array.from({ length: 15 }, (_, index) => index + 5));
      expect(await everything(topic, 1, 40)).toEqual([]);
      expect(await everything(topic, 0)).toEqual([]);
      // A reader that is left early holds nothing up.
      for await (const { records } of log.read(topic, 1, 0)) {
        expect(records[0]!.offset).toBe(0);
        break;
      }
    });

    it.each(["assigned", "batch", "revoked"] as const)(
      "ends for good with the error that %s throws, after all partitions are given back",
      async (method) => {
        const topic = await newTopic({ partitions: 2 });
        for (const partition of [0, 1]) await append(topic, partition, numbered(0, 5));
        const events: string[] = [];
        const at = (name: typeof method, partition: number) => {
          events.push(name);
          return name === method && partition === 1
            ? Promise.reject(new TypeError("the handler's"))
            : Promise.resolve();
        };
        const { consumer } = await consume({
          topics: [topic],
          handler: {
            assigned: (partition) => at("assigned", partition).then(() => ({})),
            batch: ({ partition }) => at("batch", partition),
            revoked: (partition) => at("revoked", partition),
          },
        });
        if (method === "revoked") {
          await consumer.drained();
          await consumer.stop();
        }
        await expect(consumer.finished).rejects.toThrow("the handler's");
        expect(events.filter((name) => name === "revoked")).toHaveLength(2);
        await expect(consumer.drained()).rejects.toThrow("the handler's");
        // The partitions are free for others.
        const { consumer: next, seen } = await consume({ topics: [topic], group: `group-${topic}` });
        await next.drained();
        expect(seen).toHaveLength(10);
      },
    );

    it("lets running batches end when it stops, and tells them", async () => {
      const topic = await newTopic();
      await append(topic, 0, numbered(0, 5));
      const events: string[] = [];
      const { consumer } = await consume({
        topics: [topic],
        handler: {
          assigned: () => Promise.resolve({}),
          async batch(_, signal) {
            events.push("begun");
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
            await sleep(50);
            events.push("ended");
          },
          revoked() {
            events.push("revoked");
            return Promise.resolve();
          },
        },
      });
      await until(() => events.length === 1);
      await consumer.stop();
      await consumer.finished;
      expect(events).toEqual(["begun", "ended", "revoked"]);
    });

    // A broker that is not ours can't be killed; the jars' can.
    const ours = name === "embedded" || name.endsWith("(jars)");
    (ours ? it : it.skip)(
      "survives a killed server: what was acknowledged is there, readers go on",
      async () => {
        const topic = await newTopic({ partitions: 2 });
        const { consumer, seen } = await consume({ topics: [topic] });
        const producer = await log.producer();
        const acknowledged: string[] = [];
        const enough = new AbortController();
        const writing = (async () => {
          for (let number = 0; !enough.signal.aborted; number++) {
            const value = Buffer.from(`n${number}`);
            for (let tries = 0; ; tries++) {
              try {
                await producer.append([{ topic, partition: number % 2, records: [{ key: "k", value }] }]);
                break;
              } catch (error) {
                if (tries === 100) throw error;
                await sleep(100);
              }
            }
            acknowledged.push(`n${number}`);
            await sleep(5);
          }
        })();
        await until(() => seen.length > 20);
        await store.crash!();
        const after = acknowledged.length;
        await until(() => acknowledged.length > after + 20);
        enough.abort();
        await writing;
        await producer.close();
        await consumer.drained();
        const stored = new Set(seen.map(text));
        expect(acknowledged.filter((value) => !stored.has(value))).toEqual([]);
        for (const partition of [0, 1]) {
          const offsets = new Set(
            seen.filter((record) => record.partition === partition).map(({ offset }) => offset),
          );
          expect(offsets.size).toBe((await log.offsets(topic))[partition]!.next);
        }
      },
      120_000,
    );
  });
}

it("gives a new log another identity", async () => {
  const [one, two] = await Promise.all([embeddedStore(), embeddedStore()]);
  const identities = await Promise.all([one, two].map((store) => store.open().identity()));
  await Promise.all([one, two].map((store) => store.close()));
  expect(identities[0]).not.toBe(identities[1]);
});

function numbered(first: number, count: number): { key: string; value: Buffer }[] {
  return Array.from({ length: count }, (_, index) => ({
    key: String(first + index),
    value: Buffer.from(`value ${first + index}`),
  }));
}

function text({ value }: { readonly value: Uint8Array | null }): string {
  return Buffer.from(value!).toString("utf8");
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const limit = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`Waited 30 s in vain for ${holds.toString()}`);
    await sleep(10);
  }
}
