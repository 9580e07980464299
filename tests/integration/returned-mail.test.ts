import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createNotify, whyOfContact, type NotifyStage } from "../../notify/index.js";
import { verifyDkim, writeDkimKey } from "../harness/dkim.js";
import { findPostfix, GREY, type TestPostfix } from "../harness/postfix.js";
import { startMailbox, type Mailbox } from "../harness/mailbox.js";
import { addHome, leak, optIn, tell, type World } from "../harness/residents.js";
import { returned } from "../harness/returned.js";
import { OAKVALE, startStores, usageUtility, type TestStores } from "../harness/stores.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);

let homes = 0;

/** A home with a resident who hears of leaks by mail, and an anomaly of its own. */
async function resident(world: World, email: string) {
  const n = ++homes;
  const account = `ACCT-200-${n}`;
  const meter = await addHome(world, { meterId: `B-${n}`, accountId: account, locationId: `B-${n}` });
  await optIn(world, { account, email, kinds: ["leak"] });
  const anomaly = (id: number) =>
    leak(world.clock, meter, { id: `${n}`.padStart(16, "0") + `${id}`.padStart(16, "0") });
  return { email, account, meter, anomaly };
}

function worldOf(test: TestStores): World {
  return { config: test.settings.config, stores: test.stores, clock: test.clock };
}

const withBounces = (folder: string, at: string) => ({
  ...usageUtility(folder),
  mail: { ...OAKVALE.mail, bounces: { address: "bounces@oakvale.example", folder: at } },
});

const signed = (utility: ReturnType<typeof withBounces>, folder: string) => ({
  ...utility,
  mail: { ...utility.mail, dkim: { selector: "alerts", keyFile: writeDkimKey(folder) } },
});

