/**
 * Measures the detector alone on one core, from the bytes of blocks in memory to rows and states as bytes:
 * `npm run bench:detector`. Ends with 1 where it does not take every read.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "simple-statistics";
import { BlockReader } from "../detect/block-reader.js";
import { environmentFor } from "../detect/index.js";
import { inCold, type MeterEnvironment } from "../detect/meter-environment.js";
import { MeterState } from "../detect/meter-state.js";
import { RowBuffer } from "../detect/rows.js";
import { encodeRows } from "../detect/state-codec.js";
import { parseConfig } from "../infra/config/load-config.js";
import { parseMessage } from "../infra/log/parse-message.js";
import { nameMeter } from "../ingest/block-text.js";
import { reading } from "../ingest/reading.js";
import { RULE_FACTS, RULES, type RuleName } from "../schemas/anomalies.js";
import type { UtilityConfig } from "../schemas/config.js";
import { detectConfig } from "../schemas/detect-config.js";
import { readsMessage } from "../schemas/reads.js";
import type { ColdSpell } from "../schemas/temperatures.js";
import { generateTown, splitByDay, WIDE_PROFILE } from "./generate.js";
import { pathConfig } from "./path.js";

const HELP = `npm run bench:detector -- [options]

  --meters N   meters of the town (default 5000)
  --days N     days of hourly reads of each (default 42)
  --rules A,B  rules that are judged, alone; by default four sets, one after the other
  --daily      a day of all meters after the other, as a utility delivers them; else the whole file sorted by meter
  --rounds N   rounds of each set, of which the median counts (default 3)
`;
const START = Date.UTC(2026, 0, 5) / 1000;
/** Blocks that are judged before rows and states become bytes. */
const A_CHECKPOINT = 1000;

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    meters: { type: "string", default: "5000" },
    days: { type: "string", default: "42" },
    rules: { type: "string" },
    daily: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
  },
});
if (values.help) process.stdout.write(HELP);
else await main(Number(values.meters), Number(values.days), Number(values.rounds), values.daily);

async function main(meters: number, days: number, rounds: number, daily: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "curbstop-detector-"));
  const blocks: Buffer[] = [];
  let reads = 0;
  try {
    const town = join(folder, "town.csv");
    await generateTown({ meters, days, seed: 1, start: START }, join(folder, "long.csv"), town);
    for (const path of daily ? splitByDay(town, days) : [town]) reads += await readBlocks(path, blocks);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const sets: (readonly RuleName[])[] =
    values.rules === undefined
      ? [
          ["continuous-flow", "spike"],
          detectConfig.parse({}).rules,
          RULES.filter((rule) => RULE_FACTS[rule].source === undefined),
          RULES,
        ]
      : [values.rules.split(",") as RuleName[]];
  process.stdout.write(
    `${reads.toLocaleString("en")} reads of ${meters.toLocaleString("en")} meters in ${blocks.length.toLocaleString("en")} blocks, ` +
      `medians of ${rounds} rounds, one thread\n`,
  );
  for (const rules of sets) {
    const environment = inCold(environmentFor(utilityOf(rules), new Map()), frosts(days));
    const all = Array.from({ length: rounds }, () => judge(blocks, environment));
    const seconds = median(all.map((one) => one.seconds));
    const { accepted, bytes, largest, anomalies } = all[0]!;
    process.stdout.write(
      `${rules.join(", ")}: ${seconds.toFixed(2)} s, ${(reads / seconds / 1e6).toFixed(2)} million reads/s, ` +
        `state ${Math.round(bytes / meters).toLocaleString("en")} bytes a meter, at most ${largest.toLocaleString("en")}, ` +
        `${anomalies} messages\n`,
    );
    if (accepted !== reads) {
      process.stderr.write(`${accepted} of ${reads} reads were accepted.\n`);
      process.exitCode = 1;
    }
  }
}

/** Reads a wide file as ingest does, into the texts of blocks; meters get keys of their ids. */
async function readBlocks(path: string, into: Buffer[]): Promise<number> {
  const source = utilityOf().sources[0]!;
  const bytes = statSync(path).size;
  const now = Date.UTC(2027, 0, 1) / 1000;
  const portions = reading({
    path,
    bytes,
    source,
    checks: {},
    file: 1,
    utility: "bench",
    timeZone: "UTC",
    now,
    name: "town.csv",
    lateUntil: -Infinity,
  });
  for (;;) {
    const { done, value } = await portions.next();
    if (done === true) return value.reads;
    const { text, ends, keysAt, registers, registerOf } = value;
    const all = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    let from = 0;
    for (let i = 0; i < ends.length; i++) {
      const { meterId } = registers[registerOf[i]!]!;
      nameMeter(all, keysAt[i]!, createHash("sha256").update(meterId).digest("hex").slice(0, 16), 0);
      into.push(all.subarray(from, ends[i]));
      from = ends[i]!;
    }
  }
}

function utilityOf(rules: readonly RuleName[] = RULES): UtilityConfig {
  const path = { id: "bench", timeZone: "America/New_York", sources: { ami: WIDE_PROFILE } };
  const { config } = parseConfig(JSON.stringify(pathConfig(".", [path])), "curbstop.yaml", {});
  const [utility] = config.utilities;
  // A risk of frost is judged without the source of temperatures that a configuration must have.
  return { ...utility!, detect: { ...utility!.detect, rules: [...rules] } };
}

/** Seven hours of frost in each night. */
function frosts(days: number): ColdSpell[] {
  return Array.from({ length: days }, (_, day) => {
    const from = START + day * 86_400 + 23 * 3600;
    return { from, until: from + 7 * 3600 };
  });
}

interface Judged {
  readonly seconds: number;
  readonly accepted: number;
  readonly anomalies: number;
  /** Of all states at the end, and the largest. */
  readonly bytes: number;
  readonly largest: number;
}

/** What the detector's thread does with the blocks of a partition, but for the stores. */
function judge(blocks: readonly Buffer[], environment: MeterEnvironment): Judged {
  const states = new Map<string, MeterState>();
  const reader = new BlockReader();
  const rows = new RowBuffer();
  const counts = { accepted: 0, superseded: 0, missing: 0 };
  let anomalies = 0;
  const before = process.cpuUsage();
  for (let first = 0; first < blocks.length; first += A_CHECKPOINT) {
    const judged = new Set<MeterState>();
    const until = Math.min(blocks.length, first + A_CHECKPOINT);
    for (let i = first; i < until; i++) {
      const value = blocks[i]!;
      const block =
        reader.read(value) ??
        reader.learn(
          parseMessage(readsMessage, value, { topic: "reads", partition: 0, records: [] }, i),
          value,
        );
      let state = states.get(block.meter);
      if (state === undefined) states.set(block.meter, (state = new MeterState(block.utility, block.meter)));
      rows.version(1, i);
      anomalies += state.apply(block, environment, rows, counts).length;
      state.trim(environment);
      judged.add(state);
    }
    encodeRows(judged, 16_384);
    rows.takeFirst();
    rows.take();
  }
  const { user, system } = process.cpuUsage(before);
  let bytes = 0;
  let largest = 0;
  for (const { states: placed } of encodeRows(states.values(), 16_384))
    for (const one of placed) {
      bytes += one.bytes;
      if (one.bytes > largest) largest = one.bytes;
    }
  return { seconds: (user + system) / 1e6, accepted: counts.accepted, anomalies, bytes, largest };
}
