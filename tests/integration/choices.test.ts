import { createHash } from "node:crypto";
import { startNotified, type Notified } from "../harness/notified.js";
import { addHome, leak, optIn, tell } from "../harness/residents.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const DAY_MS = 86_400_000;

let test: Notified["test"];
let world: Notified["world"];
let mailbox: Notified["mailbox"];
let notify: Notified["notify"];
let web: Notified["web"];
let scene: Notified;
let homes = 0;

beforeAll(async () => {
  scene = await startNotified("choices", NOON);
  ({ test, world, mailbox, notify, web } = scene);
});
afterAll(() => scene.close());
beforeEach(() => {
  test.clock.set(NOON);
});

const get = (path: string) => fetch(web.url + path, { redirect: "manual" });
const post = (path: string, fields: [string, string][]) =>
  fetch(web.url + path, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { "x-forwarded-for": "203.0.113.9" },
    redirect: "manual",
  });

/** A home with a resident who hears of leaks by mail; an anomaly of its own. */
async function resident() {
  const n = ++homes;
  const email = `r${n}@mail.example`;
  const account = `ACCT-100-${n}`;
  const meter = await addHome(world, { meterId: `C-${n}`, accountId: account, locationId: `C-${n}` });
  await optIn(world, { account, email, kinds: ["leak"] });
  const anomaly = leak(test.clock, meter, { id: String(n).padStart(32, "0") });
  return { email, account, meter, anomaly };
}

async function mailTo(email: string): Promise<string> {
  await notify.drain();
  const mails = await mailbox.mails();
  return mails[mailbox.recipients().lastIndexOf(email)]!.text!;
}
const linkIn = (text: string, path: string) => new RegExp(`https?://[^/]+(/${path}/[\\w-]+)`).exec(text)![1]!;

/** Steps of the contact's consents since its confirmation. */
const stepsOf = async (email: string) => {
  const rows = await test.stores.database.query<{ step: string }>(
    `SELECT kind || ' ' || action || ' ' || method || ' ' || c.language AS step
     FROM consents c JOIN contacts USING (contact_id) WHERE address_hash = $1 ORDER BY consent_id`,
    [test.stores.vault.hash("oakvale", "email", email)],
  );
  return rows.slice(2).map(({ step }) => step);
};
const outboxOf = (email: string, kind: string) =>
  test.stores.database.query<{ state: string; reason: string | null; not_before: Date }>(
    `SELECT state, reason, not_before FROM outbox JOIN contacts USING (contact_id)
     WHERE address_hash = $1 AND kind = $2 ORDER BY outbox.created_at`,
    [test.stores.vault.hash("oakvale", "email", email), kind],
  );
const boxes = (text: string) =>
  [...text.matchAll(/<input type="checkbox" name="on" value="([^"]+)"( checked)?/g)].map(
    ([, name, checked]) => ({ name: name!, checked: checked !== undefined }),
  );

