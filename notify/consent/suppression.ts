import type { Queryable } from "../../infra/postgres/database.js";
import type { DeliveryFault } from "../channels/channel.js";
import { pauseWhereFiltered } from "../outbox/pause.js";
import { revokeConsents } from "./subscription.js";

/** So many messages in a row that the provider could not bring: then the number gets no more. */
const MOST_UNREACHED = 3;

/** Puts the contact's address on the list; returns since when it stood there already. */
export async function suppress(
  transaction: Queryable,
  contact: string,
  reason: "stop" | "provider-stop" | "unreachable",
  now: Date,
): Promise<Date | undefined> {
  const [known] = await transaction.query<{ at: Date }>(
    `SELECT s.at FROM suppressions s JOIN contacts c USING (utility, channel, address_hash)
     WHERE c.contact_id = $1 AND s.ended_at IS NULL`,
    [contact],
  );
  if (known !== undefined) return known.at;
  await transaction.query(
    `INSERT INTO suppressions (utility, channel, address_hash, reason, at)
     SELECT utility, channel, address_hash, $2, $3 FROM contacts WHERE contact_id = $1`,
    [contact, reason, now],
  );
  return undefined;
}

/** Takes the contact's address from the list; returns since when it stood there. */
export async function endSuppression(
  transaction: Queryable,
  contact: string,
  now: Date,
): Promise<Date | undefined> {
  const [ended] = await transaction.query<{ at: Date }>(
    `UPDATE suppressions s SET ended_at = $2 FROM contacts c
     WHERE c.contact_id = $1 AND s.utility = c.utility AND s.channel = c.channel AND s.address_hash = c.address_hash
       AND s.ended_at IS NULL RETURNING s.at`,
    [contact, now],
  );
  return ended?.at;
}

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
      `SELECT state FROM outbox WHERE contact_id = $1 AND state IN ('delivered', 'failed')
       ORDER BY updated_at DESC LIMIT $2`,
      [contact, MOST_UNREACHED],
    );
    if (last.length < MOST_UNREACHED || last.some(({ state }) => state === "delivered")) return;
  }
  await suppress(transaction, contact, fault === "stopped" ? "provider-stop" : "unreachable", now);
  await revokeConsents(transaction, { contact, method: "provider", now });
}
