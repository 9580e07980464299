import { join } from "node:path";
import type { ParsedMail } from "mailparser";
import { linkToken } from "../../notify/consent/link-token.js";
import { createNotify, listAlerts, unsubscribe } from "../../notify/index.js";
import type { NotifyStage } from "../../notify/index.js";
import { startMailbox, type Mailbox } from "../harness/mailbox.js";
import { addHome, leak, optIn, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;

let test: TestStores;
let world: World;
let mailbox: Mailbox;
let notify: NotifyStage;
let homes = 0;

beforeAll(async () => {
  test = await startStores("notify", {
    now: NOON,
    config: (folder) => ({
      utilities: [
        // All residents of these tests hear of something within the same hour.
        { ...usageUtility(folder), alerts: { live: true, stormPercent: 100, gatherMinutes: 0 } },
        { ...usageUtility(folder), id: "elmwood", alerts: { live: false } },
      ].map((utility) => ({
        ...utility,
        sources: utility.sources.map((source) => ({ ...source, folder: join(source.folder, utility.id) })),
      })),
    }),
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  mailbox = await startMailbox(join(test.folder, "mailbox.jsonl"));
  const context = test.context();
  const config = { ...context.config, smtp: { host: "127.0.0.1", port: mailbox.port, secure: false } };
  notify = await test.start(createNotify({ ...context, config }));
});
afterAll(async () => {
  await test.close();
  await mailbox.close();
});
beforeEach(() => test.clock.set(NOON));

/** A home of its own with a resident who has opted in. */
async function home(options: { optedIn?: boolean; language?: "en" | "es" } = {}) {
  const number = ++homes;
  const id = number.toString(16).padStart(32, "0");
  const email = `resident${number}@mail.example`;
  const meter = await addHome(world, {
    meterId: `M-${number}`,
    accountId: `ACCT-0000-${1000 + number}`,
    locationId: `L-${number}`,
  });
  const account = `acct 0000 ${1000 + number}`;
  const { language = "en" } = options;
  if (options.optedIn !== false) expect(await optIn(world, { account, email, language })).toBe(true);
  return { id, email, meter, account };
}

/** What a resident got, apart from requests to confirm. */
async function mailsTo(email: string): Promise<ParsedMail[]> {
  await notify.drain();
  const all = await mailbox.mails();
  const recipients = mailbox.recipients();
  return all.filter(
    ({ subject }, index) =>
      recipients[index] === email &&
      subject !== "Please confirm your water alerts" &&
      subject !== "Confirme sus avisos sobre el agua",
  );
}

const outboxOf = (anomaly: string) => listAlerts(test.stores.database, { anomaly });

async function decisionsOf(anomaly: string): Promise<string[]> {
  await notify.drain();
  const rows = await test.stores.database.query<{ outcome: string }>(
    "SELECT outcome FROM decisions WHERE anomaly = $1 ORDER BY first_at, outcome",
    [anomaly],
  );
  return rows.map(({ outcome }) => outcome);
}

/** What a click on the link of a mail does. */
async function unsubscribeAll(email: string): Promise<void> {
  const { database, vault } = test.stores;
  const [contact] = await database.query<{ contact_id: string }>(
    "SELECT contact_id FROM contacts WHERE address_hash = $1",
    [vault.hash("oakvale", "email", email)],
  );
  const token = linkToken(vault, "oakvale", "unsubscribe", contact!.contact_id);
  expect(await unsubscribe({ config: world.config, database, vault, clock: test.clock }, token)).toBe(true);
}

it("tells of a leak once, then that it has stopped, and nothing on replay", async () => {
  const { id, email, meter } = await home();
  const opened = leak(test.clock, meter, { id });
  const closed = leak(test.clock, meter, { id, version: 3, state: "closed", reason: "flow-stopped" });
  await tell(world, opened);
  expect((await mailsTo(email)).map(({ subject }) => subject)).toEqual([
    "Possible leak: water is running nonstop",
  ]);
  await tell(world, { ...opened, version: 2, state: "updated" });
  await tell(world, closed);
  const mails = await mailsTo(email);
  expect(mails.map(({ subject }) => subject)).toEqual([
    "Possible leak: water is running nonstop",
    "The flow of water has stopped",
  ]);
  await tell(world, opened, closed, { ...closed, version: 2 });
  expect(await mailsTo(email)).toHaveLength(2);
});

it("tells once of a leak that two rules see, and of a burst all the same", async () => {
  const { id, email, meter } = await home();
  const burst = `e${id.slice(1)}`;
  const first = leak(test.clock, meter, { id: burst, rule: "burst" });
  await tell(world, first);
  const second = leak(test.clock, meter, { id, rule: "leak" });
  await tell(world, second);
  expect(await decisionsOf(id)).toEqual(["already-told"]);
  expect((await mailsTo(email)).map(({ subject }) => subject)).toEqual([
    "Possible burst: a lot of water is running",
  ]);
  // The pipe is shut, and something still drips: now it is news.
  await tell(world, { ...first, version: 2, state: "closed", reason: "flow-stopped" });
  await tell(world, { ...second, version: 2, state: "updated" });
  expect((await mailsTo(email)).map(({ subject }) => subject)).toEqual([
    "Possible burst: a lot of water is running",
    "The flow of water has stopped",
    "Possible leak: water is running nonstop",
  ]);

  const other = await home();
  await tell(world, leak(test.clock, other.meter, { id: other.id, rule: "leak" }));
  await tell(world, leak(test.clock, other.meter, { id: `e${other.id.slice(1)}`, rule: "burst" }));
  expect(await mailsTo(other.email)).toHaveLength(2);
});

it("tells once of high usage that two rules see, and not to who knows of a burst", async () => {
  const day = { rule: "high-day", evidence: { usualDay: 500_000 } } as const;
  const one = await home();
  await tell(world, leak(test.clock, one.meter, { id: one.id, ...day }));
  const spike = `f${one.id.slice(1)}`;
  const over = { state: "closed", reason: "usage-normal" } as const;
  await tell(world, leak(test.clock, one.meter, { id: spike, rule: "spike", ...over }));
  expect(await decisionsOf(spike)).toEqual(["already-told"]);
  const mails = await mailsTo(one.email);
  expect(mails.map(({ subject }) => subject)).toEqual(["Unusually high water use"]);
  expect(mails[0]!.text).toContain("Your usual day: about 132 gallons");

  const other = await home();
  await tell(world, leak(test.clock, other.meter, { id: other.id, rule: "burst" }));
  await tell(world, leak(test.clock, other.meter, { id: `f${other.id.slice(1)}`, ...day }));
  expect((await mailsTo(other.email)).map(({ subject }) => subject)).toEqual([
    "Possible burst: a lot of water is running",
  ]);
});

it("writes mails that machines know as automatic and that can be ended with one click", async () => {
  const { id, email, meter } = await home();
  await tell(world, leak(test.clock, meter, { id }));
  const [mail] = await mailsTo(email);
  const [row] = await outboxOf(id);
  expect(mail!.messageId).toBe(`<${row!.id}@oakvale.example>`);
  expect(mail!.headers.get("auto-submitted")).toBe("auto-generated");
  const header = (name: string) =>
    mail!.headerLines
      .find(({ key }) => key === name)
      ?.line.replace(/^[^:]*:\s*/, "")
      .replace(/\r?\n\s+/g, " ");
  expect(header("list-unsubscribe")).toMatch(/^<http:\/\/127\.0\.0\.1:8080\/unsubscribe\/[\w-]{43}>$/);
  expect(header("list-unsubscribe-post")).toBe("List-Unsubscribe=One-Click");
  expect(header("list-id")).toBe("<alerts.oakvale.oakvale.example>");
  expect(mail!.text).toContain(`account ending in ${1000 + homes}`);
  expect(mail!.text).toContain("1 Reservoir Road");
  expect(mail!.html).toContain('lang="en"');
});

it("sends nothing to who has not confirmed, whatever the meter does", async () => {
  const { id, email, meter } = await home({ optedIn: false });
  await tell(world, leak(test.clock, meter, { id }));
  expect(await decisionsOf(id)).toEqual(["no-consent"]);
  expect(await mailsTo(email)).toEqual([]);
});

it("sends only the kind that was ticked", async () => {
  const { id, email, meter, account } = await home({ optedIn: false });
  await optIn(world, { account, email, kinds: ["high-usage"] });
  await tell(world, leak(test.clock, meter, { id }));
  const spike = `f${id.slice(1)}`;
  await tell(
    world,
    leak(test.clock, meter, { id: spike, rule: "spike", state: "closed", reason: "usage-normal" }),
  );
  expect((await mailsTo(email)).map(({ subject }) => subject)).toEqual(["Unusually high water use"]);
});

it("stops at once with the unsubscribe link, also what waits in the outbox", async () => {
  const { id, email, meter } = await home();
  test.clock.set(NOON + 12 * HOUR_MS);
  await tell(world, leak(test.clock, meter, { id }));
  await notify.drain();
  expect((await outboxOf(id)).map(({ state }) => state)).toEqual(["held"]);
  await unsubscribeAll(email);
  expect((await outboxOf(id)).map(({ state, reason }) => [state, reason])).toEqual([
    ["suppressed", "no-consent"],
  ]);
  test.clock.set(NOON + 24 * HOUR_MS);
  expect(await mailsTo(email)).toEqual([]);
});

it("holds alerts in the night and judges them again in the morning", async () => {
  const stays = await home();
  const withdrawn = await home();
  const night = NOON + 14 * HOUR_MS;
  test.clock.set(night);
  await tell(world, leak(test.clock, stays.meter, { id: stays.id }));
  const other = leak(test.clock, withdrawn.meter, { id: withdrawn.id });
  await tell(world, other);
  expect(await mailsTo(stays.email)).toEqual([]);
  expect((await outboxOf(stays.id)).map(({ state, notBefore }) => [state, notBefore.getTime()])).toEqual([
    ["held", Date.UTC(2026, 5, 2, 15)],
  ]);
  await tell(world, { ...other, version: 2, state: "withdrawn", reason: "corrected" });
  test.clock.set(Date.UTC(2026, 5, 2, 15));
  expect(await mailsTo(stays.email)).toHaveLength(1);
  expect(await mailsTo(withdrawn.email)).toEqual([]);
  expect((await outboxOf(withdrawn.id)).map(({ reason }) => reason)).toEqual(["withdrawn"]);
});

it("tells of bursts first, then of leaks, then of high use, whatever was told first", async () => {
  const rules = [
    ...Array.from({ length: 20 }, () => "high-day" as const),
    ...Array.from({ length: 20 }, () => "continuous-flow" as const),
    "burst" as const,
  ];
  const all = await Promise.all(rules.map(async (rule) => ({ rule, ...(await home()) })));
  // In the night, so that all fall due at once.
  test.clock.set(NOON + 14 * HOUR_MS);
  for (const { rule, id, meter } of all)
    await tell(world, leak(test.clock, meter, { id, rule, evidence: { usualDay: 500_000 } }));
  await notify.drain();
  const before = mailbox.recipients().length;
  test.clock.set(NOON + 24 * HOUR_MS);
  await notify.drain();
  const ruleOf = new Map(all.map(({ email, rule }) => [email, rule]));
  const told = mailbox
    .recipients()
    .slice(before)
    .map((to) => ruleOf.get(to)!);
  expect(told).toHaveLength(41);
  // Sixteen are in hand at once: those may pass each other.
  expect(told.indexOf("burst")).toBeLessThan(16);
  expect(told.indexOf("high-day")).toBeGreaterThanOrEqual(21 - 16);
  expect(told.slice(0, 5)).not.toContain("high-day");
  expect(told.lastIndexOf("continuous-flow")).toBeLessThan(21 + 16);
});

it("tells a leak that ended in the night as over, with one mail", async () => {
  const { id, email, meter } = await home();
  test.clock.set(NOON + 14 * HOUR_MS);
  const opened = leak(test.clock, meter, { id });
  await tell(world, opened);
  await notify.drain();
  await tell(world, { ...opened, version: 2, state: "closed", reason: "flow-stopped" });
  test.clock.set(NOON + 24 * HOUR_MS);
  expect((await mailsTo(email)).map(({ subject }) => subject)).toEqual([
    "A possible leak ran and has stopped",
  ]);
});

it("corrects an alert that went out when later reads show that it never was", async () => {
  const { id, email, meter } = await home({ language: "es" });
  const opened = leak(test.clock, meter, { id });
  await tell(world, opened);
  await notify.drain();
  await tell(world, { ...opened, version: 2, state: "withdrawn", reason: "corrected" });
  expect((await mailsTo(email)).map(({ subject }) => subject)).toEqual([
    "Posible fuga: el agua corre sin parar",
    "Corrección: no hubo fuga",
  ]);
});

it("does not take silence of the meter for the end of a leak", async () => {
  const { id, email, meter } = await home();
  const opened = leak(test.clock, meter, { id });
  await tell(world, opened);
  await notify.drain();
  await tell(world, { ...opened, version: 2, state: "closed", reason: "no-reads" });
  expect(await mailsTo(email)).toHaveLength(1);
  expect(await decisionsOf(id)).toEqual(["reads-stopped"]);
});

it("stores old news, backfill and alerts before go-live, and sends none", async () => {
  const { id, email, meter } = await home();
  const old = leak(test.clock, meter, { id });
  await tell(world, { ...old, end: old.end - 80 * 3600, start: old.start - 80 * 3600 });
  const filled = `b${id.slice(1)}`;
  await tell(world, { ...old, id: filled, backfill: true });
  const early = `c${id.slice(1)}`;
  await tell(world, { ...old, id: early, utility: "elmwood" });
  expect(await decisionsOf(id)).toEqual(["old-news"]);
  expect(await decisionsOf(filled)).toEqual(["backfill"]);
  expect(await decisionsOf(early)).toEqual(["not-live"]);
  expect(await mailsTo(email)).toEqual([]);
});

it("does not tell a second anomaly that overlaps one already told", async () => {
  const { id, email, meter } = await home();
  const first = leak(test.clock, meter, { id });
  const second = `d${id.slice(1)}`;
  await tell(world, first);
  await tell(world, { ...first, id: second, start: first.start + 3600 });
  expect(await mailsTo(email)).toHaveLength(1);
  expect(await decisionsOf(second)).toEqual(["already-told"]);
});

it("tells neither a former occupant nor a new one of the other's usage", async () => {
  const former = await home();
  const number = homes;
  const moved = Math.floor(test.clock.now() / 1000) - 5 * 3600;
  await addHome(world, {
    meterId: `M-${number}`,
    accountId: `NEW-000-${number}`,
    locationId: `L-${number}`,
    moveIn: moved,
  });
  const email = `new${number}@mail.example`;
  await optIn(world, { account: `NEW000${number}`, email });
  await tell(world, leak(test.clock, former.meter, { id: former.id }));
  expect(await mailsTo(former.email)).toEqual([]);
  expect(await mailsTo(email)).toEqual([]);
  expect(await decisionsOf(former.id)).toEqual(["before-occupancy"]);
  // A day later the leak is the new resident's own: told from the move on, without the volume before.
  test.clock.set(NOON + 24 * HOUR_MS);
  const later = leak(test.clock, former.meter, { id: former.id, version: 2, state: "updated" });
  const from = Math.floor(moved / 3600) * 3600 - 10 * 3600;
  // Ten hours of the former resident at 95 L, then the new one's 20 L.
  const hours = { from, ml: Array.from({ length: 34 }, (_, hour) => (hour < 10 ? 95_000 : 20_000)) };
  await tell(world, { ...later, start: moved - 48 * 3600, hours });
  const [mail] = await mailsTo(email);
  expect(mail!.text).toContain("5.28 gallons in the lowest hour, 5.28 gallons in the highest");
  expect(mail!.html as string).not.toContain("25.1");
  expect(mail!.subject).toBe("Possible leak: water is running nonstop");
  expect(mail!.text).toContain("7:00 AM");
  expect(mail!.text).not.toContain("Used so far");
  const ended = await test.stores.database.query(
    "SELECT DISTINCT action FROM consents c JOIN contacts USING (contact_id) WHERE address_hash = $1 AND action = 'end'",
    [test.stores.vault.hash("oakvale", "email", former.email)],
  );
  expect(ended).toEqual([{ action: "end" }]);
});

it("tries again after a temporary refusal, and gives up after a permanent one", async () => {
  const soft = await home();
  mailbox.script({ do: "refuse", at: "rcpt", code: 450 }, { do: "refuse", at: "data", code: 421 });
  await tell(world, leak(test.clock, soft.meter, { id: soft.id }));
  expect(await mailsTo(soft.email)).toEqual([]);
  expect((await outboxOf(soft.id)).map(({ state, reason }) => [state, reason])).toEqual([
    ["queued", "SMTP 450"],
  ]);
  test.clock.set(NOON + 31_000);
  await notify.drain();
  expect((await outboxOf(soft.id)).map(({ state, reason }) => [state, reason])).toEqual([
    ["queued", "SMTP 421"],
  ]);
  test.clock.set(NOON + 120_000);
  expect(await mailsTo(soft.email)).toHaveLength(1);

  const hard = await home();
  mailbox.script({ do: "refuse", at: "rcpt", code: 550 });
  const opened = leak(test.clock, hard.meter, { id: hard.id });
  await tell(world, opened);
  await notify.drain();
  await tell(world, { ...opened, version: 2, state: "closed", reason: "flow-stopped" });
  test.clock.set(NOON + HOUR_MS);
  expect(await mailsTo(hard.email)).toEqual([]);
  expect((await outboxOf(hard.id)).map(({ state, reason }) => [state, reason])).toEqual([
    ["failed", "SMTP 550"],
  ]);
});

it("sends again under the same Message-ID when the connection broke after the message was handed over", async () => {
  const { id, email, meter } = await home();
  mailbox.script({ do: "cut-after-data" });
  await tell(world, leak(test.clock, meter, { id }));
  await notify.drain();
  expect((await outboxOf(id)).map(({ state }) => state)).toEqual(["unknown"]);
  test.clock.set(NOON + 60_000);
  const mails = await mailsTo(email);
  expect(mails).toHaveLength(2);
  expect(mails[0]!.messageId).toBe(mails[1]!.messageId);
  expect((await outboxOf(id)).map(({ state, attempts }) => [state, attempts])).toEqual([["accepted", 2]]);
});

it("tries again soon when the connection broke before the message was handed over", async () => {
  const { id, email, meter } = await home();
  mailbox.script({ do: "cut-at-rcpt" });
  await tell(world, leak(test.clock, meter, { id }));
  expect(await mailsTo(email)).toEqual([]);
  expect((await outboxOf(id)).map(({ attempts }) => attempts)).toEqual([1]);
  test.clock.set(NOON + 60_000);
  expect(await mailsTo(email)).toHaveLength(1);
});

it("does not repeat a message that may have arrived once its consent has ended", async () => {
  const { id, email, meter } = await home();
  mailbox.script({ do: "cut-after-data" });
  await tell(world, leak(test.clock, meter, { id }));
  await notify.drain();
  await unsubscribeAll(email);
  test.clock.set(NOON + 60_000);
  expect(await mailsTo(email)).toHaveLength(1);
  expect((await outboxOf(id)).map(({ state, reason }) => [state, reason])).toEqual([
    ["suppressed", "no-consent"],
  ]);
});

it("makes messages of a sender that died unknown, never queued", async () => {
  const { id, email, meter } = await home();
  await tell(world, leak(test.clock, meter, { id }));
  await notify.drain();
  const { database } = test.stores;
  await database.query(
    `UPDATE outbox SET state = 'sending', owner = 2000000000, lease_until = $2 WHERE anomaly = $1`,
    [id, new Date(NOON + HOUR_MS)],
  );
  const mails = await mailsTo(email);
  expect(mails).toHaveLength(2);
  expect(mails[0]!.messageId).toBe(mails[1]!.messageId);
});

it("sends each message once when two stages run", async () => {
  const context = test.context();
  const config = { ...context.config, smtp: { host: "127.0.0.1", port: mailbox.port, secure: false } };
  const second = await test.start(createNotify({ ...context, config, member: "notify@second" }));
  const residents = [];
  for (let i = 0; i < 12; i++) residents.push(await home());
  await tell(world, ...residents.map(({ id, meter }) => leak(test.clock, meter, { id })));
  await Promise.all([notify.drain(), second.drain()]);
  await second.stop();
  for (const { email } of residents) expect(await mailsTo(email)).toHaveLength(1);
});

it("keeps every consent step as evidence that nobody can change", async () => {
  await expect(test.stores.database.query("UPDATE consents SET action = 'revoke'")).rejects.toThrow(
    "never changed",
  );
  await expect(test.stores.database.query("DELETE FROM consents")).rejects.toThrow("never changed");
});

it("logs no address and no account", () => {
  const lines = test.logged.join("\n");
  expect(lines).toContain("message accepted");
  expect(lines).not.toMatch(/mail\.example|ACCT|\b90001\b|resident\d/);
});
