import type { Queryable } from "../../infra/postgres/database.js";
import type { StatusReport } from "../channels/channel.js";
import { lockContact } from "../consent/contact.js";
import { MAILINGS } from "../../schemas/config.js";
import { revokeConsents, type ConsentStores } from "../consent/subscription.js";
import { takeProvidersWord } from "./providers-word.js";
import type { ConsentChannel } from "../consent/wording.js";
import { pauseWhereUnwelcome } from "./pause.js";

/**
 * Takes in what the provider says later of a message. Words only count upwards: one that comes late changes nothing.
 * @returns whether the message is one of ours
 */
export async function takeStatus(
  { database, clock }: Pick<ConsentStores, "database" | "clock">,
  of: { readonly utility: string; readonly outboxId: string; readonly channel: ConsentChannel },
  report: StatusReport,
): Promise<boolean> {
  const { utility, outboxId, channel } = of;
  const now = new Date(clock.now());
  return database.of(utility).transaction(async (transaction) => {
    const [message] = await transaction.query<{ contact_id: string; is_mailing: boolean }>(
      "SELECT contact_id, kind = 'mailing' AS is_mailing FROM outbox WHERE outbox_id = $1 AND utility = $2 AND channel = $3",
      [outboxId, utility, channel],
    );
    if (message === undefined) return false;
    // The contact first, as whoever takes in a stop: else each could wait for the other.
    await lockContact(transaction, message.contact_id);
    const [row] = await transaction.query<{
      contact_id: string;
      provider_id: string | null;
      agreed_since: boolean;
    }>(
      `SELECT contact_id, provider_id, EXISTS (SELECT 1 FROM consents c WHERE c.contact_id = o.contact_id
         AND c.action = 'confirm' AND c.at > o.handed_at) AS agreed_since
       FROM outbox o WHERE outbox_id = $1 FOR UPDATE`,
      [outboxId],
    );
    const { providerId = null } = report;
    if (row === undefined || (row.provider_id !== null && row.provider_id !== providerId)) return false;
    await transaction.query(
      `UPDATE outbox SET provider_id = $2, state = $3, reason = $4, updated_at = $5,
         accepted_at = coalesce(accepted_at, $5), told = CASE WHEN $3 = 'failed' THEN NULL ELSE told END,
         owner = NULL, lease_until = NULL
       WHERE (outbox_id = $1 OR digest_of = $1) AND (state IN ('sending', 'unknown') OR (state = 'accepted' AND $3 <> 'accepted'))`,
      [outboxId, providerId, report.status, report.code ?? null, now],
    );
    if (report.again === true) await tryAgain(transaction, outboxId, now);
    const { fault, code = "" } = report;
    // A message of days ago may come back now: who has agreed anew since can be reached. A complaint is of today.
    const outdated = row.agreed_since && (fault === "unusable" || fault === "unreachable");
    // Who calls a newsletter spam wants no more of them: that is no word about leaks.
    if (fault === "stopped" && message.is_mailing)
      await revokeConsents(transaction, {
        contact: row.contact_id,
        method: "provider",
        now,
        kinds: MAILINGS,
      });
    else if (fault !== undefined && !outdated)
      await takeProvidersWord(transaction, row.contact_id, { fault, code }, now);
    if (channel === "email") await pauseWhereUnwelcome(transaction, utility, now);
    return true;
  });
}

/** Where nobody was there: so often, with such a pause. */
const MOST_TRIES = 3;
const AGAIN_MS = 30 * 60_000;

/** A call that nobody took is made again, as often as one bears; the consent and all else is judged anew then. */
async function tryAgain(transaction: Queryable, outboxId: string, now: Date): Promise<void> {
  await transaction.query(
    `UPDATE outbox SET state = 'queued', not_before = $2, accepted_at = NULL, provider_id = NULL, handed_at = NULL
     WHERE outbox_id = $1 AND state = 'failed' AND attempts < $3`,
    [outboxId, new Date(now.getTime() + AGAIN_MS), MOST_TRIES],
  );
}
