import { noticeSchema, pausesOf, privacyLog, resumeChannels, sendNotice } from "../../notify/index.js";
import { takeStatus } from "../../notify/outbox/take-status.js";
import { pauseWhereUnwelcome } from "../../notify/outbox/pause.js";
import { startNotified, type Notified } from "../harness/notified.js";
import { addHome, leak, optIn, tell } from "../harness/residents.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);

let test: Notified["test"];
let world: Notified["world"];
let mailbox: Notified["mailbox"];
let notify: Notified["notify"];
let web: Notified["web"];
let scene: Notified;

beforeAll(async () => {
  scene = await startNotified("mailings", NOON, { mailings: ["survey", "tips"] });
  ({ test, world, mailbox, notify, web } = scene);
});
afterAll(() => scene.close());

const utility = () => world.config.utilities[0]!;
const get = async (path: string) => (await fetch(web.url + path)).text();
const post = (path: string, body = new URLSearchParams()) => fetch(web.url + path, { method: "POST", body });
const send = (name: string, about: string) =>
  sendNotice(
    test.stores,
    utility(),
    noticeSchema(utility()).parse({
      ...{ name, about },
      words: {
        en: { subject: `A ${about}`, text: "Words." },
        es: { subject: `Un ${about}`, text: "Palabras." },
      },
    }),
    { by: "alex", now: new Date(test.clock.now()), dry: false },
  );
/** Recipients of mails with a subject, and the newest of them. */
async function mailed(subject: string) {
  await notify.drain();
  const mails = await mailbox.mails();
  const found = mails.map((mail, i) => ({ mail, to: mailbox.recipients()[i]! }));
  const own = found.filter(({ mail }) => mail.subject === subject);
  return { to: own.map(({ to }) => to).sort(), text: own.at(-1)?.mail.text ?? "", mail: own.at(-1)?.mail };
}
const linkIn = (text: string, path: string) => new RegExp(`https?://[^/]+(/${path}/[\\w-]+)`).exec(text)![1]!;
const home = async (name: string, kinds: readonly ("leak" | "tips" | "survey")[]) => {
  const account = `ACCT-M-${name}`;
  const meter = await addHome(world, { meterId: `M-${name}`, accountId: account, locationId: `L-${name}` });
  expect(await optIn(world, { account, email: `${name}@mail.example`, kinds })).toBe(true);
  return meter;
};

it("offers what the utility writes beside alerts, un-ticked, and says what ends it", async () => {
  const page = await get("/oakvale/subscribe");
  const boxes = [...page.matchAll(/name="kinds" value="([^"]+)"( checked)?/g)].map(([, kind, on]) => [
    kind,
    on,
  ]);
  expect(boxes).toEqual(
    ["leak", "burst", "high-usage", "tips", "survey"].map((kind) => [`email:${kind}`, undefined]),
  );
  expect(page).toContain(
    "may also e-mail me what else I ticked; each of those e-mails has a link that ends it alone",
  );
  await addHome(world, { meterId: "M-w", accountId: "ACCT-M-w", locationId: "L-w" });
  const form = { account: "ACCT-M-w", zip: "90001", email: "web@mail.example" };
  // What the utility does not write can't be asked for.
  expect(
    (await post("/oakvale/subscribe", new URLSearchParams({ ...form, kinds: "email:newsletter" }))).status,
  ).toBe(400);
  expect(
    (await post("/oakvale/subscribe", new URLSearchParams({ ...form, kinds: "email:tips" }))).status,
  ).toBe(200);
  const { text } = await mailed("Please confirm your water alerts");
  expect(text).toContain("e-mail you about tips to save water.");
  await post(linkIn(text, "confirm"));
});

it("sends a mailing to those alone who ticked it", async () => {
  await home("alerts", ["leak"]);
  await home("tips", ["leak", "tips"]);
  await home("survey", ["survey"]);
  expect(await send("october", "tips")).toMatchObject({ mails: 2, homesWithoutMail: 0 });
  const { to, text, mail } = await mailed("A tips");
  expect(to).toEqual(["tips@mail.example", "web@mail.example"]);
  expect(text).toContain(
    "You get this because you asked City of Oakvale Water for tips to save water by e-mail.",
  );
  expect(text).toContain("Stop this: tips to save water:");
  const header = mail!.headerLines.find(({ key }) => key === "list-unsubscribe-post")!.line;
  expect(header).toContain("One-Click");
  const log = await privacyLog(test.stores, utility(), { address: "tips@mail.example" });
  expect(log!.filter(({ purpose }) => purpose === "tips")).toMatchObject([
    {
      what: "address and mailing",
      ground: expect.stringMatching(/^consent, step \d+ of the chain$/) as string,
    },
  ]);
  expect(noticeSchema(utility()).safeParse({ name: "n", about: "newsletter", words: {} }).success).toBe(
    false,
  );
});

