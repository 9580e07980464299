/**
 * Measures what large and strange inputs cost, each in a process of its own, and prints tables: `npm run bench:sizes`.
 * Ends with 1 where a file does not come out as it should.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createDetectBeside } from "../../detect/thread.js";
import { SteppedClock } from "../../infra/clock.js";
import { parseConfig } from "../../infra/config/load-config.js";
import { createLogger } from "../../infra/logger.js";
import { openStores, stageContext } from "../../infra/stores.js";
import { createIngest } from "../../ingest/index.js";
import { readInChild, sourceOf, type ReadingCost } from "./in-child.js";
import { FORMAT_FILES, START } from "./town.js";
import { writeText } from "./write-text.js";

const LONG = FORMAT_FILES[0]!;
const HEADER = "meter,time,litres,flag\n";
const NOW = Date.UTC(2026, 5, 1);
/** Part of the meters that are measured otherwise: for a test that all of it works. */
const SCALE = Number(process.env["CURBSTOP_BENCH_SCALE"] ?? 1);
/** A file ten times as large may need so many times the memory. */
const MOST_GROWTH = 1.1;

const say = (...cells: readonly (string | number)[]) =>
  process.stdout.write(
    `| ${cells.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en") : cell)).join(" | ")} |\n`,
  );
const mb = (bytes: number) => (bytes / 1e6).toFixed(0);

function expectReads(what: string, { reads, refused }: ReadingCost, expected: number): void {
  if (reads === expected) return;
  process.stderr.write(`${what}: ${reads} reads instead of ${expected} ${refused ?? ""}\n`);
  process.exitCode = 1;
}

const stamps = (hours: number) =>
  Array.from({ length: hours }, (_, hour) =>
    new Date((START + hour * 3600) * 1000).toISOString().slice(0, 16).replace("T", " "),
  );

/** A file of hours of meters, one meter after the other or one hour after the other. */
function* hoursOf(meters: number, hours: number, order: "meter" | "time"): Iterable<string> {
  yield HEADER;
  const times = stamps(hours);
  const row = (meter: number, hour: number) =>
    `W${1_000_000 + meter},${times[hour]!},${(meter * 7 + hour * 13) % 97}.5,\n`;
  const [outer, inner] = order === "meter" ? [meters, hours] : [hours, meters];
  for (let i = 0; i < outer; i++) {
    let piece = "";
    for (let j = 0; j < inner; j++) piece += order === "meter" ? row(i, j) : row(j, i);
    yield piece;
  }
}

/** Enough for 20,000 meters, however long the file. */
const HEAP_MB = 128;

/** Files of the same meters, each ten times as large as the one before, up to 50 million rows, read in the same room. */
async function growing(folder: string): Promise<void> {
  say("rows", "order", "MB", "s", "MB/s", "peak MB", "over the smaller files");
  const meters = 20_000 * SCALE;
  for (const order of ["meter", "time"] as const) {
    let largest = 0;
    for (const hours of order === "meter" ? [25, 250, 2_500] : [250, 2_500]) {
      const path = join(folder, "growing");
      await writeText(path, hoursOf(meters, hours, order));
      const bytes = statSync(path).size;
      const cost = await readInChild({
        path,
        bytes,
        source: sourceOf(LONG),
        rounds: 1,
        heapMb: HEAP_MB,
      });
      expectReads(`${meters * hours} rows`, cost, meters * hours);
      const [seconds] = cost.seconds;
      const over = largest === 0 ? 0 : cost.peakMb / largest;
      largest = Math.max(largest, cost.peakMb);
      if (over > MOST_GROWTH && SCALE === 1) process.exitCode = 1;
      say(
        meters * hours,
        `by ${order}`,
        mb(bytes),
        seconds!.toFixed(1),
        mb(bytes / seconds!),
        cost.peakMb.toFixed(0),
        over === 0 ? "" : over.toFixed(2),
      );
    }
  }
}

/** A sound file of each format, a line of 100 MB in the middle of it. */
async function longLines(folder: string): Promise<void> {
  say("format", "s", "peak MB", "rows taken", "rows rejected", "the file");
  for (const file of FORMAT_FILES) {
    const town = { meters: 2, days: 2 };
    const [head, first, second, foot] = [...file.text(town)];
    const path = join(folder, "line");
    await writeText(path, line100(head! + first!, second! + foot!));
    const bytes = statSync(path).size;
    const { seconds, peakMb, rows, rejected, refused } = await readInChild({
      path,
      bytes,
      source: sourceOf(file),
      rounds: 1,
    });
    say(file.name, seconds[0]!.toFixed(1), peakMb.toFixed(0), rows, rejected, refused ?? "is taken");
  }
}

function* line100(before: string, after: string): Iterable<string> {
  yield before;
  const piece = "x".repeat(1_000_000);
  for (let i = 0; i < 100; i++) yield piece;
  yield "\n" + after;
}

