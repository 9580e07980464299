import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDetect } from "../../detect/index.js";
import { partitionOf, type LogProducer } from "../../infra/log/log.js";
import { createIngest } from "../../ingest/index.js";
import { tellMeters } from "../../ingest/registry/tell-meters.js";
import { forgetOld } from "../../notify/consent/retention.js";
import { eraseAddress, whyOfContact } from "../../notify/index.js";
import { meterMessage, type MeterSetting } from "../../schemas/meters.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";
import { startNotified, type Notified } from "../harness/notified.js";
import { addHome, leak, optIn, tell } from "../harness/residents.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let test: Notified["test"];
let world: Notified["world"];
let mailbox: Notified["mailbox"];
let notify: Notified["notify"];
let web: Notified["web"];
let scene: Notified;
let homes = 0;

beforeAll(async () => {
  scene = await startNotified("home", NOON);
  ({ test, world, mailbox, notify, web } = scene);
});
afterAll(() => scene.close());
beforeEach(() => {
  test.clock.set(NOON);
});

const get = (path: string) => fetch(web.url + path, { redirect: "manual" });
const post = (path: string, fields: Readonly<Record<string, string>>) =>
  fetch(web.url + path, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });

/** A home whose resident got a mail about a leak, and the links in it. */
async function resident(change: Parameters<typeof leak>[2] = {}, moveIn?: number) {
  const n = ++homes;
  const email = `h${n}@mail.example`;
  const home = { meterId: `H-${n}`, accountId: `ACCT-200-${n}`, locationId: `H-${n}` };
  const meter = await addHome(world, { ...home, moveIn });
  await optIn(world, { account: home.accountId, email, kinds: ["leak"] });
  await tell(world, leak(test.clock, meter, { id: String(n).padStart(32, "0"), ...change }));
  const mail = await mailTo(email);
  const link = (path: string) => new RegExp(`https?://[^/]+(/${path}/[\\w-]+)`).exec(mail)![1]!;
  const page = await (await get(link("home"))).text();
  const occupancy = /name="occupancy" value="(\d+)"/.exec(page)![1]!;
  return { email, home, meter, mail, page, occupancy, link };
}

async function mailTo(email: string): Promise<string> {
  await notify.drain();
  const mails = await mailbox.mails();
  return mails[mailbox.recipients().lastIndexOf(email)]!.text!;
}

/** What the detector is told of a meter, after whatever waits was told. */
async function settingsOf(meter: string): Promise<readonly MeterSetting[]> {
  const producer = await test.stores.log.producer();
  await tellMeters(test.stores.database, producer);
  await producer.close();
  let settings: readonly MeterSetting[] = [];
  for await (const { records } of test.stores.log.read("meters", partitionOf(meter, METER_PARTITIONS), 0))
    for (const { key, value } of records)
      if (key === meter) settings = meterMessage.parse(JSON.parse(value!.toString())).settings;
  return settings;
}

const seconds = (iso: string) => Date.parse(iso) / 1000;
const valueOf = (page: string, field: string) =>
  new RegExp(`name="${field}"\\s+value="([^"]*)"`).exec(page)![1]!;

