import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { median } from "simple-statistics";
import { parseConfig } from "../infra/config/load-config.js";
import { createLogger } from "../infra/logger.js";
import { openStores } from "../infra/stores.js";
import { generateTown, LONG_COLUMNS } from "./generate.js";
import { pathConfig } from "./path.js";
import { endStage, hasEnded, startStage } from "./stages.js";

/*
 * The log in PostgreSQL against Kafka: the long file of a town through processes of their own, `curbstop ingest` and
 * `curbstop detect`, on stores that are the same but for the log. Both sides stand side by side and take turns, a new
 * utility each round; the ratio is the median of the rounds' ratios. Ends with 1 where Kafka needs more than GATE times as long.
 */
const GATE = 1.5;
const METERS = 10_000;
const DAYS = 21;
const START = Date.UTC(2026, 0, 5) / 1000;
const POLL_MS = 10;
const PATIENCE_MS = 120_000;

interface Side {
  /** Seconds until every read of the file is in ClickHouse. */
  take(file: string, utility: string, reads: number): Promise<number>;
  close(): Promise<void>;
}

async function openSide(folder: string, utilities: readonly string[], brokers?: string): Promise<Side> {
  mkdirSync(folder, { recursive: true });
  const config = pathConfig(
    folder,
    utilities.map((id) => ({ id, timeZone: "UTC", sources: { ami: { columns: LONG_COLUMNS } } })),
  );
  const file = join(folder, "curbstop.yaml");
  const text = JSON.stringify(config);
  writeFileSync(file, text);
  const environment = brokers === undefined ? {} : { CURBSTOP_KAFKA_BROKERS: brokers };
  // The servers live in this process, the stages share them.
  const stores = await openStores(parseConfig(text, file, environment), {
    logger: createLogger({ level: "silent" }),
  });
  const children = ["ingest", "detect"].map((stage) => startStage(stage, file, environment));
  const stored = async (utility: string) => {
    const [row] = await stores.clickhouse.query<{ n: string }>(
      `SELECT count() AS n FROM curbstop.intervals WHERE utility = '${utility}'`,
    );
    return Number(row!.n);
  };
  return {
    async take(path, utility, reads) {
      const drop = join(folder, "drop", utility, "ami");
      mkdirSync(drop, { recursive: true });
      const from = performance.now();
      renameSync(path, join(drop, basename(path)));
      while ((await stored(utility)) < reads) {
        if (performance.now() - from > PATIENCE_MS)
          throw new Error(`${utility}: ${await stored(utility)} of ${reads} reads after two minutes`);
        const ended = children.find(hasEnded);
        if (ended !== undefined)
          throw new Error(`A stage ended with ${String(ended.exitCode ?? ended.signalCode)}.`);
        await sleep(POLL_MS);
      }
      return (performance.now() - from) / 1000;
    },
    async close() {
      await Promise.all(children.map(endStage));
      await stores.close();
    },
  };
}

const { values } = parseArgs({
  options: { brokers: { type: "string" }, rounds: { type: "string", default: "3" } },
});
if (values.brokers === undefined) {
  process.stderr.write("Name a Kafka that holds no topics of Curbstop: --brokers HOST:PORT\n");
  process.exit(2);
}
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), "curbstop-bench-log-"));
chmodSync(folder, 0o755);
try {
  const utilities = ["warm", ...Array.from({ length: rounds }, (_, round) => `town-${round + 1}`)];
  const embedded = await openSide(join(folder, "embedded"), utilities);
  const kafka = await openSide(join(folder, "kafka"), utilities, values.brokers);
  const ratios: number[] = [];
  try {
    for (const [round, utility] of utilities.entries()) {
      const warm = round === 0;
      const town = { meters: warm ? METERS / 10 : METERS, days: DAYS, seed: round, start: START };
      const path = join(folder, `${utility}.csv`);
      const reads = await generateTown(town, path, join(folder, "wide.csv"));
      const seconds = [0, 0];
      for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const own = join(folder, `${utility}-${side}.csv`);
        copyFileSync(path, own);
        seconds[side] = await (side === 0 ? embedded : kafka).take(own, utility, reads);
      }
      rmSync(path);
      if (warm) continue;
      ratios.push(seconds[1]! / seconds[0]!);
      process.stdout.write(
        `${utility}: embedded ${seconds[0]!.toFixed(2)} s, Kafka ${seconds[1]!.toFixed(2)} s, ratio ${ratios.at(-1)!.toFixed(2)}\n`,
      );
    }
  } finally {
    await embedded.close();
    await kafka.close();
  }
  const ratio = median(ratios);
  process.stdout.write(`ratio ${ratio.toFixed(2)}, gate ${GATE}\n`);
  if (ratio > GATE) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
