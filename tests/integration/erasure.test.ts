import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PersonErased } from "../../infra/crypto/person-keys.js";
import { unsealAddress } from "../../notify/consent/contact.js";
import { finishErasures } from "../../notify/consent/erasure.js";
import {
  consentEvidence,
  createNotify,
  eraseAddress,
  type Erasure,
  holdAddress,
  liftHolds,
  listErasures,
  markHandled,
  requestSubscription,
  saveChoices,
  waitingTexts,
  verifyConsents,
  whyOfContact,
} from "../../notify/index.js";
import { everythingStored } from "../harness/everything-stored.js";
import { startNotified, type Notified } from "../harness/notified.js";
import { addHome, leak, optIn, tell } from "../harness/residents.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const DAY_MS = 86_400_000;

let test: Notified["test"];
let world: Notified["world"];
let mailbox: Notified["mailbox"];
let notify: Notified["notify"];
let web: Notified["web"];
let scene: Notified;
let homes = 0;

beforeAll(async () => {
  scene = await startNotified("erasure", NOON);
  ({ test, world, mailbox, notify, web } = scene);
});
afterAll(() => scene.close());
beforeEach(() => {
  test.clock.set(NOON);
});

const context = () => ({ ...test.stores, clock: test.clock });
const oakvale = () => test.settings.config.utilities[0]!;
const get = (path: string) => fetch(web.url + path, { redirect: "manual" });
const post = (path: string) => fetch(web.url + path, { method: "POST", redirect: "manual" });
const stored = async () => [...(await everythingStored(test.stores.database)).values()].join("\n");
const hashOf = (email: string) => test.stores.vault.hash("oakvale", "email", email);

interface Resident {
  readonly n: number;
  readonly email: string;
  readonly account: string;
  readonly meter: string;
  readonly contact: string;
}

async function home(): Promise<Omit<Resident, "contact">> {
  const n = ++homes;
  const account = `ACCT-200-${n}`;
  const meter = await addHome(world, { meterId: `E-${n}`, accountId: account, locationId: `E-${n}` });
  return { n, email: `erin${n}@mail.example`, account, meter };
}

/** A home with a resident who hears of leaks by mail. */
async function resident(): Promise<Resident> {
  const { n, email, account, meter } = await home();
  await optIn(world, { account, email, kinds: ["leak"] });
  const [row] = await test.stores.database.query<{ contact_id: string }>(
    "SELECT contact_id FROM contacts WHERE address_hash = $1",
    [hashOf(email)],
  );
  return { n, email, account, meter, contact: row!.contact_id };
}

let anomalies = 0;
async function toldOfLeak({ email, meter }: Resident): Promise<string> {
  await tell(world, leak(test.clock, meter, { id: `e${String(++anomalies).padStart(31, "0")}` }));
  await notify.drain();
  return (await mailbox.mails())[mailbox.recipients().lastIndexOf(email)]!.text!;
}
const mailsTo = (email: string) => mailbox.recipients().filter((one) => one === email).length;
const pathIn = (text: string, path: string) => new RegExp(`https?://[^/]+(/${path}/[\\w-]+)`).exec(text)![1]!;
const tokenIn = (path: string) => path.split("/").at(-1)!;

function keyFile(contact: string): string {
  return join(dirname(test.settings.config.keyFile!), "people", contact.slice(0, 2), contact);
}

