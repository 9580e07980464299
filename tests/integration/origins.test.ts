import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createIngest, type IngestStage } from "../../ingest/index.js";
import { Archive } from "../../ingest/pickup/archive.js";
import { forgetSource, originsOf } from "../../ingest/registry/origins.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";
import { addHome, optIn } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

const NOON = Date.UTC(2026, 5, 1, 19);

let test: TestStores;
let ingest: IngestStage;

beforeAll(async () => {
  test = await startStores("origins", {
    now: NOON,
    config: (folder) => {
      const utility = usageUtility(folder);
      const complete = { by: "stability", seconds: 0 } as const;
      const crosswalk = (id: string) => ({
        ...{ id, folder: join(folder, "drop", id), format: "crosswalk" as const, complete },
      });
      return { utilities: [{ ...utility, sources: [crosswalk("billing"), crosswalk("parcels")] }] };
    },
  });
  ingest = await test.start(createIngest(test.context()));
});
afterAll(() => test.close());

async function drop(source: string, name: string, text: string): Promise<void> {
  const folder = join(test.folder, "drop", source);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `.${name}`), text);
  renameSync(join(folder, `.${name}`), join(folder, name));
  await ingest.drain();
}

const HEAD = "meter_id,account_id,location_id,name,address,zip,email,phone,class\n";
const BILLING = `${HEAD}M-1,A-1,L-1,Ann,1 Main St,90001,ann@home.example,,\nM-2,A-2,L-2,Bob,2 Main St,90001,,,\n`;
const where = async (account = "A-1") =>
  (await originsOf(test.stores, "oakvale", account))?.map(({ attribute, source, file }) =>
    [attribute, source, file].join(" < "),
  );
const settingsTold = async () => {
  const told: unknown[] = [];
  for (let partition = 0; partition < METER_PARTITIONS; partition++)
    for await (const { records } of test.stores.log.read("meters", partition, 0))
      for (const { value } of records)
        told.push((JSON.parse(Buffer.from(value!).toString()) as { settings: unknown }).settings);
  return told;
};

it("keeps which file said what, and the resident's own word", async () => {
  await drop("billing", "one.csv", BILLING);
  await drop("parcels", "two.csv", `${HEAD}M-1,A-1,L-1,,1 Main Street,,,,commercial\n`);
  // Says nothing new.
  await drop("billing", "three.csv", `${HEAD}M-1,A-1,L-1,Ann,,90001,ann@home.example,,\n`);
  await optIn(
    { config: test.settings.config, stores: test.stores, clock: test.clock },
    { account: "A-1", email: "ann@mail.example" },
  );
  expect(await where()).toEqual([
    "e-mail address < billing < 1",
    "name < billing < 1",
    "ZIP code < billing < 1",
    "address < parcels < 2",
    "class, size and usual flow of a meter < parcels < 2",
    "e-mail address for alerts < resident, by command < ",
  ]);
  expect(await where("A-2")).toEqual([
    "name < billing < 1",
    "ZIP code < billing < 1",
    "address < billing < 1",
  ]);
  expect(await where("A-3")).toBeUndefined();
  expect(await originsOf(test.stores, "elmwood", "A-1")).toBeUndefined();
});

it("learns from the next file where what came before that was written down comes from, once", async () => {
  const world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  await addHome(world, {
    ...{ meterId: "M-9", accountId: "A-9", locationId: "L-9", name: "Ida", address: "9 Main St" },
    ...{ zip: "90001", settings: [{ from: 0, class: "commercial" }] },
  });
  const all = ["name", "ZIP code", "address", "class, size and usual flow of a meter"];
  expect(await where("A-9")).toEqual(all.map((what) => `${what} <  < `));
  const row = `${HEAD}M-9,A-9,L-9,Ida,9 Main St,90001,,,commercial\n`;
  await drop("billing", "known.csv", row);
  const [{ file }] = (await test.stores.database.query<{ file: number }>(
    "SELECT max(file) AS file FROM files",
  )) as [{ file: number }];
  expect(await where("A-9")).toEqual(all.map((what) => `${what} < billing < ${file}`));
  await drop("billing", "known again.csv", `${row}\n`);
  expect(await where("A-9")).toEqual(all.map((what) => `${what} < billing < ${file}`));
});

it("deletes what one source said, and its originals; the rest stays until another says otherwise", async () => {
  expect(await settingsTold()).toContainEqual([{ from: 0, class: "commercial" }]);
  expect(await settingsTold()).not.toContainEqual([]);
  const none = { names: 0, mails: 0, phones: 0, addresses: 0, zips: 0, meters: 0 };
  expect(await forgetSource(test.stores, "elmwood", "parcels")).toEqual(none);
  expect(await forgetSource(test.stores, "oakvale", "parcels")).toEqual({ ...none, addresses: 1, meters: 1 });
  const archive = new Archive(join(test.settings.config.dataDirectory, "archive"), test.stores.vault);
  const [{ archive_path: path }] = (await test.stores.database.query<{ archive_path: string }>(
    "SELECT archive_path FROM files WHERE source = 'parcels'",
  )) as [{ archive_path: string }];
  const original = join(test.settings.config.dataDirectory, "archive", path);
  expect(existsSync(original)).toBe(true);
  expect(await archive.forget(test.stores.database, "oakvale", "parcels")).toBe(1);
  expect(existsSync(original)).toBe(false);
  await expect(ingest.reingest(2)).rejects.toThrow("no longer in the archive");

  await ingest.drain();
  expect(await settingsTold()).toContainEqual([]);
  expect((await where())!.filter((one) => !one.includes("resident"))).toEqual([
    "e-mail address < billing < 1",
    "name < billing < 1",
    "ZIP code < billing < 1",
  ]);
  await drop("billing", "six.csv", BILLING + "\n");
  expect(await where()).toContain("address < billing < 6");
  expect(await where("A-2")).toContain("address < billing < 1");
});
