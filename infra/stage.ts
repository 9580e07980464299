import type { Config } from "../schemas/config.js";
import type { Clock } from "./clock.js";
import type { Vault } from "./crypto/vault.js";
import type { Log } from "./log/log.js";
import type { Logger } from "./logger.js";
import type { Metrics } from "./metrics.js";
import type { Database } from "./postgres/database.js";

/** What every stage is built from. A stage that needs more names it in its own options. */
export interface StageContext {
  readonly config: Config;
  readonly database: Database;
  readonly log: Log;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface StageHealth {
  /** The stage's loop runs. */
  readonly live: boolean;
  /** It does its work now; otherwise `reason` says what it waits for. */
  readonly ready: boolean;
  readonly reason?: string;
}

/** A part of the way that runs alone or beside the others, with the same code. */
export interface Stage {
  readonly name: "ingest" | "pull" | "watch" | "detect" | "notify" | "web";
  start(): Promise<void>;
  /** Resolves when everything that lay before the stage at the time of the call is done (not for `web`: at once). */
  drain(): Promise<void>;
  /** Finishes or abandons the work in hand within seconds, then resolves. */
  stop(): Promise<void>;
  health(): StageHealth;
  /** Resolves after `stop`; rejects when the stage can't go on. */
  readonly finished: Promise<void>;
}
