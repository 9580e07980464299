import { chmodSync, copyFileSync, existsSync, linkSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { SteppedClock } from "../infra/clock.js";
import type { ClickHouse } from "../infra/clickhouse/client.js";
import { detectConfig } from "../schemas/detect-config.js";
import { startEngine, type Answers } from "./engine.js";
import { generateTown, LONG_COLUMNS, WIDE_PROFILE } from "./generate.js";
import { openPath } from "./path.js";
import { measured, type Cost } from "./processes.js";

export interface BenchOptions {
  readonly meters: number;
  readonly days: number;
  /** Each round runs both sides on both files; who begins changes from round to round. */
  readonly rounds: number;
  readonly json: boolean;
  readonly out: NodeJS.WritableStream;
  /** Where files and stores go; a folder of its own under the temporary folder, removed at the end, by default. */
  readonly folder?: string;
  readonly seed?: number;
  /** Ratio above which the bench fails. */
  readonly gate?: number;
}

export interface SideResult {
  /** Each round's figures, and their medians. */
  readonly rounds: readonly Cost[];
  readonly median: Cost;
  readonly cpuSecondsPerMillionReads: number | undefined;
}

export interface FileResult {
  readonly file: "long" | "wide";
  readonly bytes: number;
  readonly ours: SideResult;
  readonly engine: SideResult & { readonly parts: Readonly<Record<"load" | "flows" | "spikes", number>> };
  /** Our seconds over the engine's of the same round, and the median of these. */
  readonly ratios: readonly number[];
  readonly ratio: number;
  readonly readsPerSecond: number;
  readonly answers: { readonly flows: number; readonly spikes: number; readonly anomalyLitres: number };
  /** What the two sides did not agree on; empty where every round agreed. */
  readonly differences: readonly string[];
}

export interface BenchResult {
  readonly meters: number;
  readonly days: number;
  readonly reads: number;
  readonly seed: number;
  readonly gate: number;
  readonly processors: number;
  readonly node: string;
  readonly files: readonly FileResult[];
}

const LAYOUTS = ["long", "wide"] as const;
type Layout = (typeof LAYOUTS)[number];

/** The gate of the issue; the goal is 1.0. */
const GATE = 3;
/**
 * Before the clock starts, both sides take a town of this part of the meters: what is measured is a service that runs,
 * not code that is compiled and caches that are filled.
 */
const WARM_PART = 10;
const START = Date.UTC(2026, 0, 5) / 1000;
const DAY = 86_400;

/**
 * Measures the way of a file from the drop folder to the last checkpoint, as a ratio to ClickHouse alone loading the
 * same file and finding the same anomalies in SQL, in the same run.
 *
 * Exit code 1: the ratio of a file is above the gate, or the answers differ.
 */
export async function runBench(options: BenchOptions): Promise<BenchResult & { readonly exitCode: 0 | 1 }> {
  const { meters, days, rounds, json, out, seed = 1, gate = GATE } = options;
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "curbstop-bench-"));
  chmodSync(folder, 0o755);
  const say = (line: string) => {
    if (!json) out.write(line + "\n");
  };
  try {
    say(`Making ${meters.toLocaleString("en")} meters × ${days} days of hourly reads, seed ${seed} …`);
    const paths = { long: join(folder, "long.csv"), wide: join(folder, "wide.csv") };
    const reads = await generateTown({ meters, days, seed, start: START }, paths.long, paths.wide);
    const warmPaths = { long: join(folder, "warm-long.csv"), wide: join(folder, "warm-wide.csv") };
    const warmMeters = Math.ceil(meters / WARM_PART);
    await generateTown(
      { meters: warmMeters, days, seed: seed + 1, start: START },
      warmPaths.long,
      warmPaths.wide,
    );
    const files: FileResult[] = [];
    const taken = new Map<Layout, Round[]>(LAYOUTS.map((layout) => [layout, []]));
    for (let round = 0; round < rounds; round++) {
      for (const layout of LAYOUTS) {
        const at = { folder, layout, path: paths[layout], warmPath: warmPaths[layout], days };
        const first = round % 2 === 0 ? await engineRound(at) : undefined;
        const ours = await ourRound(at);
        const engine = first ?? (await engineRound(at));
        taken.get(layout)!.push({ ours, engine });
        say(
          `  round ${round + 1}/${rounds} ${layout}: Curbstop ${seconds(ours.cost.seconds)}, ` +
            `engine alone ${seconds(engine.cost.seconds)}, ratio ${(ours.cost.seconds / engine.cost.seconds).toFixed(2)}`,
        );
      }
    }
    for (const layout of LAYOUTS)
      files.push(summed(layout, statSync(paths[layout]).size, reads, taken.get(layout)!));
    const result: BenchResult = {
      meters,
      days,
      reads,
      seed,
      gate,
      processors: cpus().length,
      node: process.version,
      files,
    };
    const exitCode = files.some(({ ratio, differences }) => ratio > gate || differences.length > 0) ? 1 : 0;
    if (json) out.write(JSON.stringify({ ...result, exitCode }, null, 2) + "\n");
    else out.write(table(result));
    return { ...result, exitCode };
  } finally {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

interface Place {
  readonly folder: string;
  readonly layout: Layout;
  readonly path: string;
  readonly warmPath: string;
  readonly days: number;
}

interface Round {
  readonly ours: { readonly cost: Cost; readonly answers: Answers };
  readonly engine: {
    readonly cost: Cost;
    readonly answers: Answers;
    readonly parts: { load: number; flows: number; spikes: number };
  };
}

/** New stores, so that no round works on what a former one left. Starting and stopping them is not measured. */
async function ourRound({ folder, layout, path, warmPath, days }: Place): Promise<Round["ours"]> {
  const place = join(folder, `ours-${layout}`);
  rmSync(place, { recursive: true, force: true });
  const utility = {
    timeZone: "UTC",
    sources: {
      long: { columns: LONG_COLUMNS },
      wide: WIDE_PROFILE,
    },
  };
  const way = await openPath(
    place,
    [
      { id: "bench", ...utility },
      { id: "warm", ...utility },
    ],
    new SteppedClock((START + days * DAY) * 1000),
  );
  try {
    const copy = join(place, `town-${layout}.csv`);
    linkOrCopy(warmPath, copy);
    await way.take(copy, "warm", layout);
    linkOrCopy(path, copy);
    const { cost } = await measured(() => way.take(copy, "bench", layout));
    return { cost, answers: await ourAnswers(way.stores.clickhouse) };
  } finally {
    await way.close();
    rmSync(place, { recursive: true, force: true });
  }
}

/** A second name of the file, for the drop folder takes it away; a copy where links are not to be had. */
function linkOrCopy(path: string, copy: string): void {
  try {
    linkSync(path, copy);
  } catch {
    if (!existsSync(copy)) copyFileSync(path, copy);
  }
}

async function ourAnswers(clickhouse: ClickHouse): Promise<Answers> {
  const [totals] = await clickhouse.query<{ reads: string; volume: string }>(
    "SELECT count() AS reads, sum(ml) AS volume FROM curbstop.usage WHERE utility = 'bench'",
  );
  const anomalies = await clickhouse.query<{ rule: string; start: number; end: number; volume: string }>(
    `SELECT rule, toUnixTimestamp(start) AS start, toUnixTimestamp(end) AS end, volume
     FROM curbstop.anomalies FINAL WHERE state != 'withdrawn' AND utility = 'bench'`,
  );
  return {
    reads: Number(totals!.reads),
    volume: Number(totals!.volume),
    anomalies: anomalies.map((one) => ({ ...one, volume: Number(one.volume) })),
  };
}

async function engineRound({ folder, layout, path, warmPath }: Place): Promise<Round["engine"]> {
  const place = join(folder, "engine");
  rmSync(place, { recursive: true, force: true });
  const engine = await startEngine(place);
  const { continuousFlow, spike } = detectConfig.parse({});
  try {
    const flowRule = { ...continuousFlow, minLitres: continuousFlow.minRate / 1000 };
    const spikeRule = { ...spike, minLitres: spike.minVolume / 1000 };
    await engine.load(layout, warmPath);
    await engine.findFlows(flowRule);
    await engine.findSpikes(spikeRule);
    await engine.clear();
    const parts = { load: 0, flows: 0, spikes: 0 };
    const timed = async <T>(part: keyof typeof parts, work: () => Promise<T>): Promise<T> => {
      const from = performance.now();
      const value = await work();
      parts[part] = (performance.now() - from) / 1000;
      return value;
    };
    const { value: anomalies, cost } = await measured(async () => {
      await timed("load", () => engine.load(layout, path));
      const flows = await timed("flows", () => engine.findFlows(flowRule));
      const spikes = await timed("spikes", () => engine.findSpikes(spikeRule));
      return [...flows, ...spikes];
    });
    return { cost, parts, answers: { ...(await engine.totals()), anomalies } };
  } finally {
    await engine.stop();
    rmSync(place, { recursive: true, force: true });
  }
}

function summed(file: Layout, bytes: number, reads: number, rounds: readonly Round[]): FileResult {
  const side = (costs: readonly Cost[]): SideResult => {
    const middle = (of: (cost: Cost) => number | undefined) => {
      const values = costs.map(of).filter((value) => value !== undefined);
      return values.length === 0 ? undefined : median(values);
    };
    const cpuSeconds = middle((cost) => cost.cpuSeconds);
    return {
      rounds: costs,
      median: {
        seconds: median(costs.map(({ seconds }) => seconds)),
        cpuSeconds,
        processMb: middle((cost) => cost.processMb),
        serversMb: middle((cost) => cost.serversMb),
      },
      cpuSecondsPerMillionReads: cpuSeconds === undefined ? undefined : (cpuSeconds / reads) * 1e6,
    };
  };
  const ours = side(rounds.map((round) => round.ours.cost));
  const ratios = rounds.map((round) => round.ours.cost.seconds / round.engine.cost.seconds);
  const { anomalies } = rounds[0]!.engine.answers;
  const of = (rule: string) => anomalies.filter((answer) => answer.rule === rule).length;
  const part = (name: "load" | "flows" | "spikes") => median(rounds.map(({ engine }) => engine.parts[name]));
  return {
    file,
    bytes,
    ours,
    engine: {
      ...side(rounds.map((round) => round.engine.cost)),
      parts: { load: part("load"), flows: part("flows"), spikes: part("spikes") },
    },
    ratios,
    ratio: median(ratios),
    readsPerSecond: reads / ours.median.seconds,
    answers: {
      flows: of("continuous-flow"),
      spikes: of("spike"),
      anomalyLitres: anomalies.reduce((sum, { volume }) => sum + volume, 0) / 1000,
    },
    differences: rounds.flatMap(({ ours: { answers }, engine }, i) =>
      differencesOf(answers, engine.answers).map((line) => `round ${i + 1}: ${line}`),
    ),
  };
}

/** What two sides don't agree on, in words; anomalies are compared one by one. */
export function differencesOf(ours: Answers, engine: Answers): string[] {
  const differences: string[] = [];
  for (const what of ["reads", "volume"] as const) {
    if (ours[what] !== engine[what])
      differences.push(`${what}: Curbstop ${ours[what]}, engine ${engine[what]}`);
  }
  const left = new Map<string, number>();
  const name = ({ rule, start, end, volume }: Answers["anomalies"][number]) =>
    `${rule} from ${instant(start)} to ${instant(end)}, ${volume} mL`;
  for (const answer of engine.anomalies) left.set(name(answer), (left.get(name(answer)) ?? 0) + 1);
  for (const answer of ours.anomalies) {
    const count = left.get(name(answer)) ?? 0;
    if (count === 0) differences.push(`only Curbstop: ${name(answer)}`);
    else left.set(name(answer), count - 1);
  }
  for (const [line, count] of left) for (let i = 0; i < count; i++) differences.push(`only engine: ${line}`);
  return differences;
}

function instant(second: number): string {
  return new Date(second * 1000).toISOString().slice(0, 16);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function table({ reads, processors, node, gate, files }: BenchResult): string {
  const lines = [
    "",
    `${reads.toLocaleString("en")} reads, medians, ${processors} processors, Node ${node}; fsync on everywhere`,
    "",
    "file   side          seconds   CPU s   CPU s/M reads   process MB   servers MB",
  ];
  const column = (value: number | undefined, digits: number, width: number) =>
    (value === undefined ? "–" : value.toFixed(digits)).padStart(width);
  for (const { file, ours, engine } of files) {
    for (const [side, { median: cost, cpuSecondsPerMillionReads }] of [
      ["Curbstop", ours],
      ["engine alone", engine],
    ] as const) {
      lines.push(
        file.padEnd(7) +
          side.padEnd(12) +
          column(cost.seconds, 2, 9) +
          column(cost.cpuSeconds, 2, 8) +
          column(cpuSecondsPerMillionReads, 2, 16) +
          column(cost.processMb, 0, 13) +
          column(cost.serversMb, 0, 13),
      );
    }
  }
  lines.push("");
  for (const { file, ratio, ratios, readsPerSecond, answers, differences, engine } of files) {
    const { load, flows, spikes } = engine.parts;
    lines.push(
      `${file}: ratio ${ratio.toFixed(2)} (${ratios.map((one) => one.toFixed(2)).join(" ")}), gate ${gate.toFixed(1)}, goal 1.0; ` +
        `${Math.round(readsPerSecond).toLocaleString("en")} reads/s; engine: load ${seconds(load)}, flows ${seconds(flows)}, spikes ${seconds(spikes)}`,
      `  answers ${differences.length === 0 ? "agree" : "DIFFER"}: ${answers.flows} continuous flows, ${answers.spikes} spikes, ` +
        `${answers.anomalyLitres.toFixed(1)} L in them`,
      ...differences.slice(0, 20).map((line) => `    ${line}`),
      ...(differences.length > 20 ? [`    … and ${differences.length - 20} more`] : []),
    );
    if (ratio > gate) lines.push(`  ABOVE THE GATE of ${gate.toFixed(1)}`);
  }
  return lines.join("\n") + "\n";
}
