import type { Queryable } from "../../infra/postgres/database.js";
import type { UtilityConfig } from "../../schemas/config.js";
import { finishErasures, type EraseContext } from "./erasure.js";

const DAY_MS = 86_400_000;

/**
 * Forgets what a utility keeps no longer (`retentionDays`), each class by its own clock. A STOP stays for ever, with the
 * keyed hash of the number.
 */
export async function forgetOld(
  context: EraseContext,
  { id, retentionDays }: Pick<UtilityConfig, "id" | "retentionDays">,
): Promise<void> {
  const { database, clock } = context;
  const now = clock.now();
  const before = (days: number) => new Date(now - days * DAY_MS);
  await forgetWords(database, id, before(retentionDays.texts));
  await forgetFormerCustomers(database, id, before(retentionDays.formerCustomers));
  if (await eraseUnconfirmed(database, id, before(retentionDays.unconfirmed), new Date(now)))
    await finishErasures(context);
  await database.transaction((transaction) =>
    forgetEvidence(transaction, id, before(retentionDays.evidence)),
  );
}

/** What residents wrote, once people have seen to it, and what held for their homes. */
async function forgetWords(database: Queryable, utility: string, before: Date): Promise<void> {
  await database.query(
    `DELETE FROM texts_received WHERE utility = $1 AND received_at < $2 AND (NOT for_people OR handled_at IS NOT NULL)`,
    [utility, before],
  );
  await database.query("DELETE FROM declarations WHERE utility = $1 AND until_at < $2", [utility, before]);
}

/** Names and addresses of customers none of whose accounts has had a home since. They come again with a file that has them. */
async function forgetFormerCustomers(database: Queryable, utility: string, before: Date): Promise<void> {
  await database.query(
    `UPDATE customers c SET name_sealed = NULL, email_sealed = NULL, phone_sealed = NULL,
       name_file = NULL, email_file = NULL, phone_file = NULL
     WHERE utility = $1 AND num_nonnulls(name_sealed, email_sealed, phone_sealed) > 0
       AND EXISTS (SELECT 1 FROM occupancies o WHERE o.account_id = c.account_id)
       AND NOT EXISTS (SELECT 1 FROM occupancies o WHERE o.account_id = c.account_id
         AND (o.valid_until IS NULL OR o.valid_until >= $2))`,
    [utility, before],
  );
}

/** Addresses that were asked and never said yes; that they were asked stays with the keyed hash. Returns whether there were any. */
async function eraseUnconfirmed(
  database: Queryable,
  utility: string,
  before: Date,
  now: Date,
): Promise<boolean> {
  const over = await database.query(
    `INSERT INTO erasures (utility, contact_id, asked_by, asked_at, due_at)
     SELECT utility, contact_id, 'retention', $3, $3 FROM contacts c
     WHERE utility = $1 AND verified_at IS NULL AND erased_at IS NULL AND created_at < $2
       AND NOT EXISTS (SELECT 1 FROM confirmations f WHERE f.contact_id = c.contact_id AND f.requested_at >= $2)
       AND NOT EXISTS (SELECT 1 FROM texts_received t WHERE t.contact_id = c.contact_id
         AND (t.received_at >= $2 OR (t.for_people AND t.handled_at IS NULL)))
     ON CONFLICT DO NOTHING RETURNING 1`,
    [utility, before, now],
  );
  return over.length > 0;
}

/**
 * The proof of consents that ended before a time, all steps of each at once, and the record of what was sent before it.
 * Contacts that nothing is left of go as well.
 */
async function forgetEvidence(transaction: Queryable, utility: string, before: Date): Promise<void> {
  const at = [utility, before];
  await transaction.query(
    `DELETE FROM outbox WHERE utility = $1 AND updated_at < $2
       AND state IN ('accepted', 'delivered', 'failed', 'suppressed', 'expired')`,
    at,
  );
  await transaction.query("DELETE FROM decisions WHERE utility = $1 AND last_at < $2", at);
  await transaction.query("DELETE FROM answers WHERE utility = $1 AND at < $2 AND mute_until < $2", at);
  await transaction.query(
    `DELETE FROM anomalies_seen s WHERE utility = $1 AND seen_at < $2
       AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.anomaly = s.anomaly)
       AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.anomaly = s.anomaly)`,
    at,
  );
  await transaction.query(
    `DELETE FROM confirmations f WHERE utility = $1 AND requested_at < $2 AND expires_at < $2
       AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.confirmation_id = f.confirmation_id)`,
    at,
  );
  const over = `WITH over AS (
      SELECT contact_id, occupancy_id, kind, channel FROM consents c
      WHERE contact_id IN (SELECT contact_id FROM consents WHERE utility = $1 AND at < $2)
      GROUP BY contact_id, occupancy_id, kind, channel
      HAVING max(at) < $2 AND NOT EXISTS (SELECT 1 FROM active_consents a WHERE a.contact_id = c.contact_id
        AND a.occupancy_id = c.occupancy_id AND a.kind = c.kind AND a.channel = c.channel))`;
  const forgotten = await transaction.query(
    `${over} INSERT INTO consents_forgotten (utility, place, chain)
     SELECT utility, place, chain FROM consents JOIN over USING (contact_id, occupancy_id, kind, channel)
     ON CONFLICT DO NOTHING RETURNING 1`,
    at,
  );
  if (forgotten.length > 0)
    await transaction.query(
      `DELETE FROM consents c USING consents_forgotten f
       WHERE f.utility = $1 AND c.utility = f.utility AND c.place = f.place`,
      [utility],
    );
  await transaction.query("DELETE FROM mailed_codes WHERE utility = $1 AND expires_at < $2", at);
  await transaction.query("DELETE FROM privacy_log WHERE utility = $1 AND at < $2", at);
  await transaction.query("DELETE FROM erasures WHERE utility = $1 AND key_gone_at < $2", at);
  await transaction.query("DELETE FROM erasure_holds WHERE utility = $1 AND lifted_at < $2", at);
  await transaction.query(
    `DELETE FROM contacts c WHERE utility = $1 AND erased_at < $2
       AND NOT EXISTS (SELECT 1 FROM consents x WHERE x.contact_id = c.contact_id)
       AND NOT EXISTS (SELECT 1 FROM confirmations x WHERE x.contact_id = c.contact_id)
       AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.contact_id = c.contact_id)
       AND NOT EXISTS (SELECT 1 FROM decisions x WHERE x.contact_id = c.contact_id)
       AND NOT EXISTS (SELECT 1 FROM answers x WHERE x.contact_id = c.contact_id)
       AND NOT EXISTS (SELECT 1 FROM texts_received x WHERE x.contact_id = c.contact_id)
       AND NOT EXISTS (SELECT 1 FROM declarations x WHERE x.contact_id = c.contact_id)
       AND NOT EXISTS (SELECT 1 FROM privacy_log x WHERE x.contact_id = c.contact_id)
       AND NOT EXISTS (SELECT 1 FROM erasures x WHERE x.contact_id = c.contact_id)
       AND NOT EXISTS (SELECT 1 FROM erasure_holds x WHERE x.contact_id = c.contact_id)`,
    at,
  );
}
