import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createNotify, receiveText, requestSubscription } from "../../notify/index.js";
import { startCurbstop } from "../harness/processes.js";
import { addHome, leak, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";
import { OAKVALE_TEXTS, twilioSettings } from "../harness/twilio.js";
import { startTwilio, type TwilioFake } from "../../demo/twilio.js";

const MINUTE_MS = 60_000;

let test: TestStores;
let world: World;
let fake: TwilioFake;
let config: string;
let homes = 0;

beforeAll(async () => {
  fake = await startTwilio(() => Date.now());
  test = await startStores("kill-sms", {
    now: Date.now(),
    config: (folder) => {
      const given = {
        web: { port: 0 },
        twilio: twilioSettings(folder, fake),
        utilities: [
          {
            ...usageUtility(folder),
            // At any hour: the killed process goes by the clock on the wall.
            alerts: { live: true, sendFrom: "00:00", sendUntil: "00:00" },
            sms: OAKVALE_TEXTS,
          },
        ],
      };
      config = join(folder, "curbstop.yaml");
      writeFileSync(config, JSON.stringify({ dataDirectory: join(folder, "data"), ...given }));
      return given;
    },
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
});
afterAll(async () => {
  await test.close();
  await fake.close();
});

/** A home whose resident said yes. */
async function signedUp() {
  const number = ++homes;
  const account = `ACCT-0000-${1000 + number}`;
  const phone = `+1213555${String(100 + number).padStart(4, "0")}`;
  const meter = await addHome(world, {
    meterId: `M-${number}`,
    accountId: account,
    locationId: `L-${number}`,
  });
  const context = test.context();
  const request = {
    utility: "oakvale",
    account,
    zip: "90001",
    phone,
    kinds: ["leak"],
    method: "web",
  } as const;
  await requestSubscription(context, request);
  await test.stores.database.query("UPDATE outbox SET state = 'accepted' WHERE kind = 'confirmation'");
  const utility = world.config.utilities[0]!;
  await receiveText(context, utility, { providerId: `SM-yes-${number}`, from: phone, body: "Y1" });
  await test.stores.database.query("UPDATE outbox SET state = 'accepted' WHERE kind = 'reply'");
  return { id: number.toString(16).padStart(32, "0"), phone, meter };
}

/** What goes on after the crash, by a sender that takes over and a clock that is turned on minute by minute. */
async function takenOver(minutes: number): Promise<void> {
  test.clock.set(Date.now());
  const notify = createNotify({ ...test.context(), member: "survivor" });
  await notify.start();
  try {
    for (let minute = 0; minute <= minutes; minute++) {
      await notify.drain();
      test.clock.set(test.clock.now() + MINUTE_MS);
    }
    await notify.drain();
  } finally {
    await notify.stop();
  }
}

const stateOf = async (anomaly: string) =>
  (
    await test.stores.database.query<{ state: string; reason: string | null }>(
      "SELECT state, reason FROM outbox WHERE anomaly = $1",
      [anomaly],
    )
  )[0];

describe.each([
  ["before the provider has the message", "before-taking", { routine: 0, burst: 1 }],
  ["when the provider has it and has not answered", "after-taking", { routine: 1, burst: 1 }],
  ["when the provider has answered and nothing is written down", "after-answering", { routine: 1, burst: 1 }],
] as const)("killed %s", (_, at, expected) => {
  it.each(["routine", "burst"] as const)(
    "a %s text arrives as often as it may",
    async (kind) => {
      const one = await signedUp();
      const rule = kind === "burst" ? "burst" : "continuous-flow";
      const killed = startCurbstop(["notify", "-c", config]);
      fake.script({
        do: "run",
        at,
        work: async () => {
          killed.child.kill("SIGKILL");
          await killed.exited;
          // Until the broken connection is seen.
          await sleep(50);
        },
      });
      test.clock.set(Date.now());
      await tell(world, leak(test.clock, one.meter, { id: one.id, rule }));
      await killed.exited;
      await takenOver(12);
      expect(fake.to(one.phone)).toHaveLength(expected[kind]);
      const lost = expected[kind] === 0;
      expect(await stateOf(one.id)).toEqual(
        lost ? { state: "failed", reason: "no-trace" } : { state: "accepted", reason: null },
      );
    },
    60_000,
  );
});

it("killed before anything is in hand, the text goes out once", async () => {
  const one = await signedUp();
  const killed = startCurbstop(["notify", "-c", config]);
  test.clock.set(Date.now());
  await tell(world, leak(test.clock, one.meter, { id: one.id }));
  killed.child.kill("SIGKILL");
  await killed.exited;
  await takenOver(1);
  expect(fake.to(one.phone)).toHaveLength(1);
}, 60_000);
