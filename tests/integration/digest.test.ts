import {
  createNotify,
  unsubscribe,
  whyOfContact,
  type MailTransport,
  type NotifyStage,
} from "../../notify/index.js";
import { linkToken } from "../../notify/consent/link-token.js";
import { addHome, leak, optIn, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;
/** Eight in the morning of the next day. */
const MORNING = NOON + 20 * HOUR_MS;

let test: TestStores;
let world: World;
let notify: NotifyStage;
let owners = 0;

interface Sent {
  readonly to: string;
  readonly id: string;
  readonly subject: string;
  readonly text: string;
}
const sent: Sent[] = [];
const answers: Awaited<ReturnType<MailTransport["send"]>>[] = [];
const transport: MailTransport = {
  send({ to, bytes }) {
    const text = bytes.toString("utf8").replace(/=\r\n/g, "");
    const header = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(text)![1]!;
    sent.push({ to, id: header("Message-ID"), subject: header("Subject"), text });
    return Promise.resolve(answers.shift() ?? { status: "accepted" });
  },
  close: () => Promise.resolve(),
};

beforeAll(async () => {
  test = await startStores("digest", {
    now: NOON,
    config: (folder) => ({
      utilities: [{ ...usageUtility(folder), alerts: { live: true } }],
    }),
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  notify = await test.start(createNotify({ ...test.context(), transport }));
});
afterAll(() => test.close());
beforeEach(() => {
  test.clock.set(NOON);
  answers.length = 0;
});

/** An owner of so many homes, with a leak in each. */
async function owner(homes: number) {
  const n = ++owners;
  const email = `owner${n}@mail.example`;
  const meters: string[] = [];
  const now = test.clock.now();
  for (let home = 1; home <= homes; home++) {
    const account = `ACCT-${n}0-${1000 + home}`;
    const ids = { meterId: `D-${n}-${home}`, accountId: account, locationId: `D-${n}-${home}` };
    // An address is asked three times a day.
    test.clock.set(now - 30 * 24 * HOUR_MS + home * 8 * HOUR_MS);
    meters.push(await addHome(world, ids));
    await optIn(world, { account, email, kinds: ["leak"] });
  }
  test.clock.set(now);
  const leaks = meters.map((meter, home) =>
    leak(test.clock, meter, { id: (n * 100 + home).toString(16).padStart(32, "0"), rate: 1000 * (home + 1) }),
  );
  return { email, leaks, mails: () => sent.filter(({ to }) => to === email) };
}
const rows = (email: string) =>
  test.stores.database.query<{
    state: string;
    reason: string | null;
    attempts: number;
    digest_of: string | null;
  }>(
    `SELECT state, reason, attempts, digest_of FROM outbox JOIN contacts USING (contact_id)
     WHERE address_hash = $1 AND kind = 'alert' ORDER BY anomaly`,
    [test.stores.vault.hash("oakvale", "email", email)],
  );

it("writes one mail a day to who has many homes, with a sentence and an answer for each, and of a burst at once", async () => {
  const { email, leaks, mails } = await owner(7);
  await tell(world, ...leaks.slice(0, 4));
  await notify.drain();
  test.clock.set(NOON + 3 * HOUR_MS);
  await tell(world, ...leaks.slice(4));
  await notify.drain();
  expect(mails()).toEqual([]);
  const burst = { ...leaks[0]!, id: "b".repeat(32), rule: "burst" as const };
  await tell(world, burst);
  await notify.drain();
  expect(mails().map(({ subject }) => subject)).toEqual([expect.stringMatching(/burst/i)]);

  // One has stopped meanwhile: it is told as over.
  await tell(world, { ...leaks[1]!, version: 2, state: "closed", reason: "flow-stopped" });
  test.clock.set(MORNING);
  await notify.drain();
  expect(mails()).toHaveLength(2);
  const { subject, text } = mails()[1]!;
  expect(subject).toBe("Water alerts for your homes: 7");
  for (let home = 1; home <= 7; home++)
    expect(text).toMatch(
      new RegExp(`Possible leak at your service ${1000 + home}${home === 2 ? ", now over" : ""}:`),
    );
  expect(text.match(/answer\/[\w-]{43}/g)!.length).toBeGreaterThanOrEqual(6);
  expect(text).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click/m);
  const told = (await rows(email)).filter(({ digest_of }) => digest_of !== null);
  expect(told.map(({ state }) => state)).toEqual(Array.from({ length: 7 }, () => "accepted"));
  expect(new Set(told.map(({ digest_of }) => digest_of)).size).toBe(1);
  const story = (await whyOfContact(test.stores, world.config.utilities[0]!, email))!;
  expect(story.filter(({ what, outcome }) => what === "alert" && outcome === "accepted")).toHaveLength(8);
});

it("writes of each by itself where there are five homes or fewer, and where one thing alone is due", async () => {
  const few = await owner(5);
  await tell(world, ...few.leaks);
  await notify.drain();
  expect(few.mails()).toHaveLength(5);
  const many = await owner(6);
  await tell(world, many.leaks[0]!);
  await notify.drain();
  expect(many.mails()).toEqual([]);
  test.clock.set(MORNING);
  await notify.drain();
  expect(many.mails().map(({ subject }) => subject)).toEqual([expect.stringMatching(/^Possible leak/)]);
});

it("comes again as the same mail, with the same in it, whatever became of the first", async () => {
  const { email, leaks, mails } = await owner(6);
  await tell(world, ...leaks);
  await notify.drain();
  test.clock.set(MORNING);
  answers.push(
    { status: "refused", permanent: false, code: "SMTP 450" },
    { status: "unknown", code: "ECONNRESET" },
  );
  await notify.drain();
  expect((await rows(email)).map(({ state, reason }) => `${state} ${reason}`)).toEqual(
    Array.from({ length: 6 }, () => "queued SMTP 450"),
  );
  test.clock.set(MORNING + 60_000);
  await notify.drain();
  expect((await rows(email)).every(({ state }) => state === "unknown")).toBe(true);
  test.clock.set(MORNING + 10 * 60_000);
  await notify.drain();
  expect((await rows(email)).map(({ state, attempts }) => [state, attempts])).toEqual(
    Array.from({ length: 6 }, () => ["accepted", 3]),
  );
  expect(mails()).toHaveLength(3);
  expect(new Set(mails().map(({ id }) => id)).size).toBe(1);
  for (const { text } of mails())
    expect(text.match(/Possible leak at your service/g)!.length).toBeGreaterThanOrEqual(6);
});

it("does not lose the rest where the consent behind its first ends, and sends nothing after all ended", async () => {
  const { database, vault } = test.stores;
  const one = await owner(6);
  await tell(world, ...one.leaks);
  await notify.drain();
  test.clock.set(MORNING);
  answers.push({ status: "refused", permanent: false, code: "SMTP 450" });
  await notify.drain();
  await database.query(
    "UPDATE outbox SET state = 'suppressed', reason = 'no-consent' WHERE outbox_id = digest_of AND state = 'queued'",
  );
  test.clock.set(MORNING + 60_000);
  await notify.drain();
  expect((await rows(one.email)).map(({ state }) => state).sort()).toEqual([
    ...Array.from({ length: 5 }, () => "accepted"),
    "suppressed",
  ]);
  expect(one.mails()).toHaveLength(2);
  expect(one.mails()[1]!.subject).toBe("Water alerts for your homes: 5");

  test.clock.set(NOON);
  const gone = await owner(6);
  await tell(world, ...gone.leaks);
  await notify.drain();
  const [contact] = await database.query<{ contact_id: string }>(
    "SELECT contact_id FROM contacts WHERE address_hash = $1",
    [vault.hash("oakvale", "email", gone.email)],
  );
  const stores = { config: world.config, database, vault, clock: test.clock };
  await unsubscribe(stores, linkToken(vault, "oakvale", "unsubscribe", contact!.contact_id));
  test.clock.set(MORNING);
  await notify.drain();
  expect(gone.mails()).toEqual([]);
  expect((await rows(gone.email)).every(({ state }) => state === "suppressed")).toBe(true);
});

it("writes of a home what comes up within 15 minutes in one mail, news before what is over, each with its answer", async () => {
  const { email, leaks, mails } = await owner(1);
  const [first] = leaks;
  await tell(world, first!);
  await notify.drain();
  test.clock.set(NOON + 5 * 60_000);
  await tell(world, { ...first!, version: 2, state: "closed", reason: "flow-stopped" });
  await notify.drain();
  test.clock.set(NOON + 10 * 60_000);
  await tell(world, { ...first!, id: "c".repeat(32), start: first!.end, end: first!.end + 3600 });
  await notify.drain();
  expect(mails()).toHaveLength(1);
  const waiting = await whyOfContact(test.stores, world.config.utilities[0]!, email);
  expect(waiting!.filter(({ reason }) => reason === "gathering").length).toBe(2);
  const burst = { ...first!, id: "e".repeat(32), rule: "burst" as const, start: first!.end };
  await tell(world, { ...burst, end: burst.start + 3600 });
  await notify.drain();
  expect(mails().map(({ subject }) => subject)).toEqual([
    expect.stringMatching(/^Possible leak/),
    expect.stringMatching(/burst/),
  ]);

  test.clock.set(NOON + 15 * 60_000);
  await notify.drain();
  expect(mails()).toHaveLength(3);
  const { subject, text } = mails()[2]!;
  expect(subject).toMatch(/^Possible leak/);
  expect(text).toMatch(/There is more to say about your water:\s+.*stopped/);
  const told = await test.stores.database.query<{ kind: string; state: string; mail: string }>(
    `SELECT kind, state, coalesce(digest_of, outbox_id) AS mail FROM outbox JOIN contacts USING (contact_id)
     WHERE address_hash = $1 AND kind <> 'confirmation' ORDER BY outbox.created_at`,
    [test.stores.vault.hash("oakvale", "email", email)],
  );
  expect(told.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    "alert accepted",
    "stopped accepted",
    "alert accepted",
    "alert accepted",
  ]);
  expect(new Set(told.map(({ mail }) => mail)).size).toBe(3);
});

it("says again alone what may have arrived alone, whatever else is due of the home by then", async () => {
  const { leaks, mails } = await owner(1);
  const [first] = leaks;
  answers.push({ status: "unknown", code: "ECONNRESET" });
  await tell(world, first!);
  await notify.drain();
  test.clock.set(NOON + HOUR_MS);
  await tell(world, { ...first!, id: "d".repeat(32), start: first!.end, end: first!.end + 3600 });
  await notify.drain();
  const [once, again, other] = mails();
  expect(mails()).toHaveLength(3);
  expect(again!.id).toBe(once!.id);
  expect(other!.id).not.toBe(once!.id);
  for (const { text } of mails()) expect(text).not.toContain("There is more to say");
});
