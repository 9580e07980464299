import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDetect } from "../../detect/index.js";
import { createIngest } from "../../ingest/index.js";
import { confirmSubscription, createNotify, receiveText, requestSubscription } from "../../notify/index.js";
import { TOPICS } from "../../schemas/topics.js";
import { everythingStored } from "../harness/everything-stored.js";
import { startMailbox, type Mailbox } from "../harness/mailbox.js";
import { startStores, type TestStores } from "../harness/stores.js";
import { OAKVALE_TEXTS, twilioSettings } from "../harness/twilio.js";
import { startTwilio, type TwilioFake } from "../../demo/twilio.js";

/** Words that stand nowhere else: wherever one is found, personal data got out. */
const CANARY = {
  name: "Quetzalina Plover",
  street: "77 Zanzibar Heron Way",
  email: "quetzalina@plover-residents.example",
  phone: "+1 213 555 7788",
  account: "ACCT-88231147",
  location: "LOC-4471-HERON",
  meter: "MTR90817263",
  serial: "SER-5550909",
  zip: "90417",
};
const WORDS = [
  ...Object.values(CANARY),
  ...CANARY.name.split(" "),
  "Zanzibar",
  "plover-residents",
  "2135557788",
  "88231147",
  "90817263",
];

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 5, 20, 18);
let test: TestStores;
let mailbox: Mailbox;
let fake: TwilioFake;
let metrics = "";
const topics = new Map<string, string>();
const tables = new Map<string, string>();
let postgres: ReadonlyMap<string, string>;
const errors: string[] = [];