/** A million meters that nobody knew. */
async function unknownMeters(folder: string): Promise<void> {
  say("a million unknown meters", "s", "peak MB");
  const path = join(folder, "meters");
  const meters = 1_000_000 * SCALE;
  await writeText(path, hoursOf(meters, 1, "meter"));
  const bytes = statSync(path).size;
  const cost = await readInChild({ path, bytes, source: sourceOf(LONG), rounds: 1 });
  expectReads("a million meters", cost, meters);
  say("read alone", cost.seconds[0]!.toFixed(1), cost.peakMb.toFixed(0));
  for (const stages of ["ingest", "ingest and detect"] as const) {
    await writeText(path, hoursOf(meters, 1, "meter"));
    const { seconds, peakMb } = await wholeInChild({ kind: "file", path, stages, folder });
    say(`${stages}, with stores`, seconds.toFixed(1), peakMb.toFixed(0));
  }
}

/** Many small files in one folder, and one in another meanwhile. */
async function smallFiles(folder: string): Promise<void> {
  say(
    "small files in the folder",
    "taken in 30 s",
    "peak MB",
    "s until a file of another source is archived",
  );
  for (const files of [1_000, 10_000, 100_000]) {
    const { taken, peakMb, other } = await wholeInChild({ kind: "small", files, folder });
    say(files, taken, peakMb.toFixed(0), other.toFixed(1));
  }
}

/** A hundred thousand of them to the last, which takes a quarter of an hour: how many in each minute of it. */
async function smallFilesToTheEnd(folder: string): Promise<void> {
  const { seconds, peakMb } = await wholeInChild({ kind: "small", files: 100_000, folder, toTheEnd: true });
  say("small files", "s until the last is archived", "peak MB");
  say(100_000, seconds.toFixed(0), peakMb.toFixed(0));
}

/** Crosswalks of new meters, then the same rows once more, as a nightly export sends them. */
async function crosswalks(folder: string): Promise<void> {
  say("rows of a crosswalk", "s", "s, once more", "peak MB");
  for (const meters of [20_000 * SCALE, 200_000 * SCALE]) {
    const { seconds, other, peakMb } = await wholeInChild({ kind: "crosswalk", meters, folder });
    say(meters, seconds.toFixed(1), other.toFixed(1), peakMb.toFixed(0));
  }
}

/** @param end makes it another file */
function* crosswalkOf(meters: number, end: string): Iterable<string> {
  yield "meter_id,account_id,location_id,name,address,zip,email,phone,move_in,class\n";
  for (let i = 0; i < meters; i++)
    yield `W${i},A${i},L${i},Bench Person ${i},${i} Main St,90210,p${i}@bench.example,555-${i},2024-01-01,single-family\n`;
  yield end;
}

type Whole =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly stages: "ingest" | "ingest and detect";
      readonly folder: string;
    }
  | { readonly kind: "small"; readonly files: number; readonly folder: string; readonly toTheEnd?: true }
  | { readonly kind: "crosswalk"; readonly meters: number; readonly folder: string };
interface WholeCost {
  readonly seconds: number;
  readonly peakMb: number;
  readonly taken: number;
  readonly other: number;
}

