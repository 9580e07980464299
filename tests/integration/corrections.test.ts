import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDetect } from "../../detect/index.js";
import { openClickHouse } from "../../infra/clickhouse/client.js";
import type { Stage } from "../../infra/stage.js";
import { createIngest } from "../../ingest/index.js";
import { Flag } from "../../schemas/flags.js";
import { expectAccountedFor } from "../harness/accounted.js";
import { OAKVALE, startStores, type TestStores } from "../harness/stores.js";

/** Two utilities that get the same files, the second in the opposite order. */
const FORWARD = "oakvale";
const BACKWARD = "elmford";

let test: TestStores;
let ingest: Stage;
let detect: Stage;

beforeAll(async () => {
  test = await startStores("corrections", {
    config: (folder) => ({
      utilities: [FORWARD, BACKWARD].map((id) => ({
        ...OAKVALE,
        id,
        languages: ["en"],
        sources: [
          {
            id: "ami",
            folder: join(folder, "drop", id, "ami"),
            format: "csv",
            complete: { by: "stability", seconds: 0 },
            profile: {
              columns: {
                meter: "meter",
                serial: "serial",
                time: "time",
                register: "value",
                unit: "unit",
                quality: "quality",
              },
              time: { zone: "UTC" },
              digits: 6,
            },
          },
          {
            id: "hourly",
            folder: join(folder, "drop", id, "hourly"),
            format: "csv",
            complete: { by: "stability", seconds: 0 },
            profile: {
              columns: { meter: "meter", time: "time", usage: "litres", quality: "quality" },
              time: { zone: "UTC" },
              unit: "L",
              resolution: 1,
            },
          },
          {
            id: "customers",
            folder: join(folder, "drop", id, "customers"),
            format: "crosswalk",
            complete: { by: "stability", seconds: 0 },
          },
        ],
      })),
    }),
  });
  ingest = await test.start(createIngest(test.context()));
  detect = await test.start(createDetect({ ...test.context(), clickhouse: test.stores.clickhouse }));
});
afterAll(() => test.close());

interface Drop {
  readonly source: "ami" | "hourly" | "customers";
  readonly text: string;
}

let named = 0;

