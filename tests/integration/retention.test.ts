import { consentEvidence, unsubscribe, verifyConsents } from "../../notify/index.js";
import { forgetOld } from "../../notify/consent/retention.js";
import { linkToken } from "../../notify/consent/link-token.js";
import { startNotified, type Notified } from "../harness/notified.js";
import { addHome, leak, optIn, tell } from "../harness/residents.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;

let scene: Notified;
let homes = 0;

beforeAll(async () => {
  scene = await startNotified("retention", NOON);
});
afterAll(() => scene.close());

async function resident(kinds: readonly ("leak" | "high-usage" | "burst")[] = ["leak"]) {
  const { world, test } = scene;
  const n = ++homes;
  const email = `r${n}@mail.example`;
  const account = `ACCT-800-${n}`;
  const meter = await addHome(world, { meterId: `T-${n}`, accountId: account, locationId: `T-${n}` });
  await optIn(world, { account, email, kinds });
  const hash = test.stores.vault.hash("oakvale", "email", email);
  const [row] = await test.stores.database.query<{ contact_id: string }>(
    "SELECT contact_id FROM contacts WHERE address_hash = $1",
    [hash],
  );
  return { email, account, meter, contact: row!.contact_id };
}

const stepsOf = async (contact: string) =>
  (
    await scene.test.stores.database.query<{ step: string }>(
      "SELECT kind || ' ' || action || ' ' || method AS step FROM consents WHERE contact_id = $1 ORDER BY consent_id",
      [contact],
    )
  ).map(({ step }) => step);

async function lastMailTo(
  email: string,
): Promise<{ readonly subject: string; readonly text: string; readonly count: number }> {
  await scene.notify.drain();
  const mails = await scene.mailbox.mails();
  const to = scene.mailbox.recipients();
  const mail = mails[to.lastIndexOf(email)];
  return {
    subject: mail?.subject ?? "",
    text: mail?.text ?? "",
    count: to.filter((one) => one === email).length,
  };
}

it("asks after a year whether alerts are still wanted, goes on with who says so, and ends the rest", async () => {
  const { test, world, web } = scene;
  const [stays, silent] = [await resident(["leak", "burst"]), await resident()];
  test.clock.set(NOON + 364 * DAY_MS);
  const before = await lastMailTo(stays.email);
  // At night, too, nothing is asked.
  test.clock.set(NOON + YEAR_MS + 12 * 3_600_000);
  expect((await lastMailTo(stays.email)).count).toBe(before.count);
  test.clock.set(NOON + YEAR_MS + DAY_MS);
  const asked = await lastMailTo(stays.email);
  expect(asked.count).toBe(before.count + 1);
  expect(asked.subject).toBe("Do you still want water alerts?");
  expect(asked.text).toContain("possible leaks and a possible burst at any hour");
  expect(asked.text).toMatch(/unsubscribe/);
  expect((await lastMailTo(silent.email)).subject).toBe("Do you still want water alerts?");

  const link = /https?:\/\/[^/]+(\/confirm\/[\w-]+)/.exec(asked.text)![1]!;
  test.clock.set(NOON + YEAR_MS + 20 * DAY_MS);
  expect((await fetch(web.url + link)).status).toBe(200);
  await fetch(web.url + link, { method: "POST", body: "" });
  expect((await stepsOf(stays.contact)).slice(4)).toEqual([
    "leak request renewal",
    "burst request renewal",
    "leak confirm link",
    "burst confirm link",
  ]);

  // All that time the alerts hold; who did not answer hears no more after 30 days.
  await tell(world, leak(test.clock, silent.meter, { id: "1".repeat(32) }));
  expect((await lastMailTo(silent.email)).subject).toMatch(/leak/i);
  test.clock.set(NOON + YEAR_MS + 31 * DAY_MS);
  await scene.notify.drain();
  expect((await stepsOf(silent.contact)).at(-1)).toBe("leak end not-renewed");
  expect((await stepsOf(stays.contact)).at(-1)).toBe("burst confirm link");
  await tell(
    world,
    leak(test.clock, silent.meter, { id: "2".repeat(32) }),
    leak(test.clock, stays.meter, { id: "3".repeat(32) }),
  );
  const last = await lastMailTo(silent.email);
  expect((await lastMailTo(stays.email)).subject).toMatch(/leak/i);
  expect(await lastMailTo(silent.email)).toEqual(last);
  // Nobody is asked twice of one year.
  expect((await stepsOf(stays.contact)).filter((step) => step.endsWith("renewal"))).toHaveLength(2);
});

