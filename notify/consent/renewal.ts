import type { UtilityConfig } from "../../schemas/config.js";
import type { OwnHours, SendingHours } from "../outbox/sending-hours.js";
import { lockContact } from "./contact.js";
import { askToConfirm, type ConsentStores } from "./subscription.js";
import { CONSENT_KINDS, reaches, type ConsentChannel, type ConsentKind } from "./wording.js";
import type { Language } from "../words/index.js";

const ANSWER_HOURS = 30 * 24;
/** Contacts asked in one round, so that those who signed up together are not all written to at once. */
const MOST_AT_ONCE = 1000;

/**
 * Asks those anew whose consents are `alerts.renewAfterMonths` old, in today's words, and ends what 30 days brought no
 * answer to. A question that never went out ends nothing.
 */
export async function renewConsents(
  stores: Pick<ConsentStores, "database" | "clock">,
  utility: UtilityConfig,
  hours: SendingHours,
): Promise<void> {
  const { renewAfterMonths } = utility.alerts;
  if (renewAfterMonths === 0 || !utility.alerts.live) return;
  await endUnanswered(stores, utility.id);
  await askAgain(stores, utility, hours, renewAfterMonths);
}

async function askAgain(
  { database, clock }: Pick<ConsentStores, "database" | "clock">,
  utility: UtilityConfig,
  hours: SendingHours,
  months: number,
): Promise<void> {
  const now = new Date(clock.now());
  const due = await database.query<
    OwnHours & {
      contact_id: string;
      channel: ConsentChannel;
      language: Language;
      occupancies: number[];
      kinds: ConsentKind[];
    }
  >(
    `SELECT a.contact_id, c.channel, c.language, c.send_from, c.send_until, c.time_zone,
       array_agg(DISTINCT a.occupancy_id) AS occupancies, array_agg(DISTINCT a.kind) AS kinds
     FROM active_consents a JOIN contacts c USING (contact_id)
     WHERE a.utility = $1 AND c.erased_at IS NULL AND a.at < $2::timestamptz - make_interval(months => $3)
       AND NOT EXISTS (SELECT 1 FROM confirmations f WHERE f.contact_id = a.contact_id AND f.method = 'renewal' AND f.requested_at > a.at
         AND (f.expires_at > $2 OR EXISTS (SELECT 1 FROM outbox o WHERE o.confirmation_id = f.confirmation_id AND o.accepted_at IS NOT NULL)))
     GROUP BY a.contact_id, c.channel, c.language, c.send_from, c.send_until, c.time_zone
     ORDER BY min(a.at), a.contact_id LIMIT ${MOST_AT_ONCE}`,
    [utility.id, now, months],
  );
  for (const { contact_id, channel, language, occupancies, kinds, ...own } of due) {
    if (!reaches(utility, channel)) continue;
    await database.transaction(async (transaction) => {
      if (!(await lockContact(transaction, contact_id))) return;
      // Another process may have asked meanwhile.
      const asked = await transaction.query(
        "SELECT 1 FROM confirmations WHERE contact_id = $1 AND method = 'renewal' AND requested_at > $2",
        [contact_id, new Date(now.getTime() - ANSWER_HOURS * 3_600_000)],
      );
      if (asked.length > 0) return;
      await askToConfirm(
        transaction,
        {
          ...{ utility, contact: contact_id, channel, occupancies, language, method: "renewal" },
          kinds: CONSENT_KINDS.filter((kind) => kinds.includes(kind)),
          hours: ANSWER_HOURS,
          notBefore: new Date(hours.within(own).next(now.getTime())),
          evidence: null,
        },
        now,
      );
    });
  }
}

async function endUnanswered(
  { database, clock }: Pick<ConsentStores, "database" | "clock">,
  utility: string,
): Promise<void> {
  const now = new Date(clock.now());
  const unanswered = await database.query<{ contact_id: string }>(
    `SELECT DISTINCT f.contact_id FROM confirmations f JOIN outbox o USING (confirmation_id)
     JOIN active_consents a ON a.contact_id = f.contact_id AND a.at < f.requested_at
     WHERE f.utility = $1 AND f.method = 'renewal' AND f.confirmed_at IS NULL AND f.expires_at <= $2
       AND o.state IN ('accepted', 'delivered')`,
    [utility, now],
  );
  for (const { contact_id } of unanswered) {
    await database.transaction(async (transaction) => {
      await lockContact(transaction, contact_id);
      await transaction.query(
        `INSERT INTO consents (utility, contact_id, occupancy_id, kind, channel, action, method, language, text_version, text_hash, at)
         SELECT utility, contact_id, occupancy_id, kind, channel, 'end', 'not-renewed', language, text_version, text_hash, $2
         FROM active_consents a WHERE contact_id = $1 AND EXISTS (
           SELECT 1 FROM confirmations f JOIN outbox o USING (confirmation_id)
           WHERE f.contact_id = a.contact_id AND f.method = 'renewal' AND f.confirmed_at IS NULL AND f.expires_at <= $2
             AND f.requested_at > a.at AND o.state IN ('accepted', 'delivered'))`,
        [contact_id, now],
      );
    });
  }
}
