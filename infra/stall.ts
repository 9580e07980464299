import { setTimeout as sleep } from "node:timers/promises";
import { errorFields, type Logger } from "./logger.js";

export interface StallOptions {
  /** Name of the store, for the log and the health page. */
  readonly store: string;
  readonly isUnavailable: (error: unknown) => boolean;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Told the store's name when the work begins to wait, `undefined` when it goes on. */
  readonly onStall: (store: string | undefined) => void;
}

const LONGEST_PAUSE_MS = 5_000;

/**
 * Does `work`, again and again while its store can't be used: an infrastructure fault is never a data fault. Other
 * errors are thrown; so is the signal's reason once it aborts.
 */
export async function stalling<T>(work: () => Promise<T>, options: StallOptions): Promise<T> {
  let stalled = false;
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await work();
      if (stalled) {
        options.onStall(undefined);
        options.logger.info("store answers again", { server: options.store, attempt });
      }
      return result;
    } catch (error) {
      if (!options.isUnavailable(error) || options.signal.aborted) throw error;
      if (!stalled) {
        stalled = true;
        options.onStall(options.store);
        options.logger.warn("store can't be used, waiting", { server: options.store, ...errorFields(error) });
      }
      await sleep(Math.min(LONGEST_PAUSE_MS, 50 * 2 ** attempt), undefined, { signal: options.signal });
    }
  }
}
