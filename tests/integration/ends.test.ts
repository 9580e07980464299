import { linkToken } from "../../notify/consent/link-token.js";
import { eraseAddress, exportEnds, importEnd, parseEnd, unsubscribe } from "../../notify/index.js";
import { startNotified, type Notified } from "../harness/notified.js";
import { addHome, leak, optIn, tell } from "../harness/residents.js";

const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;

let scene: Notified;
beforeAll(async () => {
  scene = await startNotified("ends", NOON);
});
afterAll(() => scene.close());

const context = () => ({ ...scene.test.stores, clock: scene.test.clock });

async function resident(n: number) {
  const email = `end${n}@mail.example`;
  const account = `ACCT-500-${n}`;
  const meter = await addHome(scene.world, { meterId: `D-${n}`, accountId: account, locationId: `D-${n}` });
  await optIn(scene.world, { account, email, kinds: ["leak"] });
  return { n, email, account, meter };
}
type Resident = Awaited<ReturnType<typeof resident>>;

async function stop({ email }: Resident): Promise<void> {
  const { database, vault } = scene.test.stores;
  const [contact] = await database.query<{ contact_id: string }>(
    "SELECT contact_id FROM contacts WHERE address_hash = $1 AND erased_at IS NULL",
    [vault.hash("oakvale", "email", email)],
  );
  const stores = { ...context(), config: scene.world.config };
  await unsubscribe(stores, linkToken(vault, "oakvale", "unsubscribe", contact!.contact_id));
}

const told = async (...homes: Resident[]) => {
  for (const { n, meter } of homes)
    await tell(scene.world, leak(scene.test.clock, meter, { id: `d${String(n).padStart(31, "0")}` }));
  await scene.notify.drain();
  return homes.map(({ email }) => scene.mailbox.recipients().filter((to) => to === email).length);
};

it("puts what residents ended since a backup into what was restored from it, and nothing else", async () => {
  const { database, vault } = scene.test.stores;
  const { clock } = scene.test;
  const [stays, stops, back, gone] = [
    await resident(1),
    await resident(2),
    await resident(3),
    await resident(4),
  ];
  // The backup: contacts as they are now, with their consents.
  await database.query("CREATE TABLE backup_contacts AS SELECT * FROM contacts");
  clock.set(NOON + HOUR_MS);
  await stop(stops);
  await stop(back);
  await eraseAddress(context(), scene.world.config.utilities[0]!, gone.email);
  await database.query(
    `INSERT INTO suppressions (utility, channel, address_hash, reason, at) VALUES ('oakvale', 'email', $1, 'provider-stop', $2)`,
    [vault.hash("oakvale", "email", "spam@mail.example"), new Date(clock.now())],
  );
  clock.set(NOON + 2 * HOUR_MS);
  await optIn(scene.world, { account: back.account, email: back.email, kinds: ["leak"] });
  const lines = (await exportEnds(context())).map((one) => JSON.stringify(one));
  expect(lines).toHaveLength(5);
  expect(lines.join("\n")).not.toMatch(/mail\.example|ACCT/);

  // Restored: the steps since are gone.
  await database.query("ALTER TABLE consents DISABLE TRIGGER consents_append_only");
  await database.query(
    `DELETE FROM consents WHERE action = 'revoke' AND contact_id IN (SELECT contact_id FROM backup_contacts)`,
  );
  await database.query("ALTER TABLE consents ENABLE TRIGGER consents_append_only");
  await database.query(
    "UPDATE contacts c SET erased_at = NULL, address_sealed = b.address_sealed FROM backup_contacts b WHERE b.contact_id = c.contact_id",
  );
  await database.query("DELETE FROM suppressions");
  const active = async ({ email }: Resident) =>
    (
      await database.query(
        "SELECT 1 FROM active_consents JOIN contacts USING (contact_id) WHERE address_hash = $1",
        [vault.hash("oakvale", "email", email)],
      )
    ).length;
  expect(await active(stops)).toBe(1);
  expect(await active(gone)).toBe(1);

  clock.set(NOON + 3 * HOUR_MS);
  const taken = async () => {
    const news: string[] = [];
    for (const line of lines) {
      const one = parseEnd(line);
      if (await importEnd(context(), one)) news.push(one.ended);
    }
    return news.sort();
  };
  // Who agreed again after their stop is not touched; who is erased has nothing left to revoke.
  expect(await taken()).toEqual(["erased", "revoked", "suppressed"]);
  expect(await Promise.all([stays, stops, back, gone].map(active))).toEqual([1, 0, 1, 0]);
  expect(await told(stays, stops, back, gone)).toEqual([1, 0, 1, 0]);
  expect(await taken()).toEqual([]);
});

it("says what is wrong with a line", () => {
  expect(() => parseEnd("stop")).toThrow("expected a JSON object");
  expect(() => parseEnd('{"ended":"moved"}')).toThrow(/ended/);
  const good = {
    ...{ ended: "revoked", utility: "oakvale", channel: "email", kind: "leak" },
    ...{ address: "ab".repeat(32), at: "2026-06-01T19:00:00.000Z" },
  };
  expect(parseEnd(JSON.stringify(good))).toEqual(good);
  expect(() => parseEnd(JSON.stringify({ ...good, address: "ana@mail.example" }))).toThrow(
    "address: expected 64 hexadecimal digits",
  );
});
