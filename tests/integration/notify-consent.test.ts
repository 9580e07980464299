import fc from "fast-check";
import { createNotify, unsubscribe, type MailTransport, type NotifyStage } from "../../notify/index.js";
import { linkToken } from "../../notify/consent/link-token.js";
import type { AnomalyMessage } from "../../schemas/anomalies.js";
import { addHome, leak, optIn, tell, type World } from "../harness/residents.js";
import { startStores, type TestStores } from "../harness/stores.js";

const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;

type Kind = "leak" | "high-usage";
type Step =
  | { readonly do: "opt-in"; readonly back: number; readonly kinds: Kind[] }
  | { readonly do: "unsubscribe"; readonly back: number }
  | { readonly do: "move-in" }
  | { readonly do: "wait"; readonly hours: number }
  | { readonly do: "refuse"; readonly times: number }
  | {
      readonly do: "anomaly";
      readonly which: number;
      readonly state: AnomalyMessage["state"];
      readonly hours: number;
    };

/** The resident who lives there now, or one who did. */
const back = fc.constantFrom(0, 0, 0, 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("opt-in" as const),
      back,
      kinds: fc.uniqueArray(fc.constantFrom<Kind>("leak", "high-usage"), { minLength: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("unsubscribe" as const), back }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("move-in" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), hours: fc.integer({ min: 1, max: 30 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("refuse" as const), times: fc.integer({ min: 1, max: 2 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("anomaly" as const),
      which: fc.nat({ max: 3 }),
      state: fc.constantFrom<AnomalyMessage["state"]>("opened", "updated", "closed", "withdrawn"),
      hours: fc.integer({ min: 2, max: 60 }),
    }),
  },
);

let test: TestStores;
let world: World;
let notify: NotifyStage;
let runs = 0;
let refusals = 0;
/** What the residents of this run agree to now, by e-mail address: kept apart from the code under test. */
const agreed = new Map<string, Set<Kind>>();
const wrong: string[] = [];
const accepted: string[] = [];

const transport: MailTransport = {
  async send({ to, bytes }) {
    const text = bytes.toString("latin1");
    const subject = /^Subject: (.*)$/m.exec(text)![1]!;
    if (subject.includes("confirm")) return { status: "accepted" };
    const kind: Kind = /high water use/.test(subject) ? "high-usage" : "leak";
    if (agreed.get(to)?.has(kind) !== true) wrong.push(`${subject} without consent`);
    const hour = Number(
      new Intl.DateTimeFormat("en-GB", { timeZone: "America/Los_Angeles", hour: "2-digit" }).format(
        test.clock.now(),
      ),
    );
    if (hour < 8 || hour >= 20) wrong.push(`${subject} at ${hour} o'clock`);
    if (refusals > 0) {
      refusals--;
      return { status: "refused", permanent: false, code: "SMTP 450" };
    }
    accepted.push(/^Message-ID: (.*)$/m.exec(text)![1]!);
    return { status: "accepted" };
  },
  close: () => Promise.resolve(),
};

beforeAll(async () => {
  test = await startStores("notify-consent", { now: NOON });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  notify = await test.start(createNotify({ ...test.context(), transport }));
});
afterAll(() => test.close());

async function play(steps: readonly Step[]): Promise<void> {
  const run = ++runs;
  test.clock.set(NOON);
  refusals = 0;
  let residents = 1;
  const account = (n: number) => `R${run}-ACCT-${n}`;
  const email = (n: number) => `run${run}-resident${n}@mail.example`;
  const moveIn = (n: number, since?: number) =>
    addHome(world, {
      meterId: `R${run}`,
      accountId: account(n),
      locationId: `L-R${run}`,
      moveIn: since,
    });
  const meter = await moveIn(0);
  const versions = new Map<string, number>();
  for (const one of steps) {
    const who = Math.max(0, residents - 1 - ("back" in one ? one.back : 0));
    switch (one.do) {
      case "opt-in": {
        const confirmed = await optIn(world, {
          account: account(who),
          email: email(who),
          kinds: one.kinds,
        });
        const current = who === residents - 1;
        if (confirmed && !current) wrong.push("a consent of who does not live there");
        if (confirmed) agreed.set(email(who), new Set([...(agreed.get(email(who)) ?? []), ...one.kinds]));
        break;
      }
      case "unsubscribe": {
        const { database, vault } = test.stores;
        const [contact] = await database.query<{ contact_id: string }>(
          "SELECT contact_id FROM contacts WHERE address_hash = $1",
          [vault.hash("oakvale", "email", email(who))],
        );
        if (contact === undefined) break;
        await unsubscribe(
          { config: world.config, database, vault, clock: test.clock },
          linkToken(vault, "oakvale", "unsubscribe", contact.contact_id),
        );
        agreed.delete(email(who));
        break;
      }
      case "move-in":
        await moveIn(residents++, Math.floor(test.clock.now() / 1000));
        agreed.delete(email(residents - 2));
        break;
      case "wait":
        test.clock.set(test.clock.now() + one.hours * HOUR_MS);
        break;
      case "refuse":
        refusals = one.times;
        break;
      case "anomaly": {
        const spike = one.which % 2 === 1;
        const id = `${run.toString(16).padStart(31, "0")}${one.which}`;
        const version = (versions.get(id) ?? 0) + 1;
        versions.set(id, version);
        const closing = spike ? ("usage-normal" as const) : ("flow-stopped" as const);
        const base = leak(test.clock, meter, { id, version });
        await tell(world, {
          ...base,
          rule: spike ? "spike" : "continuous-flow",
          start: base.end - one.hours * 3600,
          state: one.state,
          reason: one.state === "closed" ? closing : one.state === "withdrawn" ? "corrected" : null,
        });
        break;
      }
    }
    if (one.do === "anomaly" || one.do === "wait") await notify.drain();
  }
}

/** Residents who agree to all, of whom a leak and a high hour are told: random steps alone may send hardly anything. */
const PLAIN: [Step[]][] = Array.from({ length: 3 }, () => [
  [
    { do: "opt-in", kinds: ["leak", "high-usage"], back: 0 },
    { do: "anomaly", which: 0, state: "opened", hours: 26 },
    { do: "anomaly", which: 0, state: "closed", hours: 26 },
    { do: "anomaly", which: 1, state: "opened", hours: 3 },
  ],
]);

it("sends no alert without a consent that holds at that moment, whatever happens in whatever order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 24 }), async (steps) => {
      wrong.length = 0;
      await play(steps);
      expect(wrong).toEqual([]);
    }),
    { examples: PLAIN, numRuns: 20 + PLAIN.length, endOnFailure: true },
  );
  // The property says something only if messages do go out.
  expect(accepted.length).toBeGreaterThan(5);
  expect(new Set(accepted).size).toBe(accepted.length);
});
