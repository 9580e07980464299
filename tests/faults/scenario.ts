import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../infra/clock.js";
import { loadConfig } from "../../infra/config/load-config.js";
import { createLogger } from "../../infra/logger.js";
import type { StageContext } from "../../infra/stage.js";
import { openStores, stageContext, type Stores } from "../../infra/stores.js";
import { createDetect } from "../../detect/index.js";
import { createIngest } from "../../ingest/index.js";
import { confirmSubscription, createNotify, requestSubscription } from "../../notify/index.js";
import type { Mailbox } from "../harness/mailbox.js";
import { OAKVALE, usageUtility } from "../harness/stores.js";

const HOUR = 3_600_000;
const METERS = 12;
/** Meters that leak towards the end; homes 1 and 2 are subscribed, the leak of 3 and the home of 4 have nobody, or nothing, to tell. */
const LEAKY = new Set([1, 2, 3]);
const SUBSCRIBED = [1, 2, 4];

/**
 * Ten days of hourly usage of a few homes up to now, in files as a head-end drops them: late, corrected, twice, with a bad
 * row. In the first part leaks begin and go on; in the second they stop.
 */
export interface Scenario {
  readonly first: readonly DroppedFile[];
  readonly second: readonly DroppedFile[];
}

export interface DroppedFile {
  readonly name: string;
  readonly text: string;
}

export function makeScenario(now: number): Scenario {
  const end = Math.floor(now / HOUR) * HOUR - HOUR;
  const split = end - 10 * HOUR;
  const start = end - 240 * HOUR;
  const litres = (meter: number, at: number, corrected: boolean) => {
    const hour = (at - start) / HOUR;
    // A serial in the low digits: a lost, doubled or swapped read changes a sum.
    const serial = (meter * 1000 + hour) / 100_000;
    const use = (hour * 7 + meter * 3) % 5 < 2 ? 10 + ((hour * 13 + meter * 5) % 40) : 0;
    const leak =
      LEAKY.has(meter) && at >= split - (40 + meter) * HOUR && at < split + 3 * HOUR ? 6 + meter : 0;
    const volume = use + leak === 0 ? 0 : use + leak + serial;
    return (corrected && hour % 9 === 0 ? volume + 1 : volume).toFixed(5);
  };
  const rows = (from: number, until: number, corrected = false) => {
    const text: string[] = [];
    for (let at = from; at < until; at += HOUR) {
      const stamp = new Date(at).toISOString().slice(0, 16).replace("T", " ");
      for (let meter = 1; meter <= METERS; meter++) {
        if ((meter * 31 + at / HOUR) % 97 === 0) continue;
        const quality = (meter + at / HOUR) % 53 === 0 ? "E" : "";
        text.push(`M-${meter},${stamp},${litres(meter, at, corrected)},${quality}`);
      }
    }
    return text;
  };
  const file = (name: string, lines: readonly string[]): DroppedFile => ({
    name,
    text: ["meter,time,litres,quality", ...lines].join("\n") + "\n",
  });
  const cuts = [start, start + 90 * HOUR, start + 160 * HOUR, split];
  const three = rows(cuts[2]!, cuts[3]!);
  return {
    first: [
      file("reads-1.csv", rows(cuts[0]!, cuts[1]!)),
      // Late: the third comes before the second.
      file("reads-3.csv", [...three.slice(0, 50), "M-1,not a time,1,", ...three.slice(50)]),
      file("reads-2.csv", rows(cuts[1]!, cuts[2]!)),
    ],
    second: [
      file("reads-2.csv", rows(cuts[1]!, cuts[2]!, true)),
      file("reads-4.csv", rows(split, end)),
      file("reads-1-again.csv", rows(cuts[0]!, cuts[1]!)),
    ],
  };
}

