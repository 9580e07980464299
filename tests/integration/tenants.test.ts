import { join } from "node:path";
import { linkToken } from "../../notify/consent/link-token.js";
import { describeChoices, requestSubscription, whyOfContact } from "../../notify/index.js";
import { addHome, leak, optIn, tell, type World } from "../harness/residents.js";
import { OAKVALE, startStores, usageUtility, type TestStores } from "../harness/stores.js";
import { createNotify } from "../../notify/index.js";

const NOON = Date.UTC(2026, 5, 1, 19);
/** Not a utility's: the log, positions and states by number, and the list of migrations. */
const OF_NO_UTILITY = /^(log_|consumer_offsets$|detector_|schema_migrations$)/;

let test: TestStores;
let world: World;
let contact: string;

beforeAll(async () => {
  test = await startStores("tenants", {
    now: NOON,
    config: (folder) => ({
      utilities: [
        usageUtility(folder),
        {
          ...{ ...usageUtility(join(folder, "elmdale")), ...OAKVALE },
          ...{ id: "elmdale", name: "Elmdale Water", languages: ["en"] },
        },
      ],
    }),
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  const meter = await addHome(world, {
    ...{ meterId: "A-1", accountId: "ACCT-1001", locationId: "A-1", name: "Ann", email: "a@mail.example" },
  });
  await optIn(world, { account: "ACCT-1001", email: "a@mail.example", kinds: ["leak"] });
  const notify = await test.start(
    createNotify({
      ...test.context(),
      transport: { send: () => Promise.resolve({ status: "accepted" }), close: () => Promise.resolve() },
    }),
  );
  await tell(world, leak(test.clock, meter));
  await notify.drain();
  const [row] = await test.stores.database.query<{ contact_id: string }>("SELECT contact_id FROM contacts");
  contact = row!.contact_id;
});
afterAll(() => test.close());

const tables = async () =>
  (
    await test.stores.database.query<{ name: string; secured: boolean }>(
      `SELECT c.relname AS name, c.relrowsecurity AS secured FROM pg_class c
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1`,
    )
  ).filter(({ name }) => !OF_NO_UTILITY.test(name));

it("has a rule for every table that holds anything of a utility", async () => {
  const all = await tables();
  expect(all.length).toBeGreaterThan(25);
  expect(all.filter(({ secured }) => !secured)).toEqual([]);
});

it("shows one utility nothing of another, in any table or view", async () => {
  const { database } = test.stores;
  const names = [...(await tables()).map(({ name }) => name), "active_consents", "recipients"];
  const seen = { oakvale: 0, elmdale: 0 };
  for (const name of names) {
    const count = async (on: Pick<typeof database, "query">) =>
      (await on.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${name}`))[0]!.n;
    seen.oakvale += await count(database.of("oakvale"));
    seen.elmdale += await count(database.of("elmdale"));
    expect([name, await count(database.of("oakvale"))]).toEqual([name, await count(database)]);
  }
  expect(seen.oakvale).toBeGreaterThan(15);
  expect(seen.elmdale).toBe(0);
});

it("lets one utility change, add and take out nothing of another", async () => {
  const { database } = test.stores;
  const elmdale = database.of("elmdale");
  expect(await elmdale.query("UPDATE contacts SET language = 'es' RETURNING 1")).toEqual([]);
  expect(await elmdale.query("DELETE FROM answers RETURNING 1")).toEqual([]);
  expect(await elmdale.query("DELETE FROM premise_meters RETURNING 1")).toEqual([]);
  await expect(
    elmdale.query(
      "INSERT INTO suppressions (utility, channel, address_hash, reason, at) VALUES ('oakvale', 'email', '\\x00', 'stop', now())",
    ),
  ).rejects.toThrow(/row-level security/);
  await expect(
    elmdale.query("INSERT INTO premise_meters SELECT premise_id, meter_key, now() FROM premises, meters"),
  ).resolves.toEqual([]);
  // What belongs to no utility is closed to all of them, and the role ends with the transaction.
  for (const table of ["log_batches", "detector_rows", "consumer_offsets", "schema_migrations"])
    await expect(elmdale.query(`SELECT 1 FROM ${table}`)).rejects.toThrow(/permission denied/);
  await expect(elmdale.query("ALTER TABLE contacts DISABLE ROW LEVEL SECURITY")).rejects.toThrow(/owner/);
  expect(await database.query("SELECT current_user::text AS who")).not.toEqual([{ who: "curbstop_tenant" }]);
  expect(await database.query("SELECT 1 FROM contacts")).toHaveLength(1);
});

it("shows nothing to whoever comes as no utility", async () => {
  const seen = await test.stores.database
    .transaction(async (transaction) => {
      await transaction.query("SET LOCAL ROLE curbstop_tenant");
      return transaction.query("SELECT 1 FROM contacts");
    })
    // A connection on which no utility was ever named knows no such setting.
    .catch(({ message }: Error) => expect(message).toMatch(/curbstop.utility/));
  expect(seen ?? []).toEqual([]);
});

it("finds by a link, a sign-up or a question of staff what is the utility's own", async () => {
  const { database, vault } = test.stores;
  const stores = { config: world.config, database, vault, clock: test.clock };
  expect(await describeChoices(stores, linkToken(vault, "oakvale", "choices", contact))).toBeDefined();
  // Another utility's signature over the same id opens nothing, and nor does its own look-up.
  expect(await describeChoices(stores, linkToken(vault, "elmdale", "choices", contact))).toBeUndefined();
  const [oakvale, elmdale] = world.config.utilities;
  expect(await whyOfContact(stores, oakvale!, "a@mail.example")).not.toEqual([]);
  expect(await whyOfContact(stores, elmdale!, "a@mail.example")).toBeUndefined();
  await requestSubscription(stores, {
    ...{ utility: "elmdale", account: "ACCT-1001", zip: "90001", email: "b@mail.example" },
    ...{ kinds: ["leak"], method: "web" },
  });
  expect(await database.query("SELECT 1 FROM contacts")).toHaveLength(1);
});
