import { randomUUID } from "node:crypto";
import type { Vault } from "../../infra/crypto/vault.js";
import type { Queryable } from "../../infra/postgres/database.js";
import { canonicalEmail } from "../../schemas/canonical.js";
import type { UtilityConfig } from "../../schemas/config.js";
import { phoneNumber } from "../sms/phone.js";
import type { ConsentChannel } from "./wording.js";
import type { Language } from "../words/index.js";

/** The utility with the units that a contact chose; `null`: its own. */
export function inUnits(utility: UtilityConfig, units: UtilityConfig["units"] | null): UtilityConfig {
  return units === null ? utility : { ...utility, units };
}

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
  const known = () =>
    transaction.query<{ contact_id: string }>(
      "SELECT contact_id FROM contacts WHERE utility = $1 AND channel = $2 AND address_hash = $3 AND erased_at IS NULL",
      [utility, channel, hash],
    );
  const [before] = await known();
  if (before !== undefined) return before.contact_id;
  // The key is there before anything is sealed with it; without its row it opens nothing.
  const id = randomUUID();
  vault.people.create(utility, id);
  const made = await transaction.query(
    `INSERT INTO contacts (contact_id, utility, channel, address_hash, address_sealed, language, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (utility, channel, address_hash) WHERE erased_at IS NULL DO NOTHING RETURNING 1`,
    [id, utility, channel, hash, vault.people.seal(utility, id, sealedAt(hash), address), language, now],
  );
  if (made.length > 0) return id;
  vault.people.destroy(id);
  const [other] = await known();
  return other!.contact_id;
}

/** The ids of those with an e-mail address or a number as people write them: a number may get texts and calls. */
export async function contactsNow(
  database: Queryable,
  vault: Vault,
  utility: UtilityConfig,
  address: string,
): Promise<string[]> {
  const contacts = await contactsWith(database, vault, utility, address);
  return contacts.filter(({ erased }) => !erased).map(({ id }) => id);
}

/** All contacts that have or had an address, oldest first: who was erased and came back is another one. */
export async function contactsWith(
  database: Queryable,
  vault: Vault,
  utility: UtilityConfig,
  address: string,
): Promise<readonly { readonly id: string; readonly erased: boolean }[]> {
  const number = address.includes("@")
    ? undefined
    : phoneNumber(address, utility.sms?.country ?? utility.voice?.country ?? "US");
  const hash =
    number === undefined
      ? addressHash(vault, utility.id, "email", canonicalEmail(address))
      : addressHash(vault, utility.id, "sms", number);
  return database.query<{ id: string; erased: boolean }>(
    `SELECT contact_id AS id, erased_at IS NOT NULL AS erased FROM contacts
     WHERE utility = $1 AND address_hash = $2 ORDER BY created_at, contact_id`,
    [utility.id, hash],
  );
}

/**
 * The address of a contact that is not erased.
 * @throws PersonErased where it is by now, Error where the sealed address belongs to another row or key
 */
export function unsealAddress(
  vault: Vault,
  utility: string,
  contact: { readonly contact_id: string; readonly address_hash: Buffer; readonly address_sealed: Buffer },
): string {
  const { contact_id, address_hash, address_sealed } = contact;
  return vault.people.unseal(utility, contact_id, sealedAt(address_hash), address_sealed);
}

/** The address is bound to its row by the hash beside it. */
function sealedAt(hash: Buffer): string {
  return `contacts.address|${hash.toString("hex")}`;
}

/**
 * Steps of one contact follow each other, so that their numbers tell their order. Rows that refer to it may be added.
 * @returns whether the contact is not erased
 */
export async function lockContact(transaction: Queryable, contactId: string): Promise<boolean> {
  const [contact] = await transaction.query<{ alive: boolean }>(
    "SELECT erased_at IS NULL AS alive FROM contacts WHERE contact_id = $1 FOR NO KEY UPDATE",
    [contactId],
  );
  return contact?.alive === true;
}
