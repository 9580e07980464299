import type { Vault } from "../../infra/crypto/vault.js";
import type { Transactions } from "../../infra/postgres/database.js";
import type { Purpose, UtilityConfig } from "../../schemas/config.js";
import { contactsNow, contactsWith } from "./contact.js";

interface LogStores {
  readonly database: Transactions;
  readonly vault: Vault;
}

/** Somebody looks at personal data. */
export interface Look {
  /** Login name. */
  readonly actor: string;
  /** Such as "why --contact". */
  readonly what: string;
  readonly purpose: Purpose;
  /** E-mail address or number that it is about; left out for a list. */
  readonly address?: string;
}

/** Writes down a look, before anything is shown. */
export async function noteLook(
  stores: LogStores,
  utility: UtilityConfig,
  look: Look,
  now: number,
): Promise<void> {
  const { actor, what, purpose, address } = look;
  const own = stores.database.of(utility.id);
  const [contact] = address === undefined ? [] : await contactsNow(own, stores.vault, utility, address);
  await own.query(
    "INSERT INTO privacy_log (utility, at, kind, actor, what, purpose, contact_id) VALUES ($1, $2, 'look', $3, $4, $5, $6)",
    [utility.id, new Date(now), actor, what, purpose, contact ?? null],
  );
}

/** Data of a resident that is given to somebody outside. */
export interface Disclosure extends Required<Look> {
  readonly givenTo: string;
  readonly ground: string;
}

/**
 * Why the utility's contract does not let data be given away so; `undefined`: it does, or names no clauses.
 *
 * A ground is the resident's `consent`, an `order` of a court with its number (for purpose `legal`), or a clause that names
 * who gets it and what for.
 */
export function refusalOf(
  { disclosures }: Pick<UtilityConfig, "disclosures">,
  { givenTo, purpose, ground }: Pick<Disclosure, "givenTo" | "purpose" | "ground">,
): string | undefined {
  if (disclosures.length === 0 || ground === "consent") return undefined;
  if (/^order \S/.test(ground))
    return purpose === "legal" ? undefined : "an order of a court is for --purpose legal";
  const clauses = disclosures.filter(({ clause }) => clause === ground);
  if (clauses.length === 0)
    return `no such ground: expected consent, order NUMBER, or one of the clauses ${disclosures.map(({ clause }) => clause).join(", ")}`;
  const clause = clauses.find(({ to }) => to.toLowerCase() === givenTo.trim().toLowerCase());
  if (clause === undefined)
    return `clause ${ground} is for ${clauses.map(({ to }) => to).join(", ")}, not for whom --to names`;
  return clause.purposes.includes(purpose)
    ? undefined
    : `clause ${ground} is for purpose ${clause.purposes.join(", ")}, not for ${purpose}`;
}

/**
 * Writes down that data of a resident is given to somebody outside.
 * @returns `false` where the utility knows no such address
 */
export async function noteDisclosure(
  stores: LogStores,
  utility: UtilityConfig,
  disclosure: Disclosure,
  now: number,
): Promise<boolean> {
  const { actor, what, purpose, address, givenTo, ground } = disclosure;
  const own = stores.database.of(utility.id);
  const [contact] = await contactsNow(own, stores.vault, utility, address);
  if (contact === undefined) return false;
  await own.query(
    `INSERT INTO privacy_log (utility, at, kind, actor, what, purpose, contact_id, given_to, ground)
     VALUES ($1, $2, 'disclosure', $3, $4, $5, $6, $7, $8)`,
    [utility.id, new Date(now), actor, what, purpose, contact, givenTo, ground],
  );
  return true;
}

/** One time that personal data was looked at, or left this system. */
export interface PrivacyEntry {
  readonly at: Date;
  /** `message`: handed to the mail server or the provider of texts. */
  readonly kind: "look" | "disclosure" | "message";
  readonly actor: string;
  readonly what: string;
  readonly purpose: string;
  /** Id of the contact; `null`: of several. */
  readonly contact: string | null;
  readonly givenTo: string | null;
  /** Such as "consent, step 17 of the chain". */
  readonly ground: string | null;
}

/**
 * What was looked at and what was given to whom, oldest first: of one address, messages included, or of the whole utility
 * without them.
 * @returns `undefined` where the utility knows no such address
 */
export async function privacyLog(
  { database, vault }: LogStores,
  utility: UtilityConfig,
  { address, from, until }: { readonly address?: string; readonly from?: Date; readonly until?: Date } = {},
): Promise<PrivacyEntry[] | undefined> {
  const own = database.of(utility.id);
  const contacts =
    address === undefined
      ? undefined
      : (await contactsWith(own, vault, utility, address)).map(({ id }) => id);
  if (contacts?.length === 0) return undefined;
  return own.query<PrivacyEntry>(
    `SELECT at, kind, actor, what, purpose, contact, "givenTo", ground FROM (
       SELECT at, kind, actor, what, purpose, contact_id AS contact, given_to AS "givenTo", ground, entry AS n FROM privacy_log
       WHERE $1::uuid[] IS NULL OR contact_id = ANY ($1)
       UNION ALL
       SELECT o.handed_at, 'message', 'curbstop', 'address and ' || o.kind, coalesce(o.consent_kind, o.kind), o.contact_id,
         CASE o.channel WHEN 'email' THEN 'mail server' WHEN 'sms' THEN 'provider of texts' ELSE 'provider of calls' END,
         CASE WHEN o.kind = 'confirmation' THEN 'asked for at sign-up' WHEN o.kind = 'reply' THEN 'answers a text'
           WHEN o.kind = 'notice' THEN 'texts about the same home ended'
           WHEN o.kind = 'service' THEN 'notice due by law or contract'
           ELSE 'consent, step ' || (SELECT max(c.place) FROM consents c WHERE c.contact_id = o.contact_id
             AND c.occupancy_id = coalesce(o.occupancy_id, c.occupancy_id) AND c.kind = o.consent_kind AND c.channel = o.channel
             AND c.action = 'confirm' AND c.at <= o.handed_at) || ' of the chain' END, 0
       FROM outbox o WHERE o.handed_at IS NOT NULL AND o.contact_id = ANY ($1)) AS entries
     WHERE ($2::timestamptz IS NULL OR at >= $2) AND ($3::timestamptz IS NULL OR at < $3)
     ORDER BY at, n`,
    [contacts ?? null, from ?? null, until ?? null],
  );
}
