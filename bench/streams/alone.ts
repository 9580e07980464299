import { createDetect } from "../../detect/index.js";
import { systemClock } from "../../infra/clock.js";
import { loadConfig } from "../../infra/config/load-config.js";
import { createLogger } from "../../infra/logger.js";
import { openStores, stageContext } from "../../infra/stores.js";

/*
 * The detector as `curbstop detect` runs it, but for its rows of reads, which are made and not sent: what it is compared with
 * stores no reads either. Anomalies, checkpoints and the log are as they are there. Ends with a SIGTERM.
 */
const settings = loadConfig(process.argv[2]!);
const logger = createLogger({ level: "error" });
const stores = await openStores(settings, { logger, share: true });
const { clickhouse } = stores;
const detect = createDetect({
  ...stageContext(stores, settings, systemClock, logger),
  clickhouse: {
    ...clickhouse,
    insertNative: (statement, block) =>
      statement.startsWith("INSERT INTO curbstop.anomalies ")
        ? clickhouse.insertNative(statement, block)
        : Promise.resolve(),
  },
});
process.once("SIGTERM", () => void end());
await detect.start();

async function end(): Promise<void> {
  await detect.stop();
  await stores.close();
}
