import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../infra/clock.js";
import type { Logger } from "../../infra/logger.js";
import { isDatabaseUnavailable, type Database, type Queryable } from "../../infra/postgres/database.js";
import { Rounds } from "../../infra/rounds.js";
import type { Config } from "../../schemas/config.js";
import { composeMail, createSmtpTransport, type MailTransport } from "../channels/email.js";
import { feedAlarmLetter, type FeedAlarm } from "./feed-alarm-letter.js";

export interface OperatorMailContext {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes the mails instead of the configured mail server. */
  readonly transport?: MailTransport;
}

const POLL_MS = 5_000;
/** Until a mail that was not taken is tried again. */
const REST_MS = 60_000;
/** An alarm that ended longer ago is told no more. */
const OLD_NEWS_MS = 86_400_000;
const STOP_PATIENCE_MS = 5_000;

/**
 * Tells `operator.mail` when an alarm of a feed opens and when it ends. Several processes may run it: a row of
 * `feed_alarms` is locked while its mail goes out. A mail whose fate is unknown goes out again under the same Message-ID.
 */
export class OperatorMail {
  readonly #context: OperatorMailContext;
  readonly #to: string;
  readonly #transport: MailTransport;
  readonly #rounds = new Rounds(() => this.#round(), POLL_MS);
  /** Until when (`performance.now()`) nothing is tried, after a mail that was not taken. */
  #rests: number | undefined;

  /** `undefined` where there is nobody to tell, or no mail server. */
  static start(context: OperatorMailContext): OperatorMail | undefined {
    const { operator, smtp } = context.config;
    const transport = context.transport ?? (smtp === undefined ? undefined : createSmtpTransport(smtp));
    return operator === undefined || transport === undefined
      ? undefined
      : new OperatorMail(context, operator.mail, transport);
  }

  private constructor(context: OperatorMailContext, to: string, transport: MailTransport) {
    this.#context = context;
    this.#to = to;
    this.#transport = transport;
  }

  get finished(): Promise<void> {
    return this.#rounds.finished;
  }

  /** Resolves when everything that was to be told at the call was told, or could not be. */
  drained(): Promise<void> {
    return this.#rounds.drained();
  }

  async stop(): Promise<void> {
    await Promise.race([this.#rounds.stop(), sleep(STOP_PATIENCE_MS, undefined, { ref: false })]);
    await this.#transport.close();
  }

  async #round(): Promise<void> {
    if (this.#rests !== undefined && performance.now() < this.#rests) return;
    this.#rests = (await this.#tellAll()) ? undefined : performance.now() + REST_MS;
  }

  /** Returns whether all was told; not where the mail server or the database is away. */
  async #tellAll(): Promise<boolean> {
    while (!this.#rounds.stopping) {
      const outcome = await this.#tellOne().catch((error: unknown) => {
        if (isDatabaseUnavailable(error)) return "not-taken";
        throw error;
      });
      if (outcome !== "told") return outcome === "nothing";
    }
    return true;
  }

  #tellOne(): Promise<"told" | "nothing" | "not-taken"> {
    const { database, config, clock, logger } = this.#context;
    return database.transaction(async (transaction) => {
      const alarm = await untold(transaction, new Date(clock.now() - OLD_NEWS_MS));
      if (alarm === undefined) return "nothing";
      const ended = alarm.opened_told_at !== null;
      const fields = { utility: alarm.utility, source: alarm.source, code: alarm.kind };
      const utility = config.utilities.find(({ id }) => id === alarm.utility);
      if (utility !== undefined) {
        const { from } = utility.mail;
        const id = `feed-alarm-${alarm.feed_alarm}-${ended ? "ended" : "opened"}`;
        const letter = feedAlarmLetter(alarm, utility, ended);
        const bytes = await composeMail({ id, utility, address: this.#to, letter });
        const outcome = await this.#transport.send({ from, to: this.#to, bytes });
        if (outcome.status === "refused" && outcome.permanent)
          logger.error("mail to the operator refused", { ...fields, reason: outcome.code });
        else if (outcome.status !== "accepted") {
          logger.warn("mail to the operator not taken", { ...fields, reason: outcome.code });
          return "not-taken";
        } else logger.info("operator told of a feed alarm", fields);
      }
      await transaction.query(
        `UPDATE feed_alarms SET ${ended ? "closed_told_at" : "opened_told_at"} = $2 WHERE feed_alarm = $1`,
        [alarm.feed_alarm, new Date(clock.now())],
      );
      return "told";
    });
  }
}

async function untold(transaction: Queryable, closedAfter: Date): Promise<FeedAlarm | undefined> {
  const [alarm] = await transaction.query<FeedAlarm>(
    `SELECT * FROM feed_alarms
     WHERE (opened_told_at IS NULL OR (closed_at IS NOT NULL AND closed_told_at IS NULL))
       AND (closed_at IS NULL OR closed_at > $1)
     ORDER BY feed_alarm LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [closedAfter],
  );
  return alarm;
}