async function take(utility: string, { source, text }: Drop): Promise<void> {
  const folder = join(test.folder, "drop", utility, source);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${++named}.csv`), text);
  await ingest.drain();
  await detect.drain();
}

/** Drops the files one after the other, at the other utility from the last to the first. */
async function inBothOrders(...drops: readonly Drop[]): Promise<void> {
  for (const drop of drops) await take(FORWARD, drop);
  for (const drop of [...drops].reverse()) await take(BACKWARD, drop);
}

const at = (hour: number) =>
  new Date(Date.UTC(2026, 4, 1, hour)).toISOString().slice(0, 16).replace("T", " ");
const second = (hour: number) => Date.UTC(2026, 4, 1, hour) / 1000;

function hourly(
  meter: string,
  hours: readonly (readonly [hour: number, litres: number, quality?: string])[],
): Drop {
  const rows = hours.map(([hour, litres, quality = ""]) => `${meter},${at(hour)},${litres},${quality}\n`);
  return { source: "hourly", text: `meter,time,litres,quality\n${rows.join("")}` };
}

type RegisterRow = readonly [
  hour: number,
  value: number,
  more?: { serial?: string; unit?: string; quality?: string },
];

function registers(meter: string, reads: readonly RegisterRow[]): Drop {
  const rows = reads.map(
    ([hour, value, { serial = "S1", unit = "L", quality = "" } = {}]) =>
      `${meter},${serial},${at(hour)},${value},${unit},${quality}\n`,
  );
  return { source: "ami", text: `meter,serial,time,value,unit,quality\n${rows.join("")}` };
}

const day = (from: number, litres: (hour: number) => number) =>
  Array.from({ length: 24 }, (_, i) => [from + i, litres(from + i)] as const);

async function keyOf(utility: string, meter: string): Promise<string> {
  const { vault, database } = test.stores;
  const [row] = await database.query<{ meter_key: string }>(
    "SELECT meter_key FROM meters WHERE id_hash = $1",
    [vault.hash(utility, "meter", meter)],
  );
  return row!.meter_key;
}

interface UsageRow {
  readonly start: number;
  readonly litres: number;
  readonly flags: number;
}

/** What view `usage` tells of the meter, the same at both utilities. */
async function standing(meter: string): Promise<(readonly [hour: number, litres: number, flags: number])[]> {
  const [forward, backward] = await Promise.all(
    [FORWARD, BACKWARD].map((utility) => usageOf(utility, meter)),
  );
  expect(backward).toEqual(forward);
  return forward!;
}

async function usageOf(utility: string, meter: string) {
  const rows = await test.stores.clickhouse.query<UsageRow>(
    `SELECT toUnixTimestamp(start) AS start, litres, flags FROM curbstop.usage
     WHERE utility = {utility:String} AND meter = {meter:UInt64} ORDER BY start`,
    { utility, meter: BigInt(`0x${await keyOf(utility, meter)}`) },
  );
  return rows.map(({ start, litres, flags }) => [(start - second(0)) / 3600, litres, flags] as const);
}

/** What the utility's analyst sees of the meter's corrections; files by their place among the meter's. */
async function correctionsOf(utility: string, meter: string) {
  const analyst = openClickHouse(test.stores.analystUrl(utility)!);
  try {
    const rows = await analyst.query<{
      readonly at: number;
      readonly kind: string;
      readonly outcome: string;
      readonly other_litres: number;
      readonly litres: number;
      readonly other_file: number;
      readonly file: number;
      readonly told: number;
    }>(
      `SELECT toUnixTimestamp(at) AS at, kind, outcome, other_litres, litres, other_file, file,
              decided_at IS NOT NULL AS told
       FROM curbstop.corrections WHERE meter = {meter:UInt64} ORDER BY at, other_file, other_line`,
      { meter: BigInt(`0x${await keyOf(utility, meter)}`) },
    );
    expect(rows.every(({ told }) => told === 1)).toBe(true);
    return rows.map((row) => ({
      hour: (row.at - second(0)) / 3600,
      kind: row.kind,
      outcome: row.outcome,
      from: row.other_litres,
      to: row.litres,
      newerFile: row.file > row.other_file,
    }));
  } finally {
    await analyst.close();
  }
}

it("fills in late rows and catch-up files, which correct nothing", async () => {
  const of = (hour: number) => hour % 5;
  await inBothOrders(
    hourly("LATE", day(48, of)),
    hourly("LATE", day(0, of)),
    hourly("LATE", [...day(24, of), ...day(72, of)]),
  );
  expect(await standing("LATE")).toEqual(Array.from({ length: 96 }, (_, hour) => [hour, of(hour), 0]));
  expect(await correctionsOf(FORWARD, "LATE")).toEqual([]);
  expect(await correctionsOf(BACKWARD, "LATE")).toEqual([]);
});

it("takes a day that is sent again with three changes, and tells the three", async () => {
  const changed = new Map([
    [3, 30],
    [9, 0],
    [17, 41],
  ]);
  const first = hourly(
    "RESENT",
    day(0, () => 7),
  );
  const second = hourly(
    "RESENT",
    day(0, (hour) => changed.get(hour) ?? 7),
  );
  await take(FORWARD, first);
  await take(FORWARD, second);
  expect(await usageOf(FORWARD, "RESENT")).toEqual(
    day(0, (hour) => changed.get(hour) ?? 7).map((row) => [...row, 0]),
  );
  expect(await correctionsOf(FORWARD, "RESENT")).toEqual(
    [...changed].map(([hour, to]) => ({
      hour,
      kind: "usage",
      outcome: "corrected",
      from: 7,
      to,
      newerFile: true,
    })),
  );
  // The same three the other way round: what comes last stands.
  await take(BACKWARD, second);
  await take(BACKWARD, first);
  expect(await usageOf(BACKWARD, "RESENT")).toEqual(day(0, () => 7).map((row) => [...row, 0]));
  expect(await correctionsOf(BACKWARD, "RESENT")).toEqual(
    [...changed].map(([hour, from]) => ({
      hour,
      kind: "usage",
      outcome: "corrected",
      from,
      to: 7,
      newerFile: true,
    })),
  );
});

it("replaces an estimate by the actual read, and not the actual read by an estimate", async () => {
  await inBothOrders(
    hourly("EST", [
      [0, 5, "E"],
      [1, 6],
    ]),
    hourly("EST", [
      [0, 9],
      [1, 8, "E"],
    ]),
  );
  expect(await standing("EST")).toEqual([
    [0, 9, 0],
    [1, 6, 0],
  ]);
  expect(await correctionsOf(FORWARD, "EST")).toEqual([
    { hour: 0, kind: "usage", outcome: "corrected", from: 5, to: 9, newerFile: true },
    { hour: 1, kind: "usage", outcome: "refused", from: 8, to: 6, newerFile: false },
  ]);
  expect(await correctionsOf(BACKWARD, "EST")).toEqual([
    { hour: 0, kind: "usage", outcome: "refused", from: 5, to: 9, newerFile: false },
    { hour: 1, kind: "usage", outcome: "corrected", from: 8, to: 6, newerFile: true },
  ]);
});

it("takes the later line of two for the same time in one file", async () => {
  await inBothOrders(
    hourly("TWICE", [
      [0, 5],
      [0, 11],
      [1, 2],
      [1, 2],
    ]),
  );
  expect(await standing("TWICE")).toEqual([
    [0, 11, 0],
    [1, 2, 0],
  ]);
  // The copy of the same value is no correction.
  expect(await correctionsOf(FORWARD, "TWICE")).toEqual([
    { hour: 0, kind: "usage", outcome: "corrected", from: 5, to: 11, newerFile: false },
  ]);
});

it("derives anew what follows from a corrected register read", async () => {
  const first = registers("REG", [
    [0, 100],
    [1, 110],
    [2, 125],
  ]);
  const second = registers("REG", [[1, 118]]);
  await take(FORWARD, first);
  await take(FORWARD, second);
  expect(await usageOf(FORWARD, "REG")).toEqual([
    [0, 18, 0],
    [1, 7, 0],
  ]);
  expect(await correctionsOf(FORWARD, "REG")).toEqual([
    { hour: 1, kind: "register", outcome: "corrected", from: 110, to: 118, newerFile: true },
  ]);
});

it("keeps a meter that was moved to another premise one meter, whenever the move is told", async () => {
  const crosswalk = (rows: string): Drop => ({
    source: "customers",
    text: `meter_id,account_id,location_id,move_in,move_out\n${rows}`,
  });
  await inBothOrders(
    hourly(
      "MOVED",
      day(0, () => 3),
    ),
    crosswalk("MOVED,A-1,P-1,2026-04-01,2026-05-02\nMOVED,A-2,P-2,2026-05-02,\n"),
    hourly(
      "MOVED",
      day(24, () => 4),
    ),
  );
  expect(await standing("MOVED")).toEqual(
    [...day(0, () => 3), ...day(24, () => 4)].map((row) => [...row, 0]),
  );
});

it("takes another unit and a finer step from a later file", async () => {
  await inBothOrders(
    registers("UNIT", [
      [0, 10, { unit: "m3" }],
      [1, 11, { unit: "m3" }],
    ]),
    registers("UNIT", [
      [2, 11_250, { unit: "L" }],
      [3, 11_251.5, { unit: "L" }],
    ]),
  );
  expect(await standing("UNIT")).toEqual([
    [0, 1000, 0],
    [1, 250, 0],
    [2, 1.5, 0],
  ]);
});

it("derives no usage across an exchange in the middle of a file", async () => {
  await inBothOrders(
    registers("SWAP", [
      [0, 900],
      [1, 905],
      [2, 3, { serial: "S2" }],
      [3, 9, { serial: "S2" }],
    ]),
    registers("SWAP", [[4, 10, { serial: "S2" }]]),
  );
  expect(await standing("SWAP")).toEqual([
    [0, 5, 0],
    [2, 6, Flag.exchange],
    [3, 1, 0],
  ]);
});

it("compares the sum of intervals with registers, where a meter delivers both", async () => {
  await take(
    FORWARD,
    registers("BOTH", [
      [0, 100],
      [3, 130],
      [4, 140],
      [6, 150],
    ]),
  );
  await take(
    FORWARD,
    hourly("BOTH", [
      [0, 10],
      [1, 10],
      [2, 10],
      [3, 7],
      [4, 5],
    ]),
  );
  const rows = await test.stores.clickhouse.query<object>(
    `SELECT (toUnixTimestamp(since) - {from:UInt32}) / 3600 AS hour, register_litres, usage_litres, difference_litres
     FROM curbstop.sum_check WHERE meter = {meter:UInt64} ORDER BY hour`,
    { from: second(0), meter: BigInt(`0x${await keyOf(FORWARD, "BOTH")}`) },
  );
  // The last pair has an hour without usage between its reads.
  expect(rows).toEqual([
    { hour: 0, register_litres: 30, usage_litres: 30, difference_litres: 0 },
    { hour: 3, register_litres: 10, usage_litres: 7, difference_litres: -3 },
  ]);
});

it("has lost and doubled nothing of all these files", async () => {
  await expectAccountedFor(test);
});
