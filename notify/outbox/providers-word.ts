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
  await suppress(transaction, contact, fault === "stopped" ? "provider-stop" : "unreachable", now);
  await revokeConsents(transaction, { contact, method: "provider", now });
}
