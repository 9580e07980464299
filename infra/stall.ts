import { setMaxListeners } from "node:events";
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
/** A store that says nothing for so long is told as one that can't be used, though the answer may still come. */
const SILENT_MS = 5_000;

/**
 * Does `work`, again and again while its store can't be used: an infrastructure fault is never a data fault. Other
 * errors are thrown; so is the signal's reason once it aborts, be the work ended or not.
 */
export async function stalling<T>(work: () => Promise<T>, options: StallOptions): Promise<T> {
  const { store, signal, logger, onStall } = options;
  const waiting: { told: boolean } = { told: false };
  // Many calls wait on one signal.
  setMaxListeners(0, signal);
  const stall = (error?: unknown) => {
    if (waiting.told) return;
    waiting.told = true;
    onStall(store);
    const fields = error === undefined ? {} : errorFields(error);
    logger.warn("store can't be used, waiting", { server: store, ...fields });
  };
  try {
    for (let attempt = 0; ; attempt++) {
      const silent = setTimeout(stall, SILENT_MS);
      try {
        const result = await unlessAborted(work(), signal);
        if (waiting.told) logger.info("store answers again", { server: store, attempt });
        return result;
      } catch (error) {
        if (signal.aborted || !options.isUnavailable(error)) throw error;
        stall(error);
      } finally {
        clearTimeout(silent);
      }
      await sleep(Math.min(LONGEST_PAUSE_MS, 50 * 2 ** attempt), undefined, { signal });
    }
  } finally {
    if (waiting.told) onStall(undefined);
  }
}

/** What the work comes to, or the signal's reason once it aborts. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort!);
  }
}
