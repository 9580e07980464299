import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backtest, type BacktestPlan } from "../../detect/backtest.js";
import { createDetect } from "../../detect/index.js";
import { openClickHouse } from "../../infra/clickhouse/client.js";
import { packageRoot } from "../../infra/package-root.js";
import { createIngest } from "../../ingest/index.js";
import { expectAccountedFor } from "../harness/accounted.js";
import { startStores, type TestStores } from "../harness/stores.js";

let test: TestStores;
beforeAll(async () => {
  test = await startStores("path");
});
afterAll(() => test.close());

it("takes a file through the log and the detector into ClickHouse", async () => {
  const start = Date.UTC(2026, 4, 1);
  const rows = ["meter,time,litres,quality"];
  for (let hour = 0; hour < 24 * 20; hour++) {
    const time = new Date(start + hour * 3_600_000).toISOString().slice(0, 16).replace("T", " ");
    const leak = hour >= 200 && hour < 300;
    rows.push(`M-1,${time},${leak ? 7 : hour % 3 === 0 ? 20 : 0},`);
  }
  rows.push("M-1,2026-05-40 00:00,3,");
  const folder = join(test.folder, "drop", "ami");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "reads.csv.part"), rows.join("\n"));
  renameSync(join(folder, "reads.csv.part"), join(folder, "reads.csv"));
  const context = test.context();
  const ingest = await test.start(createIngest(context));
  const detect = await test.start(createDetect({ ...context, clickhouse: test.stores.clickhouse }));
  await ingest.drain();
  await detect.drain();
  const [usage] = await test.stores.clickhouse.query<{ n: string; litres: number }>(
    "SELECT count() AS n, sum(litres) AS litres FROM curbstop.usage",
  );
  expect(Number(usage!.n)).toBe(480);
  const anomalies = await test.stores.clickhouse.query<{ rule: string; state: string }>(
    "SELECT rule, state, toUnixTimestamp(start) AS start, toUnixTimestamp(end) AS end FROM curbstop.anomalies_current",
  );
  expect(anomalies).toEqual([
    {
      rule: "continuous-flow",
      state: "closed",
      start: start / 1000 + 200 * 3600,
      end: start / 1000 + 301 * 3600,
    },
  ]);
  const files = await test.stores.database.query("SELECT state, rows, rejected, reads FROM files");
  expect(files).toEqual([{ state: "archived", rows: 480, rejected: 1, reads: 480 }]);
  await expectAccountedFor(test, new Map([["reads.csv", 481]]));
});

it("answers every question of docs/analysts.md", async () => {
  const page = readFileSync(join(packageRoot(), "docs", "analysts.md"), "utf8");
  const queries = [...page.matchAll(/```sql\n([^]*?)```/g)].map(([, query]) => query!);
  const analyst = openClickHouse(test.stores.analystUrl("oakvale")!);
  const answers: Record<string, unknown>[][] = [];
  try {
    for (const query of queries) answers.push(await analyst.query(query));
  } finally {
    await analyst.close();
  }
  const [open, longest, lost, byRule, byClass, why, history, night, usual, devices, silent, ...data] =
    answers;
  const [checks, late, bills] = data;
  expect(answers).toHaveLength(14);
  expect(open).toEqual([]);
  // 101 hours of 7 L and one of 20: no more is lost than was measured.
  expect(longest).toMatchObject([{ rule: "continuous-flow", open: false, days: 4.2 }]);
  expect(lost).toMatchObject([{ month: "2026-05-01", leaks: 1, cubic_metres: 0.7 }]);
  expect(byRule).toMatchObject([{ rule: "continuous-flow", anomalies: 1, open: 0, over_in_a_day: 0 }]);
  expect(byClass).toMatchObject([{ rule: "continuous-flow", class: "", anomalies: 1, open: 0 }]);
  expect(why).toMatchObject([{ rule: "continuous-flow" }]);
  // Found and over within one batch; another version for each time that a batch tells it again.
  expect(history).toMatchObject([
    { rule: "continuous-flow", version: 1, state: "closed", reason: "flow-stopped" },
  ]);
  expect(night).toHaveLength(20);
  expect(usual).toHaveLength(1);
  expect(devices).toEqual([]);
  expect(silent).toEqual([]);
  expect(checks).toMatchObject([{ code: "stuck", findings: 1, meters: 1, open: 0 }]);
  // Twenty days from the first of May, taken on the first of June.
  expect(late).toMatchObject([{ source: "ami", reads: 480, days: 31 }]);
  // Those of bills.test.ts have some.
  expect(bills).toEqual([]);
});

it("tells what other rules would have found in the stored reads, and changes nothing", async () => {
  const [utility] = test.settings.config.utilities;
  const stored = () => test.stores.clickhouse.query("SELECT count() AS n FROM curbstop.anomalies");
  const before = await stored();
  const from = Date.UTC(2026, 4, 1) / 1000;
  const shown: [number, number][] = [];
  const judge = (rules: Parameters<typeof backtest>[1]["rules"], days = 20) =>
    backtest(
      test.stores.clickhouse,
      {
        ...{ utility: utility!, rules, cold: [], from, until: from + days * 86_400 },
        settingsOf: () => Promise.resolve(settings),
        contactsOf: (_rule, meters) => Promise.resolve(10 * meters.length),
      },
      (done, all) => shown.push([done, all]),
    );
  let settings: Awaited<ReturnType<BacktestPlan["settingsOf"]>> = new Map();
  const same = await judge(["continuous-flow"]);
  const one = { alerts: 1, meters: 1, open: 0, contacts: 10 };
  expect(same).toEqual({
    meters: 1,
    meterDays: 20,
    would: [{ rule: "continuous-flow", ...one }],
    was: [{ rule: "continuous-flow", ...one }],
    metersMore: 0,
    metersLess: 0,
  });
  expect(shown).toEqual([[1, 1]]);
  // 7 L/h are less than its 7 gal/h and enough for it.
  const other = await judge(["aquahawk-16h", "kamstrup-12x2h"]);
  expect(other.would).toEqual([
    { rule: "aquahawk-16h", alerts: 0, meters: 0, open: 0, contacts: 0 },
    { rule: "kamstrup-12x2h", ...one },
  ]);
  expect(await judge(["aquahawk-16h"])).toMatchObject({ metersMore: 0, metersLess: 1 });
  // The flow suffices for 24 hours on the ninth day.
  expect(await judge(["continuous-flow"], 8)).toMatchObject({ would: [{ alerts: 0 }], was: [] });
  // A meter of which 8 L/h are said to be normal.
  const [key] = await test.stores.clickhouse.query<{ key: string }>(
    "SELECT DISTINCT lower(hex(meter)) AS key FROM curbstop.intervals",
  );
  settings = new Map([[key!.key, [{ from: 0, continuousFlowRate: 8000 }]]]);
  expect(await judge(["continuous-flow"])).toMatchObject({ would: [{ alerts: 0 }], metersLess: 1 });
  expect(await stored()).toEqual(before);
});
