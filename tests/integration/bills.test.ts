import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDetect } from "../../detect/index.js";
import type { Stage } from "../../infra/stage.js";
import { createIngest } from "../../ingest/index.js";
import { storedReads } from "../../ingest/try/stored-reads.js";
import { expectAccountedFor } from "../harness/accounted.js";
import { OAKVALE, startStores, type TestStores } from "../harness/stores.js";

let test: TestStores;
let ingest: Stage;
let detect: Stage;

beforeAll(async () => {
  test = await startStores("bills", {
    config: (folder) => ({
      utilities: [
        {
          ...OAKVALE,
          languages: ["en"],
          sources: [
            {
              id: "bills",
              folder: join(folder, "drop", "bills"),
              format: "billing",
              complete: { by: "stability", seconds: 0 },
              billing: {
                columns: {
                  meter: "meter",
                  previousDate: "from",
                  currentDate: "to",
                  usage: "gallons",
                  code: "code",
                },
                unit: "gal",
              },
            },
            {
              id: "months",
              folder: join(folder, "drop", "months"),
              format: "billing",
              complete: { by: "stability", seconds: 0 },
              billing: {
                ...{ layout: "pivot", period: "month", unit: "gal" },
                columns: { meter: "meter" },
                time: { format: "MMM-YY" },
              },
            },
            {
              id: "hourly",
              folder: join(folder, "drop", "hourly"),
              format: "csv",
              complete: { by: "stability", seconds: 0 },
              profile: { columns: { meter: "meter", time: "time", usage: "gallons" }, unit: "gal" },
            },
          ],
        },
      ],
    }),
    now: Date.UTC(2026, 5, 10),
  });
  ingest = await test.start(createIngest(test.context()));
  detect = await test.start(createDetect({ ...test.context(), clickhouse: test.stores.clickhouse }));
});
afterAll(() => test.close());

async function take(source: "bills" | "months" | "hourly", name: string, text: string): Promise<void> {
  const folder = join(test.folder, "drop", source);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.part`), text);
  renameSync(join(folder, `${name}.part`), join(folder, name));
  await ingest.drain();
  await detect.drain();
}

const HEADER = "meter,from,to,gallons,code\n";
const MAY = "M-1,2026-05-01,2026-06-01,7440,A\nM-2,2026-05-01,2026-06-01,800,E\n";
const numbers = (rows: readonly Record<string, unknown>[]) =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === "string" ? value : Number(value)]),
    ),
  );
const asked = async (query: string) => numbers(await test.stores.clickhouse.query(query));

it("are stored as they came, stand by their newest file, and take no hour's place", async () => {
  const hours = Array.from(
    { length: 31 * 24 },
    (_, i) => `M-1,${new Date(Date.UTC(2026, 4, 1, i)).toISOString().slice(0, 16).replace("T", " ")},10\n`,
  );
  await take("hourly", "may.csv", `meter,time,gallons\n${hours.join("")}`);
  const before = await asked("SELECT count() AS n, round(sum(litres)) AS litres FROM curbstop.usage");
  await take("bills", "may.csv", HEADER + MAY);
  await take("bills", "again.csv", HEADER + MAY.replace("800,E", "850,A").replace("7440", "7500"));
  // Estimated, so it takes the place of none that was read.
  await take("bills", "worse.csv", `${HEADER}M-2,2026-05-01,2026-06-01,900,E\n`);
  expect(before).toEqual([{ n: 744, litres: 28_163 }]);
  expect(await asked("SELECT count() AS n, round(sum(litres)) AS litres FROM curbstop.usage")).toEqual(
    before,
  );
  expect(
    await asked(
      `SELECT file, toString(start) AS start, toString(end) AS end, round(litres / 3.785411784) AS gallons, estimated
       FROM curbstop.bills_current ORDER BY gallons`,
    ),
  ).toEqual([
    { file: 3, start: "2026-05-01 07:00:00", end: "2026-06-01 07:00:00", gallons: 850, estimated: 0 },
    { file: 3, start: "2026-05-01 07:00:00", end: "2026-06-01 07:00:00", gallons: 7500, estimated: 0 },
  ]);
  expect(await asked("SELECT count() AS n FROM curbstop.bills FINAL")).toEqual([{ n: 5 }]);
  expect(
    await asked(
      `SELECT round(billed_litres / 3.785411784) AS billed, round(usage_litres / 3.785411784) AS used, covered,
              round(difference_litres / 3.785411784) AS difference FROM curbstop.bill_check`,
    ),
  ).toEqual([{ billed: 7500, used: 7440, covered: 1, difference: -60 }]);
  await expectAccountedFor(test, new Map([["again.csv", 2]]));
});

it("are told in a file's story", async () => {
  const [first, last] = [Date.UTC(2026, 4, 1, 7) / 1000, Date.UTC(2026, 5, 1, 7) / 1000];
  const story = (file: number) =>
    storedReads(test.stores.clickhouse, { utility: "oakvale", file, first, last }, last + 86_400);
  expect(await story(2)).toMatchObject({
    standing: 0,
    replaced: [],
    replacedBy: [
      { file: 3, reads: 1 },
      { file: 4, reads: 1 },
    ],
  });
  expect(await story(3)).toEqual({
    standing: 2,
    replaced: [
      { file: 2, reads: 1, otherValue: 1 },
      { file: 4, reads: 1, otherValue: 1 },
    ],
    replacedBy: [],
    lag: { least: 86_400, median: 86_400, most: 86_400 },
  });
});

it("are judged by no rule and no check, and are not late", async () => {
  const judged = async () => [
    await asked("SELECT id, version FROM curbstop.anomaly_history FINAL ORDER BY id, version"),
    await asked("SELECT code, toString(start) AS start FROM curbstop.checks_current ORDER BY code, start"),
  ];
  const before = await judged();
  expect(before[0]).not.toEqual([]);
  await take(
    "bills",
    "june.csv",
    `${HEADER}M-1,2026-05-02,2026-05-30,99999,A\nM-3,2026-05-02,2026-05-30,1,A\n`,
  );
  expect(await judged()).toEqual(before);
  expect(
    await asked(
      `SELECT sum(late_reads) AS late, sum(reads) AS reads FROM curbstop.freshness WHERE source = 'bills'`,
    ),
  ).toEqual([{ late: 0, reads: 7 }]);
});

it("come from a table of months as well, each corrected by itself", async () => {
  await take("months", "q1.csv", "meter,class,Jan-26,Feb-26,Mar-26\nM-8,RES,100,200,x\nM-9,RES,10,,30\n");
  await take("months", "q2.csv", "meter,class,Feb-26,Mar-26,Apr-26\nM-8,RES,200,300,400\nM-9,RES,25,30,0\n");
  expect(
    await asked(
      `SELECT substring(toString(start), 1, 10) AS month, round(litres / 3.785411784) AS gallons, dateDiff('day', start, end) AS days
       FROM curbstop.bills_current WHERE file > 5 ORDER BY month, gallons`,
    ),
  ).toEqual(
    [
      ...[
        ["2026-01-01", 10, 31],
        ["2026-01-01", 100, 31],
        ["2026-02-01", 25, 28],
        ["2026-02-01", 200, 28],
      ],
      ...[
        ["2026-03-01", 30, 31],
        ["2026-03-01", 300, 31],
        ["2026-04-01", 0, 30],
        ["2026-04-01", 400, 30],
      ],
    ].map(([month, gallons, days]) => ({ month, gallons, days })),
  );
  await expectAccountedFor(
    test,
    new Map([
      ["q1.csv", 2],
      ["q2.csv", 2],
    ]),
  );
});
