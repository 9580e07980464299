import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../infra/package-root.js";
import { consentEvidence, receiveText, requestSubscription, verifyConsents } from "../../notify/index.js";
import { addHome, optIn, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

const NOON = Date.UTC(2026, 5, 1, 19);
const SMS = { from: "+15550100199", name: "Oakvale Water", help: "555-010-0100" };

let test: TestStores;
let world: World;

beforeAll(async () => {
  test = await startStores("consent-chain", {
    now: NOON,
    config: (folder) => ({ utilities: [{ ...usageUtility(folder), sms: SMS }] }),
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  for (let n = 1; n <= 30; n++)
    await addHome(world, { meterId: `K-${n}`, accountId: `ACCT-300-${n}`, locationId: `K-${n}` });
});
afterAll(() => test.close());

const utility = () => test.settings.config.utilities[0]!;
const consent = () => ({ ...world.stores, config: world.config, clock: world.clock });
const steps = async () => {
  const [row] = await test.stores.database.query<{ count: number }>("SELECT count(*) AS count FROM consents");
  return row!.count;
};
/** Does what nobody may, and undoes it. */
async function tampered(statement: string): Promise<string | undefined> {
  const { database } = test.stores;
  let broken: string | undefined;
  await database
    .transaction(async (transaction) => {
      await transaction.query("ALTER TABLE consents DISABLE TRIGGER USER");
      await transaction.query(statement);
      broken = (await verifyConsents(transaction))[0]!.broken;
      throw new Error("undone");
    })
    .catch((error: unknown) => expect((error as Error).message).toBe("undone"));
  return broken;
}

it("has nothing to say before the first consent", async () => {
  expect(await verifyConsents(test.stores.database)).toEqual([]);
});

it("chains the steps of all residents, whoever comes at the same time", async () => {
  const phone = (n: number) => `+1213555${String(1000 + n)}`;
  await Promise.all(
    Array.from({ length: 30 }, async (_, i) => {
      const n = i + 1;
      const account = `ACCT-300-${n}`;
      await requestSubscription(consent(), {
        ...{ utility: "oakvale", zip: "90001", account, email: `k${n}@mail.example`, phone: phone(n) },
        ...{ kinds: ["leak", "high-usage"], method: "web" },
      });
      await Promise.all([
        optIn(world, { account, email: `k${n}@mail.example` }),
        receiveText(consent(), utility(), { providerId: `SM${n}`, from: phone(n), body: "STOP" }),
      ]);
    }),
  );
  const count = await steps();
  expect(count).toBeGreaterThanOrEqual(30 * 6);
  const [chain] = await verifyConsents(test.stores.database);
  expect(chain).toEqual({
    utility: "oakvale",
    steps: count,
    head: expect.stringMatching(/^[0-9a-f]{64}$/),
    broken: undefined,
  });
}, 60_000);

it("tells a step that was changed, put in, or taken out anywhere", async () => {
  const count = await steps();
  expect(await tampered("UPDATE consents SET action = 'revoke' WHERE place = 7")).toMatch(
    /^step 7 does not follow/,
  );
  expect(await tampered("UPDATE consents SET at = at + interval '1 microsecond' WHERE place = 9")).toMatch(
    /^step 9 /,
  );
  expect(
    await tampered(
      "UPDATE consents SET evidence_sealed = NULL WHERE place = (SELECT min(place) FROM consents WHERE action = 'confirm')",
    ),
  ).toMatch(/^step \d+ does not follow/);
  expect(await tampered("DELETE FROM consents WHERE place = 5")).toMatch(/^step 6 does not follow/);
  expect(await tampered("DELETE FROM consents WHERE place = 1")).toMatch(/^step 2 does not follow/);
  expect(await tampered(`DELETE FROM consents WHERE place > ${count - 2}`)).toBe(
    `it ends at step ${count - 2}, and step ${count} was added last: steps are missing`,
  );
  expect(
    await tampered(
      `INSERT INTO consents (utility, contact_id, occupancy_id, kind, channel, action, method, language, text_version, text_hash, at, place, chain)
       SELECT utility, contact_id, occupancy_id, kind, channel, action, method, language, text_version, text_hash, at, ${count + 1}, chain
       FROM consents WHERE place = ${count}`,
    ),
  ).toMatch(new RegExp(`^step ${count + 1} does not follow`));
  expect((await verifyConsents(test.stores.database))[0]!.broken).toBeUndefined();
});

it("chains steps from before there was a chain to the same head", async () => {
  const [before] = await verifyConsents(test.stores.database);
  const sql = readFileSync(
    join(packageRoot(), "infra", "postgres", "migrations", "0011_consent_chain.sql"),
    "utf8",
  );
  await test.stores.database.transaction(async (transaction) => {
    await transaction.query(`
      ALTER TABLE consents DISABLE TRIGGER USER;
      DROP TRIGGER consents_chained ON consents;
      DROP FUNCTION follow_consents, chain_consent, consent_hash;
      DROP TABLE consent_chains;`);
    // In the order of their places, as they came.
    await transaction.query(
      "CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM consents ORDER BY place",
    );
    await transaction.query(`
      DELETE FROM consents;
      ALTER TABLE consents DROP COLUMN place, DROP COLUMN chain;
      ALTER TABLE kept DROP COLUMN place, DROP COLUMN chain, DROP COLUMN consent_id;`);
    await transaction.query(
      `INSERT INTO consents (utility, contact_id, occupancy_id, kind, channel, action, method, language, text_version,
         text_hash, evidence_sealed, at) SELECT * FROM kept`,
    );
    await transaction.query("ALTER TABLE consents ENABLE TRIGGER USER");
    await transaction.query(sql);
  });
  expect(await verifyConsents(test.stores.database)).toEqual([before]);
});

it("exports what an address agreed to, with its wording and who confirmed", async () => {
  const found = await consentEvidence(test.stores, utility(), "K3@mail.example");
  expect(found!.map(({ kind, action, method }) => `${kind} ${action} ${method}`)).toEqual(
    expect.arrayContaining(["leak request web", "leak confirm link", "high-usage confirm link"]),
  );
  const confirmed = found!.find(({ action }) => action === "confirm")!;
  expect(confirmed.text).toContain("I agree that City of Oakvale Water may e-mail me");
  expect(confirmed.evidence).toEqual({});
  expect(await consentEvidence(test.stores, utility(), "nobody@mail.example")).toBeUndefined();
});
