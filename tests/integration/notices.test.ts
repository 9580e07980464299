import { startTwilio, type TwilioFake } from "../../demo/twilio.js";
import {
  createNotify,
  eraseAddress,
  NoticeDiffers,
  sendNotice,
  noticeSchema,
  sentNotices,
  receiveText,
  requestSubscription,
  unsubscribe,
  whyOfContact,
  type HomeWithoutMail,
  type NotifyStage,
} from "../../notify/index.js";
import { linkToken } from "../../notify/consent/link-token.js";
import { keptMails } from "../harness/kept-mails.js";
import { addHome, leak, optIn, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";
import { OAKVALE_TEXTS, twilioSettings } from "../harness/twilio.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;

let test: TestStores;
let world: World;
let fake: TwilioFake;
let notify: NotifyStage;
const { mails, transport } = keptMails();
const utility = () => world.config.utilities[0]!;
const words = {
  en: {
    subject: "Our terms change",
    text: "First\nparagraph.\n\nSecond one.",
    link: "https://oakvale.example/t",
  },
  es: { subject: "Cambian las condiciones", text: "Primero.\n\nSegundo." },
};
const notice = (name: string) => noticeSchema(utility()).parse({ name, about: "terms", words });
const send = (name: string, dry = false, letters?: (homes: readonly HomeWithoutMail[]) => void) =>
  sendNotice(test.stores, utility(), notice(name), {
    by: "alex",
    now: new Date(test.clock.now()),
    dry,
    letters,
  });
const mailsTo = (name: string) => mails.filter(({ to }) => to === `${name}@mail.example`);

beforeAll(async () => {
  fake = await startTwilio(() => test.clock.now());
  test = await startStores("notices", {
    now: NOON,
    config: (folder) => ({
      twilio: twilioSettings(folder, fake),
      utilities: [
        {
          ...usageUtility(folder),
          alerts: { live: true, stormPercent: 100, renewAfterMonths: 0 },
          sms: OAKVALE_TEXTS,
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

/** What somebody wants, what became of their address, and what they get then. */
const PEOPLE = [
  { name: "all", kinds: ["leak", "high-usage"], alert: true, service: true },
  { name: "high-only", kinds: ["high-usage"], alert: false, service: true },
  { name: "none", kinds: ["leak"], then: "unsubscribed", alert: false, service: true },
  { name: "spanish", kinds: ["leak"], language: "es", alert: true, service: true },
  { name: "gone", kinds: ["leak"], then: "bounced", alert: false, service: false },
  { name: "annoyed", kinds: ["leak"], then: "complained", alert: false, service: false },
  { name: "unconfirmed", kinds: ["leak"], then: "never-confirmed", alert: false, service: false },
  { name: "moved", kinds: ["leak"], then: "moved-out", alert: false, service: false },
  { name: "erased", kinds: ["leak"], then: "erased", alert: false, service: false },
] as const;

const meters = new Map<string, string>();

beforeAll(async () => {
  const { database, vault } = test.stores;
  const context = { config: world.config, database, vault, clock: test.clock };
  for (const person of PEOPLE) {
    const { name, kinds } = person;
    const then = "then" in person ? person.then : undefined;
    const account = `ACCT-${name}`;
    const email = `${name}@mail.example`;
    const home = { meterId: `M-${name}`, accountId: account, locationId: `L-${name}`, name: `Name ${name}` };
    meters.set(name, await addHome(world, home));
    const request = {
      account,
      email,
      kinds,
      language: "language" in person ? person.language : ("en" as const),
    };
    if (then === "never-confirmed")
      await requestSubscription(context, { utility: "oakvale", zip: "90001", method: "web", ...request });
    else expect(await optIn(world, request)).toBe(true);
    const [contact] = await database.query<{ contact_id: string }>(
      "SELECT contact_id FROM contacts WHERE address_hash = $1",
      [vault.hash("oakvale", "email", email)],
    );
    if (then === "unsubscribed")
      expect(
        await unsubscribe(context, linkToken(vault, "oakvale", "unsubscribe", contact!.contact_id)),
      ).toBe(true);
    if (then === "bounced" || then === "complained")
      await database.query(
        `INSERT INTO suppressions (utility, channel, address_hash, reason, at)
         SELECT utility, channel, address_hash, $2, $3 FROM contacts WHERE contact_id = $1`,
        [
          contact!.contact_id,
          then === "bounced" ? "unreachable" : "provider-stop",
          new Date(test.clock.now()),
        ],
      );
    if (then === "moved-out") await addHome(world, { ...home, accountId: "ACCT-next" });
    if (then === "erased") await eraseAddress(context, utility(), email);
  }
  // Hears by text alone.
  meters.set(
    "texts",
    await addHome(world, { meterId: "M-t", accountId: "ACCT-t", locationId: "L-t", name: "Tess" }),
  );
  await requestSubscription(context, {
    ...{ utility: "oakvale", account: "ACCT-t", zip: "90001", phone: "+12135550100" },
    ...{ kinds: ["leak"], method: "web", language: "es" },
  });
  await notify.drain();
  await receiveText(context, utility(), { providerId: "SM-1", from: "+12135550100", body: "Y1" });
  await notify.drain();
  mails.length = 0;
}, 60_000);

it("says whom a notice reaches, and sends nothing yet", async () => {
  expect(await send("terms-2027", true)).toEqual({ mails: 4, before: 0, homesWithoutMail: 3 });
  await notify.drain();
  expect(mails).toEqual([]);
  expect(await sentNotices(test.stores, utility())).toEqual([]);
});

it("sends a notice to whoever signed up and lives there, whatever they want to hear of, and alerts to who wants them", async () => {
  const homes: HomeWithoutMail[] = [];
  expect(await send("terms-2027", false, (all) => homes.push(...all))).toMatchObject({ mails: 4 });
  expect(homes.map(({ account, name, language }) => [account, name, language])).toEqual([
    ["ACCT-gone", "Name gone", "en"],
    ["ACCT-annoyed", "Name annoyed", "en"],
    ["ACCT-t", "Tess", "es"],
  ]);
  await notify.drain();
  const served = Object.fromEntries(PEOPLE.map(({ name }) => [name, mailsTo(name).length]));
  expect(served).toEqual(Object.fromEntries(PEOPLE.map(({ name, service }) => [name, service ? 1 : 0])));
  expect(fake.to("+12135550100").join()).not.toContain("terms");

  const [english] = mailsTo("none");
  expect(english!.text).toContain("Subject: Our terms change");
  expect(english!.text).toContain("First paragraph.\r\n\r\nSecond one.");
  expect(english!.text).toContain("https://oakvale.example/t");
  expect(english!.text).toContain("It comes whatever alerts you want.");
  expect(english!.text).not.toMatch(/List-Unsubscribe/i);
  expect(mailsTo("spanish")[0]!.text).toContain("Subject: Cambian las condiciones");

  mails.length = 0;
  test.clock.set(NOON + HOUR_MS);
  const found = [...meters.values()].map((meter, n) =>
    leak(test.clock, meter, { id: n.toString(16).padStart(32, "a") }),
  );
  await tell(world, ...found);
  await notify.drain();
  const told = Object.fromEntries(PEOPLE.map(({ name }) => [name, mailsTo(name).length]));
  expect(told).toEqual(Object.fromEntries(PEOPLE.map(({ name, alert }) => [name, alert ? 1 : 0])));
});

it("sends it once, also to who signs up later, and nothing else by its name", async () => {
  mails.length = 0;
  expect(await send("terms-2027")).toMatchObject({ mails: 0, before: 4 });
  await addHome(world, { meterId: "M-late", accountId: "ACCT-late", locationId: "L-late" });
  await optIn(world, { account: "ACCT-late", email: "late@mail.example" });
  await notify.drain();
  mails.length = 0;
  expect(await send("terms-2027")).toMatchObject({ mails: 1, before: 4 });
  await notify.drain();
  expect(mails.map(({ to }) => to)).toEqual(["late@mail.example"]);
  const other = { ...notice("terms-2027"), about: "privacy" as const };
  await expect(
    sendNotice(test.stores, utility(), other, { by: "alex", now: new Date(), dry: true }),
  ).rejects.toThrow(NoticeDiffers);
  expect(await sentNotices(test.stores, utility())).toMatchObject([
    { name: "terms-2027", about: "terms", by: "alex", mails: { accepted: 5 } },
  ]);
});

it("waits for the day, and is not sent to who moves out or deletes their data meanwhile", async () => {
  mails.length = 0;
  test.clock.set(NOON + 12 * HOUR_MS);
  expect(await send("privacy-2027")).toMatchObject({ mails: 5 });
  await notify.drain();
  expect(mails).toEqual([]);
  await addHome(world, { meterId: "M-all", accountId: "ACCT-next-all", locationId: "L-all" });
  const { database, vault } = test.stores;
  const context = { config: world.config, database, vault, clock: test.clock };
  await eraseAddress(context, utility(), "high-only@mail.example");
  test.clock.set(NOON + 24 * HOUR_MS);
  await notify.drain();
  expect(mails.map(({ to }) => to).sort()).toEqual(
    ["late", "none", "spanish"].map((name) => `${name}@mail.example`),
  );
  const why = await whyOfContact(test.stores, utility(), "all@mail.example");
  expect(why!.filter(({ what }) => what === "notice privacy-2027")).toMatchObject([
    { outcome: "suppressed", reason: "moved-out" },
  ]);
});

it("waits for go-live", async () => {
  mails.length = 0;
  await notify.stop();
  const [oakvale] = world.config.utilities;
  const config = {
    ...world.config,
    utilities: [{ ...oakvale!, alerts: { ...oakvale!.alerts, live: false } }],
  };
  const dry = await test.start(createNotify({ ...test.context(), config, transport }));
  expect(await send("account-2027")).toMatchObject({ mails: 3 });
  await dry.drain();
  expect(mails).toEqual([]);
  await dry.stop();
  notify = await test.start(createNotify({ ...test.context(), transport }));
  await notify.drain();
  expect(mails).toHaveLength(3);
});
