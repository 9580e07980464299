/**
 * Another process on the same log, for tests that kill one: appends numbered records or keeps a journal of those it
 * read. It runs the compiled sources (npm run build) and ends with its parent.
 *
 * node log-worker.mjs '{"log": {"url": …} | {"brokers": […]}, "work": "produce" | "consume", …}'
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createEmbeddedLog } from "../../dist/infra/log/embedded-log.js";
import { createKafkaLog } from "../../dist/infra/log/kafka-log.js";
import { createLogger } from "../../dist/infra/logger.js";
import { openDatabase } from "../../dist/infra/postgres/database.js";

const task = JSON.parse(process.argv[2]);
process.stdin.on("end", () => process.exit(0)).resume();

const { url, brokers, sessionTimeoutMs } = task.log;
const log =
  url === undefined
    ? createKafkaLog({ brokers, sessionTimeoutMs, logger: createLogger({ level: "silent" }) })
    : createEmbeddedLog(openDatabase(url));

if (task.work === "produce") await produce(task);
else await consume(task);

/** Appends `count` records `writer:number` over the partitions, `size` a batch; says each number that is durable. */
async function produce({ topic, partitions, writer, count, size }) {
  const producer = await log.producer();
  for (let first = 0; first < count; first += size) {
    const numbers = Array.from({ length: Math.min(size, count - first) }, (_, index) => first + index);
    const batches = Array.from({ length: partitions }, (_, partition) => ({
      topic,
      partition,
      records: numbers
        .filter((number) => number % partitions === partition)
        .map((number) => ({ key: writer, value: Buffer.from(`${writer}:${number}`) })),
    }));
    await producer.append(batches);
    process.stdout.write(numbers.map((number) => `${number}\n`).join(""));
  }
  await producer.close();
  process.exit(0);
}

/** Reads as a member of a group. A record's effect and the offset after it are one line of the journal. */
async function consume({ topic, group, member, journal, pauseMs }) {
  const consumer = await log.consumer({
    group,
    topics: [topic],
    member,
    maxBatchBytes: 256,
    handler: {
      async assigned(partition) {
        const done = existsSync(journal) ? readFileSync(journal, "utf8").trimEnd().split("\n") : [];
        const mine = done.map((line) => line.split(" ")).filter(([p]) => Number(p) === partition);
        return mine.length === 0 ? {} : { [topic]: Number(mine.at(-1)[1]) + 1 };
      },
      async batch({ partition, records }) {
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        const lines = records.map(({ offset, value }) => `${partition} ${offset} ${Buffer.from(value)}\n`);
        appendFileSync(journal, lines.join(""));
        process.stdout.write(lines.join(""));
      },
      revoked: () => Promise.resolve(),
    },
  });
  await consumer.finished;
}
