import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "simple-statistics";
import { parseConfig } from "../../infra/config/load-config.js";
import { createLogger } from "../../infra/logger.js";
import { packageRoot } from "../../infra/package-root.js";
import { openStores, type Stores } from "../../infra/stores.js";
import { generateTown, splitByDay, WIDE_PROFILE } from "../generate.js";
import { pathConfig } from "../path.js";
import { cpuOf, measured } from "../processes.js";
import { endStage, hasEnded, startProgram, startStage } from "../stages.js";

/*
 * The detector against Kafka Streams on the same topic: `npm run bench:streams -- --brokers HOST:PORT`. Files go through
 * `curbstop ingest` into topic `reads`, and stay there; then `curbstop detect` with rule `any-flow-24h`, its rows in
 * ClickHouse and its checkpoints in PostgreSQL, and `AnyFlow24h.java` with RocksDB and its changelog take all of it from
 * the first offset, in turns, as new processes with new stores. Ends with 1 where they don't find the same number.
 */
const HELP = `npm run bench:streams -- --brokers HOST:PORT [options]

  --brokers HOST:PORT  a Kafka on this machine that holds no topics of Curbstop
  --broker-pid N       its process, for its CPU seconds
  --meters N           meters of the town (default 10000)
  --days N             days of hourly reads of each (default 84)
  --processes N        processes of \`curbstop detect\`, which share the partitions (default 1); Kafka Streams has two threads
  --alone              \`curbstop detect\` without its rows of reads in ClickHouse: Kafka Streams stores no reads either
  --daily              a file a day, so that a message holds a day of a meter; else 28 days
  --rounds N           rounds, of which the median counts (default 3)

Needs Java 17 with its compiler, and Maven for the jars of Kafka Streams at the first run.
`;
const START = Date.UTC(2026, 0, 5) / 1000;
const POLL_MS = 20;
const PATIENCE_MS = 120_000;
const UTILITY = "town";

interface Taken {
  readonly seconds: number;
  /** Of the detector's process, and of all processes but the broker's; of the broker, where it is known. */
  readonly own: number;
  readonly all: number;
  readonly broker: number;
  readonly opened: number;
}

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    brokers: { type: "string" },
    "broker-pid": { type: "string" },
    meters: { type: "string", default: "10000" },
    days: { type: "string", default: "84" },
    processes: { type: "string", default: "1" },
    alone: { type: "boolean", default: false },
    daily: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
  },
});
if (values.help) process.stdout.write(HELP);
else if (values.brokers === undefined) {
  process.stderr.write(HELP);
  process.exitCode = 2;
} else await main(values.brokers);