describe("in a Maildir", () => {
  let test: TestStores;
  let world: World;
  let mailbox: Mailbox;
  let notify: NotifyStage;
  let maildir: string;

  beforeAll(async () => {
    test = await startStores("returned", {
      now: NOON,
      config: (folder) => ({ utilities: [withBounces(folder, join(folder, "bounces"))] }),
    });
    world = worldOf(test);
    maildir = join(test.folder, "bounces");
    for (const place of ["new", "cur", "tmp"]) mkdirSync(join(maildir, place), { recursive: true });
    mailbox = await startMailbox(join(test.folder, "mailbox.jsonl"));
    const context = test.context();
    const smtp = { host: "127.0.0.1", port: mailbox.port, secure: false };
    notify = await test.start(createNotify({ ...context, config: { ...context.config, smtp } }));
  });
  afterAll(async () => {
    await test.close();
    await mailbox.close();
  });

  const hash = (email: string) => test.stores.vault.hash("oakvale", "email", email);
  const outboxOf = (email: string) =>
    test.stores.database.query<{ outbox_id: string; state: string; reason: string | null }>(
      `SELECT outbox_id, o.state, o.reason FROM outbox o JOIN contacts USING (contact_id)
       WHERE address_hash = $1 AND kind = 'alert' ORDER BY o.created_at`,
      [hash(email)],
    );
  const consents = (email: string) =>
    test.stores.database.query(
      "SELECT 1 FROM active_consents JOIN contacts USING (contact_id) WHERE address_hash = $1",
      [hash(email)],
    );
  let files = 0;
  async function comesBack(text: string): Promise<void> {
    writeFileSync(join(maildir, "new", `${++files}.test`), text);
    await notify.drain();
  }
  async function alerted(email: string, id = 1) {
    const home = await resident(world, email);
    await tell(world, home.anomaly(id));
    await notify.drain();
    const [alert] = await outboxOf(email);
    expect(alert).toMatchObject({ state: "accepted" });
    return { ...home, outbox: alert!.outbox_id };
  }

  it("ends mails to a mailbox that is not there, and says why", async () => {
    const home = await alerted("gone@mail.example");
    await comesBack(returned.undelivered(home.outbox, { status: "5.1.1" }));
    expect(await outboxOf(home.email)).toMatchObject([{ state: "failed", reason: "5.1.1" }]);
    expect(await consents(home.email)).toEqual([]);
    expect(readdirSync(join(maildir, "new"))).toEqual([]);
    expect(readdirSync(join(maildir, "cur"))).toHaveLength(1);
    const story = await whyOfContact(test.stores, test.settings.config.utilities[0]!, home.email);
    expect(story).toContainEqual(
      expect.objectContaining({ what: "address", outcome: "suppressed", reason: "unreachable" }),
    );

    // Who asks again is asked once more: the mailbox may be there now.
    await optIn(world, { account: home.account, email: home.email, kinds: ["leak"] });
    await tell(world, home.anomaly(2));
    await notify.drain();
    expect((await outboxOf(home.email)).at(-1)).toMatchObject({ state: "accepted" });
  });

  it("bears with a mailbox that is full until the third mail in a row", async () => {
    const home = await resident(world, "full@mail.example");
    for (const id of [1, 2, 3]) {
      await tell(world, {
        ...home.anomaly(id),
        rule: id === 2 ? "burst" : "continuous-flow",
        start: NOON / 1000 - 90_000 + id,
      });
      await notify.drain();
      for (const { outbox_id, state } of await outboxOf(home.email))
        if (state === "accepted") await comesBack(returned.undelivered(outbox_id, { status: "5.2.2" }));
      await closeAll(home, id);
      expect(await consents(home.email)).toHaveLength(id < 3 ? 1 : 0);
    }
  });

  /** Makes room for the next: one leak alert of a meter at a time. */
  async function closeAll(home: Awaited<ReturnType<typeof resident>>, id: number): Promise<void> {
    await tell(world, { ...home.anomaly(id), version: 2, state: "closed", reason: "no-reads" });
    await notify.drain();
  }

  it("takes a complaint for a stop that the web form does not undo", async () => {
    const home = await alerted("cross@mail.example");
    await comesBack(returned.complaint(home.outbox, "abuse"));
    expect(await outboxOf(home.email)).toMatchObject([{ state: "delivered", reason: "complaint" }]);
    expect(await consents(home.email)).toEqual([]);
    await tell(world, home.anomaly(2));
    await notify.drain();
    expect((await outboxOf(home.email)).filter(({ state }) => state === "accepted")).toEqual([]);
  });

  it("changes nothing for praise, delays, policies of the receiver, forged ids and mail that people wrote", async () => {
    const home = await alerted("fine@mail.example");
    const before = readdirSync(join(maildir, "cur")).length;
    await comesBack(returned.complaint(home.outbox, "not-spam"));
    await comesBack(returned.undelivered(home.outbox, { status: "4.4.1", action: "delayed" }));
    await comesBack(returned.undelivered("00000000-0000-4000-8000-000000000000", { status: "5.1.1" }));
    await comesBack(returned.undelivered(home.outbox, { status: "5.1.1", domain: "elsewhere.example" }));
    await comesBack("From: someone@mail.example\r\nSubject: thanks\r\n\r\nThank you for the alert.\r\n");
    await comesBack("");
    await comesBack("\u0000\u0001 no mail at all");
    expect(await outboxOf(home.email)).toMatchObject([{ state: "accepted" }]);
    expect(await consents(home.email)).toHaveLength(1);
    expect(readdirSync(join(maildir, "cur"))).toHaveLength(before + 7);
    await comesBack(returned.undelivered(home.outbox, { status: "5.7.1" }));
    expect(await outboxOf(home.email)).toMatchObject([{ state: "failed", reason: "5.7.1" }]);
    expect(await consents(home.email)).toHaveLength(1);
  });

  it("pauses the mails of a utility of which too many come back in a day", async () => {
    const { database } = test.stores;
    const pauses = () =>
      database.query("SELECT utility, channel, reason FROM channel_pauses WHERE ended_at IS NULL");
    for (let i = 0; (await pauses()).length === 0; i++) {
      const home = await alerted(`many${i}@mail.example`);
      await comesBack(returned.undelivered(home.outbox, { status: "5.7.1", headersOnly: i % 2 === 0 }));
    }
    expect(await pauses()).toEqual([{ utility: "oakvale", channel: "email", reason: "bounces" }]);
    expect(await database.query("SELECT count(*) AS returned FROM outbox WHERE state = 'failed'")).toEqual([
      { returned: 10 },
    ]);
    const home = await resident(world, "waits@mail.example");
    await tell(world, home.anomaly(1));
    await notify.drain();
    expect(await outboxOf(home.email)).toMatchObject([{ state: "queued" }]);
    expect(test.logged.join("\n")).not.toMatch(/@mail\.example/);
  });
});

