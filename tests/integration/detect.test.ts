import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ClickHouseError } from "@clickhouse/client";
import { claimPartition, Fenced, saveCheckpoint } from "../../detect/checkpoint.js";
import { createDetect } from "../../detect/index.js";
import type { ClickHouse } from "../../infra/clickhouse/client.js";
import { partitionOf } from "../../infra/log/log.js";
import { AnotherLog } from "../../infra/log/offset-store.js";
import type { Stage } from "../../infra/stage.js";
import { anomalyMessage, type AnomalyMessage, type RuleName } from "../../schemas/anomalies.js";
import type { ReadsBlock } from "../../schemas/reads.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";
import { startStores, type TestStores } from "../harness/stores.js";
import { blockOf, type TestRead } from "../unit/detect/model.js";

const HOUR = 3600;
const START = Date.UTC(2026, 0, 1) / 1000;

let test: TestStores;
beforeEach(async () => {
  test = await startStores("detect");
});
afterEach(() => test.close());

function detect(clickhouse: ClickHouse = test.stores.clickhouse): Promise<Stage> {
  return test.start(createDetect({ ...test.context(), clickhouse }));
}

/** Runs the stage over all that lies in the log. */
async function drained(): Promise<void> {
  const stage = await detect();
  await stage.drain();
  await stage.stop();
}

async function publish(...blocks: readonly ReadsBlock[]): Promise<void> {
  const producer = await test.stores.log.producer();
  for (const block of blocks) {
    const record = { key: block.meter, value: Buffer.from(JSON.stringify(block)) };
    const partition = partitionOf(block.meter, METER_PARTITIONS);
    await producer.append([{ topic: "reads", partition, records: [record] }]);
  }
  await producer.close();
}

async function publishSetting(meter: string, continuousFlowRate: number): Promise<void> {
  const producer = await test.stores.log.producer();
  const message = { v: 1, utility: "oakvale", meter, settings: [{ from: 0, continuousFlowRate }] };
  const records = [{ key: meter, value: Buffer.from(JSON.stringify(message)) }];
  await producer.append([{ topic: "meters", partition: partitionOf(meter, METER_PARTITIONS), records }]);
  await producer.close();
}

/** Hours of usage: 8 L in each of the leak's, otherwise 20 L in every third. */
function hours(first: number, count: number, leak: readonly [number, number] = [0, 0]): TestRead[] {
  return Array.from({ length: count }, (_, i) => {
    const hour = first + i;
    const leaks = hour >= leak[0] && hour < leak[1];
    return { time: START + hour * HOUR, ml: leaks ? 8000 : hour % 3 === 0 ? 20_000 : 0 };
  });
}

/** The same as a register that stands at the sum of what passed before. */
function registers(first: number, count: number, leak: readonly [number, number]): TestRead[] {
  let sum = 1_000_000;
  return hours(0, first + count, leak)
    .map(({ time, ml }) => {
      const at = { time, ml: sum };
      sum += ml!;
      return at;
    })
    .slice(first);
}

function daily(
  meter: string,
  reads: readonly TestRead[],
  of: Parameters<typeof blockOf>[1] = {},
): ReadsBlock[] {
  const blocks: ReadsBlock[] = [];
  for (let at = 0; at < reads.length; at += 24) {
    const line = (of.line ?? 1) + at;
    blocks.push({ ...blockOf(reads.slice(at, at + 24), { ...of, line }), meter });
  }
  return blocks;
}

/** What analysts see of a meter. */
async function seen(meter: string) {
  const { clickhouse } = test.stores;
  const key = BigInt(`0x${meter}`).toString();
  const query = (sql: string) => clickhouse.query(sql, { meter: key });
  return {
    usage: await query(
      "SELECT toUnixTimestamp(start) AS at, length, ml, flags, origin, delivered, unit, file, line FROM curbstop.usage WHERE meter = {meter:UInt64} ORDER BY start, channel",
    ),
    reads: await query(
      "SELECT toUnixTimestamp(at) AS instant, ml, flags, file, line FROM curbstop.reads_current WHERE meter = {meter:UInt64} ORDER BY at, channel",
    ),
    anomalies: await query(
      `SELECT rule, toUnixTimestamp(start) AS since, toUnixTimestamp(end) AS until, litres, litres_per_hour, state = 'closed' AS closed
       FROM curbstop.anomalies_current WHERE meter = {meter:UInt64} ORDER BY start, rule`,
    ),
  };
}

const leakOf = (first: number, end: number, closed: 0 | 1) =>
  expect.objectContaining({
    rule: "continuous-flow",
    since: START + first * HOUR,
    until: START + end * HOUR,
    closed,
  });

