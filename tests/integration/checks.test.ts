import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDetect } from "../../detect/index.js";
import { openClickHouse } from "../../infra/clickhouse/client.js";
import type { Stage } from "../../infra/stage.js";
import { createIngest } from "../../ingest/index.js";
import { expectAccountedFor } from "../harness/accounted.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

let test: TestStores;
let ingest: Stage;
let detect: Stage;
let context: ReturnType<TestStores["context"]>;

const CHECKS = { "no-usage": 5, stuck: 6, "device-fault": false } as const;

beforeAll(async () => {
  test = await startStores("checks", {
    config: (folder) => {
      const utility = usageUtility(folder);
      const alarms = {
        id: "alarms",
        folder: join(folder, "drop", "alarms"),
        format: "cmep",
        complete: { by: "stability", seconds: 0 },
        cmep: { meter: "receiver-customer-id" },
      } as const;
      const registers = {
        id: "registers",
        folder: join(folder, "drop", "registers"),
        format: "csv",
        complete: { by: "stability", seconds: 0 },
        profile: {
          columns: { meter: "meter", time: "time", register: "gallons" },
          time: { zone: "UTC" },
          unit: "gal",
        },
      } as const;
      const sources = [...utility.sources, alarms, registers];
      return { utilities: [{ ...utility, sources, checks: CHECKS }] };
    },
  });
  context = test.context();
  ingest = await test.start(createIngest(context));
  detect = await test.start(createDetect({ ...context, clickhouse: test.stores.clickhouse }));
});
afterAll(() => test.close());

const MAY = Date.UTC(2026, 4, 1) / 1000;
let files = 0;

