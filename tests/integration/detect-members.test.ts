import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createDetect } from "../../detect/index.js";
import { PartitionLocks } from "../../detect/partition-locks.js";
import type { ClickHouse } from "../../infra/clickhouse/client.js";
import { partitionOf } from "../../infra/log/log.js";
import type { ReadsBlock } from "../../schemas/reads.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";
import { findKafka, type TestKafka } from "../harness/kafka.js";
import { startStores, type TestStores } from "../harness/stores.js";

const METERS = 600;
const DAYS = 30;
const START = Date.UTC(2026, 2, 1) / 1000;

/** A day of a meter with a leak, so that each day leads to a message. */
function dayOf(meter: string, day: number): ReadsBlock {
  return {
    v: 1,
    utility: "oakvale",
    source: "ami",
    meter,
    channel: "",
    kind: "usage",
    file: 1,
    register: 0,
    unit: "L",
    mlPerUnit: 1000,
    resolution: 1000,
    modulus: 0,
    count: 24,
    time: { from: START + day * 86_400, step: 3600 },
    length: 3600,
    ml: Array.from({ length: 24 }, () => 9000),
    flags: 0,
    line: { from: 1, step: 1 },
  };
}

const kafka = await findKafka();
const suite = "start" in kafka ? describe : describe.skip;

suite("several detectors on Kafka", () => {
  let broker: TestKafka;
  let test: TestStores;

  beforeAll(async () => {
    if ("start" in kafka) broker = await kafka.start();
    test = await startStores("members", { variables: { CURBSTOP_KAFKA_BROKERS: broker.brokers.join(",") } });
  }, 120_000);
  afterAll(async () => {
    await test.close();
    await broker.stop();
  });

  it("hand partitions over with all that is in hand saved, and none ends", async () => {
    const records: { key: string; value: Buffer }[][] = Array.from({ length: METER_PARTITIONS }, () => []);
    for (let day = 0; day < DAYS; day++)
      for (let i = 0; i < METERS; i++) {
        const key = createHash("sha256").update(String(i)).digest("hex").slice(0, 16);
        records[partitionOf(key, METER_PARTITIONS)]!.push({
          key,
          value: Buffer.from(JSON.stringify(dayOf(key, day))),
        });
      }
    const producer = await test.stores.log.producer();
    await producer.append(records.map((list, partition) => ({ topic: "reads", partition, records: list })));
    await producer.close();

    const context = { ...test.context(), clickhouse: test.stores.clickhouse };
    const offsets = () =>
      test.stores.database.query<{ partition: number; epoch: number; next: string | null }>(
        "SELECT partition, epoch, offsets->>'reads' AS next FROM detector_partitions",
      );
    // Checkpoints wait for their rows: some are on their way whenever partitions are given away.
    const slow: ClickHouse = {
      ...context.clickhouse,
      insertNative: async (...insert) => {
        await sleep(2000);
        await context.clickhouse.insertNative(...insert);
      },
    };
    const first = await test.start(createDetect({ ...context, clickhouse: slow, member: "first" }));
    while (!(await offsets()).some(({ next }) => next !== null)) await sleep(5);
    const second = await test.start(createDetect({ ...context, member: "second" }));
    const isDone = async () => {
      const rows = await offsets();
      return records.every((list, partition) =>
        rows.some((row) => row.partition === partition && Number(row.next) >= list.length),
      );
    };
    while (!(await isDone())) {
      expect([first.health(), second.health()]).toMatchObject([{ live: true }, { live: true }]);
      await sleep(50);
    }
    await Promise.all([first.drain(), second.drain()]);
    const [stored] = await test.stores.clickhouse.query<{ reads: number; open: number }>(
      `SELECT (SELECT count() FROM curbstop.usage) AS reads,
              (SELECT countIf(reason = '') FROM curbstop.anomalies_current) AS open`,
    );
    expect(stored).toEqual({ reads: METERS * DAYS * 24, open: METERS });
    expect((await offsets()).filter(({ epoch }) => epoch > 1)).toHaveLength(METER_PARTITIONS / 2);
  }, 120_000);
});

describe("a partition's lock", () => {
  let test: TestStores;
  beforeAll(async () => {
    test = await startStores("locks");
  });
  afterAll(() => test.close());

  const locks = () => new PartitionLocks(test.stores.database);

  it("is had by one, and by the next when it is given back", async () => {
    const [former, next] = [locks(), locks()];
    expect(await former.take(3)).toBe(true);
    expect([await next.take(3), await next.take(4)]).toEqual([false, true]);
    await next.release(3);
    expect(await next.take(3)).toBe(false);
    await former.release(3);
    expect([await next.take(3), await former.take(3)]).toEqual([true, false]);
    next.close();
    // The server takes notice of an end by itself.
    while (!(await former.take(3))) await sleep(5);
    former.close();
  });

  it("keeps no connection open once all are given back", async () => {
    const sessions = () =>
      test.stores.database.query(
        `SELECT pid FROM pg_stat_activity WHERE query ~ '^SELECT pg_(try_advisory_lock|advisory_unlock)[(][$]1, [$]2'`,
      );
    // Those of tests before end when the server takes notice.
    while ((await sessions()).length > 0) await sleep(5);
    const some = locks();
    for (const partition of [7, 8, 9]) await some.take(partition);
    expect(await sessions()).toHaveLength(1);
    const releases = [7, 8, 9].map((partition) => some.release(partition));
    some.close();
    await Promise.all(releases);
    await sleep(200);
    expect(await sessions()).toEqual([]);
  });

  it("is free as soon as its owner's connection ends, whose next asks on another", async () => {
    const [dead, other] = [locks(), locks()];
    expect([await dead.take(5), await other.take(5)]).toEqual([true, false]);
    await test.stores.database.query(
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 5 AND granted",
    );
    while (!(await other.take(5))) await sleep(5);
    expect(await dead.take(5)).toBe(false);
    await other.release(5);
    expect(await dead.take(5)).toBe(true);
    dead.close();
    other.close();
  });
});
