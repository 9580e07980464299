import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backtest, type BacktestPlan } from "../../detect/backtest.js";
import { createDetect } from "../../detect/index.js";
import { createIngest } from "../../ingest/index.js";
import { settingsOfMeters } from "../../ingest/registry/tell-meters.js";
import { contactsWhoHear } from "../../notify/consent/would-hear.js";
import { coldOf } from "../../ingest/weather/keep-temperatures.js";
import { partitionOf } from "../../infra/log/log.js";
import { temperatureMessage } from "../../schemas/temperatures.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";
import { startNotified, type Notified } from "../harness/notified.js";
import { addHome, optIn } from "../harness/residents.js";
import { usageUtility } from "../harness/stores.js";

const HOUR_MS = 3_600_000;
/** Hour 0 of the test: midnight in Los Angeles. */
const MIDNIGHT = Date.parse("2026-01-12T00:00-08:00");
const timeOf = (hour: number) => MIDNIGHT + hour * HOUR_MS;
const stamp = (hour: number) => new Date(timeOf(hour)).toISOString().slice(0, 16).replace("T", " ");
const noon = (hour: number) => timeOf(Math.floor(hour / 24) * 24 + 12);

let scene: Notified;
let ingest: ReturnType<typeof createIngest>;
let detect: ReturnType<typeof createDetect>;
let files = 0;
const meters = new Map<string, string>();

beforeAll(async () => {
  scene = await startNotified("freeze", MIDNIGHT, {
    sources: [
      ...usageUtility("").sources,
      {
        id: "weather",
        folder: "drop/weather",
        format: "temperatures",
        complete: { by: "stability", seconds: 0 },
        temperatures: { columns: { time: "time", temperature: "tmpf" }, time: { zone: "UTC" }, unit: "F" },
      },
    ],
  });
  const { test, world } = scene;
  for (const folder of ["ami", "customers", "weather"])
    mkdirSync(join(test.folder, "drop", folder), { recursive: true });
  for (const name of ["empty", "lived-in", "not-asked"]) {
    const account = `ACCT-77-${name}`;
    meters.set(name, await addHome(world, { meterId: `M-${name}`, accountId: account, locationId: name }));
    await optIn(world, {
      account,
      email: `${name}@mail.example`,
      kinds: [name === "not-asked" ? "leak" : "freeze"],
    });
  }
  await start();
});
afterAll(() => scene.close());

async function start() {
  const { test } = scene;
  const context = test.context();
  ingest = await test.start(createIngest(context));
  detect = await test.start(createDetect({ ...context, clickhouse: test.stores.clickhouse }));
}

/** Puts a file into a drop folder, and waits until all that follows from it is done. */
async function drop(source: string, rows: readonly string[]): Promise<void> {
  const path = join(scene.test.folder, "drop", source, `${++files}.csv`);
  writeFileSync(`${path}.part`, rows.join("\n"));
  renameSync(`${path}.part`, path);
  await ingest.drain();
  await detect.drain();
  await scene.notify.drain();
}

/** Usage of the homes for the hours from `from` until `until`: nobody is in two of them since hour 20 of the first day. */
function reads(from: number, until: number): Promise<void> {
  const rows: string[] = [];
  for (let hour = from; hour < until; hour++)
    for (const name of meters.keys())
      rows.push(`M-${name},${stamp(hour)},${(name === "lived-in" || hour < 20) && hour % 6 === 5 ? 30 : 0},`);
  return drop("ami", ["meter,time,litres,quality", ...rows]);
}

/** Temperatures of the hours from `from` until `until`, in degrees Fahrenheit. */
function temperatures(from: number, until: number, degrees: (hour: number) => number): Promise<void> {
  const rows: string[] = [];
  for (let hour = from; hour < until; hour++) rows.push(`${stamp(hour)},${degrees(hour)}`);
  return drop("weather", ["time,tmpf", ...rows]);
}

const found = () =>
  scene.test.stores.clickhouse.query<{ meter: string; state: string; reason: string; start: string }>(
    `SELECT lower(hex(meter)) AS meter, state, reason, toString(start) AS start FROM curbstop.anomalies_current
     WHERE rule = 'freeze-risk' ORDER BY meter`,
  );
const bySize = (names: readonly string[]) => names.map((name) => meters.get(name)!).sort();
const mails = async () => {
  await scene.notify.drain();
  return scene.mailbox.mails();
};
const atNight = (hour: number) => (hour % 24 < 9 ? 12 : 30);

