import { freePort } from "../../infra/supervise.js";
import {
  createNotify,
  eraseAddress,
  requestSubscription,
  whyOfContact,
  type NotifyStage,
} from "../../notify/index.js";
import { createWeb, type WebStage } from "../../web/index.js";
import { addHome, leak, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";
import { OAKVALE_TEXTS, twilioSettings } from "../harness/twilio.js";
import { startTwilio, type Called, type TwilioFake } from "../../demo/twilio.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let test: TestStores;
let world: World;
let fake: TwilioFake;
let notify: NotifyStage;
let web: WebStage;
let homes = 0;
let now = NOON;

beforeAll(async () => {
  fake = await startTwilio(() => test.clock.now());
  const port = await freePort();
  test = await startStores("voice", {
    now: NOON,
    config: (folder) => {
      return {
        web: { port, publicUrl: `http://127.0.0.1:${port}` },
        twilio: twilioSettings(folder, fake),
        utilities: [
          {
            ...usageUtility(folder),
            name: 'Oak & "Vale" <Water>',
            languages: ["en", "es"],
            alerts: { live: true, renewAfterMonths: 0 },
            sms: OAKVALE_TEXTS,
            voice: { from: "+12135550198", perMonth: 3 },
          },
        ],
      };
    },
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  notify = await test.start(createNotify(test.context()));
  web = await test.start(createWeb({ ...test.context(), stages: () => [] }));
});
afterAll(async () => {
  await test.close();
  await fake.close();
});
beforeEach(() => {
  now += 40 * DAY_MS;
  test.clock.set(now);
});

interface Home {
  readonly phone: string;
  readonly meter: string;
  readonly account: string;
  readonly id: string;
}

async function home(): Promise<Home> {
  const n = ++homes;
  const account = `ACCT-0000-${1000 + n}`;
  const meter = await addHome(world, { meterId: `V-${n}`, accountId: account, locationId: `V-${n}` });
  return {
    account,
    meter,
    phone: `+1213555${String(100 + n).padStart(4, "0")}`,
    id: n.toString(16).padStart(32, "0"),
  };
}
const ask = ({ account, phone }: Home, kinds: readonly ("leak" | "burst" | "high-usage")[] = ["leak"]) =>
  requestSubscription(test.context(), {
    ...{ utility: "oakvale", account, zip: "90001", call: phone, kinds, method: "web" },
  });
async function callTo({ phone }: Home): Promise<Called> {
  await notify.drain();
  return fake.calls.findLast(({ to }) => to === phone)!;
}
const callsTo = ({ phone }: Home) => fake.calls.filter(({ to }) => to === phone).length;
async function signedUp(kinds?: readonly ("leak" | "burst" | "high-usage")[]): Promise<Home> {
  const one = await home();
  await ask(one, kinds);
  const { sid } = await callTo(one);
  expect((await fake.press(sid, "1")).twiml).toContain("We call you when it matters");
  return one;
}
const opened = (one: Home, change = {}) => leak(test.clock, one.meter, { id: one.id, ...change });
const told = async (one: Home, change = {}) => {
  await tell(world, opened(one, change));
  return callTo(one);
};
const activeKinds = async ({ phone }: Home) =>
  (
    await test.stores.database.query<{ kind: string }>(
      `SELECT kind FROM active_consents JOIN contacts USING (contact_id) WHERE address_hash = $1 ORDER BY kind`,
      [test.stores.vault.hash("oakvale", "phone", phone)],
    )
  ).map(({ kind }) => kind);
const alertOf = async (id: string) =>
  (
    await test.stores.database.query<{
      state: string;
      reason: string | null;
      attempts: number;
      outbox_id: string;
    }>("SELECT * FROM outbox WHERE anomaly = $1 AND kind = 'alert' AND channel = 'voice'", [id])
  )[0]!;

it("calls to confirm, by day, and tells of a leak only where 1 was pressed", async () => {
  const one = await home();
  test.clock.set(now + 12 * HOUR_MS);
  await ask(one);
  await notify.drain();
  expect(callsTo(one)).toBe(0);
  test.clock.set(now + 20 * HOUR_MS);
  const asked = await callTo(one);
  // Said twice, with a key to answer; whatever the name is, it is words.
  expect(
    asked.twiml.match(/<Gather numDigits="1" timeout="8" action="[^"]+"><Say language="en-US">/g),
  ).toHaveLength(2);
  expect(asked.twiml).toContain("This is Oak &amp; &quot;Vale&quot; &lt;Water&gt;, with a computer voice.");
  expect(asked.twiml).toContain("about possible leaks. To confirm, press 1.");
  expect(asked.from).toBe("+12135550198");
  await tell(world, opened(one));
  await notify.drain();
  expect(callsTo(one)).toBe(1);
  expect((await fake.press(asked.sid, "5")).twiml).toContain("This key does nothing here");
  expect(await activeKinds(one)).toEqual([]);
  expect(await fake.press(asked.sid, "1")).toMatchObject({ status: 200 });
  expect(await activeKinds(one)).toEqual(["leak"]);
  // Pressed again, nothing is confirmed twice.
  expect((await fake.press(asked.sid, "1")).twiml).toContain("This key does nothing here");

  const call = await told(one, { version: 2, state: "updated" });
  expect(call.twiml).toContain(
    "There may be a leak at your water service with the account ending in 1 0 0 1. Water has run without a break for 26 hours, about 1.85 gallons an hour.",
  );
  expect(call.twiml).not.toMatch(/ACCT|Main St/);
  expect(await fake.hangUp(call.sid, "completed")).toBe(204);
  expect(await alertOf(one.id)).toMatchObject({ state: "delivered" });
});

it("takes a key for what is done about the leak, and 9 for the end of all calls, at once", async () => {
  const one = await signedUp();
  const { sid } = await told(one);
  expect((await fake.press(sid, "1")).twiml).toContain("only if the flow doubles");
  test.clock.set(now + 2 * DAY_MS);
  await tell(world, opened(one, { version: 2, state: "updated" }));
  expect((await callTo(one)).sid).toBe(sid);
  const next = await told({ ...one, id: `e${one.id.slice(1)}` }, { rule: "burst" });
  expect(next.twiml).toContain("There may be a burst");
  const stopped = await fake.press(next.sid, "9");
  expect(stopped.twiml).toBe(
    '<Response><Say language="en-US">We will not call this number again. Goodbye.</Say></Response>',
  );
  expect(await activeKinds(one)).toEqual([]);
  const calls = callsTo(one);
  // Nor does a new sign-up on the page make it ring: whoever owns the number said no. Staff can.
  await ask(one);
  await notify.drain();
  expect(callsTo(one)).toBe(calls);
  test.clock.set(now + 3 * DAY_MS);
  await requestSubscription(test.context(), {
    ...{
      utility: "oakvale",
      account: one.account,
      zip: "90001",
      call: one.phone,
      kinds: ["leak"],
      method: "command",
    },
  });
  await notify.drain();
  expect(callsTo(one)).toBe(calls + 1);
});

it("tries again where nobody is there, three times in all, and never what may have been made", async () => {
  const one = await signedUp();
  let call = await told(one);
  for (let tries = 1; tries < 3; tries++) {
    expect(await fake.hangUp(call.sid, tries === 1 ? "no-answer" : "busy")).toBe(204);
    expect(await alertOf(one.id)).toMatchObject({ state: "queued", attempts: tries });
    test.clock.set(test.clock.now() + 31 * 60_000);
    const again = await callTo(one);
    expect(again.sid).not.toBe(call.sid);
    call = again;
  }
  expect(await fake.hangUp(call.sid, "no-answer")).toBe(204);
  expect(await alertOf(one.id)).toMatchObject({ state: "failed", reason: "twilio no-answer", attempts: 3 });
  expect(await activeKinds(one)).toEqual(["leak"]);

  const other = await signedUp();
  fake.script({ do: "cut-after-taking" });
  await told(other);
  const calls = callsTo(other);
  test.clock.set(test.clock.now() + 11 * 60_000);
  await notify.drain();
  expect(callsTo(other)).toBe(calls);
  expect(await alertOf(other.id)).toMatchObject({ state: "failed", reason: "no-trace" });
});

it("keeps to a call a day and to what was promised for a month, but for a burst", async () => {
  const one = await signedUp();
  const idOf = (n: number) => n.toString(16).padStart(4, "f") + one.id.slice(4);
  const calls = callsTo(one);
  for (let n = 0; n < 5; n++) {
    test.clock.set(now + 2 * n * DAY_MS);
    const end = test.clock.now() / 1000 - 3600;
    await tell(
      world,
      leak(test.clock, one.meter, {
        id: idOf(n),
        start: end - 26 * 3600,
        end,
        state: "closed",
        reason: "flow-stopped",
      }),
    );
    await notify.drain();
  }
  expect(callsTo(one) - calls).toBe(3);
  expect(await alertOf(idOf(4))).toMatchObject({ state: "suppressed", reason: "monthly-limit" });
});

it("believes nobody without the provider's signature, and says nothing of calls that are another's", async () => {
  const one = await signedUp();
  await told(one);
  const { outbox_id: outbox } = await alertOf(one.id);
  const post = (path: string, signature: string, parameters: Record<string, string>) =>
    fetch(`${web.url}${path}`, {
      method: "POST",
      body: new URLSearchParams(parameters),
      headers: { "x-twilio-signature": signature },
    });
  const path = `/hooks/twilio/oakvale/keys/${outbox}`;
  const parameters = { CallSid: `CA${"0".repeat(32)}`, Digits: "9" };
  expect((await post(path, "AAAA", parameters)).status).toBe(403);
  const { headers } = fake.signed(`${world.config.web.publicUrl}${path}`, parameters);
  // The signature is over another number of digits.
  expect((await post(path, headers["x-twilio-signature"], { ...parameters, Digits: "1" })).status).toBe(403);
  expect(await activeKinds(one)).toEqual(["leak"]);
  const foreign = `/hooks/twilio/oakvale/keys/${"0".repeat(8)}-0000-0000-0000-${"0".repeat(12)}`;
  const signed = fake.signed(`${world.config.web.publicUrl}${foreign}`, parameters);
  const answer = await post(foreign, signed.headers["x-twilio-signature"], parameters);
  expect([answer.status, await answer.text()]).toEqual([200, "<Response/>"]);
});

it("erases a number in every way in which it was reached, and tells its whole story", async () => {
  const one = await signedUp();
  const utility = world.config.utilities[0]!;
  await requestSubscription(test.context(), {
    ...{
      utility: "oakvale",
      account: one.account,
      zip: "90001",
      phone: one.phone,
      kinds: ["leak"],
      method: "web",
    },
  });
  await notify.drain();
  const story = (await whyOfContact(test.stores, utility, one.phone))!;
  expect(new Set(story.map(({ channel }) => channel))).toEqual(new Set(["voice", "sms"]));
  expect(await eraseAddress(test.context(), utility, one.phone)).toHaveLength(2);
  expect(await eraseAddress(test.context(), utility, one.phone)).toEqual([]);
});

it("asks on the sign-up page for a number to call, with the words that are agreed to", async () => {
  const page = await (await fetch(`${web.url}/oakvale/subscribe`)).text();
  expect(page).toMatch(/<label for="call">Phone number for calls<\/label>/);
  expect(page).toContain("by pressing 9 during a call");
  const one = await home();
  const post = (call: string) =>
    fetch(`${web.url}/oakvale/subscribe`, {
      method: "POST",
      body: new URLSearchParams({
        account: one.account,
        zip: "90001",
        call,
        kinds: "voice:leak",
        language: "es",
      }),
    });
  const wrong = await post("12");
  expect([wrong.status, await wrong.text()]).toEqual([
    400,
    expect.stringContaining("teléfono para llamadas"),
  ]);
  const asked = await post(one.phone);
  expect(await asked.text()).toContain("Al otro número llamamos una vez, de día");
  const call = await callTo(one);
  expect(call.twiml).toContain('<Say language="es-US">Hola. Le habla');
  expect((await fake.press(call.sid, "1")).twiml).toContain("Gracias. Le llamamos cuando haga falta.");
});