it("erases whoever follows the link of a mail and confirms, for good and at once", async () => {
  const home = await resident();
  const mail = await toldOfLeak(home);
  const choices = pathIn(mail, "choices");
  const unsubscribe = pathIn(mail, "unsubscribe");
  const answer = pathIn(mail, "answer");
  await test.stores.database.query(
    `INSERT INTO texts_received (utility, provider_id, contact_id, body_sealed, asks, for_people, received_at)
     VALUES ('oakvale', 'm-1', $1, $2, 'unknown', true, now())`,
    [
      home.contact,
      test.stores.vault.people.seal("oakvale", home.contact, "texts_received.body|m-1", "hello"),
    ],
  );
  // Something waits for the morning.
  test.clock.set(NOON + 10 * 3_600_000);
  await tell(world, leak(test.clock, home.meter, { id: "f".repeat(32), start: NOON / 1000 }));
  await notify.drain();

  const page = await (await get(choices)).text();
  const erase = /href="(\/erase\/[\w-]+)"/.exec(page)![1]!;
  const shown = await (await get(erase)).text();
  expect(shown).toContain("e•••@mail.example");
  expect(shown).not.toContain(home.email);
  expect(existsSync(keyFile(home.contact))).toBe(true);

  const done = await post(erase);
  const text = await done.text();
  expect(done.status).toBe(200);
  expect(text).toContain("Your data is deleted");
  const [erasure] = await listErasures(context());
  expect(erasure).toMatchObject({ utility: "oakvale", askedBy: "page", holds: [] });
  expect(erasure!.keyGoneAt).toEqual(new Date(test.clock.now()));
  expect(text).toContain(erasure!.receipt);

  const [contact] = await test.stores.database.query(
    "SELECT address_sealed, erased_at FROM contacts WHERE contact_id = $1",
    [home.contact],
  );
  expect(contact).toEqual({ address_sealed: null, erased_at: new Date(test.clock.now()) });
  expect(existsSync(keyFile(home.contact))).toBe(false);
  const left = (table: string) =>
    test.stores.database.query(`SELECT 1 FROM ${table} WHERE contact_id = $1`, [home.contact]);
  expect(await left("texts_received")).toEqual([]);
  expect(await left("answers")).toEqual([]);
  expect(await left("active_consents")).toEqual([]);
  expect(await stored()).not.toContain(home.email);

  // The proof stays, whole, and nobody is told of it by a log.
  const steps = await consentEvidence(test.stores, oakvale(), home.email);
  expect(steps!.map(({ action, method }) => `${action} ${method}`)).toEqual([
    "request command",
    "confirm link",
    "revoke erasure",
  ]);
  expect((await verifyConsents(test.stores.database)).map(({ broken }) => broken)).toEqual([undefined]);

  // Links of mails that lie in a mailbox: nothing to choose or answer, and who unsubscribes is told that it is so.
  for (const gone of [choices, erase, answer]) {
    expect((await get(gone)).status).toBe(404);
    expect((await post(gone)).status).toBe(404);
  }
  expect((await post(unsubscribe)).status).toBe(200);
  expect(await whyOfContact(test.stores, oakvale(), home.email)).toBeUndefined();

  const before = mailsTo(home.email);
  test.clock.set(NOON + DAY_MS);
  await tell(world, leak(test.clock, home.meter, { id: "d".repeat(32), start: NOON / 1000 }));
  await notify.drain();
  expect(mailsTo(home.email)).toBe(before);
});

