import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { seeded } from "../../bench/random.js";
import { startMailbox, type Mailbox } from "../harness/mailbox.js";
import { curbstop, startCurbstop, type CurbstopProcess } from "../harness/processes.js";
import { temporaryFolder } from "../harness/stores.js";
import {
  addressOf,
  bringToEnd,
  dropFile,
  makeScenario,
  mailsTold,
  prepare,
  resultsOf,
  withScenario,
  writeConfig,
} from "./scenario.js";

const PATIENCE_MS = 60_000;
const scenario = makeScenario(Date.now());

/** A data directory with the registry and three confirmed residents, and the mails that went to them. */
let prepared: string;

async function prepareOnce(): Promise<void> {
  prepared = temporaryFolder("prepared");
  const mailbox = await startMailbox(join(prepared, "mails.jsonl"));
  try {
    writeConfig(prepared, mailbox.port);
    await prepare(prepared, mailbox);
  } finally {
    await mailbox.close();
  }
}

/** Does something in a copy of what was prepared. */
async function inFolder<T>(
  name: string,
  work: (folder: string, config: string, mailbox: Mailbox) => Promise<T>,
): Promise<T> {
  const folder = temporaryFolder(name);
  cpSync(prepared, folder, { recursive: true });
  const mailbox = await startMailbox(join(folder, "mails.jsonl"));
  try {
    return await work(folder, writeConfig(folder, mailbox.port), mailbox);
  } finally {
    await mailbox.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const ami = (folder: string) => join(folder, "drop", "ami");

async function told(mailbox: Mailbox, mails: number): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while ((await mailsTold(mailbox)).length < mails) {
    if (Date.now() > until)
      throw new Error(`${mails} mails expected, told: ${(await mailsTold(mailbox)).join(" | ")}`);
    await sleep(20);
  }
}

/** Confirmations, then alerts of the two subscribed homes that leak. */
const CONFIRMED = 3;
const ALERTED = CONFIRMED + 2;

/**
 * SIGKILL at random moments, of single stages or of the whole of `up` with its servers: whatever the moment, reads, anomalies
 * and mails end as in an undisturbed run. A failing seed stands in the test's name; CURBSTOP_TEST_SEEDS=7,19 runs those alone.
 */
export function killSchedules(what: "stages" | "all", seeds: readonly number[]): void {
  const wanted = process.env["CURBSTOP_TEST_SEEDS"]?.split(",").map(Number) ?? seeds;
  let expected: object;

  beforeAll(async () => {
    await prepareOnce();
    expected = await inFolder("undisturbed", async (folder, config, mailbox) => {
      for (const file of scenario.first) dropFile(ami(folder), file);
      await curbstop(["run", "-c", config]);
      await told(mailbox, ALERTED);
      for (const file of scenario.second) dropFile(ami(folder), file);
      await curbstop(["run", "-c", config]);
      return withScenario(folder, ({ stores }) => resultsOf(stores, mailbox));
    });
  }, 120_000);
  afterAll(() => rmSync(prepared, { recursive: true, force: true }));

  it("finds the planted leaks and tells the subscribed homes when nothing is disturbed", () => {
    const { anomalies, mails, files, rejects } = expected as {
      anomalies: { rule: string; state: string }[];
      mails: string[];
      files: { state: string }[];
      rejects: object[];
    };
    expect(anomalies.filter(({ rule }) => rule === "continuous-flow")).toHaveLength(3);
    expect(anomalies.every(({ state }) => state === "closed")).toBe(true);
    expect(mails).toHaveLength(ALERTED + 2);
    for (const home of [1, 2])
      expect(mails.filter((mail) => mail.startsWith(addressOf(home)))).toHaveLength(3);
    expect(files.map(({ state }) => state)).toEqual([...Array<string>(5).fill("archived"), "duplicate"]);
    expect(rejects).toEqual([{ line: 52, code: "bad-time" }]);
  });

  it.each(wanted)(
    `ends as undisturbed after SIGKILL of ${what}, seed %i`,
    async (seed) => {
      const random = seeded(seed);
      const results = await inFolder(`seed-${seed}`, async (folder, config, mailbox) => {
        if (what === "all") await killAll(folder, config, mailbox, random);
        // The servers live in this process; single stages share them.
        return withScenario(folder, async ({ stores, context }) => {
          if (what === "stages") await killStages(folder, config, mailbox, random);
          await bringToEnd(context, stores);
          return resultsOf(stores, mailbox);
        });
      });
      expect(results).toEqual(expected);
    },
    240_000,
  );
}

async function killAll(
  folder: string,
  config: string,
  mailbox: Mailbox,
  random: () => number,
): Promise<void> {
  let up: CurbstopProcess | undefined;
  const restart = async () => {
    up?.child.kill("SIGKILL");
    await up?.exited;
    up = startCurbstop(["up", "-c", config]);
  };
  try {
    for (const [part, mails] of [
      [scenario.first, ALERTED],
      [scenario.second, 0],
    ] as const) {
      for (const file of part) dropFile(ami(folder), file);
      for (let kill = 0; kill < 2; kill++) {
        await restart();
        // From before the servers are up to after everything is done.
        await sleep(300 + random() * 2_500);
      }
      await restart();
      await told(mailbox, mails).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}\n${up?.output() ?? ""}`);
      });
    }
  } finally {
    up?.child.kill("SIGKILL");
    await up?.exited;
  }
}

async function killStages(
  folder: string,
  config: string,
  mailbox: Mailbox,
  random: () => number,
): Promise<void> {
  const stages = new Map<string, CurbstopProcess>();
  const start = (name: string) => stages.set(name, startCurbstop([name, "-c", config]));
  const names = ["ingest", "detect", "notify"];
  try {
    for (const name of names) start(name);
    for (const [part, mails] of [
      [scenario.first, ALERTED],
      [scenario.second, 0],
    ] as const) {
      for (const file of part) dropFile(ami(folder), file);
      for (let kill = 0; kill < 4; kill++) {
        await sleep(100 + random() * 900);
        const name = names[Math.floor(random() * names.length)]!;
        stages.get(name)!.child.kill("SIGKILL");
        await stages.get(name)!.exited;
        start(name);
      }
      await told(mailbox, mails);
    }
  } finally {
    for (const stage of stages.values()) stage.child.kill("SIGKILL");
    await Promise.all([...stages.values()].map(({ exited }) => exited));
  }
}
