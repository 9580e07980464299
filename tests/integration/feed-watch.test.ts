import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createIngest, type IngestStage } from "../../ingest/index.js";
import { createWatch } from "../../ingest/watch.js";
import type { Stage } from "../../infra/stage.js";
import { createNotify } from "../../notify/index.js";
import { readMailbox, startMailbox, type Mailbox } from "../harness/mailbox.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

const START = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;
const OPERATOR = "operator@oakvale.example";

let test: TestStores;
let ingest: IngestStage;
let files = 0;

beforeAll(async () => {
  test = await startStores("feed-watch", {
    now: START,
    config: (folder) => {
      const utility = usageUtility(folder);
      const [ami, customers] = utility.sources;
      return {
        operator: { mail: OPERATOR },
        utilities: [
          {
            ...utility,
            sources: [
              { ...ami!, expect: { everyHours: 26, minReadsShare: 0.5 } },
              { ...customers!, expect: { everyHours: 200 } },
            ],
          },
        ],
      };
    },
  });
  ingest = await test.start(createIngest(test.context()));
});
afterAll(() => test.close());

/** A file of so many reads, taken at the clock's time. */
async function deliver(reads: number, again?: string): Promise<void> {
  const folder = join(test.folder, "drop", "ami");
  mkdirSync(folder, { recursive: true });
  const rows = Array.from({ length: reads }, (_, i) => `M-${i},2026-05-01 00:00,${++files},`);
  writeFileSync(join(folder, "daily.csv"), again ?? ["meter,time,litres,quality", ...rows].join("\n") + "\n");
  await ingest.drain();
}

interface Alarm {
  readonly source: string;
  readonly kind: string;
  readonly opened_at: Date;
  readonly closed_at: Date | null;
  readonly reads: number | null;
  readonly usual_reads: number | null;
}

const alarms = () =>
  test.stores.database.query<Alarm>(
    "SELECT source, kind, opened_at, closed_at, reads, usual_reads FROM feed_alarms ORDER BY feed_alarm",
  );

async function withWatch(
  work: (watch: Stage, gauge: (kind: string) => Promise<number | undefined>) => Promise<void>,
) {
  const context = test.context();
  const watch = await test.start(createWatch(context));
  await work(watch, async (kind) => {
    const { values } = await context.metrics.feedAlarm.get();
    return values.find(({ labels }) => labels["source"] === "ami" && labels["kind"] === kind)?.value;
  });
  await watch.stop();
}

const logged = (event: string) => test.logged.filter((line) => line.includes(`"event":"${event}"`)).length;

it("opens an alarm when a file is late, keeps it over a restart, and ends it by itself when one comes", async () => {
  await withWatch(async (watch, gauge) => {
    await watch.drain();
    expect(await gauge("late")).toBe(0);
    test.clock.set(START + 26 * HOUR);
    await watch.drain();
    expect(await alarms()).toEqual([]);
    test.clock.set(START + 26 * HOUR + 1);
    await watch.drain();
    expect(await alarms()).toMatchObject([
      { source: "ami", kind: "late", opened_at: new Date(START + 26 * HOUR + 1), closed_at: null },
    ]);
    expect(await gauge("late")).toBe(1);
    expect(watch.health()).toEqual({ live: true, ready: true, reason: "feed alarms: oakvale/ami late" });
  });
  expect(logged("feed alarm opened")).toBe(1);
  await withWatch(async (watch, gauge) => {
    await watch.drain();
    expect(await gauge("late")).toBe(1);
    expect(logged("feed alarm opened")).toBe(1);
    test.clock.set(START + 30 * HOUR);
    await deliver(100);
    await watch.drain();
    expect(await gauge("late")).toBe(0);
    expect(await alarms()).toMatchObject([{ closed_at: new Date(START + 30 * HOUR) }]);
    expect(watch.health()).toEqual({ live: true, ready: true });
  });
  expect(logged("feed alarm ended")).toBe(1);
});