it("leaves backups that can't be read any more, of the erased alone", async () => {
  const [gone, stays] = [await resident(), await resident()];
  const { database, vault } = test.stores;
  const rowOf = async ({ contact }: Resident) => {
    const [row] = await database.query<{ contact_id: string; address_hash: Buffer; address_sealed: Buffer }>(
      "SELECT contact_id, address_hash, address_sealed FROM contacts WHERE contact_id = $1",
      [contact],
    );
    return row!;
  };
  const backup = [await rowOf(gone), await rowOf(stays)];
  expect(backup.map((row) => unsealAddress(vault, "oakvale", row))).toEqual([gone.email, stays.email]);
  await eraseAddress(context(), oakvale(), gone.email);

  // The database as it was, with the keys as they are.
  for (const { contact_id, address_sealed } of backup)
    await database.query("UPDATE contacts SET address_sealed = $2, erased_at = NULL WHERE contact_id = $1", [
      contact_id,
      address_sealed,
    ]);
  const restored = await rowOf(gone);
  expect(() => unsealAddress(vault, "oakvale", restored)).toThrow(PersonErased);
  expect(unsealAddress(vault, "oakvale", await rowOf(stays))).toBe(stays.email);

  // What they wrote can't be read either, and keeps no others' words back.
  const write = (id: string, contact: string, body: Buffer) =>
    database.query(
      `INSERT INTO texts_received (utility, provider_id, contact_id, body_sealed, asks, for_people, received_at)
       VALUES ('oakvale', $1, $2, $3, 'unknown', true, $4)`,
      [id, contact, body, new Date(NOON)],
    );
  await write("b-1", gone.contact, backup[0]!.address_sealed);
  await write(
    "b-2",
    stays.contact,
    vault.people.seal("oakvale", stays.contact, "texts_received.body|b-2", "hi"),
  );
  const texts = await waitingTexts(test.stores);
  expect(texts.filter(({ id }) => id.startsWith("b-")).map(({ body }) => body)).toEqual([null, "hi"]);

  // What a restored backup would still want to send goes nowhere.
  await database.query(
    `INSERT INTO outbox (utility, kind, contact_id, channel, state, not_before, created_at, updated_at, reply)
     VALUES ('oakvale', 'reply', $1, 'email', 'queued', $2, $2, $2, 'help')`,
    [gone.contact, new Date(test.clock.now())],
  );
  await notify.drain();
  const [row] = await database.query(
    "SELECT state, reason FROM outbox WHERE contact_id = $1 AND kind = 'reply'",
    [gone.contact],
  );
  expect(row).toEqual({ state: "failed", reason: "erased" });
});

it("waits while something holds a contact, and erases by itself once nothing does", async () => {
  const home = await resident();
  const until = new Date(NOON + 3 * DAY_MS);
  const hold = (reason: string, end?: Date) =>
    holdAddress(context(), oakvale(), home.email, { reason, until: end });
  expect(await hold("court", until)).toBe(true);
  expect(await hold("audit")).toBe(true);
  const mail = await toldOfLeak(home);
  const erase = pathIn(mail, "choices").replace("/choices/", "/erase/");
  const asked = await (await post(erase)).text();
  expect(asked).toContain("We have your request");
  expect(asked).toContain("July 16, 2026");
  expect(asked).not.toMatch(/court|audit/);

  const find = async () => (await listErasures(context())).find(({ receipt }) => asked.includes(receipt))!;
  expect(await find()).toMatchObject({ erasedAt: null, keyGoneAt: null, holds: ["court", "audit"] });
  // Asked again, it is the same request; and what was agreed to still holds.
  expect(await (await post(erase)).text()).toContain((await find()).receipt);
  const active = () =>
    test.stores.database.query("SELECT 1 FROM active_consents WHERE contact_id = $1", [home.contact]);
  expect(await active()).toHaveLength(1);

  expect(await liftHolds(context(), oakvale(), home.email)).toBe(2);
  expect((await find()).erasedAt).not.toBeNull();
  expect(await active()).toEqual([]);

  const other = await resident();
  await holdAddress(context(), oakvale(), other.email, { reason: "court", until });
  const [{ receipt }] = (await eraseAddress(context(), oakvale(), other.email)) as [Erasure];
  test.clock.set(until.getTime() - 1);
  await notify.drain();
  const state = async () => (await listErasures(context())).find((one) => one.receipt === receipt)!;
  expect(await state()).toMatchObject({ erasedAt: null, askedBy: "staff" });
  test.clock.set(until.getTime());
  await notify.drain();
  expect(await state()).toMatchObject({ erasedAt: until, keyGoneAt: until, holds: [] });
  expect(existsSync(keyFile(other.contact))).toBe(false);
});

