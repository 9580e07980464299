import { randomInt } from "node:crypto";
import type { Vault } from "../../infra/crypto/vault.js";
import type { Queryable, Transactions } from "../../infra/postgres/database.js";
import type { UtilityConfig } from "../../schemas/config.js";
import { postalAddresses, type PostalAddress } from "./postal-address.js";

const DAY_MS = 86_400_000;
/** A letter is on its way for days, and lies about for more. */
const VALID_DAYS = 60;
/** Letters and digits that nobody takes for one another: eight of them are 39 bits. */
const LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
const LENGTH = 8;

/** A letter with a code. Personal. */
export interface CodeLetter extends PostalAddress {
  /** Such as ABCD-2345. */
  readonly code: string;
}

/**
 * Makes a code for each home whose people get no alerts and have no code that still holds. It is kept as a keyed hash alone.
 * @param keep gets what can't be made again; where it throws, no code was made
 * @returns how many
 */
export async function makeCodes(
  { database, vault }: { readonly database: Transactions; readonly vault: Vault },
  { id }: Pick<UtilityConfig, "id">,
  now: number,
  keep: (letters: readonly CodeLetter[]) => void,
): Promise<number> {
  return database.of(id).transaction(async (transaction) => {
    const homes = await transaction.query<{ occupancy_id: number }>(
      `SELECT o.occupancy_id FROM occupancies o
       WHERE o.valid_from <= $1 AND (o.valid_until IS NULL OR o.valid_until > $1)
         AND NOT EXISTS (SELECT 1 FROM active_consents x WHERE x.occupancy_id = o.occupancy_id)
         AND NOT EXISTS (SELECT 1 FROM mailed_codes m WHERE m.occupancy_id = o.occupancy_id
           AND m.used_at IS NULL AND m.expires_at > $1)
       ORDER BY o.occupancy_id`,
      [new Date(now)],
    );
    const occupancies = homes.map(({ occupancy_id }) => occupancy_id);
    const addresses = await postalAddresses(transaction, vault, id, occupancies);
    const letters = occupancies.map((occupancy) => ({ ...addresses.get(occupancy)!, code: newCode() }));
    await transaction.query(
      `INSERT INTO mailed_codes (utility, occupancy_id, code_hash, created_at, expires_at)
       SELECT $1, occupancy, hash, $4, $5 FROM unnest($2::bigint[], $3::bytea[]) AS t (occupancy, hash)`,
      [
        id,
        occupancies,
        letters.map(({ code }) => codeHash(vault, id, code)),
        new Date(now),
        new Date(now + VALID_DAYS * DAY_MS),
      ],
    );
    keep(letters);
    return letters.length;
  });
}

/** As it is kept, however it is typed. */
export function codeHash(vault: Vault, utility: string, typed: string): Buffer {
  return vault.hash(utility, "mailed-code", typed.toUpperCase().replace(/[^A-Z0-9]/g, ""));
}

/** A code works once: those of the homes that it opened are used up. */
export async function useCode(
  transaction: Queryable,
  occupancies: readonly number[],
  hash: Buffer,
  now: Date,
): Promise<void> {
  await transaction.query(
    "UPDATE mailed_codes SET used_at = $3 WHERE occupancy_id = ANY ($1) AND code_hash = $2 AND used_at IS NULL",
    [occupancies, hash, now],
  );
}

function newCode(): string {
  const letters = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]!).join("");
  return `${letters.slice(0, LENGTH / 2)}-${letters.slice(LENGTH / 2)}`;
}
