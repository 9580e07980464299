import { noteDisclosure, noteLook, privacyLog } from "../../notify/index.js";
import { startNotified, type Notified } from "../harness/notified.js";
import { addHome, leak, optIn, tell } from "../harness/residents.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const MINUTE_MS = 60_000;

let scene: Notified;

beforeAll(async () => {
  scene = await startNotified("privacy-log", NOON);
});
afterAll(() => scene.close());

it("tells of one address what was sent on which consent, who looked what for, and what was given to whom", async () => {
  const { test, world, notify } = scene;
  const utility = world.config.utilities[0]!;
  const { clock, stores } = test;
  const meter = await addHome(world, { meterId: "P-1", accountId: "ACCT-4001", locationId: "P-1" });
  await addHome(world, { meterId: "P-2", accountId: "ACCT-4002", locationId: "P-2" });
  await optIn(world, { account: "ACCT-4002", email: "other@mail.example", kinds: ["leak"] });
  await optIn(world, { account: "ACCT-4001", email: "p@mail.example", kinds: ["high-usage", "leak"] });
  clock.set(NOON + MINUTE_MS);
  await tell(world, leak(clock, meter));
  await notify.drain();
  const [step] = await stores.database.query<{ place: number }>(
    `SELECT max(place) AS place FROM consents c JOIN contacts USING (contact_id)
     WHERE kind = 'leak' AND action = 'confirm' AND address_hash = $1`,
    [stores.vault.hash("oakvale", "email", "p@mail.example")],
  );

  const by = { actor: "kim", purpose: "legal", address: "P@mail.example" } as const;
  await noteLook(stores, utility, { ...by, what: "why --contact" }, NOON + 2 * MINUTE_MS);
  await noteLook(stores, utility, { actor: "lee", purpose: "call", what: "calls" }, NOON + 3 * MINUTE_MS);
  const given = { ...by, what: "consents export", givenTo: "Superior Court", ground: "subpoena 26-117" };
  expect(await noteDisclosure(stores, utility, given, NOON + 4 * MINUTE_MS)).toBe(true);
  expect(
    await noteDisclosure(stores, utility, { ...given, address: "nobody@mail.example" }, NOON + 4 * MINUTE_MS),
  ).toBe(false);

  const story = (await privacyLog(stores, utility, { address: "p@mail.example" }))!;
  expect(
    story.map(({ kind, actor, what, purpose, givenTo, ground }) => [
      kind,
      actor,
      what,
      purpose,
      givenTo,
      ground,
    ]),
  ).toEqual([
    [
      "message",
      "curbstop",
      "address and alert",
      "leak",
      "mail server",
      `consent, step ${step!.place} of the chain`,
    ],
    ["look", "kim", "why --contact", "legal", null, null],
    ["disclosure", "kim", "consents export", "legal", "Superior Court", "subpoena 26-117"],
  ]);
  expect(await privacyLog(stores, utility, { address: "other@mail.example" })).toEqual([]);
  expect(await privacyLog(stores, utility, { address: "nobody@mail.example" })).toBeUndefined();

  const all = (await privacyLog(stores, utility, { from: new Date(NOON + 3 * MINUTE_MS) }))!;
  expect(all.map(({ actor, contact }) => [actor, contact === null])).toEqual([
    ["lee", true],
    ["kim", false],
  ]);
  expect(await privacyLog(stores, utility, { until: new Date(NOON) })).toEqual([]);
  expect(JSON.stringify([story, all])).not.toMatch(/mail\.example/);

  await expect(stores.database.query("UPDATE privacy_log SET actor = 'nobody'")).rejects.toThrow(
    /never changed/,
  );
  await expect(stores.database.of("oakvale").query("DELETE FROM privacy_log")).rejects.toThrow(
    /permission denied/,
  );
});