async function drop(source: "ami" | "customers" | "alarms" | "registers", text: string): Promise<void> {
  const folder = join(test.folder, "drop", source);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${++files}.csv`), text);
  await ingest.drain();
  await detect.drain();
}

/** Hours of one meter from the first of May, one value and quality each; `undefined`: no row. */
async function take(
  values: readonly (readonly [litres: number, quality?: string] | undefined)[],
  meter = "M-1",
): Promise<void> {
  const rows = values.map((value, hour) => {
    if (value === undefined) return "";
    const time = new Date((MAY + hour * 3600) * 1000).toISOString().slice(0, 16).replace("T", " ");
    return `${meter},${time},${value[0]},${value[1] ?? ""}\n`;
  });
  await drop("ami", `meter,time,litres,quality\n${rows.join("")}`);
}

const hours = <T>(count: number, value: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => value(i));
const use = (i: number) => [3 + (i % 5)] as const;

/** View `checks_current` as the utility's analyst sees it; times in hours. */
async function found() {
  const analyst = openClickHouse(test.stores.analystUrl("oakvale")!);
  try {
    const rows = await analyst.query<{
      readonly code: string;
      readonly start: number;
      readonly end: number;
      readonly open: boolean;
      readonly value: number;
      readonly limit: number;
    }>(
      `SELECT code, toUnixTimestamp(start) AS start, toUnixTimestamp(end) AS end, open, value, limit
       FROM curbstop.checks_current ORDER BY start, code`,
    );
    return rows.map(({ code, start, end, open, value, limit }) => ({
      code,
      from: (start - MAY) / 3600,
      until: (end - MAY) / 3600,
      open,
      value,
      limit,
    }));
  } finally {
    await analyst.close();
  }
}

it("finds what lasts, keeps it in step with later reads, and takes it back where they show another thing", async () => {
  const estimated = hours(80, (i) => [...use(i), "E"] as const);
  await take([...hours(24, use), ...estimated]);
  const first = { code: "prolonged-estimation", from: 24, until: 104, open: true, value: 80, limit: 72 };
  expect(await found()).toEqual([first]);

  // Two days later: a hole, a value that repeats, and a long silence.
  const none = (count: number) => hours(count, () => undefined);
  await take([
    ...none(104),
    use(0),
    ...none(40),
    ...hours(8, () => [9] as const),
    ...hours(130, () => [0] as const),
  ]);
  expect(await found()).toEqual([
    { ...first, open: false },
    { code: "gap", from: 105, until: 145, open: false, value: 40, limit: 24 },
    { code: "stuck", from: 145, until: 153, open: false, value: 8, limit: 6 },
    { code: "no-usage", from: 153, until: 283, open: true, value: 130 / 24, limit: 5 },
  ]);

  // The actual reads come in place of the estimates, and the hole is filled.
  await take([...none(24), ...hours(80, use), undefined, ...hours(40, use)]);
  expect((await found()).map(({ code }) => code)).toEqual(["stuck", "no-usage"]);
  // Weeks later a file brings reads from before what the state keeps: they end the silence.
  await take([...none(283), ...hours(24 * 20, use)]);
  await take([...none(200), [7]]);
  expect(await found()).toEqual([{ code: "stuck", from: 145, until: 153, open: false, value: 8, limit: 6 }]);
  const metrics = await context.metrics.text();
  expect(metrics).toContain('curbstop_check_findings_total{utility="oakvale",code="prolonged-estimation"} 1');
}, 60_000);

it("finds usage of a meter that the crosswalk says is not in service, whatever comes first", async () => {
  const header = "meter_id,account_id,location_id,inactive_since\n";
  await take([...hours(24 * 30, use)], "M-2");
  const before = await found();
  await drop("customers", `${header}M-2,A-2,L-2,2026-05-28\n`);
  const inactive = (await found()).filter(({ code }) => code === "usage-inactive");
  // From local midnight on: Los Angeles is seven hours behind.
  expect(inactive).toMatchObject([{ from: 27 * 24 + 7, until: 30 * 24, open: true, limit: 10 }]);
  await drop("customers", `${header}M-2,A-2,L-2,\n`);
  expect(await found()).toEqual(before);
});

it("judges what a meter can pass by its size", async () => {
  const header = "meter_id,account_id,location_id,meter_size\n";
  const before = await found();
  await drop(
    "customers",
    `${header}M-5,A-5,L-5,"5/8"" x 3/4"""\nM-6,A-6,L-6,8-May\nM-7,A-7,L-7,2\nM-8,A-8,L-8,\n`,
  );
  // Twice 20, 20 and 160 gal/min are 9,085 and 72,680 L/h; without a size it is 11,400 L/h.
  for (const meter of ["M-5", "M-6", "M-7", "M-8"])
    await take([use(0), [10_000], use(1), [30_000], use(2)], meter);
  const over = (await found())
    .filter(({ code }) => code === "over-capacity")
    .map(({ from, until }) => [from, until]);
  expect(over).toEqual([
    [1, 2],
    [1, 2],
    [3, 4],
    [3, 4],
    [3, 4],
  ]);
  expect((await found()).filter(({ code }) => code !== "over-capacity")).toEqual(before);
});

it("finds registers that are read in another unit, or multiplied otherwise, than the registry says", async () => {
  const header = "meter_id,account_id,location_id,register_unit,multiplier\n";
  const before = await found();
  await drop(
    "customers",
    `${header}R-1,A-9,L-9,gal,\nR-2,A-10,L-10,gallons,10\nR-3,A-11,L-11,CCF,1\nR-4,A-12,L-12,,\n`,
  );
  const rows = hours(30, (i) => {
    const time = new Date((MAY + i * 3600) * 1000).toISOString().slice(0, 16).replace("T", " ");
    return ["R-1", "R-2", "R-3", "R-4"].map((meter) => `${meter},${time},${100 + 2 * i}\n`).join("");
  });
  await drop("registers", `meter,time,gallons\n${rows.join("")}`);
  const mismatch = { code: "unit-mismatch", from: 0, until: 29, open: true };
  const other = (one: { code: string }) => one.code === "unit-mismatch";
  expect((await found()).filter(other)).toMatchObject([mismatch, mismatch]);
  // All four use water without a break; of two nobody knows how much.
  const [{ flows } = { flows: "" }] = await test.stores.clickhouse.query<{ flows: string }>(
    `SELECT count() AS flows FROM curbstop.anomalies_current
     WHERE rule = 'continuous-flow' AND start = ${MAY} AND meter IN (SELECT meter FROM curbstop.register_reads)`,
  );
  expect(Number(flows)).toBe(2);
  // The registry is mended, and the file comes again with its reads corrected by one.
  await drop("customers", `${header}R-2,A-10,L-10,gal,1\nR-3,A-11,L-11,gal,1\n`);
  await drop("registers", `meter,time,gallons\n${rows.join("").replaceAll(/R-[14].*\n/g, "")}`);
  expect((await found()).filter((one) => !other(one))).toEqual(before);
  expect((await found()).filter(other)).toEqual([]);
});

it("finds where usage and registers part, and counts what came late", async () => {
  const before = await found();
  // 240 L a day, of which the register counts 25 gal (95 L) from the third day on.
  const gallons = [0, 63.4, 126.8, 151.8, 176.8, 201.8, 226.8, 290.2];
  await drop(
    "registers",
    `meter,time,gallons\n${gallons.map((one, day) => `M-12,2026-05-0${1 + day} 00:00,${one}\n`).join("")}`,
  );
  await take(
    hours(24 * 6, () => [10] as const),
    "M-12",
  );
  const own = async () => (await found()).filter(({ code }) => code === "sum-mismatch");
  const mismatch = { code: "sum-mismatch", from: 48, until: 144, open: true, limit: 2 };
  expect(await own()).toMatchObject([mismatch]);
  expect((await own())[0]!.value).toBeCloseTo(60.6, 1);
  await take([...hours(24 * 6, () => undefined), ...hours(24, () => [10] as const)], "M-12");
  expect(await own()).toMatchObject([{ ...mismatch, open: false }]);
  // What was delivered is corrected: the two agree.
  await take(
    [...hours(48, () => undefined), ...hours(96, (i) => [i % 24 === 0 ? 94.64 : 0] as const)],
    "M-12",
  );
  expect(await own()).toEqual([]);
  expect((await found()).filter(({ code }) => code !== "stuck")).toEqual(
    before.filter(({ code }) => code !== "stuck"),
  );

  const [file] = await test.stores.database.query<{ reads: number; late_reads: number }>(
    "SELECT reads, late_reads FROM files ORDER BY file DESC LIMIT 1",
  );
  // The clock of these tests stands in June.
  expect(file).toEqual({ reads: 96, late_reads: 96 });
  const analyst = openClickHouse(test.stores.analystUrl("oakvale")!);
  try {
    const [feed] = await analyst.query<{ reads: string; late_reads: string }>(
      "SELECT reads, late_reads FROM curbstop.freshness WHERE source = 'registers'",
    );
    expect(Number(feed!.late_reads)).toBe(Number(feed!.reads));
  } finally {
    await analyst.close();
  }
  expect(await context.metrics.text()).toMatch(/curbstop_late_reads_total\{[^}]*source="ami"\} [1-9]/);
}, 60_000);

it("finds what devices report, with a value or as an alarm without one", async () => {
  const before = await found();
  // An alarm of a leak (bit 41) and of a fault (bit 40), which this utility has switched off; twice the same.
  const alarm = (mask: number, minute: string) =>
    `MLA01,20080501,SENSUS,SPS:130000,1,M-3,2026050114${minute},,OK,W,METERDQ,1.0,00000100,1,202605010100,R0,${mask}\n`;
  await drop("alarms", alarm(2 ** 41 + 2 ** 40, "58"));
  await drop("alarms", alarm(2 ** 41 + 2 ** 40, "59"));
  const leak = { code: "device-leak", from: 1, until: 1, open: false, value: 0, limit: 0 };
  const alarms = (await found()).filter(({ code }) => code.startsWith("device"));
  expect(alarms).toEqual([leak]);
  // Reads from long before are judged with the whole history, and the alarm stays.
  await take([...Array<undefined>(24 * 20).fill(undefined), ...hours(24, use)], "M-3");
  await take([...Array<undefined>(3).fill(undefined), ...hours(24, use)], "M-3");
  expect(await found()).toEqual(
    expect.arrayContaining([
      ...before,
      leak,
      { code: "gap", from: 27, until: 480, open: false, value: 453, limit: 24 },
    ]),
  );
  await expectAccountedFor(test);
});
