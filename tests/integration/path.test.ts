import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDetect } from "../../detect/index.js";
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
