import type { Database, Queryable } from "../../infra/postgres/database.js";

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

/** Pauses the mails of a utility where too many came back, or were called spam, within a day. */
export async function pauseWhereUnwelcome(transaction: Queryable, utility: string, now: Date): Promise<void> {
  const [day] = await transaction.query<{ sent: number; bounces: number; complaints: number }>(
    `SELECT count(*) AS sent, count(*) FILTER (WHERE state = 'failed') AS bounces,
            count(*) FILTER (WHERE reason = 'complaint') AS complaints
     FROM outbox WHERE utility = $1 AND channel = 'email' AND accepted_at > $2`,
    [utility, new Date(now.getTime() - 24 * HOUR_MS)],
  );
  for (const reason of ["bounces", "complaints"] as const) {
    const { share, least } = UNWELCOME[reason];
    if (day![reason] < least || day![reason] < share * day!.sent) continue;
    await transaction.query(
      "INSERT INTO channel_pauses (utility, channel, reason, at) VALUES ($1, 'email', $2, $3) ON CONFLICT DO NOTHING",
      [utility, reason, now],
    );
  }
}

/** A channel that sends nothing but the answer to a STOP. */
export interface Pause {
  readonly utility: string;
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
