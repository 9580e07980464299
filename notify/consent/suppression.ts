import type { Queryable } from "../../infra/postgres/database.js";

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

/**
 * Takes the contact's address from the list; returns since when it stood there.
 * @param reason where it stands there for another one, it stays
 */
export async function endSuppression(
  transaction: Queryable,
  contact: string,
  now: Date,
  reason?: "unreachable",
): Promise<Date | undefined> {
  const [ended] = await transaction.query<{ at: Date }>(
    `UPDATE suppressions s SET ended_at = $2 FROM contacts c
     WHERE c.contact_id = $1 AND s.utility = c.utility AND s.channel = c.channel AND s.address_hash = c.address_hash
       AND s.ended_at IS NULL AND s.reason = coalesce($3, s.reason) RETURNING s.at`,
    [contact, now, reason ?? null],
  );
  return ended?.at;
}