it("shares its work with a second stage that joins, and takes all of it over when that one ends", async () => {
  const meters = Array.from({ length: 40 }, (_, i) =>
    (BigInt(i + 1) * 0x0666_6666_6666_6661n).toString(16).padStart(16, "0"),
  );
  const reads = hours(0, 24 * 24, [100, 200]);
  // Six days at a time, of every meter.
  const part = (from: number) =>
    meters.flatMap((meter) =>
      daily(meter, reads.slice(from * 144, from * 144 + 144), { line: 1 + from * 144 }),
    );
  const judged = async ({ metrics }: ReturnType<TestStores["context"]>) =>
    Number(/curbstop_detector_reads_total\{outcome="accepted"\} (\d+)/.exec(await metrics.text())?.[1] ?? 0);
  const stored = async (count: number) => {
    for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
      const [row] = await test.stores.clickhouse.query<{ n: string }>(
        "SELECT count() AS n FROM curbstop.usage",
      );
      if (Number(row!.n) >= count) return;
    }
    throw new Error(`not ${count} reads stored`);
  };
  const contexts = [test.context(), test.context()] as const;
  const start = (context: (typeof contexts)[0]) =>
    test.start(createDetect({ ...context, clickhouse: test.stores.clickhouse }));
  const first = await start(contexts[0]);
  await publish(...part(0));
  await stored(40 * 144);
  const second = await start(contexts[1]);
  // A partition that is taken over has its second epoch.
  const handedOver = async () => {
    const [row] = await test.stores.database.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM detector_partitions WHERE epoch > 1",
    );
    return row!.n;
  };
  for (const end = Date.now() + 30_000; (await handedOver()) === 0 && Date.now() < end;) await sleep(50);
  await publish(...part(1));
  await stored(40 * 288);
  await publish(...part(2));
  await first.stop();
  await publish(...part(3));
  await stored(40 * 576);
  await second.drain();
  const counts = await Promise.all(contexts.map(judged));
  // Nothing is judged by both but what was under way when partitions changed hands.
  expect(counts[0]).toBeGreaterThan(40 * 144);
  expect(counts[1]).toBeGreaterThan(40 * 144);
  const expected = await seen(meters[0]!);
  expect(expected.usage).toHaveLength(576);
  // Hour 99 had its twenty litres.
  expect(expected.anomalies).toEqual([leakOf(99, 200, 1)]);
  for (const meter of meters.slice(1)) expect(await seen(meter)).toEqual(expected);
}, 120_000);

it("recomputes from ClickHouse for reads that come months late and ends as the run in order", async () => {
  const [inOrder, late] = ["0000000100000001", "0000000100000002"];
  for (const kind of ["usage", "register"] as const) {
    const reads = (kind === "usage" ? hours : registers)(0, 24 * 90, [300, 420]);
    const channel = kind === "usage" ? "1" : "2";
    await publish(...daily(inOrder, reads, { kind, channel }));
    const blocks = daily(late, reads, { kind, channel });
    // Two days of the leak come last, months after.
    await publish(...blocks.slice(0, 14), ...blocks.slice(16), blocks[15]!, blocks[14]!);
  }
  await drained();
  const expected = await seen(inOrder);
  expect(expected.usage).toHaveLength(24 * 90 * 2 - 1);
  expect(expected.anomalies).toEqual([leakOf(300, 421, 1)]);
  expect(await seen(late)).toEqual(expected);
});

it("lets the corrected file win, in whatever order the two are processed", async () => {
  const meters = ["0000000200000001", "0000000200000002"];
  const first = (meter: string) => daily(meter, hours(0, 24 * 20, [100, 200]), { file: 1 });
  const corrected = (meter: string) => daily(meter, hours(96, 48, [100, 110]), { file: 2 });
  await publish(...first(meters[0]!), ...corrected(meters[0]!));
  await publish(...corrected(meters[1]!), ...first(meters[1]!));
  await drained();
  const expected = await seen(meters[0]!);
  expect(expected.usage.filter((row) => (row as { file: number }).file === 2)).toHaveLength(48);
  expect(expected.anomalies).toEqual([leakOf(144, 200, 1)]);
  expect(await seen(meters[1]!)).toEqual(expected);
});

it("goes on where another process ended without a word, between its inserts and its checkpoint", async () => {
  const [undisturbed, disturbed] = ["0000000300000001", "0000000300000002"];
  const leak = [200, 300] as const;
  await publish(...daily(undisturbed, registers(0, 24 * 20, leak), { kind: "register" }));
  await drained();
  const blocks = daily(disturbed, registers(0, 24 * 20, leak), { kind: "register" });
  for (let part = 0; part < 4; part++) {
    await publish(...blocks.slice(part * 5, part * 5 + 5));
    // Gone when the reads are stored and the intervals are not, or when both are and the checkpoint is not.
    const dying: ClickHouse = {
      ...test.stores.clickhouse,
      async insertNative(statement, block) {
        const table = /^INSERT INTO curbstop\.(\w+)/.exec(statement)![1];
        if (table !== "intervals" || part % 2 === 1)
          await test.stores.clickhouse.insertNative(statement, block);
        if (table === "intervals") throw new ClickHouseError({ message: "gone", code: "6", type: "TEST" });
      },
    };
    const stage = await detect(dying);
    await expect(stage.finished).rejects.toThrow("gone");
    await stage.stop();
    await drained();
  }
  expect(await seen(disturbed)).toEqual(await seen(undisturbed));
  expect((await seen(disturbed)).anomalies).toEqual([leakOf(200, 301, 1)]);
});

