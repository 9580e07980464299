import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import twilio from "twilio";
import { freePort } from "../../infra/supervise.js";
import {
  createNotify,
  describeChoices,
  describeHome,
  markHandled,
  pausesOf,
  reasonInWords,
  requestSubscription,
  resumeChannels,
  waitingTexts,
  whyOfAnomaly,
  whyOfContact,
  type NotifyStage,
  type SubscriptionInvalid,
} from "../../notify/index.js";
import { inboundUrl, statusUrl } from "../../notify/channels/twilio.js";
import { createWeb } from "../../web/index.js";
import { canonicalAccount } from "../../schemas/canonical.js";
import { addHome, leak, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";
import { ACCOUNT, startTwilio, TOKEN, type TwilioFake } from "../../demo/twilio.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let test: TestStores;
let world: World;
let fake: TwilioFake;
let notify: NotifyStage;
let hook: string;
let homes = 0;
let now = NOON;

beforeAll(async () => {
  fake = await startTwilio(() => test.clock.now());
  const port = await freePort();
  test = await startStores("sms", {
    now: NOON,
    config: (folder) => {
      writeFileSync(join(folder, "token"), `${TOKEN}\n`);
      return {
        web: { port, publicUrl: `http://127.0.0.1:${port}` },
        twilio: { accountSid: ACCOUNT, authTokenFile: join(folder, "token"), apiUrl: fake.url },
        utilities: [
          {
            ...usageUtility(folder),
            languages: ["en", "es"],
            // Years go by between these tests; retention.test.ts asks again.
            alerts: { live: true, renewAfterMonths: 0 },
            sms: { from: "+12135550199", name: "Oakvale Water", help: "213-555-0100" },
          },
        ],
      };
    },
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  hook = inboundUrl(world.config.web, "oakvale");
  notify = await test.start(createNotify(test.context()));
  await test.start(createWeb({ ...test.context(), stages: () => [] }));
});
afterAll(async () => {
  await test.close();
  await fake.close();
});
// Each test has days of its own, so that a number's month is its own as well.
beforeEach(() => {
  now += 40 * DAY_MS;
  test.clock.set(now);
});

interface Home {
  readonly id: string;
  readonly phone: string;
  readonly meter: string;
  readonly account: string;
}

async function home(phone?: string): Promise<Home> {
  const number = ++homes;
  const meter = await addHome(world, {
    meterId: `M-${number}`,
    accountId: `ACCT-0000-${1000 + number}`,
    locationId: `L-${number}`,
  });
  return {
    id: number.toString(16).padStart(32, "0"),
    phone: phone ?? `+1213555${String(100 + number).padStart(4, "0")}`,
    meter,
    account: `ACCT-0000-${1000 + number}`,
  };
}

function ask(
  { account, phone }: Home,
  kinds: readonly ("leak" | "high-usage")[] = ["leak"],
  language?: "en" | "es",
) {
  return requestSubscription(test.context(), {
    utility: "oakvale",
    account,
    zip: "90001",
    phone,
    kinds,
    method: "web",
    ...(language === undefined ? {} : { language }),
  });
}

async function signedUp(kinds?: readonly ("leak" | "high-usage")[], phone?: string): Promise<Home> {
  const one = await home(phone);
  await ask(one, kinds);
  await notify.drain();
  expect(await write(one, "Y1")).toBe(200);
  return one;
}

/** The resident writes, and what that leads to is sent. */
async function write({ phone }: Pick<Home, "phone">, body: string, sid?: string): Promise<number> {
  const status = await fake.write(hook, phone, body, sid);
  expect(status).toBe(200);
  await notify.drain();
  return status;
}

async function textsTo({ phone }: Pick<Home, "phone">): Promise<string[]> {
  await notify.drain();
  return fake.to(phone);
}

async function alertOf(anomaly: string, kind = "alert") {
  const [row] = await test.stores.database.query<{
    outbox_id: string;
    state: string;
    reason: string | null;
    told: string | null;
    attempts: number;
    not_before: Date;
    provider_id: string | null;
  }>(
    "SELECT * FROM outbox WHERE anomaly = $1 AND kind = $2 AND channel = 'sms' ORDER BY stage DESC LIMIT 1",
    [anomaly, kind],
  );
  return row;
}

const later = (ms: number) => test.clock.set(test.clock.now() + ms);
const opened = (one: Home, change = {}) => leak(test.clock, one.meter, { id: one.id, ...change });

async function activeKinds({ phone }: Home): Promise<string[]> {
  const rows = await test.stores.database.query<{ kind: string }>(
    `SELECT DISTINCT kind FROM active_consents JOIN contacts USING (contact_id) WHERE address_hash = $1 ORDER BY kind`,
    [test.stores.vault.hash("oakvale", "phone", phone)],
  );
  return rows.map(({ kind }) => kind);
}

async function texts(asks?: string) {
  return test.stores.database.query<{ asks: string; for_people: boolean }>(
    "SELECT asks, for_people FROM texts_received WHERE $1::text IS NULL OR asks = $1 ORDER BY received_at DESC",
    [asks ?? null],
  );
}

const ASKED =
  "Oakvale Water: You want leak alerts? Reply Y1 to confirm. 8 msg/mo at most. Msg&data rates may apply. HELP. STOP to end.";
const CONFIRMED =
  "Oakvale Water: Your water alerts are on. 8 msg/mo at most. Msg&data rates may apply. HELP for help, STOP to end.";
const LEAK =
  "Oakvale Water: Possible leak at your service 1001: water ran nonstop for 26 h, 1.85 gal/h. Reply 1 if intended, 2 looking, 3 later. STOP to end.";
const STOPPED =
  "Oakvale Water: You will get no more texts. Reply LEAK to get leak alerts only, or START to resume.";
const HELP =
  "Oakvale Water water alerts. Help: 213-555-0100. 8 msg/mo at most. Msg&data rates may apply. STOP to end.";

describe("consent by SMS", () => {
  it("asks the number, and tells of a leak only after it said yes", async () => {
    const one = await home();
    await ask(one);
    expect(await textsTo(one)).toEqual([ASKED]);
    await tell(world, opened(one));
    expect(await textsTo(one)).toEqual([ASKED]);
    await write(one, "y1");
    expect(await activeKinds(one)).toEqual(["leak"]);
    expect(await textsTo(one)).toEqual([ASKED, CONFIRMED]);
    await tell(world, opened(one, { version: 2, state: "updated" }));
    expect(await textsTo(one)).toEqual([ASKED, CONFIRMED, LEAK.replace("1001", one.account.slice(-4))]);
    // Carriers must not bring it at night: 8 hours are left until 20:00.
    const [, , last] = fake.taken.filter(({ to }) => to === one.phone);
    expect(last!.validityPeriod).toBe(8 * 3600);
    expect(last!.from).toBe("+12135550199");
  });

  it("keeps the words that were agreed to, and who said yes, sealed", async () => {
    const one = await signedUp();
    const [row] = await test.stores.database.query<{
      contact_id: string;
      method: string;
      text_version: string;
      evidence_sealed: Buffer;
    }>("SELECT c.* FROM active_consents c JOIN contacts USING (contact_id) WHERE address_hash = $1", [
      test.stores.vault.hash("oakvale", "phone", one.phone),
    ]);
    expect(row).toMatchObject({ method: "sms", text_version: "2026-12-03" });
    const opened = test.stores.vault.unseal(
      "oakvale",
      `consents.evidence|${row!.contact_id}`,
      row!.evidence_sealed,
    );
    expect(JSON.parse(opened.toString())).toEqual({ message: expect.stringMatching(/^SM/) });
  });

  it("asks each address for what was ticked for it, and names boxes and addresses that want each other", async () => {
    const one = await home();
    const email = "both@mail.example";
    const request = (more: object) =>
      requestSubscription(test.context(), {
        ...{ utility: "oakvale", account: one.account, zip: "90001", phone: one.phone, email, method: "web" },
        ...{ kinds: { email: ["high-usage"], sms: ["leak", "burst"], voice: [] } },
        ...more,
      });
    await request({});
    const asked = await test.stores.database.query(
      `SELECT c.channel, f.kinds FROM confirmations f JOIN contacts c USING (contact_id) JOIN occupancies o
         ON o.occupancy_id = ANY (f.occupancies) JOIN accounts a USING (account_id)
       WHERE a.number_hash = $1 ORDER BY c.channel`,
      [test.stores.vault.hash("oakvale", "account", canonicalAccount(one.account))],
    );
    expect(asked).toEqual([
      { channel: "email", kinds: ["high-usage"] },
      { channel: "sms", kinds: ["leak", "burst"] },
    ]);
    const wrong = (more: object) =>
      request(more).then(
        () => [],
        (error: unknown) => (error as SubscriptionInvalid).fields,
      );
    const leak = ["leak"];
    expect(await wrong({ kinds: { email: leak, sms: [], voice: [] } })).toEqual(["kinds"]);
    expect(await wrong({ phone: "" })).toEqual(["phone"]);
    expect(await wrong({ kinds: { email: leak, sms: leak, voice: leak } })).toEqual(["call"]);
    expect(await wrong({ email: "", kinds: { email: [], sms: leak, voice: [] } })).toEqual([]);
    expect(await wrong({ kinds: { email: [], sms: [], voice: [] } })).toEqual(["kinds"]);
  });

  it("takes YES and Spanish, and nothing of a request that is a day old", async () => {
    const [one, other, late] = [await home(), await home(), await home()];
    await ask(one);
    await ask(other, ["leak", "high-usage"], "es");
    await ask(late);
    expect(await textsTo(other)).toEqual([
      "Oakvale Water: ¿Avisos de fugas y alto consumo? Confirme con S1. Hasta 8 msj/mes, puede haber cargos. AYUDA. STOP termina.",
    ]);
    await write(one, "Yes");
    await write(other, "Sí");
    expect(await activeKinds(one)).toEqual(["leak"]);
    expect(await activeKinds(other)).toEqual(["high-usage", "leak"]);
    expect((await textsTo(other)).at(-1)).toMatch(/^Oakvale Water: Sus avisos de agua quedan activos/);
    later(25 * HOUR_MS);
    await write(late, "Y1");
    expect(await activeKinds(late)).toEqual([]);
    expect((await textsTo(late)).at(-1)).toMatch(/somebody will read this/);
  });

  it("signs up by a text with account and ZIP, and answers alike where they match nothing", async () => {
    const one = await home();
    await write(one, `JOIN ${one.account} 90001`);
    expect(await textsTo(one)).toEqual([ASKED]);
    await write(one, "Y");
    expect(await activeKinds(one)).toEqual(["leak"]);
    const stranger = { phone: "+12135559999" };
    expect(await write(stranger, "join 9999999 90001")).toBe(200);
    expect(await textsTo(stranger)).toEqual([]);
    // What no request can come of is for people, and is taken like everything else.
    const london = { phone: "+442079460018" };
    expect(await write(london, `JOIN ${one.account} 90001`)).toBe(200);
    expect(await textsTo(london)).toEqual([expect.stringMatching(/somebody will read this/)]);
  });

  it("refuses a landline and what is no number, and takes numbers as people write them", async () => {
    const one = await home();
    await expect(ask({ ...one, phone: "12345" })).rejects.toThrow(
      /phone missing or not in the expected form/,
    );
    // A landline of the United Kingdom, where the plan tells.
    await expect(ask({ ...one, phone: "+44 20 7946 0018" })).rejects.toThrow(/phone/);
    await ask({ ...one, phone: `(213) 555-${one.phone.slice(-4)}` });
    expect(await textsTo(one)).toEqual([ASKED]);
  });
});

describe("STOP", () => {
  it("ends everything at once and says so once; START brings it back, LEAK only leaks", async () => {
    const one = await signedUp(["leak", "high-usage"]);
    await write(one, "Stop.");
    expect(await activeKinds(one)).toEqual([]);
    expect((await textsTo(one)).at(-1)).toBe(STOPPED);
    const before = (await textsTo(one)).length;
    await write(one, "STOP");
    await tell(world, opened(one));
    expect(await textsTo(one)).toHaveLength(before);
    await write(one, "START");
    expect(await activeKinds(one)).toEqual(["high-usage", "leak"]);
    expect((await textsTo(one)).at(-1)).toMatch(/are on again/);
    await write(one, "please stop texting me");
    expect(await activeKinds(one)).toEqual([]);
    expect((await texts("stop")).filter(({ for_people }) => for_people)).toHaveLength(1);
    await write(one, "leak");
    expect(await activeKinds(one)).toEqual(["leak"]);
    expect((await textsTo(one)).at(-1)).toMatch(/leak alerts only/);
    // Whoever wants all of it again gets it, after a LEAK too.
    await write(one, "START");
    expect(await activeKinds(one)).toEqual(["high-usage", "leak"]);
    await write(one, "LEAK");
    expect(await activeKinds(one)).toEqual(["leak"]);
    await write(one, "START");
    expect(await activeKinds(one)).toEqual(["high-usage", "leak"]);
  });

  it("takes back what waits, held over night or being retried", async () => {
    const one = await signedUp();
    test.clock.set(now + 9 * HOUR_MS); // 21:00
    await tell(world, opened(one));
    await notify.drain();
    expect(await alertOf(one.id)).toMatchObject({ state: "held", reason: null });
    await write(one, "stop");
    expect(await alertOf(one.id)).toMatchObject({ state: "suppressed", told: null });
    test.clock.set(now + DAY_MS);
    expect((await textsTo(one)).at(-1)).toBe(STOPPED);
  });

  it("holds for a request that was not confirmed yet, and for one that comes later by the web", async () => {
    const one = await home();
    await ask(one);
    await notify.drain();
    await write(one, "STOP");
    await write(one, "Y1");
    expect(await activeKinds(one)).toEqual([]);
    const before = (await textsTo(one)).length;
    await ask(one);
    expect(await textsTo(one)).toHaveLength(before);
    // The resident says so by the phone itself.
    await write(one, "START");
    expect((await textsTo(one)).at(-1)).toMatch(/No alerts are set up for this number/);
    await ask(one);
    expect((await textsTo(one)).at(-1)).toBe(ASKED);
  });

  it("is taken once, however often the provider brings it, and HELP is answered after it", async () => {
    const one = await signedUp();
    await write(one, "STOP", `SM${"9".repeat(32)}`);
    await write(one, "START", `SM${"8".repeat(32)}`);
    const before = await textsTo(one);
    expect(await write(one, "STOP", `SM${"9".repeat(32)}`)).toBe(200);
    expect(await activeKinds(one)).toEqual(["leak"]);
    expect(await textsTo(one)).toEqual(before);
    await write(one, "STOP");
    await write(one, "help");
    expect((await textsTo(one)).at(-1)).toBe(HELP);
    expect(await activeKinds(one)).toEqual([]);
  });

  it("answers HOME with the link to the home's page, where alerts are set up", async () => {
    const one = await signedUp();
    await write(one, "casa");
    const text = (await textsTo(one)).at(-1)!;
    expect(text).toMatch(/^Oakvale Water: Days away, pool, budget: \S+\/home\/[\w-]{43}$/);
    const [, token] = /home\/(\S+)/.exec(text)!;
    const stores = { ...test.stores, config: test.settings.config, clock: test.clock };
    expect((await describeHome(stores, token!))!.services).toHaveLength(1);
    expect((await describeChoices(stores, token!))!.channel).toBe("sms");
    await write(one, "STOP");
    const before = await textsTo(one);
    await write(one, "HOME");
    expect(await textsTo(one)).toEqual(before);
    const stranger = await home();
    await write(stranger, "HOME");
    expect((await textsTo(stranger)).at(-1)).toMatch(/No alerts are set up for this number/);
  });

  it("comes from the carrier as well: what it refuses for a STOP is one", async () => {
    const one = await signedUp();
    fake.script({ do: "answer", status: 400, code: 21610 });
    await tell(world, opened(one));
    await notify.drain();
    expect(await alertOf(one.id)).toMatchObject({ state: "failed", reason: "twilio 21610", told: null });
    expect(await activeKinds(one)).toEqual([]);
    await write(one, "START");
    expect(await activeKinds(one)).toEqual(["leak"]);
  });

  it("is undone by a JOIN of the phone itself, which asks again", async () => {
    const one = await signedUp();
    await write(one, "STOP");
    await write(one, `join ${one.account} 90001`);
    expect((await textsTo(one)).at(-1)).toBe(ASKED);
    expect(await activeKinds(one)).toEqual([]);
    await write(one, "Y1");
    expect(await activeKinds(one)).toEqual(["leak"]);
  });

  it("is taken beside whatever else comes at the same time", async () => {
    const one = await signedUp();
    const ids = [...Array(6).keys()].map((n) => one.id.replace(/^0/, (n + 1).toString(16)));
    for (const id of ids) {
      await tell(world, opened({ ...one, id }, { rule: "burst" }));
      await notify.drain();
    }
    const sent = fake.taken.filter(({ to }) => to === one.phone).slice(-6);
    const answers = await Promise.all([
      ...sent.map(({ sid }) => fake.report(sid, "undelivered", 30003)),
      ...["START", "STOP", "START", "stop", "HELP"].map((body) => fake.write(hook, one.phone, body)),
      tell(world, opened({ ...one, id: ids[0]! }, { rule: "burst", version: 2, state: "updated" })).then(
        () => 200,
      ),
    ]);
    expect(answers.filter((status) => status !== 200 && status !== 204)).toEqual([]);
    await write(one, "STOP");
    expect(await activeKinds(one)).toEqual([]);
  });

  it("does not answer a machine for ever", async () => {
    const one = await home();
    for (let n = 0; n < 25; n++) expect(await fake.write(hook, one.phone, "HELP")).toBe(200);
    expect(await textsTo(one)).toHaveLength(20);
    await write(one, "STOP");
    expect((await textsTo(one)).at(-1)).toBe(STOPPED);
  });

  it("does not bring back who has moved out since", async () => {
    const one = await signedUp();
    await write(one, "STOP");
    await addHome(world, {
      meterId: `M-${homes}`,
      accountId: one.account,
      locationId: `L-${homes}`,
      moveOut: Math.floor(test.clock.now() / 1000) - 3600,
    });
    await write(one, "START");
    expect(await activeKinds(one)).toEqual([]);
    expect((await textsTo(one)).at(-1)).toMatch(/No alerts are set up/);
  });
});

describe("answers", () => {
  it("keeps quiet of what runs on purpose until it doubles, and of a burst never", async () => {
    const one = await signedUp();
    await tell(world, opened(one));
    await notify.drain();
    await write(one, "1");
    expect((await textsTo(one)).at(-1)).toMatch(/only if the flow doubles/);
    const count = (await textsTo(one)).length;
    later(2 * DAY_MS);
    const again = { ...one, id: one.id.replace(/^0/, "a") };
    await tell(world, opened(again));
    expect(await textsTo(one)).toHaveLength(count);
    const outcomes = await test.stores.database.query("SELECT outcome FROM decisions WHERE anomaly = $1", [
      again.id,
    ]);
    expect(outcomes).toEqual([{ outcome: "muted" }]);
    await tell(world, opened(again, { version: 2, state: "updated", rate: 14_000 }));
    expect((await textsTo(one)).slice(count)).toEqual([expect.stringMatching(/Possible leak.*3.7 gal\/h/)]);
    const burst = { ...one, id: one.id.replace(/^0/, "b") };
    later(HOUR_MS);
    await tell(world, opened(burst, { rule: "burst", rate: 500_000 }));
    expect((await textsTo(one)).at(-1)).toMatch(/Possible burst/);
  });

  it("reminds in a week if the water still runs, and not if it has stopped", async () => {
    const [one, other] = [await signedUp(), await signedUp()];
    for (const each of [one, other]) {
      await tell(world, opened(each));
      await notify.drain();
      await write(each, "3");
      expect((await textsTo(each)).at(-1)).toMatch(/remind you in 7 days/);
    }
    later(7 * DAY_MS - HOUR_MS);
    const goesOn = opened(one, { version: 2, state: "updated", start: Math.floor(now / 1000) - 27 * 3600 });
    const over = opened(other, { version: 2, state: "closed", reason: "flow-stopped" });
    await tell(world, goesOn, over);
    await notify.drain();
    later(HOUR_MS + 60_000);
    expect((await textsTo(one)).at(-1)).toMatch(/Water still runs at your service \d{4}, for 8 days now/);
    expect((await textsTo(other)).at(-1)).toMatch(/The flow at your service \d{4} has stopped/);
    expect(await alertOf(other.id, "reminder")).toMatchObject({
      state: "suppressed",
      reason: "flow-stopped",
    });
  });

  it("asks which service is meant, and takes its last four digits", async () => {
    const first = await signedUp();
    const second = await signedUp(undefined, first.phone);
    for (const each of [first, second]) await tell(world, opened(each));
    await notify.drain();
    await write(first, "2");
    expect((await textsTo(first)).at(-1)).toMatch(/several services/);
    await write(first, `2 ${second.account.slice(-4)}`);
    expect((await textsTo(first)).at(-1)).toMatch(/write again when the flow has stopped/);
    const rows = await test.stores.database.query(
      "SELECT anomaly, answer FROM answers WHERE anomaly = ANY ($1)",
      [[first.id, second.id]],
    );
    expect(rows).toEqual([{ anomaly: second.id, answer: 2 }]);
  });

  it("takes no wish to be reminded of high use, which ends by itself", async () => {
    const one = await signedUp(["leak", "high-usage"]);
    await tell(world, opened(one, { rule: "high-day", evidence: { usualDay: 500_000 } }));
    expect((await textsTo(one)).at(-1)).toMatch(/Unusually/);
    await write(one, "3");
    expect((await textsTo(one)).at(-1)).toMatch(/somebody will read this/);
    expect(await alertOf(one.id, "reminder")).toBeUndefined();
    await write(one, "1");
    expect((await textsTo(one)).at(-1)).toMatch(/Thank you/);
  });

  it("gives one polite answer a day to what it does not understand, and leaves the words to people", async () => {
    const one = await signedUp();
    await write(one, "My neighbour's dog drinks a lot");
    await write(one, "really a lot");
    expect((await textsTo(one)).filter((text) => text.includes("somebody will read this"))).toHaveLength(1);
    expect(await texts("unknown")).toEqual(
      expect.arrayContaining([expect.objectContaining({ for_people: true })]),
    );
    const [row] = await test.stores.database.query<{ body_sealed: Buffer }>(
      "SELECT body_sealed FROM texts_received WHERE asks = 'unknown' ORDER BY received_at DESC LIMIT 1",
    );
    expect(row!.body_sealed.includes("lot")).toBe(false);
    await write(one, "pay my bill with 4111 1111 1111 1111 please");
    const waiting = await waitingTexts(test.stores);
    expect(waiting.at(-1)!.body).toBe("pay my bill with [card number removed] please");
    later(25 * HOUR_MS);
    await write(one, "hello?");
    expect((await textsTo(one)).filter((text) => text.includes("somebody will read this"))).toHaveLength(2);
  });
});

describe("limits", () => {
  it("sends one routine text a day to a home, a burst beside it, and no more in a month than was said", async () => {
    const one = await signedUp();
    const idOf = (n: number) => one.id.replace(/^0{4}/, n.toString(16).padStart(4, "f"));
    const alerts = async () => (await textsTo(one)).filter((text) => /Possible/.test(text)).length;
    await tell(world, opened(one));
    expect(await alerts()).toBe(1);
    await tell(world, opened({ ...one, id: idOf(1) }, { rule: "burst" }));
    expect(await alerts()).toBe(2);
    later(2 * HOUR_MS);
    await tell(world, opened(one, { version: 2, state: "closed", reason: "flow-stopped" }));
    await notify.drain();
    expect(await alertOf(one.id, "stopped")).toMatchObject({ state: "held", reason: "daily-limit" });
    later(22 * HOUR_MS);
    expect((await textsTo(one)).at(-1)).toMatch(/has stopped/);
    // The alert and its end were two; six more make eight.
    for (let n = 2; n < 8; n++) {
      later(3 * DAY_MS);
      await tell(world, opened({ ...one, id: idOf(n) }));
      await notify.drain();
    }
    expect(await alerts()).toBe(8);
    later(2 * DAY_MS);
    await tell(world, opened({ ...one, id: idOf(9) }));
    await notify.drain();
    expect(await alertOf(idOf(9))).toMatchObject({ state: "suppressed", reason: "monthly-limit" });
  });
});

describe("what may have been taken", () => {
  it("is found at the provider and not sent again", async () => {
    const one = await signedUp();
    fake.script({ do: "cut-after-taking" });
    fake.failLookups(1);
    await tell(world, opened(one));
    await notify.drain();
    later(60_000);
    await notify.drain();
    // The look-up failed: that says nothing of the message.
    expect(await alertOf(one.id)).toMatchObject({ state: "unknown", told: "open" });
    later(60_000);
    await notify.drain();
    const row = await alertOf(one.id);
    expect(row).toMatchObject({ state: "accepted", told: "open" });
    expect(row!.provider_id).toBe(fake.taken.filter(({ to }) => to === one.phone).at(-1)!.sid);
    expect((await textsTo(one)).filter((text) => text.includes("Possible leak"))).toHaveLength(1);
  });

  it("is found by itself where another says the same", async () => {
    const one = await home();
    fake.script({ do: "cut-after-taking" }, { do: "cut-after-taking" });
    await ask(one);
    await ask(one);
    for (let minute = 0; minute < 3; minute++) {
      later(60_000);
      await notify.drain();
    }
    const rows = await test.stores.database.query<{ provider_id: string; state: string }>(
      "SELECT provider_id, state FROM outbox JOIN contacts USING (contact_id) WHERE address_hash = $1",
      [test.stores.vault.hash("oakvale", "phone", one.phone)],
    );
    expect(rows.map(({ state }) => state)).toEqual(["accepted", "accepted"]);
    expect(rows.map(({ provider_id }) => provider_id).sort()).toEqual(
      fake.taken.slice(-2).map(({ sid }) => sid),
    );
  });

  it("is known by the provider's first word of it", async () => {
    const one = await signedUp();
    fake.script({ do: "cut-after-taking" });
    await tell(world, opened(one));
    await notify.drain();
    const { sid } = fake.taken.at(-1)!;
    expect(await fake.report(sid, "sent")).toBe(204);
    expect(await alertOf(one.id)).toMatchObject({ state: "accepted", provider_id: sid });
    const before = fake.lookups();
    later(60_000);
    await notify.drain();
    expect(fake.lookups()).toBe(before);
  });

  it("and was not is given up after ten minutes, but a burst is sent once more", async () => {
    const [one, other] = [await signedUp(), await signedUp()];
    fake.script({ do: "cut-before-taking" });
    await tell(world, opened(one));
    await notify.drain();
    fake.script({ do: "cut-before-taking" });
    await tell(world, opened(other, { rule: "burst" }));
    await notify.drain();
    for (let minute = 0; minute < 12; minute++) {
      later(60_000);
      await notify.drain();
    }
    expect(await alertOf(one.id)).toMatchObject({ state: "failed", reason: "no-trace" });
    expect(await alertOf(other.id)).toMatchObject({ state: "accepted" });
    expect((await textsTo(one)).filter((text) => text.includes("Possible leak"))).toHaveLength(0);
    expect((await textsTo(other)).filter((text) => text.includes("Possible burst"))).toHaveLength(1);
  });

  it("and surely was not is tried again", async () => {
    const one = await signedUp();
    fake.script({ do: "answer", status: 429, code: 20429 });
    await tell(world, opened(one));
    await notify.drain();
    expect(await alertOf(one.id)).toMatchObject({ state: "queued", reason: "twilio 20429", told: null });
    later(60_000);
    expect((await textsTo(one)).filter((text) => text.includes("Possible leak"))).toHaveLength(1);
  });
});

describe("what the provider says afterwards", () => {
  it("counts upwards only", async () => {
    const one = await signedUp();
    await tell(world, opened(one));
    await notify.drain();
    const { sid } = fake.taken.at(-1)!;
    await fake.report(sid, "delivered");
    await fake.report(sid, "sent");
    await fake.report(sid, "undelivered", 30003);
    expect(await alertOf(one.id)).toMatchObject({ state: "delivered", told: "open" });
  });

  it("ends texts to a number that can't get any, at once or after three in a row", async () => {
    const [landline, away] = [await signedUp(), await signedUp()];
    await tell(world, opened(landline));
    await notify.drain();
    await fake.report(fake.taken.at(-1)!.sid, "undelivered", 30006);
    expect(await activeKinds(landline)).toEqual([]);
    expect(await alertOf(landline.id)).toMatchObject({ state: "failed", reason: "twilio 30006", told: null });
    for (let n = 0; n < 3; n++) {
      expect(await activeKinds(away)).toEqual(["leak"]);
      later(2 * DAY_MS);
      await tell(world, opened({ ...away, id: away.id.replace(/^0/, String(n + 1)) }));
      await notify.drain();
      await fake.report(fake.taken.at(-1)!.sid, "undelivered", 30003);
    }
    expect(await activeKinds(away)).toEqual([]);
  });

  it("does not end what was agreed to after the text that a late report is of", async () => {
    const one = await signedUp();
    await tell(world, opened(one));
    await notify.drain();
    const { sid } = fake.taken.at(-1)!;
    later(2 * DAY_MS);
    await write(one, "STOP");
    await write(one, "START");
    await fake.report(sid, "undelivered", 30006);
    expect(await alertOf(one.id)).toMatchObject({ state: "failed", reason: "twilio 30006" });
    expect(await activeKinds(one)).toEqual(["leak"]);
    // Of a text that went out since, it does.
    const next = one.id.replace(/^0/, "e");
    await tell(world, opened({ ...one, id: next }));
    await notify.drain();
    await fake.report(fake.taken.at(-1)!.sid, "undelivered", 30006);
    expect(await activeKinds(one)).toEqual([]);
  });

  it("pauses the utility's texts where carriers filter them, until somebody has looked", async () => {
    const many = [await signedUp(), await signedUp(), await signedUp()];
    const [one, stops] = [await signedUp(), await signedUp()];
    for (const each of many) {
      await tell(world, opened(each));
      await notify.drain();
      expect(await pausesOf(test.stores.database)).toEqual([]);
      await fake.report(fake.taken.at(-1)!.sid, "undelivered", 30007);
    }
    expect(await pausesOf(test.stores.database)).toEqual([
      expect.objectContaining({ utility: "oakvale", channel: "sms", reason: "twilio 30007" }),
    ]);
    const metrics = await (await fetch(`${world.config.web.publicUrl}/metrics`)).text();
    expect(metrics).toContain('curbstop_channel_paused{utility="oakvale",channel="sms"} 1');
    const before = (await textsTo(one)).length;
    await tell(world, opened(one));
    await write(stops, "STOP");
    expect((await textsTo(stops)).at(-1)).toBe(STOPPED);
    expect(await textsTo(one)).toHaveLength(before);
    // Nobody's consent ended: it was not their word.
    for (const each of many) expect(await activeKinds(each)).toEqual(["leak"]);
    expect(await resumeChannels(test.stores.database, "oakvale", new Date(test.clock.now()))).toBe(1);
    expect((await textsTo(one)).at(-1)).toMatch(/Possible leak/);
  });

  it("is believed with its signature alone, as the vendor's own library makes and checks it", async () => {
    const one = await signedUp();
    await tell(world, opened(one));
    await notify.drain();
    const { sid, statusCallback } = fake.taken.at(-1)!;
    const parameters = { MessageSid: sid, MessageStatus: "delivered", "Ünï code": "a b&c=d" };
    const post = async (
      url: string,
      signature: string | undefined,
      given: Record<string, string> = parameters,
    ) =>
      (
        await fetch(url, {
          method: "POST",
          headers: signature === undefined ? {} : { "x-twilio-signature": signature },
          body: new URLSearchParams(given),
        })
      ).status;
    const signature = twilio.getExpectedTwilioSignature(TOKEN, statusCallback!, parameters);
    expect(await post(statusCallback!, undefined)).toBe(403);
    expect(await post(statusCallback!, "AAAA")).toBe(403);
    expect(await post(statusCallback!, signature, { ...parameters, MessageStatus: "failed" })).toBe(403);
    expect(await post(statusUrl(world.config.web, "oakvale", one.id), signature)).toBe(403);
    expect(await alertOf(one.id)).toMatchObject({ state: "accepted" });
    expect(await post(statusCallback!, signature)).toBe(204);
    expect(await alertOf(one.id)).toMatchObject({ state: "delivered" });
    expect(await post(hook, twilio.getExpectedTwilioSignature("another token", hook, {}), {})).toBe(403);
  });
});

it("stands in for Twilio so that the vendor's own client works with it", async () => {
  const there = new twilio.RequestClient();
  const ask = there.request.bind(there);
  there.request = (options: { uri: string }) =>
    ask({ ...options, uri: options.uri.replace("https://api.twilio.com", fake.url) } as never);
  const client = twilio(ACCOUNT, TOKEN, { httpClient: there });
  const sent = await client.messages.create({ to: "+12135550150", from: "+12135550199", body: "Hello" });
  expect(sent).toMatchObject({ status: "queued", body: "Hello", direction: "outbound-api", errorCode: null });
  expect(sent.dateCreated).toEqual(new Date(Math.floor(test.clock.now() / 1000) * 1000));
  expect(await client.messages.list({ to: "+12135550150" })).toEqual([
    expect.objectContaining({ sid: sent.sid, body: "Hello" }),
  ]);
  await expect(
    client.messages.create({ to: "nobody", from: "+12135550199", body: "x" }),
  ).rejects.toMatchObject({
    status: 400,
    code: 21211,
  });
  const stranger = twilio(ACCOUNT, "wrong", { httpClient: there });
  await expect(stranger.messages.list({ limit: 1 })).rejects.toMatchObject({ status: 401, code: 20003 });
});

describe("why", () => {
  it("tells the story of an address, and of an anomaly, with a reason in words for each", async () => {
    const one = await signedUp();
    test.clock.set(now + 9 * HOUR_MS);
    await tell(world, opened(one));
    await notify.drain();
    later(HOUR_MS);
    await write(one, "please stop");
    const story = (await whyOfContact(test.stores, world.config.utilities[0]!, one.phone))!;
    expect(story.map(({ what, outcome, reason }) => [what, outcome, reason])).toEqual([
      ["confirmation", "accepted", null],
      ["consent leak", "request", "by web"],
      ["consent leak", "confirm", "by sms"],
      ["reply confirmed", "accepted", null],
      ["text received", "confirm", null],
      ["address", "suppressed", "stop"],
      ["alert", "suppressed", "stopped"],
      ["consent leak", "revoke", "by sms"],
      ["reply stopped", "accepted", null],
      ["text received", "stop", "waits for people"],
    ]);
    const about = await whyOfAnomaly(test.stores.database, one.id);
    expect(about.map(({ what, outcome, reason }) => [what, outcome, reason])).toEqual([
      ["alert", "suppressed", "stopped"],
    ]);
    const next = { ...one, id: one.id.replace(/^0/, "c") };
    await tell(world, opened(next));
    await notify.drain();
    expect(await whyOfContact(test.stores, world.config.utilities[0]!, one.phone)).toContainEqual(
      expect.objectContaining({ anomaly: next.id, outcome: "not sent", reason: "no-consent" }),
    );
    expect(reasonInWords("stopped")).toBe("the resident had replied STOP");
    expect(
      await whyOfContact(test.stores, world.config.utilities[0]!, "nobody@mail.example"),
    ).toBeUndefined();
    const [waiting] = (await waitingTexts(test.stores, "oakvale")).slice(-1);
    expect(waiting).toMatchObject({ asks: "stop", body: "please stop" });
    const marked = () => markHandled(test.stores.database, waiting!.id, new Date(test.clock.now()));
    expect(await marked()).toBe(true);
    expect(await marked()).toBe(false);
    expect((await waitingTexts(test.stores)).map(({ id }) => id)).not.toContain(waiting!.id);
  });

  it("has words for every reason that was ever written", async () => {
    const rows = await test.stores.database.query<{ reason: string }>(
      `SELECT DISTINCT reason FROM outbox WHERE reason IS NOT NULL UNION SELECT DISTINCT outcome FROM decisions`,
    );
    expect(rows.length).toBeGreaterThan(8);
    const without = rows.filter(({ reason }) => !/^twilio /.test(reason) && reasonInWords(reason) === reason);
    expect(
      without.map(({ reason }) => reason).filter((reason) => !/^[A-Z_]+$|^TypeError$/.test(reason)),
    ).toEqual([]);
  });
});

describe("the sign-up page", () => {
  const page = async (language = "en") =>
    (await fetch(`${world.config.web.publicUrl}/oakvale/subscribe?lang=${language}`)).text();
  const submit = (fields: Record<string, string>) => {
    const boxes = [...("email" in fields ? ["email:leak"] : []), ...("phone" in fields ? ["sms:leak"] : [])];
    const body = new URLSearchParams({ zip: "90001", ...fields });
    for (const box of boxes) body.append("kinds", box);
    return fetch(`${world.config.web.publicUrl}/oakvale/subscribe`, { method: "POST", body });
  };

  it("offers texts, with the words that are agreed to for each way", async () => {
    expect(await page()).toMatch(/<label for="phone">Mobile phone number<\/label>[\s\S]*type="tel"/);
    expect(await page()).toContain("up to 8 a month, and more only for a burst");
    expect(await page("es")).toContain("Puedo terminar esto cuando quiera respondiendo STOP");
  });

  it("asks each address that was given, and keeps the words of each", async () => {
    const one = await home();
    const email = `both${one.account}@mail.example`;
    const response = await submit({ account: one.account, email, phone: one.phone });
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/a reply to the text message[\s\S]*text START to \+12135550199/);
    expect(await textsTo(one)).toEqual([ASKED]);
    const rows = await test.stores.database.query<{ channel: string; text_hash: Buffer }>(
      `SELECT f.channel, f.text_hash FROM confirmations f JOIN contacts c USING (contact_id)
       WHERE c.address_hash = ANY ($1) ORDER BY f.channel`,
      [
        [
          test.stores.vault.hash("oakvale", "phone", one.phone),
          test.stores.vault.hash("oakvale", "email", email.toLowerCase()),
        ],
      ],
    );
    expect(rows.map(({ channel }) => channel)).toEqual(["email", "sms"]);
    const form = await page();
    for (const [index, start] of ["may e-mail me", "may text me"].entries()) {
      const shown = new RegExp(`I agree that [^<]*${start}[^<]*`).exec(form)![0].trim();
      expect(rows[index]!.text_hash).toEqual(createHash("sha256").update(shown).digest());
    }
  });

  it("names what is wrong with a number, and keeps what was typed", async () => {
    const one = await home();
    const response = await submit({ account: one.account, phone: "+44 20 7946 0018" });
    const text = await response.text();
    expect(response.status).toBe(400);
    expect(text).toContain("text messages do not reach a landline");
    expect(text).toContain('value="+44 20 7946 0018"');
    const none = await submit({ account: one.account });
    expect(none.status).toBe(400);
    expect(await none.text()).toContain("Please check these fields: e-mail address");
  });
});
