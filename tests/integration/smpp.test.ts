import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createNotify, openChannel, requestSubscription, type NotifyStage } from "../../notify/index.js";
import { addHome, leak, tell, type World } from "../harness/residents.js";
import { PASSWORD, startSmsc, SYSTEM_ID, type Smsc } from "../harness/smsc.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const DAY_MS = 86_400_000;
const NUMBER = "+12135550199";

let test: TestStores;
let world: World;
let centre: Smsc;
let notify: NotifyStage;
let homes = 0;
let now = NOON;

beforeAll(async () => {
  centre = await startSmsc();
  test = await startStores("smpp", {
    now: NOON,
    config: (folder) => {
      writeFileSync(join(folder, "password"), `${PASSWORD}\n`);
      return {
        smpp: {
          host: "127.0.0.1",
          port: centre.port,
          systemId: SYSTEM_ID,
          passwordFile: join(folder, "password"),
        },
        utilities: [
          {
            ...usageUtility(folder),
            languages: ["en", "es"],
            sms: { from: NUMBER, name: "Oakvale Water", help: "213-555-0100" },
          },
        ],
      };
    },
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  notify = await test.start(createNotify(test.context()));
});
afterAll(async () => {
  await test.close();
  await centre.close();
});
beforeEach(() => {
  now += 40 * DAY_MS;
  test.clock.set(now);
});

async function resident(language: "en" | "es" = "en") {
  const n = ++homes;
  const account = `ACCT-0000-${1000 + n}`;
  const meter = await addHome(world, { meterId: `S-${n}`, accountId: account, locationId: `S-${n}` });
  const phone = `+1213555${String(100 + n).padStart(4, "0")}`;
  await requestSubscription(test.context(), {
    ...{ utility: "oakvale", account, zip: "90001", phone, kinds: ["leak"], method: "web", language },
  });
  await notify.drain();
  expect(await centre.write(phone, NUMBER, language === "es" ? "Sí" : "Y1")).toBe(0);
  await notify.drain();
  return { phone, meter, id: n.toString(16).padStart(32, "0") };
}
const to = (phone: string) => centre.taken.filter((one) => `+${one.to}` === phone);
const alertOf = async (id: string) =>
  (
    await test.stores.database.query<{ state: string; reason: string | null; provider_id: string | null }>(
      "SELECT state, reason, provider_id FROM outbox WHERE anomaly = $1 AND kind = 'alert'",
      [id],
    )
  )[0]!;
const tellOf = async ({ meter, id }: { meter: string; id: string }, change = {}) => {
  await tell(world, leak(test.clock, meter, { id, ...change }));
  await notify.drain();
};

it("asks, takes the yes, tells of a leak, hears that it arrived, and stops at a word, in the letters of both languages", async () => {
  const one = await resident("es");
  await tellOf(one);
  const [asked, confirmed, told] = to(one.phone);
  expect(asked!.text).toMatch(/^Oakvale Water: ¿Avisos de fugas\? Confirme con S1\./);
  expect(confirmed!.text).toContain("quedan activos");
  expect(told!.text).toContain("Posible fuga en su servicio");
  // Until eight in the evening, and wanting to know what became of it.
  expect(told).toMatchObject({ from: NUMBER.slice(1), wantsReceipt: true });
  expect((told!.validUntil!.getTime() - Date.now()) / 3_600_000).toBeCloseTo(8, 1);
  expect(await alertOf(one.id)).toMatchObject({
    state: "accepted",
    provider_id: expect.stringMatching(`^${told!.id}:`) as string,
  });
  expect(await centre.receipt(told!.id, "ACCEPTD")).toBe(0);
  expect(await centre.receipt(told!.id, "DELIVRD")).toBe(0);
  expect(await centre.receipt(told!.id, "UNDELIV")).toBe(0);
  expect(await alertOf(one.id)).toMatchObject({ state: "delivered" });

  expect(await centre.write(one.phone, NUMBER, "Para ya, por favor. STOP")).toBe(0);
  await notify.drain();
  expect(to(one.phone).at(-1)!.text).toContain("Ya no le enviamos mensajes");
  await tellOf({ ...one, id: "e".repeat(32) });
  expect(to(one.phone)).toHaveLength(4);
  // Words to a number that is no utility's are taken off the centre's hands, and change nothing.
  expect(await centre.write(one.phone, "+12135550000", "START")).toBe(0);
  await notify.drain();
  expect(to(one.phone)).toHaveLength(4);
});

it("tries again what is refused for now, and gives up what is refused for good", async () => {
  const one = await resident();
  centre.script({ do: "refuse", status: 0x58 });
  await tellOf(one);
  expect(await alertOf(one.id)).toMatchObject({ state: "queued", reason: "smpp 0x58" });
  test.clock.set(now + 60_000);
  await notify.drain();
  expect(await alertOf(one.id)).toMatchObject({ state: "accepted" });
  const other = await resident();
  centre.script({ do: "refuse", status: 0x0b });
  await tellOf(other);
  expect(await alertOf(other.id)).toMatchObject({ state: "failed", reason: "smpp 0x0b" });
  // The number can't get any: nothing more is tried.
  await tellOf({ ...other, id: "d".repeat(32) });
  expect(to(other.phone).filter(({ text }) => text.includes("leak at"))).toEqual([]);
});

it("does not send again what may have been taken, learns by the receipt that it was, and says where nobody knows", async () => {
  const [one, lost] = [await resident(), await resident()];
  centre.script({ do: "cut-after-taking" });
  await tellOf(one);
  const [sent] = to(one.phone).slice(-1);
  expect(sent!.text).toContain("Possible leak");
  expect(await alertOf(one.id)).toMatchObject({ state: "unknown", provider_id: null });
  // The session comes back by itself, and with it the receipt.
  for (let i = 0; centre.bound() === 0 && i < 100; i++) await sleep(100);
  expect(await centre.receipt(sent!.id, "DELIVRD")).toBe(0);
  expect(await alertOf(one.id)).toMatchObject({
    state: "delivered",
    provider_id: expect.stringMatching(`^${sent!.id}:`) as string,
  });

  centre.script({ do: "cut-before-taking" });
  await tellOf(lost);
  test.clock.set(now + 11 * 60_000);
  await notify.drain();
  expect(await alertOf(lost.id)).toMatchObject({ state: "failed", reason: "no-trace" });
  // A burst is worth a second text.
  for (let i = 0; centre.bound() === 0 && i < 100; i++) await sleep(100);
  centre.script({ do: "cut-before-taking" });
  await tellOf({ ...lost, id: "c".repeat(32) }, { rule: "burst" });
  for (let i = 0; centre.bound() === 0 && i < 100; i++) await sleep(100);
  test.clock.set(now + 23 * 60_000);
  await notify.drain();
  expect(await alertOf("c".repeat(32))).toMatchObject({ state: "accepted" });
  expect(to(lost.phone).filter(({ text }) => text.includes("burst"))).toHaveLength(1);
}, 60_000);

it("knows a message by its id in hexadecimals and in decimals, and has an unknown receipt brought again", async () => {
  const one = await resident();
  await tellOf(one);
  const [, , told] = to(one.phone);
  const decimal = { ...told!, id: String(parseInt(told!.id, 16)) };
  centre.taken.push(decimal);
  await test.stores.database.query(
    "UPDATE outbox SET provider_id = ltrim(provider_id, '0') WHERE split_part(provider_id, ':', 1) = $1",
    [told!.id],
  );
  expect(await centre.receipt(decimal.id, "EXPIRED", "027")).toBe(0);
  expect(await alertOf(one.id)).toMatchObject({ state: "failed", reason: "smpp EXPIRED 027" });
  centre.taken.push({ ...told!, id: "nobodys" });
  expect(await centre.receipt("nobodys", "DELIVRD")).toBe(0x64);
});

it("waits where the centre is away or refuses the password, and goes on when it is back", async () => {
  const one = await resident();
  const { port } = centre;
  await centre.close();
  // Also where nothing is to be sent: a STOP could not come in.
  for (let i = 0; notify.health().ready && i < 50; i++) await sleep(100);
  expect(notify.health()).toMatchObject({ ready: false, reason: expect.stringMatching(/provider \(sms: /) });
  await tellOf(one);
  expect(await alertOf(one.id)).toMatchObject({ state: "queued", reason: "ECONNREFUSED" });
  expect(notify.health()).toMatchObject({ ready: false, reason: expect.stringMatching(/provider/) });
  centre = await startSmsc(port);
  test.clock.set(now + 5 * 60_000);
  for (let i = 0; i < 50 && (await alertOf(one.id)).state !== "accepted"; i++) {
    await sleep(200);
    await notify.drain();
  }
  expect(await alertOf(one.id)).toMatchObject({ state: "accepted", reason: null });
  expect(centre.taken).toHaveLength(1);
  for (let i = 0; !notify.health().ready && i < 100; i++) await sleep(100);
  expect(notify.health()).toMatchObject({ ready: true });

  const context = test.context();
  const wrong = { ...context.config, smpp: { ...context.config.smpp!, systemId: "somebody" } };
  const channel = openChannel("sms", { config: wrong })!;
  const message = { id: "1", utility: wrong.utilities[0]!, address: one.phone, validSeconds: 600 };
  const outcome = await channel.send({
    ...message,
    text: () => "x",
    letter: () => undefined as never,
    spoken: () => undefined as never,
  });
  expect(outcome).toEqual({ status: "unreachable", code: "smpp bind 0x0e" });
  await channel.close();
  writeFileSync(join(test.folder, "long"), "nine-long");
  const long = { ...wrong, smpp: { ...wrong.smpp, passwordFile: join(test.folder, "long") } };
  expect(() => openChannel("sms", { config: long })).toThrow(/8 letters at most/);
}, 60_000);
