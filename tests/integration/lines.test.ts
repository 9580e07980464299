import { startTwilio, type TwilioFake } from "../../demo/twilio.js";
import { createNotify, receiveText, requestSubscription, type NotifyStage } from "../../notify/index.js";
import { keptMails } from "../harness/kept-mails.js";
import { addHome, leak, optIn, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";
import { OAKVALE_TEXTS, twilioSettings } from "../harness/twilio.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const DAY_MS = 86_400_000;
const HOMES = 24;

let test: TestStores;
let world: World;
let fake: TwilioFake;
let notify: NotifyStage;
const meters: string[] = [];
const { mails, transport } = keptMails();
const phone = (n: number) => `+1213555${1000 + n}`;
const id = (n: number, kind: string) => kind + n.toString(16).padStart(31, "0");

beforeAll(async () => {
  fake = await startTwilio(() => test.clock.now());
  test = await startStores("lines", {
    now: NOON,
    config: (folder) => ({
      twilio: { ...twilioSettings(folder, fake), lookup: true },
      utilities: [
        {
          ...usageUtility(folder),
          alerts: { live: true, stormPercent: 100, renewAfterMonths: 0 },
          sms: {
            ...OAKVALE_TEXTS,
            // One of them for what is urgent, so nine at once.
            limits: [{ name: "t-mobile", segments: 10, seconds: 3600, carrier: "T-Mobile" }],
          },
        },
      ],
    }),
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  notify = await test.start(createNotify({ ...test.context(), transport }));
});
afterAll(async () => {
  await test.close();
  await fake.close();
});

async function signUp(n: number): Promise<void> {
  const account = `ACCT-0000-${n}`;
  meters[n] = await addHome(world, { meterId: `L-${n}`, accountId: account, locationId: `L-${n}` });
  await requestSubscription(test.context(), {
    ...{ utility: "oakvale", account, zip: "90001", phone: phone(n), kinds: ["leak"], method: "web" },
  });
  await notify.drain();
}

async function say(n: number, body: string): Promise<void> {
  const text = { providerId: `SM-${n}-${body}`, from: phone(n), body };
  await receiveText(test.context(), world.config.utilities[0]!, text);
  await notify.drain();
}

const held = async () => {
  const rows = await test.stores.database.query(
    "SELECT 1 FROM outbox WHERE state = 'held' AND reason = 'carrier-limit'",
  );
  return rows.length;
};
const alertsTo = (numbers: readonly number[]) =>
  numbers.filter((n) => fake.to(phone(n)).some((text) => text.includes("Possible"))).length;

it("sends nothing to a landline, and says so", async () => {
  fake.line(phone(0), { type: "landline", carrier: "Pacific Bell" });
  await signUp(0);
  expect(fake.to(phone(0))).toEqual([]);
  const [row] = await test.stores.database.query<object>(
    "SELECT line, carrier, o.state, o.reason FROM contacts JOIN outbox o USING (contact_id) ORDER BY o.created_at",
  );
  expect(row).toEqual({ line: "landline", carrier: "Pacific Bell", state: "failed", reason: "landline" });
  // Asked for once more, it is known already.
  await signUp(0);
  expect([fake.to(phone(0)), fake.askedFor]).toEqual([[], [phone(0)]]);
});

it("counts a text against the limit of its number's carrier alone", async () => {
  for (let n = 1; n < HOMES; n++) {
    fake.line(phone(n), { type: "mobile", carrier: n % 2 === 0 ? "T-Mobile USA, Inc." : "Verizon Wireless" });
    await signUp(n);
    await say(n, "Y1");
  }
  test.clock.set(NOON + DAY_MS);
  const homes = Array.from({ length: HOMES - 1 }, (_, n) => n + 1);
  await tell(world, ...homes.map((n) => leak(test.clock, meters[n]!, { id: id(n, "a") })));
  await notify.drain();
  expect(alertsTo(homes.filter((n) => n % 2 === 0))).toBe(9);
  expect(alertsTo(homes.filter((n) => n % 2 === 1))).toBe(12);
  expect(await held()).toBe(2);
  test.clock.set(NOON + DAY_MS + 7_200_000);
  await notify.drain();
  expect(await held()).toBe(0);
  // Nobody is asked for twice in a year.
  expect(fake.askedFor).toHaveLength(HOMES);
});

it("looks a number up again after a year, and ends texts to one that became a landline", async () => {
  test.clock.set(NOON + 366 * DAY_MS);
  const before = fake.to(phone(1)).length;
  await optIn(world, { account: "ACCT-0000-1", email: "ann@mail.example", kinds: ["high-usage"] });
  await optIn(world, { account: "ACCT-0000-3", email: "bob@mail.example", kinds: ["leak"] });
  fake.line(phone(1), { type: "landline", carrier: null });
  await tell(world, ...[1, 3].map((n) => leak(test.clock, meters[n]!, { id: id(n, "b") })));
  await notify.drain();
  expect(fake.askedFor.slice(HOMES).sort()).toEqual([phone(1), phone(3)]);
  expect([fake.to(phone(1)).length, fake.to(phone(3)).length - before]).toEqual([before, 1]);
  // One that is none any more can sign up.
  fake.line(phone(0), { type: "mobile", carrier: "Verizon Wireless" });
  await signUp(0);
  expect(fake.to(phone(0))).toHaveLength(1);
  const ended = await test.stores.database.query<object>(
    "SELECT channel, action, method FROM consents WHERE action <> 'request' AND action <> 'confirm'",
  );
  expect(ended).toEqual([{ channel: "sms", action: "revoke", method: "provider" }]);
});

it("tells who gets mails about the home that texts have ended, and nobody else", async () => {
  const told = mails.filter(({ text }) => text.includes("Subject: Text alerts have ended"));
  expect(told.map(({ to }) => to)).toEqual(["ann@mail.example"]);
  expect(told[0]!.text).toMatch(/can't be\s+reached any more/);
  // Of the leak that was to be told by text she did not ask to hear by mail.
  expect(mails.filter(({ to, text }) => to === "ann@mail.example" && text.includes("leak:"))).toEqual([]);
});

it("writes to who can't be looked up like to anybody, within every limit, and leaves the provider alone", async () => {
  const asked = fake.askedFor.length;
  for (const n of [HOMES, HOMES + 1]) {
    fake.line(phone(n), "away");
    await signUp(n);
    expect(fake.to(phone(n))).toHaveLength(1);
    await say(n, "Y1");
  }
  expect(fake.askedFor.slice(asked)).toEqual([phone(HOMES)]);
  test.clock.set(NOON + 368 * DAY_MS);
  const homes = [HOMES, HOMES + 1, ...Array.from({ length: 9 }, (_, n) => 2 * n + 2)];
  await tell(world, ...homes.map((n) => leak(test.clock, meters[n]!, { id: id(n, "c") })));
  await notify.drain();
  expect(await held()).toBe(2);
});
