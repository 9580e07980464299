import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDetect } from "../../detect/index.js";
import type { Stage } from "../../infra/stage.js";
import { createIngest } from "../../ingest/index.js";
import { eraseAddress } from "../../notify/index.js";
import { NotPublishable, published, publishMonth } from "../../publish/month.js";
import { optIn } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

const NOW = Date.UTC(2026, 5, 10);

let test: TestStores;
let ingest: Stage;
let detect: Stage;
const utility = () => test.settings.config.utilities[0]!;
const publish = (month: string, write = false, now = NOW) =>
  publishMonth(test.stores, utility(), month, { by: "alex", now: new Date(now), write });

beforeAll(async () => {
  test = await startStores("publish", {
    now: NOW,
    config: (folder) => ({
      utilities: [
        {
          ...usageUtility(folder),
          publish: { clause: "9.1", customers: 5, residential: 8, maxSharePercent: 30 },
        },
      ],
    }),
  });
  const context = test.context();
  ingest = await test.start(createIngest(context));
  detect = await test.start(createDetect({ ...context, clickhouse: test.stores.clickhouse }));
});
afterAll(() => test.close());

async function drop(source: "ami" | "customers", name: string, text: string): Promise<void> {
  const folder = join(test.folder, "drop", source);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `.${name}`), text);
  renameSync(join(folder, `.${name}`), join(folder, name));
  await ingest.drain();
  await detect.drain();
}

/** Ten homes, of which one has two meters; a shop; six gardens, two of one account; in May, local time, and an hour on each side of it. */
const METERS = [
  ...Array.from({ length: 10 }, (_, n) => [`H${n}`, `A-H${n}`, `L-H${n}`, "single-family"] as const),
  ["H9b", "A-H9", "L-H9", "single-family"] as const,
  ["S0", "A-S0", "L-S0", "commercial"] as const,
  ...Array.from({ length: 6 }, (_, n) => [`G${n}`, `A-G${n % 5}`, `L-G${n}`, "irrigation"] as const),
];
const HOURS = ["2026-05-01 06:00", "2026-05-01 07:00", "2026-06-01 06:00", "2026-06-01 07:00"];

it("publishes a month by class, of each customer once, and nothing while reads still come", async () => {
  await drop(
    "customers",
    "all.csv",
    `meter_id,account_id,location_id,zip,class\n${METERS.map(([meter, account, place, name]) => [meter, account, place, "90001", name].join(",")).join("\n")}\n`,
  );
  await drop(
    "ami",
    "may.csv",
    `meter,time,litres,quality\n${METERS.flatMap(([meter]) => HOURS.map((hour) => `${meter},${hour},5000,`)).join("\n")}\n`,
  );
  await expect(publish("2026-06")).rejects.toThrow("2026-06 is not over yet");
  await expect(publish("2026-05", false, Date.UTC(2026, 5, 3))).rejects.toThrow("5 days after its end");
  await expect(publish("May")).rejects.toThrow(NotPublishable);
  await expect(publish("2026-04")).resolves.toBeDefined();
  expect(await publish("2026-05")).toMatchObject({
    clause: "9.1",
    isNew: true,
    rows: [
      // Two hours of 5 m³ for each meter; the shop is one, and of the gardens one customer has 20 of 60 m³: together 20 of 70.
      { classes: "commercial+irrigation", customers: 6, cubicMetres: 70 },
      { classes: "single-family", customers: 10, cubicMetres: 110 },
    ],
  });
  expect(await published(test.stores.database, "oakvale")).toEqual([]);
});

it("keeps a month as it was published, whatever is corrected or erased later", async () => {
  const first = await publish("2026-05", true);
  await drop("ami", "correction.csv", `meter,time,litres,quality\nH1,2026-05-01 07:00,9000,\n`);
  await optIn(
    { config: test.settings.config, stores: test.stores, clock: test.clock },
    { account: "A-H1", email: "ann@mail.example" },
  );
  await eraseAddress(test.context(), utility(), "ann@mail.example");
  const again = await publish("2026-05", true);
  expect(again).toEqual({ ...first, isNew: false });
  expect(await published(test.stores.database, "oakvale")).toMatchObject([
    { month: "2026-05", by: "alex", rows: first.rows },
  ]);
  await expect(
    test.stores.database.of("oakvale").query("UPDATE publications SET month = '2026-06'"),
  ).rejects.toThrow("permission denied");
  // What may be published is these four fields: no meter, no account, no time finer than a month.
  expect(Object.keys(first.rows[0]!).sort()).toEqual(["classes", "cubicMetres", "customers"]);
});

it("publishes nothing where the contract is not named, or too few are left", async () => {
  const none = { ...utility(), publish: undefined };
  const by = { by: "alex", now: new Date(NOW), write: true };
  await expect(publishMonth(test.stores, none, "2026-05", by)).rejects.toThrow("set `publish`");
  const strict = { ...utility(), publish: { ...utility().publish!, residential: 100 } };
  await expect(publishMonth(test.stores, strict, "2026-04", by)).rejects.toThrow("Too few customers");
});
