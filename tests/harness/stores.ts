import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SteppedClock } from "../../infra/clock.js";
import { parseConfig, type Settings } from "../../infra/config/load-config.js";
import { createLogger } from "../../infra/logger.js";
import type { Stage, StageContext } from "../../infra/stage.js";
import { openStores, stageContext, type Stores } from "../../infra/stores.js";
import type { ConfigInput } from "../../schemas/config.js";

/** What a test may leave out of a configuration. */
export type TestConfig = Partial<ConfigInput>;

export interface TestStores {
  /** Folder of its own: `drop` for files, `data` for the data directory. */
  readonly folder: string;
  readonly settings: Settings;
  readonly stores: Stores;
  readonly clock: SteppedClock;
  /** Every line that was logged. */
  readonly logged: string[];
  context(): StageContext;
  /** Starts a stage; `close` stops it, also after a failed expectation. */
  start<T extends Stage>(stage: T): Promise<T>;
  close(): Promise<void>;
}

/** A folder that the embedded servers, which drop root, can reach. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `curbstop-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}

export const OAKVALE = {
  id: "oakvale",
  name: "City of Oakvale Water",
  timeZone: "America/Los_Angeles",
  languages: ["en", "es"],
  units: "gal",
  mail: {
    from: "alerts@oakvale.example",
    postalAddress: "1 Reservoir Road, Oakvale, CA 90000",
    privacy: "privacy@oakvale.example",
  },
  alerts: { live: true, gatherMinutes: 0 },
} as const;

/** A utility with one source of hourly usage: meter, time, litres, quality. */
export function usageUtility(folder: string): ConfigInput["utilities"][number] {
  return {
    ...OAKVALE,
    languages: ["en", "es"],
    // Plain words, so that a test can plant what they find.
    detect: { rules: ["continuous-flow", "spike", "away", "budget"] },
    sources: [
      {
        id: "ami",
        folder: join(folder, "drop", "ami"),
        format: "csv",
        complete: { by: "stability", seconds: 0 },
        profile: {
          columns: { meter: "meter", time: "time", usage: "litres", quality: "quality" },
          time: { zone: "UTC" },
          unit: "L",
          resolution: 1,
        },
      },
      {
        id: "customers",
        folder: join(folder, "drop", "customers"),
        format: "crosswalk",
        complete: { by: "stability", seconds: 0 },
      },
    ],
  };
}

/** Reads a configuration the way the command does. */
export function settingsOf(
  folder: string,
  config: TestConfig = {},
  variables: NodeJS.ProcessEnv = {},
): Settings {
  const input = {
    dataDirectory: join(folder, "data"),
    web: { port: 0 },
    utilities: [usageUtility(folder)],
    ...config,
  };
  // JSON is YAML.
  return parseConfig(JSON.stringify(input), join(folder, "curbstop.yaml"), variables);
}

/** What a data directory is made of: another one is prepared where that changes. */
const MADE_OF = ["infra/postgres", "infra/clickhouse", "package-lock.json"];

function preparedFolder(): string {
  const hash = createHash("sha256");
  for (const root of MADE_OF) {
    const names = root.includes(".") ? [""] : readdirSync(root, { recursive: true, encoding: "utf8" }).sort();
    for (const name of names) {
      const path = join(root, name);
      if (/\.(ts|sql|json)$/.test(path)) hash.update(`${path}\0`).update(readFileSync(path));
    }
  }
  return join(".cache", "stores", hash.digest("hex").slice(0, 16));
}

/**
 * Copies a data directory whose servers were started once: they start in a third of the time. The first test file to come
 * prepares it; those that come meanwhile start without.
 */
async function copyPrepared(to: string): Promise<void> {
  const prepared = preparedFolder();
  if (!existsSync(prepared)) {
    mkdirSync(join(prepared, ".."), { recursive: true });
    const folder = temporaryFolder("prepared");
    try {
      const making = `${prepared}.${process.pid}`;
      mkdirSync(`${prepared}.making`);
      const stores = await openStores(settingsOf(folder), { logger: createLogger({ level: "error" }) });
      await stores.close();
      cpSync(join(folder, "data"), making, { recursive: true });
      renameSync(making, prepared);
      rmSync(`${prepared}.making`, { recursive: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      return;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  cpSync(prepared, to, { recursive: true });
}

/**
 * The real stores, embedded, in a folder of their own; about a second.
 * @param variables such as CURBSTOP_KAFKA_BROKERS
 */
export async function startStores(
  name: string,
  options: {
    readonly config?: (folder: string) => TestConfig;
    readonly variables?: NodeJS.ProcessEnv;
    readonly now?: number;
  } = {},
): Promise<TestStores> {
  const folder = temporaryFolder(name);
  mkdirSync(join(folder, "drop"), { recursive: true });
  const settings = settingsOf(folder, options.config?.(folder), options.variables);
  const logged: string[] = [];
  const logger = createLogger({ level: "debug", write: (line) => logged.push(line) });
  if (settings.config.dataDirectory === join(folder, "data")) await copyPrepared(join(folder, "data"));
  const stores = await openStores(settings, { logger });
  const started: Stage[] = [];
  const clock = new SteppedClock(options.now ?? Date.UTC(2026, 5, 1));
  return {
    folder,
    settings,
    stores,
    clock,
    logged,
    context: () => stageContext(stores, settings, clock, logger),
    async start(stage) {
      started.push(stage);
      await stage.start();
      return stage;
    },
    async close() {
      for (const stage of started.reverse()) await stage.stop();
      await stores.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
