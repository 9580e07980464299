import { chmodSync, createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { colours, isTerminal, ProgressLine } from "../cli/terminal.js";
import { createDetect } from "../detect/index.js";
import { openClickHouse } from "../infra/clickhouse/client.js";
import { SteppedClock } from "../infra/clock.js";
import { createLogger } from "../infra/logger.js";
import type { Stage } from "../infra/stage.js";
import { openStores, stageContext } from "../infra/stores.js";
import { freePort } from "../infra/supervise.js";
import { createIngest } from "../ingest/index.js";
import { createNotify, inboundUrl } from "../notify/index.js";
import { createWeb } from "../web/index.js";
import { compareMails, expectedMails, mailsTold, TELLS } from "./alerts.js";
import { compareAnomalies, compareFiles, compareRejects, compareUsage, homesByMeter } from "./comparison.js";
import { openMailbox } from "./mailbox.js";
import { openMailboxPage } from "./mailbox-page.js";
import { optIn } from "./opt-in.js";
import { allEqual, jsonResult, printAddresses, printResult, type Addresses, type Result } from "./report.js";
import { liveThrough } from "./season.js";
import { demoSettings, UTILITY } from "./settings.js";
import { Phones } from "./texting.js";
import { makeTown } from "./town.js";
import { ACCOUNT, startTwilio, TOKEN } from "./twilio.js";

export interface DemoOptions {
  /** Leave the servers and the mailbox open after the run, until `signal`; the folder stays. */
  readonly keep: boolean;
  /** One JSON object on `out`, and nothing else. */
  readonly json: boolean;
  readonly out: NodeJS.WritableStream;
  /** Where progress goes. */
  readonly err: NodeJS.WritableStream;
  readonly homes?: number;
  readonly days?: number;
  /** Where everything of the demo lies; a temporary folder by default. */
  readonly folder?: string;
  /** Ends the run: what was started is stopped, what was made is removed. */
  readonly signal: AbortSignal;
}

const SEED = 20261001;
const INTERRUPTED = 130;

/**
 * The whole way with a made-up utility, on real stores in a folder of its own: its files are dropped day by day, residents
 * opt in over the web, alerts go out by mail and by text; then what was found is held against what was planted.
 * @returns exit code 0 only if all of it is equal, 130 where `signal` ended the run
 * @throws RangeError for a town too small, StoreUnavailable
 */
export async function runDemo(options: DemoOptions): Promise<{ exitCode: number }> {
  const { keep, json, out, err, signal } = options;
  const given = options.folder !== undefined;
  const folder = given ? resolve(options.folder) : mkdtempSync(join(tmpdir(), "curbstop-demo-"));
  mkdirSync(folder, { recursive: true });
  // The embedded PostgreSQL leaves root behind and must still reach its directory.
  chmodSync(folder, 0o755);
  const closing: (() => unknown)[] = [];
  if (!given && !keep) closing.push(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const { result, addresses } = await run(options, folder, closing);
    if (json) out.write(`${JSON.stringify(jsonResult(result, keep ? addresses : undefined), null, 2)}\n`);
    else printResult(out, result);
    if (keep) {
      if (!json) printAddresses(out, addresses);
      await aborted(signal);
    }
    return { exitCode: allEqual(result) ? 0 : 1 };
  } catch (error) {
    if (!signal.aborted) throw error;
    err.write("Stopped before the end.\n");
    return { exitCode: INTERRUPTED };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function run(
  options: DemoOptions,
  folder: string,
  closing: (() => unknown)[],
): Promise<{ readonly result: Result; readonly addresses: Addresses }> {
  const { homes = 300, days = 60, signal } = options;
  const begin = performance.now();
  const progress = new Progress(options.err, options.json);
  closing.push(() => progress.end());
  const town = makeTown({ seed: SEED, homes, days });
  const clock = new SteppedClock(town.dayStart(0) * 1000);

  progress.step("Starting PostgreSQL, ClickHouse, a mail server and a fake of an SMS provider");
  const mailbox = await openMailbox(clock);
  closing.push(() => mailbox.close());
  const twilio = await startTwilio(() => clock.now());
  closing.push(() => twilio.close());
  const settings = demoSettings(
    folder,
    { smtp: mailbox.port, web: await freePort() },
    { url: twilio.url, account: ACCOUNT, token: TOKEN },
  );
  const phones = new Phones(town, twilio, clock, inboundUrl(settings.config.web, UTILITY));
  const lines = createWriteStream(join(folder, "demo.log"));
  closing.push(() => new Promise((done) => lines.end(done)));
  const logger = createLogger({ write: (line) => lines.write(line) });
  const stores = await openStores(settings, { logger });
  closing.push(() => stores.close());
  signal.throwIfAborted();

  const context = stageContext(stores, settings, clock, logger);
  const { clickhouse } = stores;
  const stages = [createIngest(context), createDetect({ ...context, clickhouse }), createNotify(context)];
  const all: Stage[] = [];
  const web = createWeb({ ...context, stages: () => all });
  for (const stage of [...stages, web]) {
    closing.push(() => stage.stop());
    await stage.start();
    all.push(stage);
  }
  const analystUrl = stores.analystUrl(UTILITY)!;
  const analyst = openClickHouse(analystUrl);
  closing.push(() => analyst.close());
  const page = await openMailboxPage({ town, mails: mailbox.mails, analyst });
  closing.push(() => page.close());
  progress.step(`Mails as they arrive: ${page.url}`);

  const { deliveries, processingMs } = await liveThrough({
    town,
    folder,
    clock,
    stages,
    signal,
    optIn: () =>
      optIn({
        town,
        webUrl: web.url,
        notify: stages[2]!,
        mailbox,
        phones,
        clock,
        onResidents: (done) => progress.bar("Residents sign up", done, town.residents.length, ""),
      }),
    answer: () => phones.answer(),
    onDay: (day) =>
      progress.bar("Files, a day each", day, days, `${town.dateOf(day)}, ${mailbox.mails.length} mails`),
  });

  progress.step("Comparing what was found with what was planted");
  const homeOf = await homesByMeter(town, stores, clock);
  const told = await mailsTold(town, stores.database, mailbox.mails);
  page.describe(
    new Map(told.map(({ mail, tells }) => [mail.number, tells])),
    new Map([...homeOf].map(([meter, home]) => [home, meter])),
  );
  const result: Result = {
    town,
    anomalies: await compareAnomalies(town, analyst, homeOf),
    mails: compareMails(expectedMails(town), told),
    texting: await phones.told(stores, settings.config.utilities[0]!),
    files: await compareFiles(stores, deliveries),
    rejects: await compareRejects(stores, deliveries),
    usage: await compareUsage(town, analyst),
    example: told.find(({ tells }) => tells === TELLS.leak)?.mail,
    seconds: {
      total: (performance.now() - begin) / 1000,
      reading: (processingMs["ingest"]! + processingMs["detect"]!) / 1000,
    },
  };
  progress.end();
  return {
    result,
    addresses: {
      mailbox: page.url,
      clickhouse: analystUrl,
      web: `${web.url}/${UTILITY}/subscribe`,
      folder,
    },
  };
}

/** A bar on a terminal, a line now and then elsewhere, nothing with `--json`. */
class Progress {
  readonly #err: NodeJS.WritableStream;
  readonly #quiet: boolean;
  readonly #line: ProgressLine;
  readonly #begin = performance.now();
  #told = "";

  constructor(err: NodeJS.WritableStream, quiet: boolean) {
    this.#err = err;
    this.#quiet = quiet;
    this.#line = new ProgressLine(err);
  }

  step(text: string): void {
    if (this.#quiet) return;
    this.#line.clear();
    const seconds = ((performance.now() - this.#begin) / 1000).toFixed(1).padStart(5);
    this.#err.write(`${colours(this.#err).dim(`${seconds} s`)}  ${text}\n`);
  }

  bar(label: string, done: number, total: number, detail: string): void {
    if (this.#quiet) return;
    this.#line.show(label, done, total, detail);
    if (isTerminal(this.#err)) return;
    const quarter = `${label}: ${Math.floor((4 * done) / total) * 25} %`;
    if (quarter !== this.#told) this.step(quarter);
    this.#told = quarter;
  }

  end(): void {
    this.#line.clear();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener("abort", () => done(), { once: true }));
}
