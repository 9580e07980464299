import type { Database, Queryable } from "../../infra/postgres/database.js";
import { CONSENT_CHANNELS } from "../consent/wording.js";

/** So many messages that carriers filtered within an hour: more of the same would cost the number its name. */
const MOST_FILTERED = 3;
const HOUR_MS = 3_600_000;

/** Pauses the channel of the contact's utility where carriers filter it, as `code` of the provider says. */
export async function pauseWhereFiltered(
  transaction: Queryable,
  contact: string,
  code: string,
  now: Date,
): Promise<void> {
  await transaction.query(
    `INSERT INTO channel_pauses (utility, channel, reason, at)
     SELECT c.utility, c.channel, $2, $3 FROM contacts c
     WHERE c.contact_id = $1 AND $4 <= (
       SELECT count(*) FROM outbox o WHERE o.utility = c.utility AND o.channel = c.channel AND o.state = 'failed'
         AND o.reason = $2 AND o.updated_at > $5)
     ON CONFLICT DO NOTHING`,
    [contact, code, now, MOST_FILTERED, new Date(now.getTime() - HOUR_MS)],
  );
}

/**
 * Of the mails of a day so many may come back, or be called spam, before mailbox providers take the sender for one: half of
 * the 10 % and 0.5 % at which Amazon SES stops a sender. Below these numbers a share says nothing.
 */
const UNWELCOME = {
  bounces: { share: 0.05, least: 10 },
  complaints: { share: 0.0025, least: 3 },
} as const;

/** What a utility writes itself, as if it were a channel: it is paused apart from the alerts by mail. */
export const NOTICES = "notices";

/**
 * Pauses the mails of a utility where too many came back, or were called spam, within a day: a newsletter that nobody
 * wants holds back the next one, and no alert.
 */
export async function pauseWhereUnwelcome(transaction: Queryable, utility: string, now: Date): Promise<void> {
  const days = await transaction.query<{ what: string; sent: number; bounces: number; complaints: number }>(
    `SELECT CASE WHEN notice_id IS NULL THEN 'email' ELSE $3 END AS what, count(*) AS sent,
            count(*) FILTER (WHERE state = 'failed') AS bounces, count(*) FILTER (WHERE reason = 'complaint') AS complaints
     FROM outbox WHERE utility = $1 AND channel = 'email' AND accepted_at > $2 GROUP BY 1`,
    [utility, new Date(now.getTime() - 24 * HOUR_MS), NOTICES],
  );
  for (const { what, sent, ...came } of days) {
    for (const reason of ["bounces", "complaints"] as const) {
      const { share, least } = UNWELCOME[reason];
      if (came[reason] < least || came[reason] < share * sent) continue;
      await transaction.query(
        "INSERT INTO channel_pauses (utility, channel, reason, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [utility, what, reason, now],
      );
    }
  }
}

/** Fewer alerts of an hour than this are no storm, however small the utility is. */
const STORM_LEAST = 50;
/** Reason of a pause that holds back what is said of anomalies, and nothing else. */
export const STORM = "storm";

/**
 * Holds a utility's alerts back where far more are due within an hour than leaks begin in one: a feed in another unit or
 * zone looks like this. Nobody is told before somebody has looked; what waits is judged again when it goes.
 * @param percent of the addresses that signed up
 * @returns how many alerts the hour had, where they are held back from now on
 */
export async function holdStorm(
  transaction: Queryable,
  utility: string,
  percent: number,
  now: Date,
): Promise<number | undefined> {
  if (percent >= 100) return undefined;
  // One at a time, to the end of its transaction: of two that decide side by side neither sees the other's alerts.
  await transaction.query("SELECT pg_advisory_xact_lock(hashtext($1))", [`storm/${utility}`]);
  const [hour] = await transaction.query<{ alerts: number; paused: boolean }>(
    `SELECT count(*) AS alerts,
       EXISTS (SELECT 1 FROM channel_pauses WHERE utility = $1 AND reason = $3 AND ended_at IS NULL) AS paused
     FROM outbox WHERE utility = $1 AND kind = 'alert' AND created_at <= $4 AND created_at > greatest($2,
       (SELECT max(ended_at) FROM channel_pauses WHERE utility = $1 AND reason = $3))`,
    [utility, new Date(now.getTime() - HOUR_MS), STORM, now],
  );
  const { alerts, paused } = hour!;
  if (paused || alerts < STORM_LEAST) return undefined;
  const [known] = await transaction.query<{ addresses: number }>(
    "SELECT count(*) AS addresses FROM contacts WHERE utility = $1 AND verified_at IS NOT NULL AND erased_at IS NULL",
    [utility],
  );
  if (alerts <= (known!.addresses * percent) / 100) return undefined;
  await transaction.query(
    `INSERT INTO channel_pauses (utility, channel, reason, at)
     SELECT $1, channel, $2, $3 FROM unnest($4::text[]) AS channel ON CONFLICT DO NOTHING`,
    [utility, STORM, now, CONSENT_CHANNELS],
  );
  return alerts;
}

/** A channel that sends nothing but the answer to a STOP; in a storm nothing but what is no news of water. */
export interface Pause {
  readonly utility: string;
  /** A channel, or `notices`. */
  readonly channel: string;
  readonly reason: string;
  readonly at: Date;
}

export function pausesOf(database: Queryable): Promise<Pause[]> {
  return database.query<Pause>(
    "SELECT utility, channel, reason, at FROM channel_pauses WHERE ended_at IS NULL ORDER BY at",
  );
}

/** Somebody has looked: the utility's channels send again. Returns how many did not. */
export async function resumeChannels(database: Database, utility: string, now: Date): Promise<number> {
  const ended = await database.query(
    "UPDATE channel_pauses SET ended_at = $2 WHERE utility = $1 AND ended_at IS NULL RETURNING 1",
    [utility, now],
  );
  return ended.length;
}