it.each([
  [
    "a bit of its state flipped",
    "UPDATE detector_rows SET payload = set_byte(payload, 20, get_byte(payload, 20) # 1)",
  ],
  ["its state deleted and its offsets kept", "DELETE FROM detector_rows"],
  ["all of its checkpoint deleted", "DELETE FROM detector_rows; DELETE FROM detector_partitions"],
  ["its offsets deleted and its state kept", "DELETE FROM detector_partitions"],
  ["its state of another format", "UPDATE detector_rows SET format = 0"],
])("rebuilds a meter from ClickHouse after %s, settings included", async (_, loss) => {
  const [whole, lost, alone] = ["0000000400000001", "0000000400000002", "0000000400010003"];
  // 8 L an hour is flow for these meters, 20 L in every third is not what the setting looks at.
  const blocks = (meter: string) => daily(meter, hours(0, 24 * 20, [400, 460]));
  for (const meter of [whole, lost, alone]) await publishSetting(meter, 7900);
  await publish(...blocks(whole), ...blocks(lost).slice(0, 18), ...blocks(alone).slice(0, 18));
  await drained();
  for (const statement of loss.split("; ")) await test.stores.database.query(statement);
  const [before] = (await seen(lost)).anomalies;
  expect(before).toMatchObject({ closed: 0 });
  await publish(...blocks(lost).slice(18));
  await drained();
  await publish(...blocks(alone).slice(18));
  await drained();
  const expected = await seen(whole);
  expect(expected.anomalies).toEqual([leakOf(399, 460, 1)]);
  expect(await seen(lost)).toEqual(expected);
  expect(await seen(alone)).toEqual(expected);
});

it("refuses offsets of another log", async () => {
  await publish(...daily("0000000500000001", hours(0, 24)));
  await drained();
  await test.stores.database.query("UPDATE log_generations SET identity = 'kafka-of-yesterday'");
  const stage = await detect();
  await expect(stage.finished).rejects.toThrow(AnotherLog);
  expect(stage.health()).toMatchObject({
    live: false,
    reason: expect.stringContaining("kafka-of-yesterday"),
  });
});

it("saves no checkpoint of a process whose partition another took over", async () => {
  const { database, log } = test.stores;
  const meter = "0000000600000001";
  const partition = partitionOf(meter, METER_PARTITIONS);
  const former = await claimPartition(database, partition, await log.identity(), false);
  const owner = await claimPartition(database, partition, await log.identity(), false);
  const change = (owned: typeof former) => [
    { owned, topic: "reads", next: 7, changed: owned.takeChanged(), messages: [] },
  ];
  await expect(saveCheckpoint(database, change(former))).rejects.toThrow(Fenced);
  await publish(...daily(meter, hours(0, 24 * 7)));
  await saveCheckpoint(database, change(owner));
  await expect(saveCheckpoint(database, change(former))).rejects.toThrow(Fenced);

  const stage = await detect();
  await stage.drain();
  await claimPartition(database, partition, await log.identity(), false);
  const saved = () =>
    database.query("SELECT offsets FROM detector_partitions WHERE partition = $1", [partition]);
  const before = await saved();
  await publish(...daily(meter, hours(24 * 7, 48)));
  await expect(stage.finished).rejects.toThrow("another owner");
  expect(await saved()).toEqual(before);
});

it("stops at a message that it doesn't know and says which", async () => {
  const producer = await test.stores.log.producer();
  await producer.append([
    { topic: "reads", partition: 3, records: [{ key: "k", value: Buffer.from("{oops") }] },
  ]);
  const stage = await detect();
  await expect(stage.finished).rejects.toThrow("Topic reads, partition 3, offset 0: not JSON");
  expect(stage.health()).toMatchObject({
    live: false,
    ready: false,
    reason: expect.stringContaining("offset 0"),
  });
  await producer.close();
});

