import { open, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { errorFields } from "../../infra/logger.js";
import { isDatabaseUnavailable } from "../../infra/postgres/database.js";
import type { StageContext } from "../../infra/stage.js";
import { Rounds } from "../../infra/rounds.js";
import { domainOf, type UtilityConfig } from "../../schemas/config.js";
import { takeStatus } from "../outbox/take-status.js";
import { readBounce } from "./read-bounce.js";

const POLL_MS = 10_000;
/** Reports are small; of a mail that came back whole this holds all that is read. */
const MOST_BYTES = 1024 * 1024;

type BounceContext = Pick<StageContext, "config" | "database" | "clock" | "logger" | "metrics">;

/**
 * Reads what comes back to `mail.bounces.address` out of the Maildir into which the mail server puts it: each mail of
 * `new` once, then it lies in `cur`. Several processes may look into one folder.
 */
export class BounceFolders {
  readonly #context: BounceContext;
  readonly #rounds = new Rounds(() => this.#lookAll(), POLL_MS);
  #complaint = "";

  /** `undefined` where no utility has such a folder. */
  static start(context: BounceContext): BounceFolders | undefined {
    return context.config.utilities.some(({ mail }) => mail.bounces !== undefined)
      ? new BounceFolders(context)
      : undefined;
  }

  private constructor(context: BounceContext) {
    this.#context = context;
  }

  get finished(): Promise<void> {
    return this.#rounds.finished;
  }

  /** Resolves when every mail that lay there at the call was read, or could not be. */
  drained(): Promise<void> {
    return this.#rounds.drained();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #lookAll(): Promise<void> {
    for (const utility of this.#context.config.utilities) {
      try {
        await this.#look(utility);
      } catch (error) {
        // The mails stay in `new` until they can be read.
        this.#complain(utility.id, error);
      }
    }
  }

  /** Once, until it is another complaint. */
  #complain(utility: string, error: unknown): void {
    const { message } = error as Error;
    if (isDatabaseUnavailable(error) || this.#complaint === message) return;
    this.#complaint = message;
    this.#context.logger.error("returned mail can't be read", { utility, ...errorFields(error) });
  }

  async #look(utility: UtilityConfig): Promise<void> {
    const { bounces } = utility.mail;
    if (bounces === undefined) return;
    const fresh = join(bounces.folder, "new");
    for (const name of (await readdir(fresh)).sort()) {
      if (this.#rounds.stopping) return;
      if (name.startsWith(".")) continue;
      const raw = await head(join(fresh, name));
      if (raw === undefined) continue;
      await this.#take(utility, raw);
      await rename(join(fresh, name), join(bounces.folder, "cur", `${name}:2,S`)).catch(ignoreMissing);
    }
  }

  async #take(utility: UtilityConfig, raw: Buffer): Promise<void> {
    const { logger, metrics } = this.#context;
    const { from } = utility.mail;
    const bounce = await readBounce(raw, domainOf(from)).catch(() => undefined);
    let kind = "other";
    if (bounce !== undefined) {
      const { code, fault, outboxId } = bounce;
      const status = bounce.kind === "complaint" ? "delivered" : "failed";
      const report = { status, code, ...(fault === undefined ? {} : { fault }) } as const;
      if (await takeStatus(this.#context, { utility: utility.id, outboxId, channel: "email" }, report)) {
        ({ kind } = bounce);
        logger.info("mail came back", { utility: utility.id, outbox: outboxId, code });
      }
    }
    metrics.returnedMail.inc({ utility: utility.id, kind });
  }
}

/** The beginning of a file; `undefined` where another process took it. */
async function head(path: string): Promise<Buffer | undefined> {
  const file = await open(path).catch(ignoreMissing);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}
