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