it("lets a resident change what they are told by the link of a mail", async () => {
  const { email, meter, anomaly } = await resident();
  await tell(world, anomaly);
  const link = linkIn(await mailTo(email), "choices");

  const shown = await (await get(link)).text();
  expect(shown).not.toContain(email);
  expect(shown).toContain("r•••@mail.example");
  expect(shown).not.toMatch(/<script|src=|https?:\/\//);
  const [leaks, burst, high] = boxes(shown);
  expect([leaks, burst, high].map((box) => box!.checked)).toEqual([true, false, false]);
  expect(await stepsOf(email)).toEqual([]);

  // Something waits for the morning when the resident changes their mind.
  test.clock.set(NOON + 10 * 3_600_000);
  await tell(world, leak(test.clock, meter, { id: "f".repeat(32), start: NOON / 1000 }));
  await notify.drain();
  expect((await outboxOf(email, "alert")).at(-1)).toMatchObject({ state: "held" });
  const both: [string, string][] = [
    ["shown", leaks!.name],
    ["shown", high!.name],
  ];
  const saved = await post(link, [...both, ["on", high!.name], ["language", "es"]]);
  const text = await saved.text();
  expect(saved.status).toBe(200);
  expect(text).toContain("Guardado");
  expect(boxes(text).map(({ checked }) => checked)).toEqual([false, false, true]);
  expect(await stepsOf(email)).toEqual(["leak revoke page en", "high-usage confirm page es"]);
  expect((await outboxOf(email, "alert")).at(-1)).toMatchObject({
    state: "suppressed",
    reason: "no-consent",
  });

  // What was agreed to is what the page says, and who agreed is kept sealed.
  const [row] = await test.stores.database.query<{
    contact_id: string;
    text_hash: Buffer;
    evidence_sealed: Buffer;
  }>("SELECT c.* FROM active_consents c JOIN contacts USING (contact_id) WHERE address_hash = $1", [
    test.stores.vault.hash("oakvale", "email", email),
  ]);
  const wording = /Acepto que [^<]+/.exec(text)![0].trim();
  expect(row!.text_hash).toEqual(createHash("sha256").update(wording).digest());
  const evidence = test.stores.vault.unseal(
    "oakvale",
    `consents.evidence|${row!.contact_id}`,
    row!.evidence_sealed,
  );
  expect(JSON.parse(evidence.toString())).toMatchObject({ ip: "203.0.113.9" });

  // Saved again, nothing changes.
  await post(link, [...both, ["on", high!.name], ["language", "es"]]);
  expect(await stepsOf(email)).toHaveLength(2);
});

it("writes again to who ticks a box, though earlier mail had come back", async () => {
  const { email, anomaly } = await resident();
  await tell(world, anomaly);
  const link = linkIn(await mailTo(email), "choices");
  const { database, vault } = test.stores;
  const at = [vault.hash("oakvale", "email", email)];
  await database.query(
    `INSERT INTO suppressions (utility, channel, address_hash, reason, at) VALUES ('oakvale', 'email', $1, 'provider-stop', now())`,
    at,
  );
  const listed = () =>
    database.query("SELECT 1 FROM suppressions WHERE address_hash = $1 AND ended_at IS NULL", at);
  const [leaks, , high] = boxes(await (await get(link)).text());
  await post(link, [
    ["shown", leaks!.name],
    ["on", leaks!.name],
  ]);
  expect(await listed()).toHaveLength(1);
  await post(link, [
    ["shown", high!.name],
    ["on", high!.name],
  ]);
  expect(await listed()).toEqual([]);
});

it("changes nothing by boxes that were not shown or are of others' services", async () => {
  const one = await resident();
  const other = await resident();
  await tell(world, one.anomaly, other.anomaly);
  const link = linkIn(await mailTo(one.email), "choices");
  const theirs = boxes(await (await get(linkIn(await mailTo(other.email), "choices"))).text());
  const foreign = theirs[1]!.name;
  for (const fields of [
    [
      ["shown", foreign],
      ["on", foreign],
    ],
    [["on", "1:gossip"]],
    [["shown", "x"]],
    [["language", "xx"]],
    [],
  ] as [string, string][][])
    expect((await post(link, fields)).status).toBe(200);
  expect(await stepsOf(one.email)).toEqual([]);
  expect(await stepsOf(other.email)).toEqual([]);
});

it("writes in the units and within the hours that a resident chooses, inside the utility's", async () => {
  const { email, meter, anomaly } = await resident();
  await tell(world, anomaly);
  const mail = await mailTo(email);
  expect(mail).toContain("gallons an hour");
  const link = linkIn(mail, "choices");
  const page = await (await get(link)).text();
  expect(page).toMatch(/name="units" value="gal" checked/);
  const [leaks] = boxes(page);
  const form = (from: string, until: string, units = "L"): [string, string][] => [
    ["shown", leaks!.name],
    ["on", leaks!.name],
    ["language", "en"],
    ["units", units],
    ["from", from],
    ["until", until],
  ];
  for (const [from, until] of [
    ["18:00", "17:00"],
    ["21:00", "23:00"],
    ["19:30", "23:00"],
    ["8:00", "12:00"],
    ["08:00", ""],
    ["25:00", "26:00"],
  ] as const) {
    const refused = await post(link, form(from, until));
    expect([from, until, refused.status]).toEqual([from, until, 400]);
    expect(await refused.text()).toContain("between 08:00 and 20:00");
  }
  // Nothing of it was taken, the units neither.
  expect(await (await get(link)).text()).toMatch(/name="units" value="gal" checked/);

  const saved = await (await post(link, form("17:00", "22:00"))).text();
  expect(saved).toMatch(/name="units" value="L" checked/);
  expect(saved).toMatch(/name="from" value="17:00"/);
  const next = leak(test.clock, meter, { id: "a".repeat(32), start: NOON / 1000 - 30 * 3600, rate: 20_000 });
  await tell(world, { ...next, rule: "burst" });
  await notify.drain();
  const waiting = (await outboxOf(email, "alert")).at(-1);
  // Noon is too early for this resident: five in the afternoon it is.
  expect(waiting).toMatchObject({
    state: "held",
    reason: "quiet-hours",
    not_before: new Date(NOON + 5 * 3_600_000),
  });
  test.clock.set(NOON + 5 * 3_600_000);
  await tell(world, { ...next, rule: "burst", version: 2, state: "updated", end: NOON / 1000 + 4 * 3600 });
  expect(await mailTo(email)).toContain("20 liters an hour");

  // In New York five in the afternoon is past: it waits for the morning of both.
  const moved = await (
    await post(link, [...form("17:00", "22:00"), ["timeZone", "America/New_York"]])
  ).text();
  expect(moved).toContain('<option value="America/New_York" selected>');
  test.clock.set(NOON + 2 * 3_600_000);
  expect((await post(link, [...form("08:00", "10:00"), ["timeZone", "America/New_York"]])).status).toBe(400);
  await tell(world, {
    ...next,
    id: "c".repeat(32),
    rule: "burst",
    start: next.end + 600,
    end: next.end + 3600,
  });
  await notify.drain();
  // Two in the afternoon there is five in New York.
  expect((await outboxOf(email, "alert")).at(-1)).toMatchObject({ state: "accepted" });

  const back = await (await post(link, form("", "", "gal"))).text();
  expect(back).not.toMatch(/<option value="[^"]+" selected/);
  expect(back).toMatch(/name="from" value=""/);
  expect(back).toMatch(/name="units" value="gal" checked/);
});

it("tells of a burst at night whom has ticked that, once, and of all else by day", async () => {
  const { email, meter, anomaly } = await resident();
  const asleep = await resident();
  await tell(world, anomaly);
  const link = linkIn(await mailTo(email), "choices");
  const [, burst] = boxes(await (await get(link)).text());
  const form = (on: boolean): [string, string][] => [
    ["shown", burst!.name],
    ...(on ? [["on", burst!.name] as [string, string]] : []),
    ["from", "09:00"],
    ["until", "12:00"],
  ];
  await post(link, form(true));
  expect(await stepsOf(email)).toEqual(["burst confirm page en"]);

  test.clock.set(NOON + 14 * 3_600_000);
  const start = test.clock.now() / 1000 - 3 * 3600;
  const night = { rule: "burst", start, rate: 900_000 } as const;
  const first = leak(test.clock, meter, { ...night, id: "b1".padEnd(32, "0") });
  await tell(world, first, leak(test.clock, asleep.meter, { ...night, id: "b2".padEnd(32, "0") }));
  expect(await mailTo(email)).toContain("burst");
  expect(await outboxOf(email, "alert")).toHaveLength(2);
  expect(await outboxOf(asleep.email, "alert")).toMatchObject([{ state: "held" }]);
  // That it stopped can wait for the morning.
  await tell(world, { ...first, version: 2, state: "closed", reason: "flow-stopped" });
  await notify.drain();
  expect(await outboxOf(email, "stopped")).toMatchObject([{ state: "held" }]);

  // No longer ticked: the next one waits as well.
  await post(link, form(false));
  await tell(world, leak(test.clock, meter, { ...night, start: first.end + 60, id: "b3".padEnd(32, "0") }));
  await notify.drain();
  expect((await outboxOf(email, "alert")).at(-1)).toMatchObject({ state: "held" });
  expect(await stepsOf(email)).toEqual(["burst confirm page en", "burst revoke page en"]);
});

it("shows nothing to choose after a move-out, and takes no box of it", async () => {
  const { email, account, anomaly } = await resident();
  await tell(world, anomaly);
  const link = linkIn(await mailTo(email), "choices");
  const [leaks] = boxes(await (await get(link)).text());
  await test.stores.database.query(
    `UPDATE occupancies SET valid_until = $2 WHERE account_id = (SELECT account_id FROM accounts WHERE number_hash = $1)`,
    [test.stores.vault.hash("oakvale", "account", account.replace(/\W/g, "")), new Date(NOON - 3_600_000)],
  );
  const text = await (await get(link)).text();
  expect(text).toContain("No alerts are set up");
  await post(link, [
    ["shown", leaks!.name],
    ["on", leaks!.name],
  ]);
  expect((await stepsOf(email)).filter((step) => step.includes("page"))).toEqual([]);
});

it("takes an answer by a click on a page, not by a link that is followed", async () => {
  const { email, anomaly } = await resident();
  await tell(world, anomaly);
  const mail = await mailTo(email);
  expect(mail).toMatch(
    /The water runs on purpose:\n\S+\?answer=1\nSomebody is looking into it:\n\S+\?answer=2\n/,
  );
  const link = linkIn(mail, "answer");
  const shown = await (await get(`${link}?answer=2`)).text();
  expect(shown).toMatch(/value="2" required checked/);
  expect(shown).not.toMatch(/value="[13]" required checked/);
  expect(await whyAnswered(anomaly.id)).toEqual([]);
  expect((await post(link, [])).status).toBe(400);

  const answered = await post(link, [["answer", "2"]]);
  expect(await answered.text()).toContain("for three days");
  expect(await whyAnswered(anomaly.id)).toEqual([2]);

  // Within these days the flow goes on and nothing is said; once it has stopped there is nothing to answer.
  test.clock.set(NOON + DAY_MS);
  await tell(world, {
    ...anomaly,
    version: 2,
    state: "closed",
    reason: "flow-stopped",
    end: Math.floor(test.clock.now() / 1000) - 3600,
  });
  await notify.drain();
  expect(await (await get(link)).text()).toContain("does not run any more");
  await post(link, [["answer", "1"]]);
  expect(await whyAnswered(anomaly.id)).toEqual([2]);
});

it("reminds by mail in a week of water that still runs", async () => {
  const { email, anomaly } = await resident();
  await tell(world, anomaly);
  await post(linkIn(await mailTo(email), "answer"), [["answer", "3"]]);
  const [reminder] = await outboxOf(email, "reminder");
  expect(reminder).toMatchObject({ state: "held", not_before: new Date(NOON + 7 * DAY_MS) });
  test.clock.set(NOON + 7 * DAY_MS);
  await tell(world, {
    ...anomaly,
    version: 2,
    state: "updated",
    end: Math.floor(test.clock.now() / 1000) - 3600,
  });
  const mail = await mailTo(email);
  expect(mail).toContain("Water is still running");
  expect(linkIn(mail, "answer")).toBeDefined();
});

it("knows no token that was made for another page", async () => {
  const { email, anomaly } = await resident();
  await tell(world, anomaly);
  const mail = await mailTo(email);
  const token = (path: string) => linkIn(mail, path).split("/")[2]!;
  const pages = ["choices", "answer", "unsubscribe"];
  expect((await get(`/home/${token("answer")}`)).status).toBe(404);
  for (const page of pages)
    for (const other of pages) {
      const status = page === other ? 200 : 404;
      expect((await get(`/${page}/${token(other)}`)).status).toBe(status);
      if (status === 404)
        expect((await post(`/${page}/${token(other)}`, [["answer", "1"]])).status).toBe(404);
    }
});

it("answers an alert that was sent two weeks ago no more", async () => {
  const { email, anomaly } = await resident();
  await tell(world, anomaly);
  const link = linkIn(await mailTo(email), "answer");
  test.clock.set(NOON + 15 * DAY_MS);
  expect(await (await get(link)).text()).toContain("older than two weeks");
  await post(link, [["answer", "1"]]);
  expect(await whyAnswered(anomaly.id)).toEqual([]);
});

const whyAnswered = async (anomaly: string) => {
  const rows = await test.stores.database.query<{ answer: number }>(
    "SELECT answer FROM answers WHERE anomaly = $1 ORDER BY answer_id",
    [anomaly],
  );
  return rows.map(({ answer }) => answer);
};
