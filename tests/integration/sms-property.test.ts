import fc from "fast-check";
import {
  createNotify,
  eraseAddress,
  receiveText,
  requestSubscription,
  resumeChannels,
  type NotifyStage,
} from "../../notify/index.js";
import type { AnomalyMessage } from "../../schemas/anomalies.js";
import { addHome, leak, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";
import { OAKVALE_TEXTS, twilioSettings } from "../harness/twilio.js";
import { startTwilio, type Taken, type TwilioFake } from "../../demo/twilio.js";

const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const RUNS = Number(process.env["PROPERTY_RUNS"] ?? 25);

let test: TestStores;
let world: World;
let fake: TwilioFake;
let homes = 0;
let atNight = 0;

beforeAll(async () => {
  fake = await startTwilio(() => test.clock.now());
  test = await startStores("sms-property", {
    now: NOON,
    config: (folder) => {
      return {
        web: { port: 0 },
        twilio: twilioSettings(folder, fake),
        utilities: [
          {
            ...usageUtility(folder),
            // Years go by over all runs.
            alerts: { live: true, renewAfterMonths: 0 },
            sms: { ...OAKVALE_TEXTS, perMonth: 50 },
          },
        ],
      };
    },
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
});
afterAll(async () => {
  await test.close();
  await fake.close();
});

type Act = "sign-up" | "confirm" | "STOP" | "START" | "LEAK" | "1" | "3" | "move-out" | "erase";
type Step =
  | { readonly do: Act; readonly home: number }
  | { readonly do: "leak" | "burst"; readonly home: number; readonly to: "open" | "close" | "withdraw" }
  | { readonly do: "later"; readonly hours: number }
  | { readonly do: "misbehave"; readonly how: "429" | "cut-after" | "cut-before" | "blocked" }
  | { readonly do: "restart" };

const home = fc.integer({ min: 0, max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("sign-up", "confirm"), home }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("STOP", "START", "LEAK", "1", "3"), home }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("move-out", "erase"), home }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("leak", "burst"),
      home,
      to: fc.constantFrom("open", "open", "close", "withdraw"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("later"), hours: fc.integer({ min: 1, max: 60 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("misbehave"),
      how: fc.constantFrom("429", "cut-after", "cut-before", "blocked"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart") }) },
);

/** The first resident has said yes to bursts at any hour, at noon. */
const BURST_AT_NIGHT: Step[] = [
  { do: "later", hours: 12 },
  { do: "burst", home: 0, to: "open" },
];

/** What a resident has agreed to, as they would tell it themselves. */
interface Resident {
  readonly phone: string;
  readonly account: string;
  readonly meter: string;
  readonly number: number;
  asked: boolean;
  agreed: boolean;
  /** Ticked "a burst at any hour" each time that they signed up. */
  readonly ticksBurst: boolean;
  /** That holds now. */
  anyHour: boolean;
  /** Agreed when STOP came: what START brings back. */
  before: boolean;
  stopped: boolean;
  gone: boolean;
  readonly anomalies: Map<string, AnomalyMessage>;
}

const isAlert = ({ body }: Taken) =>
  /Possible|Water still runs|flow at .* has stopped|Please ignore|Unusually/.test(body);
const outboxId = ({ statusCallback }: Taken) => statusCallback!.split("/").at(-1)!;
const localHour = (at: Date) =>
  Number(
    new Intl.DateTimeFormat("en-US", {
      timeZone: "America/Los_Angeles",
      hour: "numeric",
      hourCycle: "h23",
    }).format(at),
  );

async function newResident(): Promise<Resident> {
  const number = ++homes;
  const account = `ACCT-${String(number).padStart(7, "0")}`;
  const meter = await addHome(world, {
    meterId: `M-${number}`,
    accountId: account,
    locationId: `L-${number}`,
  });
  const phone = `+1${213 + Math.floor(number / 9000)}555${String(1000 + (number % 9000)).padStart(4, "0")}`;
  return {
    ...{
      phone,
      account,
      meter,
      number,
      asked: false,
      agreed: false,
      ticksBurst: number % 2 === 1,
      anyHour: false,
      before: false,
      stopped: false,
      gone: false,
    },
    anomalies: new Map(),
  };
}

async function run(steps: readonly Step[]): Promise<void> {
  // At noon, days after the last run: each can be run again by itself.
  test.clock.set(NOON + Math.ceil((test.clock.now() - NOON) / DAY_MS + 1) * DAY_MS);
  const residents = [await newResident(), await newResident()];
  const from = fake.taken.length;
  let checked = from;
  let notify: NotifyStage = createNotify(test.context());
  await notify.start();
  const utility = world.config.utilities[0]!;
  let texts = 0;
  const write = (one: Resident, body: string) =>
    receiveText(test.context(), utility, {
      providerId: `SM-${one.number}-${++texts}`,
      from: one.phone,
      body,
    });
  /** Whatever was sent since the last look was agreed to when it was sent: the model did not change in between. */
  const look = async () => {
    await notify.drain();
    for (const sent of fake.taken.slice(checked)) {
      const one = residents.find(({ phone }) => phone === sent.to)!;
      expect(one).toBeDefined();
      if (isAlert(sent)) {
        expect({ body: sent.body, agreed: one.agreed && !one.gone }).toEqual({
          body: sent.body,
          agreed: true,
        });
        const hour = localHour(sent.at);
        const byDay = hour >= 8 && hour < 20;
        if (!byDay) atNight++;
        expect(byDay || (one.anyHour && sent.body.includes("Possible burst"))).toBe(true);
      } else if (!/no more texts|Help:/.test(sent.body)) expect(one.stopped).toBe(false);
    }
    checked = fake.taken.length;
  };
  const act = async (one: Resident, what: Act) => {
    switch (what) {
      case "sign-up":
        await requestSubscription(test.context(), {
          ...{ utility: "oakvale", account: one.account, zip: "90001", phone: one.phone },
          kinds: one.ticksBurst ? ["leak", "burst"] : ["leak"],
          method: "web",
        });
        break;
      case "confirm": {
        await look();
        await write(one, "Y1");
        // What was taken is the database's word here: whether the request had reached the phone is the sender's affair.
        const [row] = await test.stores.database.query<{ n: number }>(
          `SELECT count(*) AS n FROM active_consents JOIN contacts USING (contact_id) WHERE address_hash = $1`,
          [test.stores.vault.hash("oakvale", "phone", one.phone)],
        );
        // No yes without a text that asked for it.
        const asked = fake.to(one.phone).some((body) => body.includes("Reply Y1"));
        if (row!.n > 0) expect(asked).toBe(true);
        if (row!.n > 0) one.agreed = !one.stopped;
        if (one.agreed) one.anyHour = one.ticksBurst;
        break;
      }
      case "STOP":
        await write(one, "STOP");
        if (!one.stopped) one.before = one.agreed;
        one.agreed = false;
        one.stopped = true;
        break;
      case "START":
      case "LEAK":
        await write(one, what);
        if (one.stopped) one.agreed = one.before && !one.gone;
        if (what === "START" || one.stopped) one.anyHour = what === "START" && one.ticksBurst;
        one.stopped = false;
        break;
      case "1":
      case "3":
        await write(one, what);
        break;
      case "erase":
        await eraseAddress(test.context(), utility, one.phone);
        one.agreed = false;
        // Whoever texts from that number now is somebody new; a stop of the number still holds.
        one.before = false;
        break;
      case "move-out":
        await addHome(world, {
          ...{ meterId: `M-${one.number}`, accountId: one.account, locationId: `L-${one.number}` },
          moveOut: Math.floor(test.clock.now() / 1000) - 1,
        });
        one.gone = true;
        break;
    }
  };
  const report = async (one: Resident, rule: "leak" | "burst", to: "open" | "close" | "withdraw") => {
    const key = [...one.anomalies.keys()].filter((id) => id.startsWith(rule === "burst" ? "b" : "a")).at(-1);
    const last = key === undefined ? undefined : one.anomalies.get(key)!;
    const goesOn = last !== undefined && last.state !== "closed" && last.state !== "withdrawn";
    if (to !== "open" && !goesOn) return;
    const id = goesOn
      ? last.id
      : `${rule === "burst" ? "b" : "a"}${one.number.toString(16).padStart(20, "0")}${String(one.anomalies.size).padStart(11, "0")}`;
    const next = leak(test.clock, one.meter, {
      id,
      rule: rule === "burst" ? "burst" : "continuous-flow",
      version: (goesOn ? last.version : 0) + 1,
      ...(goesOn ? { start: last.start } : {}),
      ...(to === "open"
        ? { state: goesOn ? "updated" : "opened" }
        : to === "close"
          ? { state: "closed", reason: "flow-stopped" }
          : { state: "withdrawn", reason: "corrected" }),
    });
    one.anomalies.set(id, next);
    await tell(world, next);
  };
  try {
    // Else few would ever hear of anything.
    await act(residents[0]!, "sign-up");
    await look();
    await act(residents[0]!, "confirm");
    await look();
    await report(residents[0]!, "leak", "open");
    await look();
    for (const one of steps) {
      switch (one.do) {
        case "leak":
        case "burst":
          await report(residents[one.home]!, one.do, one.to);
          break;
        case "later":
          test.clock.set(test.clock.now() + one.hours * HOUR_MS);
          break;
        case "misbehave":
          fake.script(
            one.how === "429"
              ? { do: "answer", status: 429, code: 20429 }
              : one.how === "blocked"
                ? { do: "answer", status: 400, code: 30007 }
                : { do: one.how === "cut-after" ? "cut-after-taking" : "cut-before-taking" },
          );
          break;
        case "restart":
          await notify.stop();
          notify = createNotify(test.context());
          await notify.start();
          break;
        default:
          await act(residents[one.home]!, one.do);
      }
      await look();
    }
    // In the end nothing is left that waits on an answer of the provider, nor on people who look at what was filtered.
    for (let hour = 0; hour < 80; hour += 4) {
      test.clock.set(test.clock.now() + 4 * HOUR_MS);
      await resumeChannels(test.stores.database, "oakvale", new Date(test.clock.now()));
      await look();
    }
    const sends = new Map<string, Date[]>();
    for (const sent of fake.taken.slice(from)) {
      const id = outboxId(sent);
      sends.set(id, [...(sends.get(id) ?? []), sent.at]);
    }
    const rows = await test.stores.database.query<{
      outbox_id: string;
      state: string;
      kind: string;
      anomaly: string | null;
      asked: Date[] | null;
    }>(
      `SELECT o.*, (SELECT array_agg(a.at) FROM answers a
                    WHERE a.anomaly = o.anomaly AND a.contact_id = o.contact_id AND a.answer = 3) AS asked
       FROM outbox o JOIN contacts c USING (contact_id) WHERE c.address_hash = ANY ($1)`,
      [residents.map(({ phone }) => test.stores.vault.hash("oakvale", "phone", phone))],
    );
    for (const row of rows) {
      // None twice (a burst once more, where the provider said that it has none), but a reminder that was asked for since, to come in 7 days.
      const sent = sends.get(row.outbox_id) ?? [];
      for (const [i, at] of sent.slice(1).entries()) {
        expect(row.kind).toBe("reminder");
        expect(
          row.asked!.some((asked) => asked >= sent[i]! && Number(at) - Number(asked) >= 7 * DAY_MS),
        ).toBe(true);
      }
      expect(["sending", "unknown", "queued"]).not.toContain(row.state);
    }
    // Each anomaly was told, or it is written why not.
    const decided = await test.stores.database.query<{ anomaly: string }>(
      "SELECT DISTINCT anomaly FROM decisions WHERE anomaly = ANY ($1)",
      [residents.flatMap(({ anomalies }) => [...anomalies.keys()])],
    );
    const known = new Set([...rows, ...decided].map(({ anomaly }) => anomaly));
    for (const { anomalies } of residents) for (const id of anomalies.keys()) expect(known).toContain(id);
  } finally {
    await notify.stop();
    fake.forget();
  }
}

it("sends nothing that was not agreed to at that moment, at night bursts alone where they were ticked, nothing twice, and forgets nothing", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), run), {
    numRuns: RUNS,
    endOnFailure: true,
    // Chance alone brings no burst at night in some hundreds of steps now and then.
    examples: [[BURST_AT_NIGHT]],
  });
  // It was not silence that passed.
  expect(fake.taken.filter(isAlert).length).toBeGreaterThanOrEqual(RUNS);
  expect(atNight).toBeGreaterThan(0);
}, 600_000);