async function main(brokers: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "curbstop-streams-"));
  chmodSync(folder, 0o755);
  const classPath = javaClasses(folder);
  try {
    const filled = await fillTopic(folder, brokers);
    const { reads } = filled;
    const all: { readonly ours: Taken; readonly streams: Taken }[] = [];
    for (let round = 1; round <= Number(values.rounds); round++) {
      const place = join(folder, `round-${round}`);
      const first = round % 2 === 0 ? await byStreams(place, classPath, brokers, round, reads) : undefined;
      const ours = await byDetector(place, brokers, filled);
      const streams = first ?? (await byStreams(place, classPath, brokers, round, reads));
      rmSync(place, { recursive: true, force: true });
      all.push({ ours, streams });
      process.stdout.write(
        `round ${round}: Curbstop ${told(ours)}; Kafka Streams ${told(streams)}; ` +
          `ratio of seconds ${(ours.seconds / streams.seconds).toFixed(2)}\n`,
      );
      if (ours.opened !== streams.opened) {
        process.stderr.write(`Curbstop found ${ours.opened} runs, Kafka Streams ${streams.opened}.\n`);
        process.exitCode = 1;
      }
    }
    const middle = (of: (round: (typeof all)[number]) => number) => median(all.map(of));
    const perSecond = (seconds: number) => `${(reads / seconds / 1e6).toFixed(2)} million reads/s`;
    process.stdout.write(
      `${reads.toLocaleString("en")} reads, medians: Curbstop ${perSecond(middle(({ ours }) => ours.seconds))}, ` +
        `Kafka Streams ${perSecond(middle(({ streams }) => streams.seconds))}; ` +
        `seconds ${middle(({ ours, streams }) => ours.seconds / streams.seconds).toFixed(2)} times, ` +
        `CPU of the process ${middle(({ ours, streams }) => ours.own / streams.own).toFixed(2)} times, ` +
        `of all ${middle(({ ours, streams }) => (ours.all + ours.broker) / (streams.all + streams.broker)).toFixed(2)} times; ` +
        `each found ${all[0]!.ours.opened} runs\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function told({ seconds, own, all, broker }: Taken): string {
  return `${seconds.toFixed(2)} s, ${own.toFixed(1)} CPU s (${all.toFixed(1)} with the stores${broker > 0 ? `, ${broker.toFixed(1)} the broker` : ""})`;
}

/** Compiles the peer; fetches its jars where they are not there yet. */
function javaClasses(folder: string): string {
  const here = join(packageRoot(), "bench", "streams");
  const jars = join(packageRoot(), ".cache", "kafka-streams", "4.1.0");
  if (!existsSync(jars)) {
    const fetch = ["-q", "-B", "-f", join(here, "pom.xml"), "dependency:copy-dependencies"];
    execFileSync("mvn", [...fetch, "-DincludeScope=runtime", `-DoutputDirectory=${jars}`], {
      stdio: "inherit",
    });
  }
  const classPath = [join(folder, "classes"), join(jars, "*")].join(":");
  execFileSync("javac", ["-cp", classPath, "-d", join(folder, "classes"), join(here, "AnyFlow24h.java")], {
    stdio: "inherit",
  });
  return classPath;
}

async function openSide(
  folder: string,
  brokers: string,
): Promise<{ readonly stores: Stores; readonly file: string }> {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  const file = join(folder, "curbstop.yaml");
  const utility = {
    id: UTILITY,
    timeZone: "UTC",
    sources: { ami: WIDE_PROFILE },
    rules: ["any-flow-24h" as const],
  };
  const text = JSON.stringify(pathConfig(folder, [utility]));
  writeFileSync(file, text);
  const stores = await openStores(parseConfig(text, file, { CURBSTOP_KAFKA_BROKERS: brokers }), {
    logger: createLogger({ level: "silent" }),
  });
  return { stores, file };
}

async function until(
  what: string,
  holds: () => Promise<boolean>,
  stages: readonly ChildProcess[],
): Promise<void> {
  const from = performance.now();
  while (!(await holds())) {
    if (stages.some(hasEnded)) throw new Error(`A stage ended before ${what}.`);
    if (performance.now() - from > PATIENCE_MS) throw new Error(`Two minutes were not enough until ${what}.`);
    await sleep(POLL_MS);
  }
}

/** What is in topic `reads`: how many reads, and the next offset of each partition. */
interface Filled {
  readonly reads: number;
  readonly ends: readonly number[];
}

/** Puts a town into the topics by `curbstop ingest`. */
async function fillTopic(folder: string, brokers: string): Promise<Filled> {
  const meters = Number(values.meters);
  const days = Number(values.days);
  const wide = join(folder, "wide.csv");
  const long = join(folder, "long.csv");
  const reads = await generateTown({ meters, days, seed: 1, start: START }, long, wide);
  rmSync(long);
  const files = values.daily ? splitByDay(wide, days) : [wide];
  const { stores, file } = await openSide(join(folder, "ingest"), brokers);
  const ingest = startStage("ingest", file, { CURBSTOP_KAFKA_BROKERS: brokers });
  const endsOf = async (topic: string) => (await stores.log.offsets(topic)).map(({ next }) => next);
  try {
    const drop = join(folder, "ingest", "drop", UTILITY, "ami");
    mkdirSync(drop, { recursive: true });
    for (const [i, path] of files.entries())
      renameSync(path, join(drop, `town-${String(i).padStart(4, "0")}.csv`));
    const isTaken = async () => (await endsOf("files"))[0]! >= files.length;
    await until("all files were taken", isTaken, [ingest]);
    const ends = await endsOf("reads");
    const blocks = ends.reduce((sum, offset) => sum + offset, 0);
    process.stdout.write(
      `${reads.toLocaleString("en")} reads in ${blocks.toLocaleString("en")} messages of topic reads\n`,
    );
    return { reads, ends };
  } finally {
    await endStage(ingest);
    await stores.close();
  }
}

async function byDetector(folder: string, brokers: string, { reads, ends }: Filled): Promise<Taken> {
  const { stores, file } = await openSide(join(folder, "ours"), brokers);
  const kafka = { CURBSTOP_KAFKA_BROKERS: brokers };
  const members: ChildProcess[] = [];
  try {
    const taken = await timed(async () => {
      for (let i = 0; i < Number(values.processes); i++)
        members.push(
          values.alone
            ? startProgram([fileURLToPath(new URL("./alone.js", import.meta.url)), file], kafka)
            : startStage("detect", file, kafka),
        );
      const isThrough = async () => {
        const rows = await stores.database.query<{ partition: number; next: string }>(
          "SELECT partition, offsets->>'reads' AS next FROM detector_partitions",
        );
        return ends.every((all, partition) =>
          rows.some((row) => row.partition === partition && Number(row.next) >= all),
        );
      };
      await until("the last checkpoint was saved", isThrough, members);
      return cpuOf(members.map(({ pid }) => pid!)) ?? 0;
    });
    // What checkpoints saved is told before a process ends.
    await Promise.all(members.map(endStage));
    const [row] = await stores.clickhouse.query<{ reads: string; runs: string }>(
      `SELECT (SELECT count() FROM curbstop.intervals WHERE utility = '${UTILITY}') AS reads,
              (SELECT count() FROM curbstop.anomalies FINAL WHERE utility = '${UTILITY}' AND state != 'withdrawn') AS runs`,
    );
    if (!values.alone && Number(row!.reads) !== reads)
      throw new Error(`ClickHouse holds ${row!.reads} of ${reads} reads.`);
    return { ...taken, opened: Number(row!.runs) };
  } finally {
    await Promise.all(members.map(endStage));
    await stores.close();
  }
}

async function byStreams(
  folder: string,
  classPath: string,
  brokers: string,
  round: number,
  reads: number,
): Promise<Taken> {
  const state = join(folder, "streams");
  const found = `streams-anomalies-${process.pid}-${round}`;
  let text = "";
  const taken = await timed(async () => {
    const options = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", classPath, "AnyFlow24h"];
    const name = `bench-streams-${process.pid}-${round}`;
    const java = spawn("java", [...options, brokers, state, name, String(reads), found], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    java.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    const before = cpuOf([process.pid]) ?? 0;
    await once(java, "close");
    if (java.exitCode !== 0) throw new Error(`Kafka Streams ended with ${String(java.exitCode)}.`);
    // Processes that ended count with the one that waited for them.
    return (cpuOf([process.pid]) ?? 0) - before;
  });
  const [took, opened] = text.trim().split(" ").map(Number);
  if (took !== reads) throw new Error(`Kafka Streams took ${took} of ${reads} reads.`);
  return { ...taken, opened: opened! };
}

/** @param work tells the CPU seconds of the detector's processes */
async function timed(work: () => Promise<number>): Promise<Omit<Taken, "opened">> {
  const pid = values["broker-pid"];
  const ofBroker = () => (pid === undefined ? 0 : (cpuOf([Number(pid)]) ?? 0));
  const before = ofBroker();
  const { value: own, cost } = await measured(work);
  return { seconds: cost.seconds, own, all: cost.cpuSeconds ?? 0, broker: ofBroker() - before };
}