async function wholeInChild(work: Whole): Promise<WholeCost> {
  const child = fork(new URL(import.meta.url), ["--whole"], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  child.send(work);
  const exit = once(child, "exit").then(([code]) => {
    throw new Error(`The process with the stores ended with ${String(code)}.`);
  });
  const [cost] = (await Promise.race([once(child, "message"), exit])) as [WholeCost];
  await exit.catch(() => undefined);
  return cost;
}

/** Ingest, or both stages, on stores of their own. */
async function whole(work: Whole): Promise<WholeCost> {
  const folder = mkdtempSync(join(work.folder, "whole-"));
  chmodSync(folder, 0o755);
  const drop = (source: string) => join(folder, "drop", source);
  const { profile } = sourceOf(LONG);
  const sources = ["a", "b"].map((id) => ({
    id,
    folder: drop(id),
    format: "csv" as const,
    complete: { by: "stability" as const, seconds: 0 },
    profile,
  }));
  const customers = {
    id: "c",
    folder: drop("c"),
    format: "crosswalk" as const,
    complete: sources[0]!.complete,
  };
  const mail = { from: "a@bench.example", postalAddress: "1 Bench Road", privacy: "p@bench.example" };
  const all = [...sources, customers];
  const utility = { id: "bench", name: "Bench", timeZone: "UTC", mail, sources: all };
  const settings = parseConfig(
    JSON.stringify({ dataDirectory: join(folder, "data"), web: { port: 0 }, utilities: [utility] }),
    join(folder, "curbstop.yaml"),
    {},
  );
  const logger = createLogger({ level: "silent" });
  const stores = await openStores(settings, { logger });
  const context = stageContext(stores, settings, new SteppedClock(NOW), logger);
  const ingest = createIngest(context);
  const detect =
    work.kind === "file" && work.stages !== "ingest"
      ? createDetectBeside(context, stores, "silent")
      : undefined;
  for (const { folder: each } of all) mkdirSync(each, { recursive: true });
  try {
    await detect?.start();
    if (work.kind === "small") {
      for (let i = 0; i < work.files; i++)
        writeFileSync(join(drop("a"), `small ${i}.csv`), `${HEADER}W${i},2026-01-05 00:00,1,\n`);
      await ingest.start();
      return await (work.toTheEnd === true ? untilTaken(work.files) : whileTaken(work.files));
    }
    await ingest.start();
    if (work.kind === "crosswalk") {
      const seconds = await takenCrosswalk(work.meters, "");
      const other = await takenCrosswalk(work.meters, "\n");
      return { seconds, other, peakMb: peakMb(), taken: 2 };
    }
    const from = performance.now();
    renameSync(work.path, join(drop("a"), "meters.csv"));
    await ingest.drain();
    await detect?.drain();
    const seconds = (performance.now() - from) / 1000;
    return { seconds, peakMb: peakMb(), taken: 1, other: 0 };
  } finally {
    await ingest.stop();
    await detect?.stop();
    await stores.close();
  }

  async function takenCrosswalk(meters: number, end: string): Promise<number> {
    const path = join(folder, "crosswalk");
    await writeText(path, crosswalkOf(meters, end));
    const from = performance.now();
    renameSync(path, join(drop("c"), "crosswalk.csv"));
    await ingest.drain();
    const seconds = (performance.now() - from) / 1000;
    const [row] = await stores.database.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM occupancies JOIN premise_meters USING (premise_id)",
    );
    if (row!.n !== meters) process.exitCode = 1;
    return seconds;
  }

  async function archived(source: string): Promise<number> {
    const [row] = await stores.database.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM files WHERE source = $1 AND announced",
      [source],
    );
    return row!.n;
  }

  async function untilTaken(files: number): Promise<WholeCost> {
    const from = performance.now();
    const seconds = () => (performance.now() - from) / 1000;
    say("minute", "taken in it");
    let taken = 0;
    for (let minute = 1; taken < files; minute++) {
      const before = taken;
      while (taken < files && seconds() < 60 * minute) {
        await sleep(1000);
        taken = await archived("a");
      }
      say(minute, taken - before);
    }
    const [row] = await stores.database.query<{ n: number }>(
      "SELECT count(DISTINCT sha256)::int AS n FROM files WHERE source = 'a' AND reads = 1 AND rejected = 0",
    );
    if (row!.n !== files || (await readdir(drop("a"))).length > 0) process.exitCode = 1;
    return { seconds: seconds(), peakMb: peakMb(), taken, other: 0 };
  }

  async function whileTaken(files: number): Promise<WholeCost> {
    const from = performance.now();
    const seconds = () => (performance.now() - from) / 1000;
    let other = NaN;
    let dropped = NaN;
    while (seconds() < 30) {
      await sleep(100);
      if (Number.isNaN(dropped) && seconds() > 5) {
        dropped = seconds();
        writeFileSync(join(drop("b"), "one.part"), `${HEADER}OTHER,2026-01-05 00:00,1,\n`);
        renameSync(join(drop("b"), "one.part"), join(drop("b"), "one.csv"));
      }
      if (Number.isNaN(other) && !Number.isNaN(dropped) && (await archived("b")) === 1)
        other = seconds() - dropped;
    }
    const taken = await archived("a");
    const left = (await readdir(drop("a"))).length;
    if (taken + left > files || Number.isNaN(other)) process.exitCode = 1;
    return { seconds: 30, peakMb: peakMb(), taken, other };
  }
}

function peakMb(): number {
  return process.resourceUsage().maxRSS / 1000;
}

const PARTS = { growing, longLines, unknownMeters, crosswalks, smallFiles };
/** Run where they are named alone. */
const LONG_PARTS = { smallFilesToTheEnd };

if (process.argv[2] === "--whole") {
  process.once("message", (work: Whole) => {
    void whole(work).then((cost) => process.send!(cost, () => process.disconnect()));
  });
} else {
  const folder = mkdtempSync(join(tmpdir(), "curbstop-sizes-"));
  chmodSync(folder, 0o755);
  try {
    const wanted = process.argv.slice(2);
    const named = Object.entries({ ...PARTS, ...LONG_PARTS }).filter(([name]) => wanted.includes(name));
    for (const [, part] of wanted.length > 0 ? named : Object.entries(PARTS)) {
      await part(folder);
      process.stdout.write("\n");
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