it("opens an alarm when a file is thin beside the median of those before it, and ends it with the next whole one", async () => {
  await withWatch(async (watch, gauge) => {
    for (const [i, reads] of [100, 90, 110, 100].entries()) {
      test.clock.set(START + (54 + 24 * i) * HOUR);
      await deliver(reads);
      await watch.drain();
      expect(await gauge("thin")).toBe(0);
    }
    test.clock.set(START + 150 * HOUR);
    await deliver(49);
    await watch.drain();
    expect(await gauge("thin")).toBe(1);
    expect((await alarms()).at(-1)).toMatchObject({
      kind: "thin",
      closed_at: null,
      reads: 49,
      usual_reads: 100,
    });
    test.clock.set(START + 174 * HOUR);
    await deliver(51);
    await watch.drain();
    expect(await gauge("thin")).toBe(0);
    expect((await alarms()).at(-1)).toMatchObject({ kind: "thin", closed_at: new Date(START + 174 * HOUR) });
  });
});

it("does not take a duplicate for a file that came", async () => {
  const text = "meter,time,litres,quality\nM-1,2026-05-02 00:00,1,\n";
  await deliver(0, text);
  await withWatch(async (watch, gauge) => {
    test.clock.set(START + 201 * HOUR);
    await deliver(0, text);
    await watch.drain();
    expect(await gauge("late")).toBe(1);
    // And nothing came from the customers for longer than expected.
    const open = (await alarms()).filter(({ closed_at }) => closed_at === null);
    expect(open.map(({ source, kind }) => `${source} ${kind}`).sort()).toEqual([
      "ami late",
      "ami thin",
      "customers late",
    ]);
  });
});

it("ends alarms of feeds of which nothing is expected any more", async () => {
  const context = test.context();
  const [utility] = context.config.utilities;
  const ami = { ...utility!.sources[0]! };
  delete ami.expect;
  const config = { ...context.config, utilities: [{ ...utility!, sources: [ami, utility!.sources[1]!] }] };
  const watch = await test.start(createWatch({ ...context, config }));
  await watch.drain();
  await watch.stop();
  const open = (await alarms()).filter(({ closed_at }) => closed_at === null);
  expect(open.map(({ source, kind }) => `${source} ${kind}`)).toEqual(["customers late"]);
});

describe("the operator", () => {
  let mailbox: Mailbox;
  let file: string;

  beforeAll(async () => {
    await test.stores.database.query("DELETE FROM feed_alarms");
    await test.stores.database.query("DELETE FROM feed_watches");
    file = join(test.folder, "operator.jsonl");
    mailbox = await startMailbox(file);
  });
  afterAll(() => mailbox.close());

  const notify = () => {
    const context = test.context();
    const smtp = { host: "127.0.0.1", port: mailbox.port, secure: false };
    return test.start(createNotify({ ...context, config: { ...context.config, smtp } }));
  };
  const look = () => withWatch((watch) => watch.drain());
  const subjects = async () => (await mailbox.mails()).map(({ subject }) => subject);

  it("gets a mail when an alarm opens and one when it ends, each once", async () => {
    await deliver(60);
    test.clock.set(test.clock.now() + 27 * HOUR);
    await look();
    const stage = await notify();
    await stage.drain();
    await stage.drain();
    expect(await subjects()).toEqual(["Feed oakvale/ami is late"]);
    const [mail] = await mailbox.mails();
    expect(mail!.text).toContain("Alarm: late, since Jun");
    expect(mail!.text).toContain("curbstop files --utility oakvale --source ami");
    expect(mailbox.recipients()).toEqual([OPERATOR]);
    await deliver(60);
    await look();
    await stage.drain();
    await stage.stop();
    const again = await notify();
    await again.drain();
    await again.stop();
    expect(await subjects()).toEqual(["Feed oakvale/ami is late", "Feed oakvale/ami: alarm ended"]);
    expect(new Set((await mailbox.mails()).map(({ messageId }) => messageId)).size).toBe(2);
  });

  it("gets the mail later where the mail server does not take it now, from one of two processes", async () => {
    const before = readMailbox(file).length;
    test.clock.set(test.clock.now() + 27 * HOUR);
    await look();
    mailbox.script({ do: "refuse", at: "rcpt", code: 451 });
    const refused = await notify();
    await refused.drain();
    expect(readMailbox(file)).toHaveLength(before);
    expect(test.logged.some((line) => line.includes("mail to the operator not taken"))).toBe(true);
    await refused.stop();
    const two = await Promise.all([notify(), notify()]);
    await Promise.all(two.map((stage) => stage.drain()));
    for (const stage of two) await stage.stop();
    expect(readMailbox(file)).toHaveLength(before + 1);
    expect(test.logged.join("")).not.toContain(OPERATOR);
  });
});
