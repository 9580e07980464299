import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { KafkaContainer } from "@testcontainers/kafka";
import kafkajs from "kafkajs";
import { getContainerRuntimeClient, ImageName } from "testcontainers";
import { packageRoot } from "../../infra/package-root.js";
import { freePort, SupervisedServer } from "../../infra/supervise.js";
import { temporaryFolder } from "./stores.js";

/** A real Kafka, for one test file. */
export interface TestKafka {
  readonly brokers: readonly string[];
  /** Kills the broker without warning and brings it up again at the same address; only where the broker is ours. */
  readonly crash: (() => Promise<void>) | undefined;
  stop(): Promise<void>;
}

/** How to get a Kafka here, or why there is none. */
export type KafkaOrigin =
  | { readonly from: "CURBSTOP_TEST_KAFKA_BROKERS" | "container" | "jars"; start(): Promise<TestKafka> }
  | { readonly missing: string };

const VERSION = "4.1.0";
const IMAGE = process.env["CURBSTOP_TEST_KAFKA_IMAGE"] ?? "confluentinc/cp-kafka:8.1.0";

const run = promisify(execFile);

/**
 * Kafka for tests: the brokers that `CURBSTOP_TEST_KAFKA_BROKERS` names; else a container, where an engine is reachable
 * and has the image (`CURBSTOP_TEST_KAFKA_IMAGE`); else the jars of Kafka on Java 17, fetched at first use.
 * @throws Error under CI where there is none: nothing skips there
 */
export async function findKafka(): Promise<KafkaOrigin> {
  const brokers = process.env["CURBSTOP_TEST_KAFKA_BROKERS"];
  if (brokers !== undefined) {
    const external = { brokers: brokers.split(","), crash: undefined, stop: () => Promise.resolve() };
    return { from: "CURBSTOP_TEST_KAFKA_BROKERS", start: () => Promise.resolve(external) };
  }
  if (await imageIsHere()) return { from: "container", start: startContainer };
  const jars = join(packageRoot(), ".cache", "kafka", VERSION);
  const lacking = await lackingForJars(jars);
  if (lacking === undefined) return { from: "jars", start: () => startBroker(jars) };
  const missing = `no container engine with ${IMAGE}, and ${lacking}`;
  if (process.env["CI"] === "true") {
    throw new Error(`No Kafka for the tests (${missing}). Run tests/harness/install-kafka.sh first.`);
  }
  process.stderr.write(`\nSKIPPED: the tests on Kafka, since there is ${missing}.\n`);
  return { missing };
}

async function imageIsHere(): Promise<boolean> {
  try {
    const client = await getContainerRuntimeClient();
    return await client.image.exists(ImageName.fromString(IMAGE));
  } catch {
    return false;
  }
}

async function startContainer(): Promise<TestKafka> {
  // Its reaper is another image, which may not be here; the container is stopped below.
  process.env["TESTCONTAINERS_RYUK_DISABLED"] = "true";
  const container = await new KafkaContainer(IMAGE)
    .withKraft()
    .withEnvironment({ KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0", ...asVariables(FAST) })
    .start();
  return {
    brokers: [`${container.getHost()}:${container.getMappedPort(9093)}`],
    // A container that starts again gets another port.
    crash: undefined,
    stop: async () => {
      await container.stop();
    },
  };
}

/** Settings that let tests see in a second what takes minutes in production. */
const FAST = {
  "group.initial.rebalance.delay.ms": "0",
  "group.min.session.timeout.ms": "1000",
  "offsets.topic.num.partitions": "4",
  "log.roll.ms": "1000",
  "log.cleaner.backoff.ms": "200",
  "log.cleaner.min.cleanable.ratio": "0.01",
};

function asVariables(settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      `KAFKA_${name.replaceAll(".", "_").toUpperCase()}`,
      value,
    ]),
  );
}

/** What keeps the jars from running here; `undefined` where nothing does. */
async function lackingForJars(jars: string): Promise<string | undefined> {
  try {
    const { stderr } = await run("java", ["-version"]);
    const major = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
    if (major < 17) return `Java ${major} is older than 17`;
  } catch {
    return "no Java 17";
  }
  if (existsSync(jars)) return undefined;
  try {
    await run("bash", [join(packageRoot(), "tests", "harness", "install-kafka.sh"), "--jars"], {
      timeout: 240_000,
    });
    return undefined;
  } catch (error) {
    return `the jars of Kafka can't be fetched (${(error as Error).message.split("\n")[0]})`;
  }
}

/** One process, broker and controller, on the loopback address; it ends with this process in any case. */
async function startBroker(jars: string): Promise<TestKafka> {
  const folder = temporaryFolder("kafka");
  const [port, controllerPort] = [await freePort(), await freePort()];
  const settings = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": join(folder, "log"),
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    ...FAST,
  };
  mkdirSync(join(folder, "log"));
  const file = join(folder, "server.properties");
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  writeFileSync(file, lines.join("\n") + "\n");
  const java = [
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-cp",
    join(jars, "*"),
  ];
  const id = Buffer.from(randomUUID().replaceAll("-", ""), "hex").toString("base64url");
  await run("java", [...java, "kafka.tools.StorageTool", "format", `--cluster-id=${id}`, "-c", file], {
    timeout: 60_000,
  });
  const address = `127.0.0.1:${port}`;
  const answers = () => brokerAnswers(address);
  const server = await SupervisedServer.start({
    name: "Kafka for tests",
    command: "java",
    args: () => [...java, "kafka.Kafka", file],
    stopSignal: "SIGKILL",
    answers,
  });
  return {
    brokers: [address],
    async crash() {
      const before = server.pid;
      process.kill(before, "SIGKILL");
      const until = Date.now() + 60_000;
      while (server.pid === before || !(await answers())) {
        if (Date.now() > until) throw new Error("Kafka did not come up again within a minute");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function brokerAnswers(broker: string): Promise<boolean> {
  const { Kafka, logLevel } = kafkajs;
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