it("ends one mailing by its own link, with one click, and leaves the alerts", async () => {
  const meter = await home("one", ["leak", "tips", "survey"]);
  await send("november", "tips");
  const { to, text } = await mailed("A tips");
  expect(to.filter((one) => one === "one@mail.example")).toHaveLength(1);
  const link = linkIn(text, "unsubscribe");
  expect(await get(link)).toContain("Your alerts go on.");
  // Sent before they left, it waits for nothing any more.
  await send("december", "tips");
  expect((await post(link)).status).toBe(200);
  expect(await get(link)).toContain("You get no more of this.");
  expect((await mailed("A tips")).to.filter((one) => one === "one@mail.example")).toHaveLength(1);
  await send("a-survey", "survey");
  expect((await mailed("A survey")).to).toEqual(["one@mail.example", "survey@mail.example"]);
  await tell(world, leak(test.clock, meter));
  expect((await mailed("Possible leak: water is running nonstop")).to).toEqual(["one@mail.example"]);
});

it("shows it among the choices, and all of it ends with the link of an alert", async () => {
  const { text } = await mailed("Possible leak: water is running nonstop");
  const page = await get(linkIn(text, "choices"));
  const boxes = [...page.matchAll(/name="on" value="\d+:([^"]+)"( checked)?/g)].map(([, kind, on]) => [
    kind,
    on !== undefined,
  ]);
  expect(boxes).toEqual([
    ["leak", true],
    ["burst", false],
    ["high-usage", false],
    ["tips", false],
    ["survey", true],
  ]);
  await post(linkIn(text, "unsubscribe"));
  await send("b-survey", "survey");
  expect((await mailed("A survey")).to.filter((one) => one === "one@mail.example")).toHaveLength(1);
});

it("holds back mailings that are called spam, and no alert", async () => {
  const { database } = test.stores;
  const meter = await home("calm", ["leak", "tips"]);
  const called = await database.query(
    `UPDATE outbox SET reason = 'complaint' WHERE outbox_id IN (
       SELECT outbox_id FROM outbox WHERE kind = 'mailing' AND state = 'accepted' ORDER BY created_at LIMIT 3) RETURNING 1`,
  );
  expect(called).toHaveLength(3);
  await pauseWhereUnwelcome(database, "oakvale", new Date(test.clock.now()));
  expect(await pausesOf(database)).toMatchObject([{ channel: "notices", reason: "complaints" }]);
  await send("january", "tips");
  await tell(world, leak(test.clock, meter, { id: "f".repeat(32) }));
  expect((await mailed("Possible leak: water is running nonstop")).to).toContain("calm@mail.example");
  expect((await mailed("A tips")).to).not.toContain("calm@mail.example");
  await resumeChannels(database, "oakvale", new Date(test.clock.now()));
  expect((await mailed("A tips")).to).toContain("calm@mail.example");
});

it("takes a complaint of a mailing for the end of mailings, not of alerts", async () => {
  const meter = await home("cross", ["leak", "tips", "survey"]);
  await send("february", "tips");
  await notify.drain();
  const { database, vault } = test.stores;
  const [row] = await database.query<{ outbox_id: string }>(
    `SELECT outbox_id FROM outbox JOIN contacts USING (contact_id) WHERE kind = 'mailing' AND state = 'accepted' AND address_hash = $1`,
    [vault.hash("oakvale", "email", "cross@mail.example")],
  );
  const of = { utility: "oakvale", outboxId: row!.outbox_id, channel: "email" } as const;
  const complaint = { status: "delivered", code: "complaint", fault: "stopped" } as const;
  expect(await takeStatus({ database, clock: test.clock }, of, complaint)).toBe(true);
  await send("c-survey", "survey");
  await send("march", "tips");
  await tell(world, leak(test.clock, meter, { id: "e".repeat(32) }));
  const to = async (subject: string) =>
    (await mailed(subject)).to.filter((one) => one === "cross@mail.example").length;
  expect(await to("Possible leak: water is running nonstop")).toBe(1);
  expect(await to("A tips")).toBe(1);
  expect(await to("A survey")).toBe(0);
});
