import { createNotify, receiveText, requestSubscription, type NotifyStage } from "../../notify/index.js";
import { addHome, leak, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";
import { OAKVALE_TEXTS, twilioSettings } from "../harness/twilio.js";
import { startTwilio, type TwilioFake } from "../../demo/twilio.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOMES = 30;
/** 20 in a minute: two of them for what is urgent. */
const LIMITS = [
  { name: "minute", segments: 20, seconds: 60 },
  { name: "day", segments: 1000, seconds: 86_400 },
];

let test: TestStores;
let world: World;
let fake: TwilioFake;
let notify: NotifyStage;
const meters: string[] = [];

beforeAll(async () => {
  fake = await startTwilio(() => test.clock.now());
  test = await startStores("text-limits", {
    now: NOON,
    config: (folder) => {
      return {
        twilio: twilioSettings(folder, fake),
        utilities: [
          {
            ...usageUtility(folder),
            alerts: { live: true, stormPercent: 100 },
            sms: { ...OAKVALE_TEXTS, limits: LIMITS },
          },
        ],
      };
    },
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  notify = await test.start(createNotify(test.context()));
  for (let n = 1; n <= HOMES; n++) {
    const account = `ACCT-0000-${n}`;
    const phone = `+1213555${1000 + n}`;
    meters.push(await addHome(world, { meterId: `L-${n}`, accountId: account, locationId: `L-${n}` }));
    await requestSubscription(test.context(), {
      ...{ utility: "oakvale", account, zip: "90001", phone, kinds: ["leak"], method: "web" },
    });
    await notify.drain();
    const text = { providerId: `SM-${n}`, from: phone, body: "Y1" };
    await receiveText(test.context(), world.config.utilities[0]!, text);
    await notify.drain();
  }
});
afterAll(async () => {
  await test.close();
  await fake.close();
});

const id = (n: number, kind: string) => kind + n.toString(16).padStart(31, "0");
const alerts = () => fake.taken.filter(({ body }) => body.includes("Possible")).length;
const waiting = (reason: string) =>
  test.stores.database.query<{ not_before: Date }>(
    "SELECT not_before FROM outbox WHERE state = 'held' AND reason = $1 ORDER BY not_before",
    [reason],
  );

it("asks and answers at once whatever the limit, and lets alerts wait their turn within it", async () => {
  // Two texts for each sign-up, all at one time.
  expect(fake.taken).toHaveLength(2 * HOMES);
  test.clock.set(NOON + HOUR_MS);
  await tell(world, ...meters.map((meter, n) => leak(test.clock, meter, { id: id(n, "a") })));
  await notify.drain();
  expect(alerts()).toBe(18);
  const turns = (await waiting("carrier-limit")).map(
    ({ not_before }) => (not_before.getTime() - test.clock.now()) / 1000,
  );
  expect(turns).toEqual(Array.from({ length: 12 }, (_, n) => 3 * (n + 1)));
  // A burst does not stand in line.
  await tell(world, leak(test.clock, meters[0]!, { id: id(0, "b"), rule: "burst" }));
  await notify.drain();
  expect(alerts()).toBe(19);
  // Nor does its text push the others out of their turns.
  for (let second = 3; second <= 36; second += 3) {
    test.clock.set(NOON + HOUR_MS + second * 1000);
    await notify.drain();
    expect(alerts()).toBe(19 + second / 3);
  }
  expect(await waiting("carrier-limit")).toEqual([]);
});

it("keeps no turn of the night for the morning, when there is a line anew", async () => {
  const before = alerts();
  // Two days later, eight seconds before the evening.
  test.clock.set(NOON + 2 * DAY_MS + 8 * HOUR_MS - 8_000);
  await tell(world, ...meters.map((meter, n) => leak(test.clock, meter, { id: id(n, "c") })));
  await notify.drain();
  expect(alerts() - before).toBe(18);
  expect(await waiting("carrier-limit")).toHaveLength(2);
  expect(await waiting("quiet-hours")).toHaveLength(10);
  test.clock.set(NOON + 2 * DAY_MS + 8 * HOUR_MS - 1_000);
  await notify.drain();
  expect(alerts() - before).toBe(20);
  test.clock.set(NOON + 2 * DAY_MS + 20 * HOUR_MS);
  await notify.drain();
  expect(alerts() - before).toBe(30);
});
