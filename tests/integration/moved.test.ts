import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDetect } from "../../detect/index.js";
import { SteppedClock } from "../../infra/clock.js";
import { createLogger } from "../../infra/logger.js";
import { openStores, stageContext, type Stores } from "../../infra/stores.js";
import { createIngest } from "../../ingest/index.js";
import { createNotify, unsubscribe, verifyConsents } from "../../notify/index.js";
import { linkToken } from "../../notify/consent/link-token.js";
import { keptMails, type KeptMail } from "../harness/kept-mails.js";
import { addHome, optIn } from "../harness/residents.js";
import { settingsOf, temporaryFolder, usageUtility } from "../harness/stores.js";

/** Nine in the morning in Los Angeles. */
const NINE = Date.UTC(2026, 5, 3, 16);
const HOUR_MS = 3_600_000;
const { mails, transport } = keptMails();
const subjectOf = ({ text }: KeptMail) => /^Subject: (.*)$/m.exec(text)![1]!;

/** The whole of an installation, in one folder. */
async function installation(folder: string, now: number) {
  const settings = settingsOf(folder, {
    utilities: [{ ...usageUtility(folder), alerts: { live: true, stormPercent: 100, renewAfterMonths: 0 } }],
  });
  const logger = createLogger({ level: "silent" });
  const stores: Stores = await openStores(settings, { logger });
  const clock = new SteppedClock(now);
  const context = stageContext(stores, settings, clock, logger);
  const stages = [
    createIngest(context),
    createDetect({ ...context, clickhouse: stores.clickhouse }),
    createNotify({ ...context, transport }),
  ];
  for (const stage of stages) await stage.start();
  return {
    world: { config: settings.config, stores, clock },
    async drop(name: string, text: string) {
      const drop = join(folder, "drop", "ami");
      mkdirSync(drop, { recursive: true });
      writeFileSync(join(drop, `.${name}`), text);
      renameSync(join(drop, `.${name}`), join(drop, name));
      for (const stage of stages) await stage.drain();
    },
    async close() {
      for (const stage of [...stages].reverse()) await stage.stop();
      await stores.close();
    },
  };
}

/** Hours up to the clock's, some litres in each of the meters. */
const hours = (until: number, count: number, litres: number) =>
  "meter,time,litres,quality\n" +
  ["M-1", "M-2"]
    .flatMap((meter) =>
      Array.from({ length: count }, (_, n) => {
        const at = new Date(until - (count - n) * HOUR_MS).toISOString().slice(0, 16).replace("T", " ");
        return `${meter},${at},${litres},\n`;
      }),
    )
    .join("");

it("goes on elsewhere after its folder was moved: nobody is told twice, and who left stays away", async () => {
  const before = temporaryFolder("before");
  const after = temporaryFolder("after");
  let open: Awaited<ReturnType<typeof installation>> | undefined;
  try {
    const old = (open = await installation(before, NINE));
    for (const n of [1, 2]) {
      await addHome(old.world, { meterId: `M-${n}`, accountId: `ACCT-${n}`, locationId: `L-${n}` });
      await optIn(old.world, { account: `ACCT-${n}`, email: `r${n}@mail.example` });
    }
    await old.drop("one.csv", hours(NINE, 30, 40));
    const told = mails.filter((mail) => subjectOf(mail).startsWith("Possible leak"));
    expect(told.map(({ to }) => to).sort()).toEqual(["r1@mail.example", "r2@mail.example"]);
    const { config, stores, clock } = old.world;
    const { database, vault } = stores;
    const [gone] = await database.query<{ contact_id: string }>(
      "SELECT contact_id FROM contacts WHERE address_hash = $1",
      [vault.hash("oakvale", "email", "r2@mail.example")],
    );
    const token = linkToken(vault, "oakvale", "unsubscribe", gone!.contact_id);
    expect(await unsubscribe({ config, database, vault, clock }, token)).toBe(true);
    open = undefined;
    await old.close();
    // With its owners: the servers run as another user where root starts them.
    execFileSync("cp", ["-a", `${before}/.`, after]);
    rmSync(before, { recursive: true });

    mails.length = 0;
    const moved = (open = await installation(after, NINE + 8 * HOUR_MS));
    await moved.drop("two.csv", hours(NINE + 4 * HOUR_MS, 4, 40));
    expect(mails).toEqual([]);
    await moved.drop("three.csv", hours(NINE + 7 * HOUR_MS, 3, 0));
    expect(mails.map(({ to }) => to)).toEqual(["r1@mail.example"]);
    expect(subjectOf(mails[0]!)).toMatch(/stopped/i);
    const [reads] = await moved.world.stores.clickhouse.query<{ n: string }>(
      "SELECT count() AS n FROM curbstop.usage",
    );
    expect(Number(reads!.n)).toBe(2 * 37);
    expect(await verifyConsents(moved.world.stores.database)).toMatchObject([{ broken: undefined }]);
  } finally {
    await open?.close();
    rmSync(before, { recursive: true, force: true });
    rmSync(after, { recursive: true, force: true });
  }
});
