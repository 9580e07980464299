import type { Vault } from "../../infra/crypto/vault.js";
import type { Queryable } from "../../infra/postgres/database.js";
import { canonicalEmail } from "../../schemas/canonical.js";
import type { UtilityConfig } from "../../schemas/config.js";
import { phoneNumber } from "../sms/phone.js";
import type { ConsentChannel, Language } from "./wording.js";

/** Keyed hash by which a contact is found: of an e-mail address in small letters, of a number as E.164. */
export function addressHash(vault: Vault, utility: string, channel: ConsentChannel, address: string): Buffer {
  return vault.hash(utility, channel === "email" ? "email" : "phone", address);
}

/** The id of the contact with an address, made where there is none yet. It may hear of nothing before it confirms. */
export async function contactOf(
  transaction: Queryable,
  vault: Vault,
  contact: {
    readonly utility: string;
    readonly channel: ConsentChannel;
    readonly address: string;
    readonly language: Language;
  },
  now: Date,
): Promise<string> {
  const { utility, channel, address, language } = contact;
  const hash = addressHash(vault, utility, channel, address);
  const [row] = await transaction.query<{ contact_id: string }>(
    `INSERT INTO contacts (utility, channel, address_hash, address_sealed, language, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (utility, channel, address_hash) DO UPDATE SET utility = excluded.utility RETURNING contact_id`,
    [utility, channel, hash, vault.seal(utility, sealedAt(hash), address), language, now],
  );
  return row!.contact_id;
}

/** The id of the contact with an e-mail address or a number as people write them; `undefined` where there is none. */
export async function contactWith(
  database: Queryable,
  vault: Vault,
  utility: UtilityConfig,
  address: string,
): Promise<string | undefined> {
  const number = address.includes("@") ? undefined : phoneNumber(address, utility.sms?.country ?? "US");
  const hash =
    number === undefined
      ? addressHash(vault, utility.id, "email", canonicalEmail(address))
      : addressHash(vault, utility.id, "sms", number);
  const [contact] = await database.query<{ contact_id: string }>(
    "SELECT contact_id FROM contacts WHERE utility = $1 AND address_hash = $2",
    [utility.id, hash],
  );
  return contact?.contact_id;
}

/** @throws Error where the sealed address belongs to another row or key */
export function unsealAddress(vault: Vault, utility: string, hash: Buffer, sealed: Buffer): string {
  return vault.unseal(utility, sealedAt(hash), sealed).toString("utf8");
}

/** The address is bound to its row by the hash beside it. */
function sealedAt(hash: Buffer): string {
  return `contacts.address|${hash.toString("hex")}`;
}

/** Steps of one contact follow each other, so that their numbers tell their order. Rows that refer to it may be added. */
export async function lockContact(transaction: Queryable, contactId: string): Promise<void> {
  await transaction.query("SELECT 1 FROM contacts WHERE contact_id = $1 FOR NO KEY UPDATE", [contactId]);
}
