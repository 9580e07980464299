import { join } from "node:path";
import { rmSync } from "node:fs";
import { AnotherLog, loadOffset, saveOffset } from "../../infra/log/offset-store.js";
import { openDatabase, type Database } from "../../infra/postgres/database.js";
import { startPostgres, type EmbeddedPostgres } from "../../infra/postgres/embedded-server.js";
import { migrateDatabase } from "../../infra/postgres/migrate.js";
import { temporaryFolder } from "../harness/stores.js";

const folder = temporaryFolder("offsets");
let postgres: EmbeddedPostgres;
let database: Database;

beforeAll(async () => {
  postgres = await startPostgres({ directory: join(folder, "postgres") });
  database = openDatabase(postgres.url);
  await migrateDatabase(database);
});
afterAll(async () => {
  await database.close();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

const at = { group: "notify", topic: "anomalies", partition: 3, identity: "log-one" };

it("begins at 0 and goes on where the transaction of the effects said", async () => {
  expect(await loadOffset(database, at)).toBe(0);
  await database.transaction((transaction) => saveOffset(transaction, { ...at, next: 5 }));
  await database.transaction((transaction) => saveOffset(transaction, { ...at, next: 9 }));
  expect(await loadOffset(database, at)).toBe(9);
  expect(await loadOffset(database, { ...at, partition: 4 })).toBe(0);
  expect(await loadOffset(database, { ...at, group: "other" })).toBe(0);
});

it("does not move when the transaction of the effects fails", async () => {
  const before = await loadOffset(database, at);
  await expect(
    database.transaction(async (transaction) => {
      await saveOffset(transaction, { ...at, next: before + 100 });
      throw new Error("the effect failed");
    }),
  ).rejects.toThrow("the effect failed");
  expect(await loadOffset(database, at)).toBe(before);
});

it("refuses offsets of another log, unless the operator says that it was replaced", async () => {
  const other = { ...at, partition: 5 };
  await saveOffset(database, { ...other, next: 70 });
  await expect(loadOffset(database, { ...other, identity: "log-two" })).rejects.toThrow(AnotherLog);
  await expect(loadOffset(database, { ...other, identity: "log-two" })).rejects.toThrow(/log-one.*log-two/s);
  process.env["CURBSTOP_ACCEPT_NEW_LOG"] = "1";
  try {
    expect(await loadOffset(database, { ...other, identity: "log-two" })).toBe(0);
  } finally {
    delete process.env["CURBSTOP_ACCEPT_NEW_LOG"];
  }
  expect(await loadOffset(database, other)).toBe(70);
});
