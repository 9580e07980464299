import { z } from "zod";
import { lockContact } from "./contact.js";
import { requestErasure, type EraseContext } from "./erasure.js";
import { revokeConsents } from "./subscription.js";
import { CONSENT_CHANNELS, CONSENT_KINDS } from "./wording.js";

/** The SHA-256 of an address under its utility's key: it names nobody to who has not the key file. */
const address = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");
const common = {
  utility: z.string().min(1),
  channel: z.enum(CONSENT_CHANNELS),
  address,
  at: z.iso.datetime(),
};

/**
 * Something that a resident ended: they may not be written to (`suppressed`), agree no more (`revoked`), or had their data
 * deleted (`erased`).
 */
const end = z.discriminatedUnion("ended", [
  z.strictObject({
    ended: z.literal("suppressed"),
    reason: z.enum(["stop", "provider-stop", "unreachable"]),
    ...common,
  }),
  z.strictObject({ ended: z.literal("revoked"), kind: z.enum(CONSENT_KINDS), ...common }),
  z.strictObject({ ended: z.literal("erased"), ...common }),
]);
export type End = z.infer<typeof end>;

/** All that holds now, oldest first. Kept outside of the database, it makes a restored backup know what came after it. */
export async function exportEnds({ database }: Pick<EraseContext, "database">): Promise<End[]> {
  const rows = await database.query<{ end: unknown }>(
    `SELECT jsonb_strip_nulls(jsonb_build_object('ended', ended, 'utility', utility, 'channel', channel,
       'address', encode(address_hash, 'hex'), 'reason', reason, 'kind', kind,
       'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) AS end
     FROM (
       SELECT 'suppressed' AS ended, utility, channel, address_hash, reason, NULL AS kind, at
       FROM suppressions WHERE ended_at IS NULL
       UNION ALL
       SELECT 'revoked', c.utility, c.channel, address_hash, NULL, kind, max(s.at)
       FROM consents s JOIN contacts c USING (contact_id) WHERE action = 'revoke'
       GROUP BY c.utility, c.channel, address_hash, kind
       UNION ALL
       SELECT 'erased', utility, channel, address_hash, NULL, NULL, max(erased_at)
       FROM contacts WHERE erased_at IS NOT NULL GROUP BY utility, channel, address_hash) AS ends
     ORDER BY at, ended, address_hash`,
  );
  return rows.map((row) => end.parse(row.end));
}

/**
 * One line of an export.
 * @throws Error that says what is wrong with it
 */
export function parseEnd(line: string): End {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error("expected a JSON object");
  }
  const { success, data, error } = end.safeParse(value);
  if (success) return data;
  throw new Error(error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
}

/**
 * Takes over what residents ended, unless they agreed again after it: for a database that was restored from a backup.
 * @returns whether anything changed
 */
export async function importEnd(context: EraseContext, one: End): Promise<boolean> {
  const { database, clock } = context;
  const now = new Date(clock.now());
  const { utility, channel } = one;
  const of = [utility, channel, Buffer.from(one.address, "hex"), new Date(one.at)];
  if (one.ended === "suppressed") {
    const added = await database.query(
      `INSERT INTO suppressions (utility, channel, address_hash, reason, at) SELECT $1, $2, $3, $5, $4
       WHERE NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.utility = $1 AND s.channel = $2 AND s.address_hash = $3
         AND (s.ended_at IS NULL OR s.ended_at >= $4)) RETURNING 1`,
      [...of, one.reason],
    );
    return added.length > 0;
  }
  const [contact] = await database.query<{ contact_id: string }>(
    `SELECT contact_id FROM contacts
     WHERE utility = $1 AND channel = $2 AND address_hash = $3 AND erased_at IS NULL AND created_at <= $4`,
    of,
  );
  if (contact === undefined) return false;
  const { contact_id } = contact;
  if (one.ended === "erased") {
    await requestErasure(context, utility, contact_id, "staff");
    return true;
  }
  return database.transaction(async (transaction) => {
    if (!(await lockContact(transaction, contact_id))) return false;
    const before = await transaction.query<{ occupancy_id: number }>(
      "SELECT occupancy_id FROM active_consents WHERE contact_id = $1 AND kind = $2 AND at < $3",
      [contact_id, one.kind, new Date(one.at)],
    );
    if (before.length === 0) return false;
    await revokeConsents(transaction, {
      contact: contact_id,
      method: "import",
      now,
      kinds: [one.kind],
      occupancies: before.map(({ occupancy_id }) => occupancy_id),
    });
    return true;
  });
}
