import { setTimeout as sleep } from "node:timers/promises";
import { enterDelivery } from "../../ingest/pickup/ledger.js";
import { startStores, type TestStores } from "../harness/stores.js";

const KNOWN = 20_000;
const ENTERED = 25;

let test: TestStores;
beforeAll(async () => {
  test = await startStores("many-files");
});
afterAll(() => test.close());

it("enters a delivery without going through all that came before", async () => {
  const { database } = test.stores;
  await database.query(
    `INSERT INTO files (file, utility, source, name, sha256, bytes, state, again_of, work_path, claimed_at, announced)
     SELECT nextval('files_sequence'), 'oakvale', 'ami', 'file ' || n, lpad(to_hex(n), 64, '0'), 1, 'archived', NULL, NULL, now(), true
     FROM generate_series(1, $1::int) AS n`,
    [KNOWN],
  );
  await database.query("ANALYZE files");
  const counted = async () => {
    const [row] = await database.query<{ found: number; read: number; added: number }>(
      `SELECT idx_scan::int AS found, seq_tup_read::int AS read, n_tup_ins::int AS added FROM pg_stat_user_tables WHERE relname = 'files'`,
    );
    return row!;
  };
  // Each connection tells of what it did when it rests, within some seconds.
  while ((await counted()).added < KNOWN) await sleep(250);
  const before = await counted();
  for (let n = 1; n <= ENTERED; n++) {
    const entered = await enterDelivery(database, {
      ...{
        utility: "oakvale",
        source: "ami",
        name: `new ${n}`,
        sha256: "f".repeat(56) + String(n).padStart(8, "0"),
      },
      ...{ bytes: 1, workPath: `/claimed/${n}`, claimedAt: new Date(), nameCounts: false },
    });
    expect([entered.state, entered.correction, entered.duplicate_of]).toEqual(["claimed", false, null]);
  }
  const corrected = await enterDelivery(database, {
    ...{ utility: "oakvale", source: "ami", name: "file 7", sha256: "e".repeat(64) },
    ...{ bytes: 1, workPath: "/claimed/corrected", claimedAt: new Date(), nameCounts: false },
  });
  const again = await enterDelivery(database, {
    ...{ utility: "oakvale", source: "ami", name: "other", sha256: (7).toString(16).padStart(64, "0") },
    ...{ bytes: 1, workPath: "/claimed/again", claimedAt: new Date(), nameCounts: false },
  });
  expect([corrected.correction, again.state]).toEqual([true, "duplicate"]);
  while ((await counted()).added < before.added + ENTERED + 2) await sleep(250);
  const after = await counted();
  expect(after.found - before.found).toBeGreaterThan(ENTERED);
  expect(after.read - before.read).toBeLessThan(KNOWN);
}, 60_000);