beforeAll(async () => {
  fake = await startTwilio(() => NOW);
  test = await startStores("canary", {
    now: NOW,
    config: (folder) => {
      const drop = (source: string) => ({
        folder: join(folder, "drop", source),
        complete: { by: "stability", seconds: 0 } as const,
      });
      return {
        smtp: { host: "127.0.0.1", port: 9 },
        twilio: twilioSettings(folder, fake),
        utilities: [
          {
            id: "oakvale",
            name: "City of Oakvale Water",
            timeZone: "America/Los_Angeles",
            mail: {
              from: "alerts@oakvale.example",
              postalAddress: "1 Reservoir Road",
              privacy: "privacy@oakvale.example",
            },
            alerts: { live: true },
            sms: OAKVALE_TEXTS,
            detect: { rules: ["continuous-flow"] },
            sources: [
              {
                id: "ami",
                ...drop("ami"),
                format: "csv",
                profile: {
                  columns: { meter: "meter", serial: "serial", time: "time", usage: "litres" },
                  time: { zone: "UTC" },
                },
              },
              { id: "customers", ...drop("customers"), format: "crosswalk" },
            ],
          },
        ],
      };
    },
  });
  mailbox = await startMailbox(join(test.folder, "mails.jsonl"));
  test.settings.config.smtp!.port = mailbox.port;
  const context = test.context();
  const { stores } = test;
  const ingest = await test.start(createIngest(context));
  const detect = await test.start(createDetect({ ...context, clickhouse: stores.clickhouse }));
  const notify = await test.start(createNotify(context));
  const drainAll = async () => {
    await ingest.drain();
    await detect.drain();
    await notify.drain();
  };
  const drop = (source: string, name: string, text: string) => {
    mkdirSync(join(test.folder, "drop", source), { recursive: true });
    writeFileSync(join(test.folder, "drop", source, name), text);
  };

  const { name, street, email, phone, account, location, meter, serial, zip } = CANARY;
  drop(
    "customers",
    `customers ${account}.csv`,
    "meter_id,account_id,location_id,name,address,zip,email,phone,class\n" +
      `${meter},${account},${location},${name},${street},${zip},${email},${phone},single-family\n` +
      `${meter},,${location},${name},${street},${zip},${email},${phone},single-family\n` +
      `${meter},${account},${location},${name},${street},${zip},${email},${phone},${name}\n`,
  );
  await drainAll();
  for (const wrong of [false, true]) {
    await requestSubscription(context, {
      utility: "oakvale",
      account: wrong ? `${account}-9` : account,
      zip,
      email,
      phone,
      kinds: ["leak", "high-usage"],
      method: "command",
    });
  }
  await requestSubscription(context, {
    utility: "oakvale",
    account,
    zip,
    email: `${name} at home`,
    kinds: ["leak"],
    method: "command",
  }).catch((error: unknown) => errors.push(String(error)));
  await drainAll();
  for (const { text = "" } of await mailbox.mails()) {
    const token = /\/confirm\/([^\s"<]+)/.exec(text)?.[1];
    if (token !== undefined)
      await confirmSubscription(context, token, { ip: "198.51.100.7", userAgent: name });
  }
  const number = phone.replaceAll(" ", "");
  const [utility] = test.settings.config.utilities;
  for (const [index, body] of ["Y1", `This is ${name}, ${street}, ${email}`].entries())
    await receiveText(context, utility!, { providerId: `SM${index}`, from: number, body });
  // A refusal that quotes the number.
  fake.script({ do: "answer", status: 429, code: 20429 });
  const rows = ["meter,serial,time,litres"];
  for (let hour = 160; hour > 0; hour--) {
    const time = new Date(NOW - hour * HOUR).toISOString().slice(0, 16).replace("T", " ");
    rows.push(`${meter},${serial},${time},9`);
  }
  // Rows that are rejected: short, without a meter, columns shifted so that personal values stand in others' places.
  rows.push(`${meter},${serial}`, `,${serial},2026-06-20 10:00,4`, `"${meter},${serial},2026-06-20 10:00,4`);
  drop("ami", `reads ${meter}.csv`, rows.join("\n") + "\n");
  drop("ami", `broken ${account}.csv`, `${name},${street},${email}\n`);
  await drainAll();
  test.clock.set(NOW + 60_000);
  await drainAll();

  for (const { name: topic, partitions } of TOPICS) {
    let all = "";
    for (let partition = 0; partition < partitions; partition++) {
      for await (const { records } of stores.log.read(topic, partition, 0))
        for (const { key, value } of records)
          all += `${key} ${value === null ? "" : Buffer.from(value).toString("utf8")}\n`;
    }
    topics.set(topic, all);
  }
  const engines = await stores.clickhouse.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'curbstop' AND engine != 'View'",
  );
  for (const table of engines) {
    tables.set(
      table.name,
      JSON.stringify(await stores.clickhouse.query(`SELECT * FROM curbstop.${table.name}`)),
    );
  }
  postgres = await everythingStored(stores.database);
  metrics = await context.metrics.text();
  await test.stores.database
    .query(`SELECT '${CANARY.email}'::int`)
    .catch((error: unknown) => errors.push((error as Error).name));
}, 90_000);
afterAll(async () => {
  await test.close();
  await mailbox.close();
  await fake.close();
});

function leaksOf(text: string): string[] {
  const low = text.toLowerCase();
  return WORDS.filter((word) => low.includes(word.toLowerCase()));
}

it("did send the resident an alert, so there was something to leak", () => {
  expect(mailbox.recipients().filter((to) => to === CANARY.email).length).toBeGreaterThanOrEqual(2);
  const number = CANARY.phone.replaceAll(" ", "");
  expect(fake.to(number)).toEqual(expect.arrayContaining([expect.stringMatching(/Possible leak/)]));
  expect(topics.get("reads")!.length).toBeGreaterThan(1000);
  expect(topics.get("anomalies")).toContain("continuous-flow");
  expect(test.logged.length).toBeGreaterThan(3);
  expect(metrics).toContain("curbstop_reads_total");
  expect(errors.length).toBeGreaterThanOrEqual(1);
});

it("keeps personal data out of every topic", () => {
  for (const [topic, text] of topics) expect({ topic, leaks: leaksOf(text) }).toEqual({ topic, leaks: [] });
});

it("keeps personal data out of every table of ClickHouse", () => {
  expect(tables.size).toBeGreaterThanOrEqual(4);
  for (const [table, text] of tables) expect({ table, leaks: leaksOf(text) }).toEqual({ table, leaks: [] });
});

it("keeps personal data out of log lines, metrics and errors", () => {
  // The clock may show the digits of a ZIP code.
  expect(leaksOf(test.logged.join("\n").replaceAll(/"time":\d+/g, ""))).toEqual([]);
  expect(leaksOf(metrics)).toEqual([]);
  expect(leaksOf(errors.join("\n"))).toEqual([]);
});

it("holds personal data in PostgreSQL only sealed, but for the names that the utility gives its files", () => {
  for (const [table, text] of postgres) {
    const leaks = leaksOf(
      table === "files" ? text.replaceAll(CANARY.account, "").replaceAll(CANARY.meter, "") : text,
    );
    expect({ table, leaks: leaks.filter((word) => table !== "files" || !/^\d+$/.test(word)) }).toEqual({
      table,
      leaks: [],
    });
  }
});
