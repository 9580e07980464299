import type { Database } from "../../infra/postgres/database.js";
import { pausesOf, requestSubscription, resumeChannels } from "../../notify/index.js";
import { startNotified, type Notified } from "../harness/notified.js";
import { SendingHours } from "../../notify/outbox/sending-hours.js";
import { recordDecisions } from "../../notify/outbox/record-decisions.js";
import { addHome, leak, optIn, tell } from "../harness/residents.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const DAY_MS = 86_400_000;

let test: Notified["test"];
let world: Notified["world"];
let mailbox: Notified["mailbox"];
let notify: Notified["notify"];
let scene: Notified;
let homes = 0;

beforeAll(async () => {
  scene = await startNotified("storm", NOON);
  ({ test, world, mailbox, notify } = scene);
});
afterAll(() => scene.close());

async function home() {
  const n = ++homes;
  const account = `ACCT-400-${n}`;
  const meter = await addHome(world, { meterId: `S-${n}`, accountId: account, locationId: `S-${n}` });
  return { id: String(n).padStart(32, "0"), email: `s${n}@mail.example`, account, meter };
}

async function resident() {
  const one = await home();
  await optIn(world, { account: one.account, email: one.email, kinds: ["leak"] });
  return one;
}

type Home = Awaited<ReturnType<typeof home>>;

async function leaks(...at: readonly Home[]): Promise<void> {
  await tell(world, ...at.map(({ meter, id }) => leak(test.clock, meter, { id })));
  await notify.drain();
}

/** Alerts that the mail server took. */
async function told(...homes: readonly Home[]): Promise<number> {
  const [row] = await test.stores.database.query<{ n: number }>(
    "SELECT count(*) AS n FROM outbox WHERE kind = 'alert' AND state = 'accepted' AND anomaly = ANY ($1)",
    [homes.map(({ id }) => id)],
  );
  return row!.n;
}

it("holds all alerts back where an hour brings far too many, until somebody looks", async () => {
  const { database } = test.stores;
  const all: Home[] = [];
  for (let i = 0; i < 60; i++) all.push(await resident());
  // More than a tenth of everybody, yet fewer than fifty.
  await leaks(...all.slice(0, 49));
  expect(await told(...all)).toBe(49);
  expect(await pausesOf(database)).toEqual([]);

  // An hour later they don't count any more.
  test.clock.set(NOON + 3_600_000);
  await leaks(...all.slice(49, 50));
  expect(await told(...all)).toBe(50);

  const storm: Home[] = [];
  for (let i = 0; i < 50; i++) storm.push(await resident());
  test.clock.set(NOON + DAY_MS);
  await leaks(...storm);
  const paused = { utility: "oakvale", reason: "storm", at: new Date(NOON + DAY_MS) };
  expect(await pausesOf(database)).toEqual(
    expect.arrayContaining([
      { ...paused, channel: "email" },
      { ...paused, channel: "sms" },
    ]),
  );
  // Those of the batches before the fiftieth may be on their way; nothing after it.
  const before = await told(...storm);
  expect(before).toBeLessThan(50);
  expect(test.logged.join("\n")).toMatch(/"level":50.*alerts held: more in an hour/);
  await leaks(all[50]!);
  expect(await told(all[50]!)).toBe(0);

  // Who signs up hears of that all the same.
  const { account } = await home();
  await requestSubscription(
    { ...test.stores, config: world.config, clock: test.clock },
    { utility: "oakvale", account, zip: "90001", email: "new@mail.example", kinds: ["leak"], method: "web" },
  );
  await notify.drain();
  expect(mailbox.recipients()).toContain("new@mail.example");

  expect(await resumeChannels(database, "oakvale", new Date(test.clock.now()))).toBe(3);
  await notify.drain();
  expect(await told(...storm, all[50]!)).toBe(51);
  // What was looked at does not count again.
  test.clock.set(NOON + DAY_MS + 60_000);
  await leaks(all[51]!);
  expect(await told(all[51]!)).toBe(1);
  expect(await pausesOf(database)).toEqual([]);
});

it("takes no storm for one in a large town", async () => {
  const { database } = test.stores;
  test.clock.set(NOON + 2 * DAY_MS);
  const all: Home[] = [];
  for (let i = 0; i < 60; i++) all.push(await resident());
  // Addresses that are confirmed: sixty of them are less than a tenth.
  await database.query(
    `INSERT INTO contacts (utility, channel, address_hash, address_sealed, language, created_at, verified_at)
     SELECT 'oakvale', 'email', sha256(i::text::bytea), 'x', 'en', now(), now() FROM generate_series(1, 600) AS i`,
  );
  await leaks(...all);
  expect(await told(...all)).toBe(60);
  expect(await pausesOf(database)).toEqual([]);
});

it("sees a storm of which two transactions, side by side, have a half each", async () => {
  const { database } = test.stores;
  test.clock.set(NOON + 3 * DAY_MS);
  await database.query("DELETE FROM contacts WHERE address_sealed = 'x'");
  const all: Home[] = [];
  for (let i = 0; i < 50; i++) all.push(await resident());
  const utility = world.config.utilities[0]!;
  const policies = new Map([[utility.id, { utility, hours: SendingHours.of(utility) }]]);
  const decide = async (homes: readonly Home[], beforeCommit?: () => Promise<void>) => {
    const { storms } = await database.transaction(async (transaction) => {
      const messages = homes.map(({ meter, id }) => leak(test.clock, meter, { id }));
      const done = await recordDecisions(transaction, messages, { policies, now: test.clock.now() });
      await beforeCommit?.();
      return done;
    });
    return storms;
  };
  let second: Promise<unknown> | undefined;
  const first = await decide(all.slice(0, 25), async () => {
    second = decide(all.slice(25));
    await Promise.race([second, lockAwaited(database)]);
  });
  expect(first).toEqual([]);
  expect(await second).toEqual([{ utility: "oakvale", alerts: 50 }]);
  expect(await pausesOf(database)).toHaveLength(3);
});

async function lockAwaited(database: Database): Promise<void> {
  let waiting: unknown[] = [];
  while (waiting.length === 0) {
    waiting = await database.query(
      `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
  }
}