it("waits for a ClickHouse that is silent for 10 s, says so, loses nothing and goes on", async () => {
  const meter = "0000000700000001";
  const blocks = daily(meter, hours(0, 24 * 10, [100, 150]));
  const stage = await detect();
  await publish(...blocks.slice(0, 2));
  await stage.drain();
  const pid = serverOf(test.folder);
  process.kill(pid, "SIGSTOP");
  try {
    await publish(...blocks.slice(2));
    await sleep(7000);
    expect(stage.health()).toEqual({ live: true, ready: false, reason: "waiting for ClickHouse" });
    await sleep(3000);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await stage.drain();
  expect(stage.health()).toEqual({ live: true, ready: true });
  const { usage, anomalies } = await seen(meter);
  expect(usage).toHaveLength(240);
  expect(anomalies).toEqual([leakOf(99, 151, 1)]);
});

it("waits for a ClickHouse that was killed until its supervisor has it up again", async () => {
  const meter = "0000000800000001";
  const stage = await detect();
  await publish(...daily(meter, hours(0, 48)));
  process.kill(serverOf(test.folder), "SIGKILL");
  await publish(...daily(meter, hours(48, 48)));
  await stage.drain();
  expect((await seen(meter)).usage).toHaveLength(96);
});

it("stops within seconds while ClickHouse is silent, and the next start does the work", async () => {
  const meter = "0000000900000001";
  const stage = await detect();
  await publish(...daily(meter, hours(0, 24)));
  await stage.drain();
  const pid = serverOf(test.folder);
  process.kill(pid, "SIGSTOP");
  try {
    await publish(...daily(meter, hours(24, 24)));
    await sleep(500);
    const from = Date.now();
    await stage.stop();
    expect(Date.now() - from).toBeLessThan(9000);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await drained();
  expect((await seen(meter)).usage).toHaveLength(48);
});

/** Process id of the embedded ClickHouse of a test. */
function serverOf(folder: string): number {
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const [, script, , store] = commandOf(entry);
    if (script?.endsWith("server-child.mjs") === true && store?.startsWith(folder) === true)
      return Number(entry);
  }
  throw new Error(`no ClickHouse runs in ${folder}`);
}

function commandOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

it("closes what a rule found that is no longer judged, tells nobody, and judges by a new one from then on alone", async () => {
  const meters = Array.from({ length: 30 }, (_, i) => `00000007000000${String(i).padStart(2, "0")}`);
  const withRules = async (rules: RuleName[]) => {
    const config = structuredClone(test.context().config);
    const [utility] = config.utilities;
    Object.assign(utility!, { detect: { ...utility!.detect, rules } });
    const stage = await test.start(
      createDetect({ ...test.context(), config, clickhouse: test.stores.clickhouse }),
    );
    await stage.drain();
    await stage.stop();
  };
  /** Hours come as they pass; whoever starts the stage then has its rules judged from there on. */
  const put = (from: number, until: number) => {
    test.clock.set((START + from * HOUR) * 1000);
    return publish(
      ...meters.flatMap((meter) =>
        daily(meter, hours(from, until - from, [100, Infinity]), { line: 1 + from }),
      ),
    );
  };
  const messages = async () => {
    const all: AnomalyMessage[] = [];
    for (let partition = 0; partition < METER_PARTITIONS; partition++)
      for await (const { records } of test.stores.log.read("anomalies", partition, 0))
        for (const { value } of records) all.push(anomalyMessage.parse(JSON.parse(value!.toString())));
    return all
      .filter(({ state }) => state !== "updated")
      .map(({ meter, state, reason, start }) => ({ meter, state, reason, start }));
  };
  const [meter] = meters;
  const of = async () =>
    (await messages()).filter((one) => one.meter === meter).map(({ meter: _, ...rest }) => rest);
  await put(0, 144);
  await withRules(["continuous-flow"]);
  const since = START + 99 * HOUR;
  expect(await of()).toEqual([{ state: "opened", reason: null, start: since }]);

  await put(144, 192);
  await withRules(["any-flow-24h", "spike"]);
  // Two days of flow are enough for the new rule, and what flowed before it came is not judged.
  expect(await of()).toEqual([
    { state: "opened", reason: null, start: since },
    { state: "opened", reason: null, start: START + 144 * HOUR },
    { state: "closed", reason: "rule-changed", start: since },
  ]);
  await put(192, 204);
  await withRules(["continuous-flow"]);
  // Half a day of flow is not enough: the rule begins anew.
  expect((await of()).slice(3)).toEqual([
    { state: "closed", reason: "rule-changed", start: START + 144 * HOUR },
  ]);
  await put(204, 240);
  await withRules(["continuous-flow"]);
  expect((await of()).slice(4)).toEqual([{ state: "opened", reason: null, start: START + 192 * HOUR }]);
  // Of each meter the same, and nothing that a resident would be told of.
  const told = await messages();
  expect(told).toHaveLength(30 * 5);
  expect(told.filter(({ reason }) => reason !== null && reason !== "rule-changed")).toEqual([]);
});