it("asks again for what holds at each home, and for no more", async () => {
  const { test, world, web } = scene;
  const { database, vault } = test.stores;
  test.clock.set(NOON + 3 * YEAR_MS);
  const one = await resident(["leak"]);
  const n = ++homes;
  await addHome(world, { meterId: `T-${n}`, accountId: `ACCT-800-${n}`, locationId: `T-${n}` });
  await optIn(world, { account: `ACCT-800-${n}`, email: one.email, kinds: ["high-usage", "burst"] });
  const active = async () =>
    (
      await database.query<{ what: string }>(
        "SELECT occupancy_id || ' ' || kind AS what FROM active_consents WHERE contact_id = $1 ORDER BY 1",
        [one.contact],
      )
    ).map(({ what }) => what);
  const before = await active();
  expect(before).toHaveLength(3);
  test.clock.set(NOON + 4 * YEAR_MS + DAY_MS);
  const asked = await lastMailTo(one.email);
  expect(asked.subject).toBe("Do you still want water alerts?");
  const [row] = await database.query<{ id: string }>(
    "SELECT confirmation_id AS id FROM confirmations WHERE contact_id = $1 AND method = 'renewal'",
    [one.contact],
  );
  await fetch(`${web.url}/confirm/${linkToken(vault, "oakvale", "confirm", row!.id)}`, {
    method: "POST",
    body: "",
  });
  expect(await active()).toEqual(before);
  // All of it anew, and asked of nothing else.
  expect((await stepsOf(one.contact)).filter((step) => step.endsWith("request renewal"))).toHaveLength(3);
  expect((await stepsOf(one.contact)).filter((step) => step.endsWith("confirm link"))).toHaveLength(6);
});

it("forgets the proof of a consent five years after its end, all of it at once, and the chain holds", async () => {
  const { test, world } = scene;
  const { database, vault } = test.stores;
  test.clock.set(NOON + 400 * DAY_MS);
  const [ended, goesOn] = [await resident(), await resident()];
  const stores = { config: world.config, database, vault, clock: test.clock };
  await tell(world, leak(test.clock, ended.meter, { id: "4".repeat(32) }));
  await scene.notify.drain();
  expect(await unsubscribe(stores, linkToken(vault, "oakvale", "unsubscribe", ended.contact))).toBe(true);
  const end = test.clock.now();
  const utility = { ...world.config.utilities[0]!, alerts: { ...world.config.utilities[0]!.alerts } };
  const forgetAt = (time: number) => forgetOld({ database, vault, clock: { now: () => time } }, utility);
  const [chain] = await verifyConsents(database);
  const evidence = async (email: string) => (await consentEvidence(test.stores, utility, email))?.length;
  const rows = async (table: string) =>
    (
      await database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE contact_id = $1`, [
        ended.contact,
      ])
    )[0]!.n;
  expect(await rows("outbox")).toBeGreaterThan(0);

  await forgetAt(end + 1826 * DAY_MS);
  expect(await evidence(ended.email)).toBe(3);
  await forgetAt(end + 1826 * DAY_MS + 1);
  expect(await evidence(ended.email)).toBe(0);
  expect(await rows("outbox")).toBe(0);
  // The request could be confirmed for a day more.
  expect(await rows("confirmations")).toBe(1);
  await forgetAt(end + 1828 * DAY_MS);
  expect(await rows("confirmations")).toBe(0);
  // Who still agrees keeps the proof of it, however old.
  expect(await evidence(goesOn.email)).toBe(2);
  expect(await verifyConsents(database)).toEqual([chain]);

  // What was forgotten can't be used to take out more, nor to change a step.
  await expect(
    database.query("DELETE FROM consents WHERE contact_id = $1", [goesOn.contact]),
  ).rejects.toThrow(/evidence/);
  await expect(
    database.query("UPDATE consents SET action = 'revoke' WHERE contact_id = $1", [goesOn.contact]),
  ).rejects.toThrow(/evidence/);
});

it("forgets names and addresses in the utility's files three years after a move-out, and of nobody else", async () => {
  const { test, world } = scene;
  const { database, vault } = test.stores;
  test.clock.set(NOON + 500 * DAY_MS);
  const gone = {
    meterId: "F-1",
    accountId: "ACCT-900-1",
    locationId: "F-1",
    name: "Ann Former",
    email: "a@mail.example",
  };
  const lives = {
    meterId: "F-2",
    accountId: "ACCT-900-2",
    locationId: "F-2",
    name: "Bo Stays",
    phone: "+12135550123",
  };
  const moveOut = test.clock.now() / 1000;
  await addHome(world, { ...gone, moveOut });
  await addHome(world, lives);
  const named = async (account: string) =>
    (
      await database.query<{ n: number }>(
        `SELECT num_nonnulls(name_sealed, email_sealed, phone_sealed) AS n FROM customers JOIN accounts USING (account_id)
         WHERE number_hash = $1`,
        [vault.hash("oakvale", "account", account.replace(/\W/g, ""))],
      )
    )[0]!.n;
  const forgetAt = (time: number) =>
    forgetOld({ database, vault, clock: { now: () => time } }, world.config.utilities[0]!);
  await forgetAt(moveOut * 1000 + 1096 * DAY_MS);
  expect([await named(gone.accountId), await named(lives.accountId)]).toEqual([2, 2]);
  await forgetAt(moveOut * 1000 + 1096 * DAY_MS + 1);
  expect([await named(gone.accountId), await named(lives.accountId)]).toEqual([0, 2]);
});