it("warns whoever asked for it of a frost at a home where no water runs, whatever comes first, and once", async () => {
  const { test, mailbox } = scene;
  // Reads until the morning of the third day; the night's temperatures come after them.
  test.clock.set(timeOf(57));
  await reads(0, 57);
  expect(await found()).toEqual([]);
  test.clock.set(noon(57));
  await temperatures(0, 58, atNight);
  expect(await found()).toEqual(
    bySize(["empty", "not-asked"]).map((meter) => ({
      meter,
      state: "opened",
      reason: "",
      start: "2026-01-14 08:00:00",
    })),
  );
  const [mail] = await mails();
  expect(mailbox.recipients()).toEqual(["empty@mail.example"]);
  expect(mail!.subject).toBe("Pipes may freeze: it is cold, and no water runs");
  // 20 °F is the limit, and the last flow was in hour 17 of the first day.
  expect(mail!.text).toContain(
    "It has been 20 °F or colder outside, and no water has run at your water service",
  );
  expect(mail!.text).toContain("for 39 hours");
  expect(mail!.text).toContain("Wednesday, January 14 at 12:00 AM");
  expect(mail!.text).not.toMatch(/answer=|gallons/);
});

it("goes on after a restart, through the nights, and is over a day after the last", async () => {
  const { test, mailbox } = scene;
  await ingest.stop();
  await detect.stop();
  await start();
  for (const day of [3, 4, 5, 6]) {
    test.clock.set(noon(day * 24));
    await temperatures(day * 24 - 14, day * 24 + 12, (hour) => (hour < 96 ? atNight(hour) : 40));
    await reads(day * 24 - 15, day * 24 + 10);
  }
  expect(await found()).toEqual(
    bySize(["empty", "not-asked"]).map((meter) => ({
      meter,
      state: "closed",
      reason: "thawed",
      start: "2026-01-14 08:00:00",
    })),
  );
  await mails();
  expect(mailbox.recipients()).toEqual(["empty@mail.example"]);
});

it("tells each partition the same, once for each change, and nothing of what comes two days late", async () => {
  const { test } = scene;
  const told = async (partition: number) => {
    const cold = [];
    for await (const batch of test.stores.log.read("temperatures", partition, 0))
      for (const { value } of batch.records)
        cold.push(temperatureMessage.parse(JSON.parse(value!.toString())).cold);
    return cold;
  };
  const before = await told(partitionOf(meters.get("empty")!, METER_PARTITIONS));
  // The warm days said nothing new; the first night's came two days late.
  expect(before).toHaveLength(2);
  expect(
    before.at(-1)!.map(({ from, until }) => [(from * 1000 - MIDNIGHT) / HOUR_MS, (until - from) / 3600]),
  ).toEqual([24, 48, 72].map((hour) => [hour, 9]));
  for (let partition = 0; partition < METER_PARTITIONS; partition++)
    expect(await told(partition)).toEqual(before);
  test.clock.set(noon(7 * 24));
  await temperatures(80, 110, () => 0);
  await temperatures(-300, -250, () => 0);
  expect(await told(0)).toEqual(before);
  const [kept] = await test.stores.database.query<{ rows: number; timely: number }>(
    "SELECT count(*)::int AS rows, count(*) FILTER (WHERE timely)::int AS timely FROM temperatures",
  );
  // Of the late ones, those that came in time before stay as they were.
  expect(kept).toEqual({ rows: 156 + 50, timely: 156 - 12 });
});

it("shows beforehand what another limit would have found, by temperatures that came late too", async () => {
  const { stores, settings } = scene.test;
  const [utility] = settings.config.utilities;
  const count = async (below: number) => {
    const cold = await coldOf(stores.database, "oakvale", below, { late: true });
    const { database } = stores;
    const plan: BacktestPlan = {
      ...{ utility: utility!, rules: ["freeze-risk"], cold, from: 0, until: 2 ** 31 },
      settingsOf: (keys) => settingsOfMeters(database, keys),
      contactsOf: (rule, keys) => contactsWhoHear(database, rule, keys, new Date(scene.test.clock.now())),
    };
    const { would } = await backtest(stores.clickhouse, plan, () => undefined);
    return would.map(({ alerts, meters: many, contacts }) => [alerts, many, contacts]);
  };
  // Of two homes where nobody is, one of whose residents asked to hear of it; at 30 °F by day it never thaws, and 12 °F is not as cold as -20 °C.
  expect(await count(-6.7)).toEqual([[2, 2, 1]]);
  expect(await count(-20)).toEqual([[0, 0, 0]]);
});

it("offers to tell of frost where there are temperatures, and nowhere else", async () => {
  const page = await (await fetch(`${scene.web.url}/oakvale/subscribe`)).text();
  expect(page).toContain("pipes that may freeze (it is cold, and no water runs)");
});
