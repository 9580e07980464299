import { createHash } from "node:crypto";
import {
  consentEvidence,
  makeCodes,
  requestSubscription,
  type CodeLetter,
  type SubscriptionRequest,
} from "../../notify/index.js";
import { csvField } from "../../cli/private-csv.js";
import { startNotified, type Notified } from "../harness/notified.js";
import { addHome, optIn } from "../harness/residents.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const DAY_MS = 86_400_000;

let scene: Notified;

beforeAll(async () => {
  scene = await startNotified("mailed-codes", NOON);
});
afterAll(() => scene.close());
beforeEach(() => scene.test.clock.set(NOON));

const stores = () => ({ ...scene.test.stores, config: scene.world.config, clock: scene.test.clock });
const utility = () => scene.world.config.utilities[0]!;
async function home(n: number, zip = "") {
  const account = `ACCT-55-${n}`;
  await addHome(scene.world, {
    ...{ meterId: `C-${n}`, accountId: account, locationId: `C-${n}`, zip },
    ...{ name: `Resident ${n}`, address: `${n} Main St` },
  });
  return account;
}
async function letters(): Promise<CodeLetter[]> {
  const kept: CodeLetter[] = [];
  await makeCodes(stores(), utility(), scene.test.clock.now(), (made) => kept.push(...made));
  return kept;
}
const letterTo = async (account: string) => (await letters()).find((letter) => letter.account === account);
const ask = (account: string, zip: string, email: string, more: Partial<SubscriptionRequest> = {}) =>
  requestSubscription(stores(), {
    ...{ utility: "oakvale", account, zip, email, kinds: ["leak"], method: "web" },
    ...more,
  });
async function asked(email: string): Promise<boolean> {
  await scene.notify.drain();
  return scene.mailbox.recipients().includes(email);
}

it("proves an address by the code of a letter, once, typed in any way, for sixty days", async () => {
  const [one, other, old] = [await home(1), await home(2), await home(3)];
  const made = await letters();
  const codeOf = (account: string) => made.find((letter) => letter.account === account)!.code;
  expect(made.find(({ account }) => account === one)).toEqual({
    ...{ account: one, name: "Resident 1", address: "1 Main St" },
    code: expect.stringMatching(/^[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}$/) as string,
  });
  expect(new Set(made.map(({ code }) => code)).size).toBe(made.length);
  // Another's code, and a blank one, prove nothing.
  await ask(one, codeOf(other), "wrong@mail.example");
  await ask(one, "-", "blank@mail.example");
  await ask(one, codeOf(one).toLowerCase().replace("-", " "), "right@mail.example");
  await ask(one, codeOf(one), "again@mail.example");
  expect(await asked("right@mail.example")).toBe(true);
  for (const email of ["wrong@mail.example", "blank@mail.example", "again@mail.example"])
    expect([email, await asked(email)]).toEqual([email, false]);

  scene.test.clock.set(NOON + 60 * DAY_MS - 1);
  await ask(other, codeOf(other), "late@mail.example");
  scene.test.clock.set(NOON + 60 * DAY_MS);
  await ask(old, codeOf(old), "too-late@mail.example");
  expect([await asked("late@mail.example"), await asked("too-late@mail.example")]).toEqual([true, false]);

  // What is kept opens nothing.
  const kept = await scene.test.stores.database.query("SELECT code_hash FROM mailed_codes");
  expect(JSON.stringify(kept)).not.toContain(codeOf(one));
});

it("writes to homes without alerts, and not again while a code holds", async () => {
  const [signed, silent] = [await home(11, "90001"), await home(12, "90001")];
  await optIn(scene.world, { account: signed, email: "signed@mail.example", kinds: ["leak"] });
  expect(await letterTo(signed)).toBeUndefined();
  expect(await letterTo(silent)).toBeUndefined();
  scene.test.clock.set(NOON + 60 * DAY_MS + 1);
  // A list that could not be written down makes no codes.
  const full = makeCodes(stores(), utility(), scene.test.clock.now(), () => {
    throw new Error("disk full");
  });
  await expect(full).rejects.toThrow("disk full");
  expect(await letterTo(silent)).toBeDefined();
  expect(await letterTo(silent)).toBeUndefined();
});

it("keeps with a request of staff who entered it and the hash of what proves it, and still asks the address", async () => {
  const account = await home(21, "90001");
  const document = createHash("sha256").update("a signed form").digest("hex");
  await ask(account, "90001", "form@mail.example", { method: "staff", evidence: { staff: "kim", document } });
  expect(await asked("form@mail.example")).toBe(true);
  const steps = (await consentEvidence(stores(), utility(), "form@mail.example"))!;
  expect(steps).toMatchObject([{ action: "request", method: "staff", evidence: { staff: "kim", document } }]);
});

it("lets no value of a list be a formula", () => {
  expect(["=1+1", "+1", "-1", "@x", 'a "b", c', "plain"].map(csvField)).toEqual([
    "'=1+1",
    "'+1",
    "'-1",
    "'@x",
    '"a ""b"", c"',
    "plain",
  ]);
});
