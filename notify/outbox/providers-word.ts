import type { Queryable } from "../../infra/postgres/database.js";
import type { DeliveryFault } from "../channels/channel.js";
import { revokeConsents } from "../consent/subscription.js";
import { suppress } from "../consent/suppression.js";
import { pauseWhereFiltered } from "./pause.js";

/** So many messages in a row that the provider could not bring: then the number gets no more. */
const MOST_UNREACHED = 3;

/** What the provider says of an address is as good as the resident's word: it gets no more. `code` is the provider's. */
export async function takeProvidersWord(
  transaction: Queryable,
  contact: string,
  { fault, code }: { readonly fault: DeliveryFault; readonly code: string },
  now: Date,
): Promise<void> {
  if (fault === "filtered") return pauseWhereFiltered(transaction, contact, code, now);
  if (fault === "unreachable") {
    const last = await transaction.query<{ state: string }>(
      // Of a mail nobody says that it arrived: what did not come back did.
      `SELECT state FROM outbox WHERE contact_id = $1 AND (state IN ('delivered', 'failed')
         OR (channel = 'email' AND state = 'accepted')) ORDER BY updated_at DESC LIMIT $2`,
      [contact, MOST_UNREACHED],
    );
    if (last.length < MOST_UNREACHED || last.some(({ state }) => state !== "failed")) return;
  }
  if (fault !== "stopped") await tellByMail(transaction, contact, now);
  await suppress(transaction, contact, fault === "stopped" ? "provider-stop" : "unreachable", now);
  await revokeConsents(transaction, { contact, method: "provider", now });
}

/** Who gets mails about a home whose texts end now is told so: else nobody would know that what came by text alone is not told any more. */
async function tellByMail(transaction: Queryable, contact: string, now: Date): Promise<void> {
  await transaction.query(
    `INSERT INTO outbox (utility, kind, contact_id, occupancy_id, channel, state, not_before, created_at, updated_at)
     SELECT DISTINCT ON (mail.contact_id) mail.utility, 'notice', mail.contact_id, mail.occupancy_id, 'email', 'queued', $2, $2, $2
     FROM active_consents text JOIN active_consents mail ON mail.occupancy_id = text.occupancy_id AND mail.channel = 'email'
     WHERE text.contact_id = $1 AND text.channel = 'sms' ORDER BY mail.contact_id, mail.occupancy_id`,
    [contact, now],
  );
}