it("takes an address that signs up again for somebody new", async () => {
  const home = await resident();
  await eraseAddress(context(), oakvale(), home.email);
  expect(await eraseAddress(context(), oakvale(), home.email)).toEqual([]);
  expect(await holdAddress(context(), oakvale(), home.email, { reason: "late", until: undefined })).toBe(
    false,
  );
  await optIn(world, { account: home.account, email: home.email, kinds: ["leak"] });
  const contacts = await test.stores.database.query<{ erased: boolean }>(
    "SELECT erased_at IS NOT NULL AS erased FROM contacts WHERE address_hash = $1 ORDER BY created_at",
    [hashOf(home.email)],
  );
  expect(contacts.map(({ erased }) => erased).sort()).toEqual([false, true]);
  await toldOfLeak(home);
  expect(mailsTo(home.email)).toBe(1);
  // The proof of both times.
  const steps = await consentEvidence(test.stores, oakvale(), home.email);
  expect(steps!.map(({ action }) => action)).toEqual(["request", "confirm", "revoke", "request", "confirm"]);
});

it("finishes what a process that was killed left half-way", async () => {
  const home = await resident();
  const { database, vault } = test.stores;
  // Asked for, and nothing done.
  await database.query(
    `INSERT INTO erasures (utility, contact_id, asked_by, asked_at, due_at) VALUES ('oakvale', $1, 'page', $2, $2)`,
    [home.contact, new Date(NOON)],
  );
  expect(await finishErasures(context())).toBe(1);
  expect(existsSync(keyFile(home.contact))).toBe(false);
  // The row is cut, and the key is still there.
  vault.people.create("oakvale", home.contact);
  await database.query("UPDATE erasures SET key_gone_at = NULL WHERE contact_id = $1", [home.contact]);
  expect(await finishErasures(context())).toBe(1);
  expect(existsSync(keyFile(home.contact))).toBe(false);
  expect(await finishErasures(context())).toBe(0);
});

it("lets nobody in who was erased between two looks", async () => {
  const home = await resident();
  const link = pathIn(await toldOfLeak(home), "choices");
  const boxes = [...(await (await get(link)).text()).matchAll(/name="shown" value="(\d+):([\w-]+)"/g)];
  const shown = boxes.map(([, occupancy, kind]) => ({
    occupancy: Number(occupancy),
    kind: kind as "leak" | "high-usage",
  }));
  const stores = { ...context(), config: test.settings.config };
  const wanted = {
    shown,
    ticked: shown,
    language: "en",
    units: "",
    from: "",
    until: "",
    timeZone: "",
  } as const;
  const [, [erased]] = await Promise.all([
    saveChoices(stores, tokenIn(link), wanted, {}),
    eraseAddress(context(), oakvale(), home.email),
  ]);
  expect(erased!.erasedAt).not.toBeNull();
  expect(
    await test.stores.database.query("SELECT 1 FROM active_consents WHERE contact_id = $1", [home.contact]),
  ).toEqual([]);
  expect(await saveChoices(stores, tokenIn(link), wanted, {})).toBe(false);
});

