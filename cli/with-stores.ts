import type { Settings } from "../infra/config/load-config.js";
import { createLogger, type Logger } from "../infra/logger.js";
import { openStores, type Stores } from "../infra/stores.js";

/** Opens the stores for one look, of the running process where there is one. */
export async function withStores<T>(
  settings: Settings,
  work: (stores: Stores, logger: Logger) => Promise<T>,
  logLevel: "warn" | "silent" = "warn",
): Promise<T> {
  const logger = createLogger({ level: settings.environment.CURBSTOP_LOG_LEVEL ?? logLevel });
  const stores = await openStores(settings, { logger, share: true });
  try {
    return await work(stores, logger);
  } finally {
    await stores.close();
  }
}