describe("away", () => {
  it("holds for the whole days between leaving and return, on the local clock, and can be taken back", async () => {
    const { meter, occupancy, link, page } = await resident();
    expect(page).toContain("5.28 gallons");
    expect(page).not.toMatch(/<script|src=|https?:\/\//);
    const dates = { occupancy, leave: "2026-06-05", back: "2026-06-12", onPurpose: "" };
    const saved = await post(link("home"), dates);
    const text = await saved.text();
    expect(saved.status).toBe(200);
    expect(text).toContain("Saved");
    expect([valueOf(text, "leave"), valueOf(text, "back")]).toEqual(["2026-06-05", "2026-06-12"]);
    const settings = [
      { from: seconds("2026-06-06T00:00-07:00"), away: true },
      { from: seconds("2026-06-12T00:00-07:00"), away: false },
    ];
    expect(await settingsOf(meter)).toEqual(settings);
    // On the way, the same form changes nothing, and another return moves the end alone.
    test.clock.set(NOON + 8 * DAY_MS);
    await post(link("home"), dates);
    expect(await settingsOf(meter)).toEqual(settings);
    await post(link("home"), { ...dates, back: "2026-06-20" });
    expect((await settingsOf(meter)).at(-1)).toEqual({
      from: seconds("2026-06-20T00:00-07:00"),
      away: false,
    });
    // Back early.
    await post(link("home"), { ...dates, leave: "", back: "" });
    expect((await settingsOf(meter)).at(-1)).toEqual({ from: (NOON + 8 * DAY_MS) / 1000, away: false });
    expect(valueOf(await (await get(link("home"))).text(), "leave")).toBe("");
  });

  it("says which days can't be, keeps what was typed, and changes nothing", async () => {
    const { meter, occupancy, link } = await resident();
    for (const [leave, back] of [
      ["2026-06-05", "2026-06-06"],
      ["2026-06-05", ""],
      ["", "2026-06-12"],
      ["2026-06-05", "2027-06-12"],
      ["2026-02-30", "2026-06-12"],
      ["2026-05-01", "2026-05-20"],
      ["tomorrow", "later"],
    ] as const) {
      const refused = await post(link("home"), { occupancy, leave, back, onPurpose: "" });
      expect([leave, back, refused.status]).toEqual([leave, back, 400]);
      const text = await refused.text();
      expect(text).toContain('role="alert"');
      expect(valueOf(text, "back")).toBe(back);
    }
    expect(await settingsOf(meter)).toEqual([]);
  });

  it("wakes whoever is away when water is used, by mail, and says nothing of it once they are back", async () => {
    const { email, occupancy, link, home } = await resident();
    await post(link("home"), { occupancy, leave: "2026-06-02", back: "2026-06-12", onPurpose: "" });
    const folder = join(test.folder, "drop", "ami");
    mkdirSync(folder, { recursive: true });
    mkdirSync(join(test.folder, "drop", "customers"), { recursive: true });
    const context = test.context();
    const ingest = await test.start(createIngest(context));
    const detect = await test.start(createDetect({ ...context, clickhouse: test.stores.clickhouse }));
    const dropHours = async (name: string, from: string, litres: readonly number[]) => {
      const rows = litres.map((volume, hour) => {
        const time = new Date(Date.parse(from) + hour * HOUR_MS).toISOString().slice(0, 16).replace("T", " ");
        return `${home.meterId},${time},${volume},`;
      });
      const path = join(folder, name);
      writeFileSync(`${path}.part`, ["meter,time,litres,quality", ...rows].join("\n"));
      renameSync(`${path}.part`, path);
      await ingest.drain();
      await detect.drain();
      await notify.drain();
    };
    const mailsBefore = mailbox.recipients().filter((to) => to === email).length;
    // They leave on the second; on the third a toilet begins to run.
    test.clock.set(Date.parse("2026-06-03T12:00-07:00"));
    const quiet = Array.from({ length: 24 + 9 }, (_, hour) => (hour < 20 ? 30 : 0));
    await dropHours("a.csv", "2026-06-02T00:00-07:00", [...quiet, 15, 15, 0]);
    const mail = await mailTo(email);
    expect(mail).toContain("Water has been used at your water service (account ending in");
    expect(mail).toContain("You told us that nobody is home");
    expect(mail).toContain("whoever has a key");
    expect(mail).not.toContain("?answer=4");
    // They come back early: the end is theirs, and no news.
    test.clock.set(Date.parse("2026-06-04T20:00-07:00"));
    await post(link("home"), { occupancy, leave: "", back: "", onPurpose: "" });
    await dropHours("b.csv", "2026-06-03T12:00-07:00", new Array<number>(36).fill(20));
    test.clock.set(Date.parse("2026-06-05T00:00-07:00"));
    await notify.drain();
    const about = await test.stores.clickhouse.query<{ rule: string; state: string; reason: string }>(
      "SELECT rule, state, reason FROM curbstop.anomalies_current WHERE rule = 'away'",
    );
    expect(about).toEqual([{ rule: "away", state: "closed", reason: "declared" }]);
    expect(mailbox.recipients().filter((to) => to === email)).toHaveLength(mailsBefore + 1);
    // It tells the detector of meters too, and the tests below do that by themselves.
    await ingest.stop();
    await detect.stop();
  });
});

describe("water on purpose", () => {
  it("is passed over from now to the end of the day that is named, within a week", async () => {
    const { meter, occupancy, link } = await resident();
    const far = await post(link("home"), { occupancy, leave: "", back: "", onPurpose: "2026-06-09" });
    expect(far.status).toBe(400);
    const saved = await post(link("home"), { occupancy, leave: "", back: "", onPurpose: "2026-06-03" });
    expect(saved.status).toBe(200);
    const until = seconds("2026-06-04T00:00-07:00");
    expect(await settingsOf(meter)).toEqual([
      { from: NOON / 1000, onPurpose: true },
      { from: until, onPurpose: false },
    ]);
    test.clock.set(until * 1000);
    expect(valueOf(await (await get(link("home"))).text(), "onPurpose")).toBe("");
  });
});

describe("a budget for the month", () => {
  /** The same home, and who lives there also hears of high usage. */
  async function keen(moveIn?: number) {
    const home = await resident({}, moveIn);
    const choices = home.link("choices");
    const boxes = [...(await (await get(choices)).text()).matchAll(/name="shown" value="([^"]+)"/g)];
    const form = new URLSearchParams(
      boxes.flatMap(([, name]): [string, string][] => [
        ["shown", name!],
        ["on", name!],
      ]),
    );
    await fetch(web.url + choices, { method: "POST", body: form });
    return { ...home, choices, boxes };
  }
  const blank = { leave: "", back: "", onPurpose: "" };

  it("is offered to who hears of high usage, counts from the beginning of the month, in their units", async () => {
    const plain = await resident();
    expect(plain.page).not.toContain('name="budget"');
    const { meter, occupancy, link } = await keen();
    expect(valueOf(await (await get(link("home"))).text(), "budget")).toBe("");
    for (const budget of ["0", "-3", "much", "1e6", "12345678"])
      expect([budget, (await post(link("home"), { ...blank, occupancy, budget })).status]).toEqual([
        budget,
        400,
      ]);
    const saved = await post(link("home"), { ...blank, occupancy, budget: "2500" });
    expect(valueOf(await saved.text(), "budget")).toBe("2500");
    const begin = seconds("2026-06-01T00:00-07:00");
    const ml = Math.round(2500 * 3785.411784);
    expect(await settingsOf(meter)).toEqual([{ from: begin, budget: ml }]);
    // The same again changes nothing; another takes its place in the whole month.
    test.clock.set(NOON + 3 * DAY_MS);
    await post(link("home"), { ...blank, occupancy, budget: "2500" });
    expect(await settingsOf(meter)).toEqual([{ from: begin, budget: ml }]);
    await post(link("home"), { ...blank, occupancy, budget: "2000,5" });
    expect(await settingsOf(meter)).toEqual([{ from: begin, budget: Math.round(2000.5 * 3785.411784) }]);
    await post(link("home"), { ...blank, occupancy, budget: "" });
    expect((await settingsOf(meter)).at(-1)).toEqual({ from: (NOON + 3 * DAY_MS) / 1000, budget: null });
  });

  it("is told of beside a high day of the same month", async () => {
    const { email, meter } = await keen();
    const now = Math.floor(test.clock.now() / 1000);
    await tell(world, leak(test.clock, meter, { id: "b".repeat(32), rule: "spike" }));
    expect(await mailTo(email)).toContain("far more water than usual");
    const evidence = { budget: 9_000_000, share: 0.8, expected: 11_000_000 };
    await tell(
      world,
      leak(test.clock, meter, {
        id: "c".repeat(32),
        rule: "budget",
        start: now - 48 * 3600,
        volume: 7_500_000,
        evidence,
      }),
    );
    expect(await mailTo(email)).toContain("most of the 2,380 gallons that you set for this month");
    // The same month against last year's is no more news.
    const told = mailbox.recipients().filter((to) => to === email).length;
    await tell(world, ahead(meter, "d"));
    await notify.drain();
    expect(mailbox.recipients().filter((to) => to === email)).toHaveLength(told);
  });

  it("is compared with last year's for who lived there, by one mail", async () => {
    const { email, meter } = await keen();
    await tell(world, ahead(meter, "e"));
    const mail = await mailTo(email);
    expect(mail).toContain("In all of the same month last year it was 1,590 gallons");
    expect(mail).toContain("the month will come to about 3,170 gallons");
    const newcomer = await keen(seconds("2026-01-01T00:00-08:00"));
    const before = mailbox.recipients();
    await tell(world, ahead(newcomer.meter, "f"));
    await notify.drain();
    expect(mailbox.recipients()).toEqual(before);
    const why = await test.stores.database.query("SELECT outcome FROM decisions WHERE anomaly = $1", [
      "f".repeat(32),
    ]);
    expect(why).toEqual([{ outcome: "before-occupancy" }]);
  });
});

/** A month that is heading above last year's. */
const ahead = (meter: string, id: string) =>
  leak(test.clock, meter, {
    id: id.repeat(32),
    rule: "bill-ahead",
    start: Math.floor(test.clock.now() / 1000) - 48 * 3600,
    volume: 7_500_000,
    evidence: { lastYear: 6_000_000, times: 1.5, more: 3_000_000, share: 0.6, expected: 12_000_000 },
  });

describe("what is normal", () => {
  it("is told by the answer to a mail, with a margin, and ended on the page about the home", async () => {
    const { meter, occupancy, link, mail } = await resident();
    expect(mail).toMatch(/This is normal here: write only if more runs:\n\S+\?answer=4\n/);
    const answered = await post(link("answer"), { answer: "4" });
    expect(await answered.text()).toContain("up to 2.31 gallons an hour is normal");
    expect(await settingsOf(meter)).toEqual([{ from: NOON / 1000, continuousFlowRate: 8750 }]);
    const page = await (await get(link("home"))).text();
    expect(page).toContain("2.31 gallons an hour is no longer normal");
    test.clock.set(NOON + DAY_MS);
    const ended = /name="ended" value="(\d+)"/.exec(page)![1]!;
    await post(link("home"), { occupancy, leave: "", back: "", onPurpose: "", ended });
    expect(await settingsOf(meter)).toEqual([
      { from: NOON / 1000, continuousFlowRate: 8750 },
      { from: (NOON + DAY_MS) / 1000, continuousFlowRate: null },
    ]);
    expect(await (await get(link("home"))).text()).not.toContain('name="ended"');
  });

  it("is said on the page as so much an hour, up to what a utility should look at, in the place of what was said before", async () => {
    const { meter, occupancy, link, page } = await resident();
    expect(page).toContain("60 gallons an hour at most");
    const form = { occupancy, leave: "", back: "", onPurpose: "" };
    for (const normal of ["0", "60.1", "much", "-1"]) {
      const refused = await post(link("home"), { ...form, normal });
      expect([normal, refused.status]).toEqual([normal, 400]);
      expect(valueOf(await refused.text(), "normal")).toBe(normal);
    }
    expect(await settingsOf(meter)).toEqual([]);
    await post(link("home"), { ...form, normal: "60" });
    expect(await settingsOf(meter)).toEqual([{ from: NOON / 1000, continuousFlowRate: 227_125 }]);
    test.clock.set(NOON + DAY_MS);
    const saved = await (await post(link("home"), { ...form, normal: "1,5" })).text();
    expect(saved).toContain("1.5 gallons an hour is no longer normal");
    expect(valueOf(saved, "normal")).toBe("");
    expect(await settingsOf(meter)).toEqual([
      { from: NOON / 1000, continuousFlowRate: 227_125 },
      { from: (NOON + DAY_MS) / 1000, continuousFlowRate: 5_678 },
    ]);
    // Left empty, it stands.
    await post(link("home"), { ...form, normal: "" });
    expect(await settingsOf(meter)).toHaveLength(2);
  });

  it("counts what runs at this meter anyway, where a leak is a step upwards", async () => {
    const { meter, link } = await resident({
      rule: "leak",
      evidence: { kind: "base-step", usualFloor: 6000, unitHours: 2 },
    });
    await post(link("answer"), { answer: "4" });
    expect(await settingsOf(meter)).toMatchObject([{ continuousFlowRate: 12_500 }]);
  });

  it("can't be said of a burst, of much water, nor of what rules do not heed", async () => {
    for (const change of [
      { rule: "burst" },
      { rule: "leak", rate: 300_000 },
      { rule: "eyeonwater-24h" },
    ] as const) {
      const { meter, mail, link } = await resident(change);
      expect(mail).not.toContain("?answer=4");
      expect((await post(link("answer"), { answer: "4" })).status).toBe(400);
      expect(await settingsOf(meter)).toEqual([]);
    }
  });
});

it("tells staff what was said of the home, by whoever of it said it, in the story of an address", async () => {
  const { email, occupancy, link, home } = await resident();
  await optIn(world, { account: home.accountId, email: `also-${email}`, kinds: ["leak"] });
  await post(link("answer"), { answer: "4" });
  test.clock.set(NOON + 60_000);
  const form = { occupancy, onPurpose: "2026-06-03" };
  await post(link("home"), { ...form, leave: "2026-06-05", back: "2026-06-12" });
  test.clock.set(NOON + 120_000);
  await post(link("home"), { ...form, leave: "", back: "" });
  for (const address of [email, `also-${email}`]) {
    const story = (await whyOfContact(test.stores, world.config.utilities[0]!, address))!;
    expect(
      story.filter(({ what }) => what === "home").map(({ outcome, reason }) => [outcome, reason]),
    ).toEqual([
      ["normal", "8.8 L an hour, from 2026-06-01 12:00 on"],
      ["away", "taken back before it began"],
      ["on-purpose", "from 2026-06-01 12:01 to 2026-06-04 00:00"],
    ]);
  }
});

it("keeps what the registry says, whichever of the two speaks last", async () => {
  const { meter, home, link } = await resident();
  const settings: MeterSetting[] = [{ from: 0, class: "commercial" }];
  await addHome(world, { ...home, settings });
  await post(link("answer"), { answer: "4" });
  const both = [...settings, { from: NOON / 1000, continuousFlowRate: 8750 }];
  expect(await settingsOf(meter)).toEqual(both);
  await addHome(world, { ...home, settings });
  expect(await settingsOf(meter)).toEqual(both);
});

it("ends with the occupancy, and goes with the data of whoever said it", async () => {
  const { meter, home, link, occupancy } = await resident();
  await post(link("answer"), { answer: "4" });
  await post(link("home"), { occupancy, leave: "2026-06-05", back: "2026-06-12", onPurpose: "" });
  test.clock.set(NOON + 6 * DAY_MS);
  const moveIn = test.clock.now() / 1000;
  await addHome(world, { ...home, accountId: "ACCT-NEXT", moveIn });
  expect(await settingsOf(meter)).toEqual([
    { from: NOON / 1000, continuousFlowRate: 8750 },
    { from: seconds("2026-06-06T00:00-07:00"), away: true },
    { from: moveIn, continuousFlowRate: null },
    { from: moveIn, away: false },
  ]);
  // The former resident has nothing to say of it any more.
  expect((await post(link("home"), { occupancy, leave: "", back: "", onPurpose: "" })).status).toBe(404);
  const email = `h${homes}@mail.example`;
  const { database, vault } = test.stores;
  await eraseAddress({ database, vault, clock: test.clock }, world.config.utilities[0]!, email);
  expect(await settingsOf(meter)).toEqual([]);
  expect(await database.query("SELECT 1 FROM declarations WHERE occupancy_id = $1", [occupancy])).toEqual([]);
});

it("is told again where the process ended between the log and the commit, with the same words", async () => {
  const { meter, link } = await resident();
  await post(link("answer"), { answer: "4" });
  const producer = await test.stores.log.producer();
  const dying: LogProducer = {
    async append(batches) {
      await producer.append(batches);
      throw new Error("gone");
    },
    close: () => producer.close(),
  };
  await expect(tellMeters(test.stores.database, dying)).rejects.toThrow("gone");
  await settingsOf(meter);
  const told: string[] = [];
  for await (const { records } of test.stores.log.read("meters", partitionOf(meter, METER_PARTITIONS), 0))
    for (const { key, value } of records) if (key === meter) told.push(value!.toString());
  expect(told).toHaveLength(2);
  expect(told[1]).toBe(told[0]);
  await dying.close();
});

it("forgets a time away some months after it is over", async () => {
  const { occupancy, link } = await resident();
  await post(link("home"), { occupancy, leave: "2026-06-05", back: "2026-06-12", onPurpose: "" });
  const utility = world.config.utilities[0]!;
  const { database, vault } = test.stores;
  const left = async (day: string) => {
    test.clock.set(Date.parse(day));
    await forgetOld({ database, vault, clock: test.clock }, utility);
    return database.query("SELECT 1 FROM declarations WHERE occupancy_id = $1", [occupancy]);
  };
  expect(await left("2026-09-10")).toHaveLength(1);
  expect(await left("2026-09-11")).toEqual([]);
});

it("takes no word on the home of others, and none from a link that is not ours", async () => {
  const one = await resident();
  const other = await resident();
  const form = { leave: "2026-06-05", back: "2026-06-12", onPurpose: "" };
  expect((await post(one.link("home"), { ...form, occupancy: other.occupancy })).status).toBe(404);
  expect(
    (await post(`${one.link("home").slice(0, -2)}AA`, { ...form, occupancy: one.occupancy })).status,
  ).toBe(404);
  expect((await post(one.link("home"), { ...form, occupancy: "1 OR 1=1" })).status).toBe(404);
  expect([await settingsOf(one.meter), await settingsOf(other.meter)]).toEqual([[], []]);
});