const origin = findPostfix();
const onPostfix = "start" in origin ? describe : describe.skip;
onPostfix("from a real mail server", () => {
  let test: TestStores;
  let world: World;
  let postfix: TestPostfix;

  beforeAll(async () => {
    postfix = await (origin as Extract<typeof origin, { start: unknown }>).start([
      "bounces@oakvale.example",
      "here@town.example",
      GREY,
    ]);
    test = await startStores("postfix", {
      now: NOON,
      config: (folder) => ({
        utilities: [signed(withBounces(folder, postfix.maildir("bounces@oakvale.example")), folder)],
      }),
    });
    world = worldOf(test);
  });
  afterAll(async () => {
    await test.close();
    await postfix.stop();
  });

  async function notifyAt(port: number): Promise<NotifyStage> {
    const context = test.context();
    const smtp = { host: "127.0.0.1", port, secure: false };
    const stage = createNotify({ ...context, config: { ...context.config, smtp }, member: `at-${port}` });
    await stage.start();
    return stage;
  }
  const consents = (email: string) =>
    test.stores.database.query(
      "SELECT 1 FROM active_consents JOIN contacts USING (contact_id) WHERE address_hash = $1",
      [test.stores.vault.hash("oakvale", "email", email)],
    );

  it("delivers, and learns from what comes back that a mailbox is gone", async () => {
    const here = await resident(world, "here@town.example");
    const gone = await resident(world, "gone@town.example");
    const notify = await notifyAt(postfix.laxPort);
    try {
      await tell(world, here.anomaly(1), gone.anomaly(1));
      for (let tries = 0; tries < 200 && (await consents(gone.email)).length > 0; tries++) {
        await notify.drain();
        await sleep(100);
      }
      expect(await consents(gone.email)).toEqual([]);
      expect(await consents(here.email)).toHaveLength(1);
      const [mail] = postfix.mailsOf(here.email);
      expect(mail).toMatch(/^Return-Path: <bounces@oakvale\.example>/m);
      expect(mail).toMatch(/^Received: .*\n?.*(ESMTPS|TLS)/m);
      expect(mail).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click/m);
      // What arrived is what was signed, whatever the servers on the way wrote above it.
      expect(await verifyDkim(mail!, test.settings.config.utilities[0]!)).toMatchObject([
        { result: "pass", aligned: "oakvale.example" },
      ]);
    } finally {
      await notify.stop();
    }
  }, 60_000);

  it("comes again to a server that refuses for now, and is taken once", async () => {
    const grey = await resident(world, GREY);
    const notify = await notifyAt(postfix.strictPort);
    const alert = async () =>
      (
        await test.stores.database.query<{ state: string; reason: string | null; attempts: number }>(
          `SELECT state, reason, attempts FROM outbox JOIN contacts USING (contact_id)
           WHERE address_hash = $1 AND kind = 'alert'`,
          [test.stores.vault.hash("oakvale", "email", GREY)],
        )
      )[0]!;
    try {
      const from = test.clock.now();
      await tell(world, grey.anomaly(1));
      await notify.drain();
      expect(await alert()).toEqual({ state: "queued", reason: "SMTP 450", attempts: 1 });
      test.clock.set(from + 29_000);
      await notify.drain();
      expect(await alert()).toMatchObject({ attempts: 1 });
      test.clock.set(from + 30_000);
      await notify.drain();
      expect(await alert()).toEqual({ state: "queued", reason: "SMTP 450", attempts: 2 });
      postfix.liftGreylist();
      test.clock.set(from + 30_000 + 60_000);
      await notify.drain();
      expect(await alert()).toEqual({ state: "accepted", reason: null, attempts: 3 });
      for (let tries = 0; tries < 100 && postfix.mailsOf(GREY).length === 0; tries++) await sleep(100);
      expect(postfix.mailsOf(GREY)).toHaveLength(1);
      expect(await consents(GREY)).toHaveLength(1);
    } finally {
      await notify.stop();
    }
  }, 60_000);

  it("believes a server that refuses a mailbox at once", async () => {
    const gone = await resident(world, "nobody@town.example");
    const notify = await notifyAt(postfix.strictPort);
    try {
      await tell(world, gone.anomaly(1));
      await notify.drain();
      expect(await consents(gone.email)).toEqual([]);
      const story = await whyOfContact(test.stores, test.settings.config.utilities[0]!, gone.email);
      expect(story).toContainEqual(
        expect.objectContaining({ what: "alert", outcome: "failed", reason: "SMTP 550" }),
      );
    } finally {
      await notify.stop();
    }
  }, 60_000);
});