/** Drops a file as an SFTP server does that writes to another name first. */
export function dropFile(folder: string, { name, text }: DroppedFile): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.part`), text);
  renameSync(join(folder, `${name}.part`), join(folder, name));
}

/** Writes the configuration of the scenario's utility and returns its path. */
export function writeConfig(folder: string, mailPort: number): string {
  const [utility] = [usageUtility(folder)];
  const config = {
    dataDirectory: join(folder, "data"),
    web: { port: 0 },
    smtp: { host: "127.0.0.1", port: mailPort },
    utilities: [
      {
        ...utility,
        ...OAKVALE,
        languages: ["en"],
        alerts: { live: true, sendFrom: "00:00", sendUntil: "23:59", gatherMinutes: 0 },
      },
    ],
  };
  const path = join(folder, "curbstop.yaml");
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Opens the stores of the configuration that `writeConfig` wrote, in this process. */
export async function openScenario(
  folder: string,
): Promise<{ readonly stores: Stores; readonly context: StageContext }> {
  const settings = loadConfig(join(folder, "curbstop.yaml"), {});
  const logger = createLogger({ level: "silent" });
  const stores = await openStores(settings, { logger });
  return { stores, context: stageContext(stores, settings, systemClock, logger) };
}

/** The registry, and residents who confirmed by the link in their mail. */
export async function prepare(folder: string, mailbox: Mailbox): Promise<void> {
  const { stores, context } = await openScenario(folder);
  const homes = Array.from({ length: METERS }, (_, i) => i + 1);
  dropFile(join(folder, "drop", "customers"), {
    name: "customers.csv",
    text:
      ["meter_id,account_id,location_id,zip", ...homes.map((n) => `M-${n},A-${n},L-${n},90000`)].join("\n") +
      "\n",
  });
  const ingest = createIngest(context);
  await ingest.start();
  await ingest.drain();
  await ingest.stop();
  for (const home of SUBSCRIBED) {
    await requestSubscription(context, {
      utility: "oakvale",
      account: `A-${home}`,
      zip: "90000",
      email: addressOf(home),
      kinds: ["leak"],
      method: "command",
    });
  }
  const notify = createNotify(context);
  await notify.start();
  await notify.drain();
  await notify.stop();
  for (const { text = "" } of await mailbox.mails()) {
    const token = /\/confirm\/([^\s"<]+)/.exec(text)?.[1];
    if (token !== undefined) await confirmSubscription(context, token, {});
  }
  await stores.close();
}

export function addressOf(home: number): string {
  return `home-${home}@residents.example`;
}

/** Opens the stores for some work, and closes them. */
export async function withScenario<T>(
  folder: string,
  work: (scenario: Awaited<ReturnType<typeof openScenario>>) => Promise<T>,
): Promise<T> {
  const scenario = await openScenario(folder);
  try {
    return await work(scenario);
  } finally {
    await scenario.stores.close();
  }
}

/** Brings what the killed ones left to its end, as `curbstop run` does, with servers that run already. */
export async function bringToEnd(context: StageContext, { clickhouse }: Stores): Promise<void> {
  const stages = [createIngest(context), createDetect({ ...context, clickhouse }), createNotify(context)];
  for (const stage of stages.toReversed()) await stage.start();
  for (const stage of stages) await stage.drain();
  for (const stage of stages) await stage.stop();
}

/** What must be the same after every schedule: nothing of it depends on random keys. */
export async function resultsOf({ clickhouse, database }: Stores, mailbox: Mailbox): Promise<object> {
  const usage = await clickhouse.query(
    `SELECT toUnixTimestamp(start) AS at, count() AS reads, sum(ml) AS total, sum(estimated) AS estimated
     FROM curbstop.usage GROUP BY at ORDER BY at`,
  );
  const anomalies = await clickhouse.query(
    `SELECT rule, state, reason, toUnixTimestamp(start) AS first, toUnixTimestamp(end) AS last, litres, litres_per_hour
     FROM curbstop.anomalies_current ORDER BY ALL`,
  );
  const files = await database.query(
    "SELECT state, correction, rows, reads, rejected FROM files WHERE source = 'ami' ORDER BY state, correction, rows, reads, rejected",
  );
  const rejects = await database.query("SELECT line, code FROM rejects ORDER BY line");
  return { usage, anomalies, files, rejects, mails: await mailsTold(mailbox) };
}

/** Mails as the residents count them: the same Message-ID again is the same mail. */
export async function mailsTold(mailbox: Mailbox): Promise<string[]> {
  const told = new Map<string, string>();
  const recipients = mailbox.recipients();
  for (const [i, { messageId, subject }] of (await mailbox.mails()).entries())
    told.set(messageId!, `${recipients[i]} ${subject}`);
  return [...told.values()].sort();
}
