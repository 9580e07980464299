import { mkdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { createDetectBeside } from "../detect/thread.js";
import type { Clock } from "../infra/clock.js";
import { parseConfig } from "../infra/config/load-config.js";
import { createLogger } from "../infra/logger.js";
import type { Stage } from "../infra/stage.js";
import { openStores, stageContext, type Stores } from "../infra/stores.js";
import { createIngest } from "../ingest/index.js";
import { createNotify } from "../notify/index.js";
import type { RuleName } from "../schemas/anomalies.js";
import type { Config, ConfigInput } from "../schemas/config.js";

type UtilityInput = ConfigInput["utilities"][number];
type Profile = NonNullable<UtilityInput["sources"][number]["profile"]>;

/** The way from a dropped file to ClickHouse in this process, as `curbstop up` runs it, on stores of its own. */
export interface StraightPath {
  readonly stores: Stores;
  /**
   * Moves a file into the drop folder of the utility's source and resolves when it is published and archived, and every block of
   * it is judged, in ClickHouse and in a saved checkpoint.
   */
  take(file: string, utility: string, source: string): Promise<void>;
  readonly config: Config;
  /** The notifier, where a mail server was given. */
  readonly notify: Stage | undefined;
  close(): Promise<void>;
}

export interface PathUtility {
  readonly id: string;
  readonly timeZone: string;
  /** Profile of each source by its id. */
  readonly sources: Readonly<Record<string, Profile>>;
  /** Those that the engine and the oracle can say in SQL by default. */
  readonly rules?: RuleName[];
}

/**
 * Configuration of a whole way in a folder.
 * @param mailPort of a mail server on this machine, for alerts at any hour; without one nobody is told anything
 */
export function pathConfig(
  folder: string,
  utilities: readonly PathUtility[],
  mailPort?: number,
): ConfigInput {
  return {
    dataDirectory: join(folder, "data"),
    web: { port: 0 },
    ...(mailPort === undefined ? {} : { smtp: { host: "127.0.0.1", port: mailPort } }),
    utilities: utilities.map(({ id, timeZone, sources, rules }): UtilityInput => ({
      id,
      timeZone,
      name: id,
      units: "L",
      detect: { rules: rules ?? ["continuous-flow", "spike"] },
      mail: {
        from: "alerts@bench.example",
        postalAddress: "1 Bench Road",
        privacy: "privacy@bench.example",
      },
      alerts: { live: mailPort !== undefined, sendFrom: "00:00", sendUntil: "00:00", stormPercent: 100 },
      sources: Object.entries(sources).map(([source, profile]) => ({
        id: source,
        folder: join(folder, "drop", id, source),
        format: "csv",
        // Files come by rename.
        complete: { by: "stability", seconds: 0 },
        profile,
      })),
    })),
  };
}

/**
 * @param folder of its own; the embedded servers, which drop root, must be able to reach it
 * @param mailPort as of `pathConfig`
 */
export async function openPath(
  folder: string,
  utilities: readonly PathUtility[],
  clock: Clock,
  mailPort?: number,
): Promise<StraightPath> {
  // JSON is YAML.
  const text = JSON.stringify(pathConfig(folder, utilities, mailPort));
  const settings = parseConfig(text, join(folder, "curbstop.yaml"), {});
  const logger = createLogger({ level: "silent" });
  const stores = await openStores(settings, { logger });
  const context = stageContext(stores, settings, clock, logger);
  const ingest = createIngest(context);
  const detect = createDetectBeside(context, stores, "silent");
  const notify = mailPort === undefined ? undefined : createNotify(context);
  const stages: Stage[] = [...(notify === undefined ? [] : [notify]), detect, ingest];
  const stop = async () => {
    for (const stage of stages) await stage.stop();
    await stores.close();
  };
  try {
    for (const stage of stages) await stage.start();
    await detect.drain();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    stores,
    config: settings.config,
    notify,
    async take(file, utility, source) {
      const drop = join(folder, "drop", utility, source);
      mkdirSync(drop, { recursive: true });
      renameSync(file, join(drop, basename(file)));
      await ingest.drain();
      await detect.drain();
    },
    close: stop,
  };
}
