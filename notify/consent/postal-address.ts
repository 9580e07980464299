import type { Vault } from "../../infra/crypto/vault.js";
import type { Queryable } from "../../infra/postgres/database.js";

/** What a letter to a home needs; blank where the utility's files do not say it. Personal. */
export interface PostalAddress {
  readonly account: string;
  readonly name: string;
  readonly address: string;
}

/** Where letters to the accounts of homes go, by occupancy. */
export async function postalAddresses(
  on: Queryable,
  vault: Vault,
  utility: string,
  occupancies: readonly number[],
): Promise<ReadonlyMap<number, PostalAddress>> {
  const homes = await on.query<{
    occupancy_id: number;
    number_sealed: Buffer;
    name_sealed: Buffer | null;
    address_sealed: Buffer | null;
  }>(
    `SELECT o.occupancy_id, a.number_sealed, c.name_sealed, p.address_sealed FROM occupancies o
     JOIN accounts a USING (account_id) JOIN premises p USING (premise_id) LEFT JOIN customers c USING (account_id)
     WHERE o.occupancy_id = ANY ($1)`,
    [occupancies],
  );
  const open = (context: string, sealed: Buffer | null) =>
    sealed === null ? "" : vault.unseal(utility, context, sealed).toString("utf8");
  return new Map(
    homes.map(({ occupancy_id, number_sealed, name_sealed, address_sealed }) => [
      occupancy_id,
      {
        account: open("accounts.number", number_sealed),
        name: open("customers.name", name_sealed),
        address: open("premises.address", address_sealed),
      },
    ]),
  );
}
