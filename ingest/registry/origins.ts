import type { Vault } from "../../infra/crypto/vault.js";
import type { Transactions } from "../../infra/postgres/database.js";
import { canonicalAccount } from "../../schemas/canonical.js";

/** Where something that is kept of an account comes from. */
export interface Origin {
  /** Such as "name", "address" or "class and size of the meter"; of a contact "e-mail address for alerts". */
  readonly attribute: string;
  /** Source of the utility, or how the resident said it; `null`: it came before this was written down. */
  readonly source: string | null;
  /** Number of the file; `null` for what residents said. */
  readonly file: number | null;
  readonly at: Date | null;
}

/**
 * What is kept of an account, its homes and its residents, and which file or whose word each comes from. No values.
 * @returns `undefined` where the utility knows no such account
 */
export async function originsOf(
  { database, vault }: { readonly database: Transactions; readonly vault: Vault },
  utility: string,
  account: string,
): Promise<Origin[] | undefined> {
  const own = database.of(utility);
  const [found] = await own.query<{ account_id: number }>(
    "SELECT account_id FROM accounts WHERE utility = $1 AND number_hash = $2",
    [utility, vault.hash(utility, "account", canonicalAccount(account))],
  );
  if (found === undefined) return undefined;
  return own.query<Origin>(
    `WITH homes AS (SELECT occupancy_id, premise_id FROM occupancies WHERE account_id = $1),
     kept AS (
       SELECT 1 AS place, v.attribute, v.file FROM customers c, LATERAL (VALUES
         ('name', name_sealed IS NOT NULL, name_file), ('e-mail address', email_sealed IS NOT NULL, email_file),
         ('phone number', phone_sealed IS NOT NULL, phone_file)) AS v (attribute, is_kept, file)
       WHERE c.account_id = $1 AND v.is_kept
       UNION ALL
       SELECT 2, v.attribute, v.file FROM premises p, LATERAL (VALUES
         ('address', address_sealed IS NOT NULL, address_file), ('ZIP code', zip_hash IS NOT NULL, zip_file))
         AS v (attribute, is_kept, file)
       WHERE p.premise_id IN (SELECT premise_id FROM homes) AND v.is_kept
       UNION ALL
       SELECT 3, 'class, size and usual flow of a meter', settings_file FROM meters
       WHERE registry_settings <> '[]' AND meter_key IN (SELECT meter_key FROM premise_meters JOIN homes USING (premise_id)))
     SELECT attribute, source, file, at FROM (
       SELECT k.place, k.attribute, f.source, k.file, f.claimed_at AS at FROM kept k LEFT JOIN files f USING (file)
       UNION ALL
       SELECT 4, CASE c.channel WHEN 'email' THEN 'e-mail address for alerts' WHEN 'sms' THEN 'number for texts'
         ELSE 'number for calls' END, 'resident, by ' || (array_agg(s.method ORDER BY s.consent_id))[1], NULL,
         min(s.at) FILTER (WHERE s.action = 'confirm')
       FROM consents s JOIN contacts c USING (contact_id)
       WHERE s.occupancy_id IN (SELECT occupancy_id FROM homes) AND c.erased_at IS NULL
       GROUP BY c.contact_id, c.channel HAVING bool_or(s.action = 'confirm')) AS origins
     ORDER BY place, attribute, at`,
    [found.account_id],
  );
}

/** How much of what a source said was deleted. */
export type Forgotten = Readonly<
  Record<"names" | "mails" | "phones" | "addresses" | "zips" | "meters", number>
>;

/**
 * Deletes what a source said of people, homes and meters, where no other source said otherwise since. Which account has
 * which home and meter stays: without it no alert would find anybody.
 */
export async function forgetSource(
  { database }: { readonly database: Transactions },
  utility: string,
  source: string,
): Promise<Forgotten> {
  return database.of(utility).transaction(async (transaction) => {
    const cleared = async (statement: string) => {
      const rows = await transaction.query(
        `${statement} IN (SELECT file FROM files WHERE utility = $1 AND source = $2) RETURNING 1`,
        [utility, source],
      );
      return rows.length;
    };
    const meters = await transaction.query<{ meter_key: string }>(
      `UPDATE meters SET registry_settings = '[]', settings_file = NULL
       WHERE settings_file IN (SELECT file FROM files WHERE utility = $1 AND source = $2) RETURNING meter_key`,
      [utility, source],
    );
    await transaction.query(
      "INSERT INTO meters_to_tell SELECT unnest($1::char(16)[]) ON CONFLICT DO NOTHING",
      [meters.map(({ meter_key }) => meter_key)],
    );
    return {
      names: await cleared("UPDATE customers SET name_sealed = NULL, name_file = NULL WHERE name_file"),
      mails: await cleared("UPDATE customers SET email_sealed = NULL, email_file = NULL WHERE email_file"),
      phones: await cleared("UPDATE customers SET phone_sealed = NULL, phone_file = NULL WHERE phone_file"),
      addresses: await cleared(
        "UPDATE premises SET address_sealed = NULL, address_file = NULL WHERE address_file",
      ),
      zips: await cleared("UPDATE premises SET zip_hash = NULL, zip_file = NULL WHERE zip_file"),
      meters: meters.length,
    };
  });
}