it("forgets by itself what is kept no longer: addresses that never said yes, and what residents wrote", async () => {
  const { database, vault } = test.stores;
  const [never, asked, yes] = [await home(), await home(), await resident()];
  const consent = { ...context(), config: test.settings.config };
  const ask = ({ account, email }: { account: string; email: string }) =>
    requestSubscription(consent, {
      ...{ utility: "oakvale", account, zip: "90001", email, kinds: ["leak"], method: "web" },
    });
  await ask(never);
  await ask(asked);
  const write = (id: string, forPeople: boolean) =>
    database.query(
      `INSERT INTO texts_received (utility, provider_id, contact_id, body_sealed, asks, for_people, received_at)
       VALUES ('oakvale', $1, $2, $3, 'unknown', $4, $5)`,
      [id, yes.contact, vault.people.seal("oakvale", yes.contact, id, "words"), forPeople, new Date(NOON)],
    );
  await write("old", false);
  await write("waits", true);
  const texts = async () =>
    (
      await database.query<{ id: string }>(
        "SELECT provider_id AS id FROM texts_received WHERE contact_id = $1 ORDER BY 1",
        [yes.contact],
      )
    ).map(({ id }) => id);
  const erased = async (email: string) => {
    const [row] = await database.query<{ erased: boolean }>(
      "SELECT erased_at IS NOT NULL AS erased FROM contacts WHERE address_hash = $1",
      [hashOf(email)],
    );
    return row!.erased;
  };
  test.clock.set(NOON + 29 * DAY_MS);
  await ask(asked);
  await notify.drain();
  expect(await erased(never.email)).toBe(false);
  test.clock.set(NOON + 30 * DAY_MS + 1);
  await notify.drain();
  expect(await Promise.all([never, asked, yes].map(({ email }) => erased(email)))).toEqual([
    true,
    false,
    false,
  ]);
  expect((await listErasures(context()))[0]).toMatchObject({ askedBy: "retention" });
  expect(await stored()).not.toContain(never.email);
  // That they were asked stays.
  expect(await consentEvidence(test.stores, oakvale(), never.email)).toHaveLength(1);

  expect(await texts()).toEqual(["old", "waits"]);
  test.clock.set(NOON + 90 * DAY_MS + 1);
  await notify.drain();
  expect(await texts()).toEqual(["waits"]);
  expect(await markHandled(database, "waits", new Date(test.clock.now()))).toBe(true);
  await notify.drain();
  expect(await texts()).toEqual([]);
  expect(await erased(asked.email)).toBe(true);
  expect(await erased(yes.email)).toBe(false);
});

it("does not start where the keys of everybody are gone", async () => {
  const folder = join(dirname(test.settings.config.keyFile!), "people");
  renameSync(folder, `${folder}.away`);
  try {
    await expect(createNotify(test.context()).start()).rejects.toThrow(
      /folder people beside the key file is gone.*Put its mirror back/,
    );
  } finally {
    renameSync(`${folder}.away`, folder);
  }
});

it("goes on where a key can't be destroyed, says so, and tries again", async () => {
  const home = await resident();
  const folder = dirname(keyFile(home.contact));
  const key = keyFile(home.contact);
  // A folder in the place of the file: root too can't unlink it.
  renameSync(key, `${folder}/kept`);
  mkdirSync(join(key, "in the way"), { recursive: true });
  await test.stores.database.query(
    `INSERT INTO erasures (utility, contact_id, asked_by, asked_at, due_at) VALUES ('oakvale', $1, 'page', $2, $2)`,
    [home.contact, new Date(NOON)],
  );
  await notify.drain();
  const state = async () =>
    (await listErasures(context())).find(
      ({ keyGoneAt, askedBy }) => keyGoneAt === null && askedBy === "page",
    );
  expect(await state()).toMatchObject({ erasedAt: new Date(NOON), keyGoneAt: null });
  expect(test.logged.join("\n")).toContain("erasures not finished");
  expect(notify.health()).toMatchObject({ live: true });
  rmSync(key, { recursive: true });
  renameSync(`${folder}/kept`, key);
  await notify.drain();
  expect(await state()).toBeUndefined();
  expect(existsSync(key)).toBe(false);
});

it("makes one key for an address that two requests bring at once", async () => {
  const account = "ACCT-300-1";
  await addHome(world, { meterId: "E-300", accountId: account, locationId: "E-300" });
  const folder = join(dirname(test.settings.config.keyFile!), "people");
  const files = async () =>
    (await readdir(folder, { recursive: true })).filter((name) => name.includes("-")).length;
  const before = await files();
  await Promise.all(
    Array.from({ length: 4 }, () =>
      optIn(world, { account, email: "twice@mail.example", kinds: ["leak"] }).catch(() => undefined),
    ),
  );
  expect(await files()).toBe(before + 1);
});
