import { startTwilio } from "../../demo/twilio.js";
import { answerAlert, callList, createNotify, receiveText, requestSubscription } from "../../notify/index.js";
import { linkToken } from "../../notify/consent/link-token.js";
import { startNotified, type Notified } from "../harness/notified.js";
import { addHome, leak, optIn, tell, type World } from "../harness/residents.js";
import { OAKVALE_TEXTS, twilioSettings } from "../harness/twilio.js";
import { startStores, usageUtility } from "../harness/stores.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let scene: Notified;

beforeAll(async () => {
  scene = await startNotified("reminders", NOON);
});
afterAll(() => scene.close());

it("reminds in three days and in a week, then leaves the leak to people, until somebody says that it is meant", async () => {
  const { test, world, notify } = scene;
  const { database, vault } = test.stores;
  const utility = world.config.utilities[0]!;
  const meter = await addHome(world, { meterId: "R-1", accountId: "ACCT-7001", locationId: "R-1" });
  const untold = await addHome(world, { meterId: "R-2", accountId: "ACCT-7002", locationId: "R-2" });
  await optIn(world, { account: "ACCT-7001", email: "r1@mail.example", kinds: ["leak"] });
  const anomaly = leak(test.clock, meter, { id: "1".repeat(32), rate: 9_000 });
  const nobodys = leak(test.clock, untold, { id: "2".repeat(32), rate: 50_000 });
  await tell(world, anomaly, nobodys);
  const sent = async () => {
    await notify.drain();
    const rows = await database.query<{ kind: string }>(
      "SELECT kind FROM outbox WHERE anomaly = $1 AND accepted_at IS NOT NULL ORDER BY accepted_at",
      [anomaly.id],
    );
    return rows.map(({ kind }) => kind);
  };
  const calls = (which: boolean) => callList(test.stores, utility, { untold: which, now: test.clock.now() });
  expect(await sent()).toEqual(["alert"]);
  const expected: Record<number, string[]> = { 3: ["reminder"], 7: ["last-reminder"] };
  const all = ["alert"];
  for (let day = 1; day <= 13; day++) {
    test.clock.set(NOON + day * DAY_MS + HOUR_MS);
    const end = test.clock.now() / 1000 - 3600;
    await tell(world, { ...anomaly, version: 1 + day, state: "updated", end });
    all.push(...(expected[day] ?? []));
    expect(await sent()).toEqual(all);
    expect([await calls(false), await calls(true)].map((list) => list.length)).toEqual([
      0,
      day === 13 ? 1 : 0,
    ]);
  }
  test.clock.set(NOON + 14 * DAY_MS + HOUR_MS);
  expect(await calls(true)).toMatchObject([{ anomaly: nobodys.id, account: "ACCT-7002", toldAt: null }]);
  expect(await calls(false)).toMatchObject([
    { anomaly: anomaly.id, account: "ACCT-7001", rate: 9_000, answer: null, rule: "continuous-flow" },
  ]);

  // The link of the last reminder still works: it is meant, so nobody need call.
  const [last] = await database.query<{ id: string }>(
    "SELECT outbox_id AS id FROM outbox WHERE anomaly = $1 AND kind = 'last-reminder'",
    [anomaly.id],
  );
  const stores = { config: world.config, database, vault, clock: test.clock };
  expect(await answerAlert(stores, linkToken(vault, "oakvale", "answer", last!.id), 1)).toBeDefined();
  expect(await calls(false)).toEqual([]);
  await tell(world, {
    ...anomaly,
    version: 50,
    state: "closed",
    reason: "flow-stopped",
    end: test.clock.now() / 1000,
  });
  await tell(world, { ...nobodys, version: 50, state: "closed", reason: "flow-stopped" });
  expect(await sent()).toEqual([...all, "stopped"]);
  expect([await calls(false), await calls(true)]).toEqual([[], []]);
});

it("reminds a last time by text where a home has both, and by mail where the text can't be brought", async () => {
  const fake = await startTwilio(() => test.clock.now());
  const test = await startStores("last-reminder", {
    now: NOON,
    config: (folder) => {
      return {
        twilio: twilioSettings(folder, fake),
        utilities: [
          {
            ...usageUtility(folder),
            sms: OAKVALE_TEXTS,
          },
        ],
      };
    },
  });
  try {
    const world: World = { config: test.settings.config, stores: test.stores, clock: test.clock };
    const mails = {
      send: () => Promise.resolve({ status: "accepted" as const }),
      close: () => Promise.resolve(),
    };
    const notify = await test.start(createNotify({ ...test.context(), transport: mails }));
    const signUp = async (n: number) => {
      const account = `ACCT-70-${n}`;
      const phone = `+1213555010${n}`;
      const meter = await addHome(world, { meterId: `B-${n}`, accountId: account, locationId: `B-${n}` });
      await optIn(world, { account, email: `b${n}@mail.example`, kinds: ["leak"] });
      await requestSubscription(test.context(), {
        ...{ utility: "oakvale", account, zip: "90001", phone, kinds: ["leak"], method: "web" },
      });
      await notify.drain();
      const utility = world.config.utilities[0]!;
      await receiveText(test.context(), utility, { providerId: `SM${n}`, from: phone, body: "Y1" });
      await notify.drain();
      return leak(test.clock, meter, { id: String(n).repeat(32) });
    };
    const [both, broken] = [await signUp(1), await signUp(2)];
    await tell(world, both);
    await notify.drain();
    // Of the second home the text is refused for good.
    fake.script({ do: "answer", status: 400, code: 30_008 });
    await tell(world, broken);
    await notify.drain();
    for (const day of [3, 7]) {
      test.clock.set(NOON + day * DAY_MS + HOUR_MS);
      const end = test.clock.now() / 1000 - 3600;
      for (const one of [both, broken]) await tell(world, { ...one, version: day, state: "updated", end });
      await notify.drain();
    }
    const last = await test.stores.database.query<{ anomaly: string; channel: string; state: string }>(
      "SELECT anomaly, channel, state FROM outbox WHERE kind = 'last-reminder' ORDER BY anomaly",
    );
    expect(last).toEqual([
      { anomaly: both.id, channel: "sms", state: "accepted" },
      { anomaly: broken.id, channel: "email", state: "accepted" },
    ]);
  } finally {
    await test.close();
    await fake.close();
  }
});
