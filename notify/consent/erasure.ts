import type { Queryable } from "../../infra/postgres/database.js";
import type { UtilityConfig } from "../../schemas/config.js";
import { contactsNow, lockContact } from "./contact.js";
import { forgetDeclarations } from "./declare.js";
import {
  dropWaiting,
  findContact,
  linkOf,
  revokeConsents,
  type ConsentStores,
  type LinkedContact,
} from "./subscription.js";

const DAY_MS = 86_400_000;
/** A request is fulfilled at once, unless something holds it up; this is the latest day that the law leaves (45 days, CCPA §1798.130). */
const DUE_DAYS = 45;

/** A request to be erased. It names no person. */
export interface Erasure {
  readonly receipt: string;
  readonly utility: string;
  /** `retention`: nobody asked, its time was over. */
  readonly askedBy: "page" | "staff" | "retention";
  readonly askedAt: Date;
  readonly dueAt: Date;
  /** When the address went and sending ended; `null`: not yet. */
  readonly erasedAt: Date | null;
  /** When the key was destroyed, so that backups can't be read either. */
  readonly keyGoneAt: Date | null;
  /** Why it waits. */
  readonly holds: readonly string[];
}

/** What erasing needs. */
export type EraseContext = Pick<ConsentStores, "database" | "vault" | "clock">;

/** Holds (`h`) that are in force at $1. */
const IN_FORCE = "h.lifted_at IS NULL AND (h.until IS NULL OR h.until > $1)";

const ERASURES = `SELECT receipt, e.utility, asked_by AS "askedBy", asked_at AS "askedAt", due_at AS "dueAt",
    erased_at AS "erasedAt", key_gone_at AS "keyGoneAt",
    CASE WHEN erased_at IS NULL THEN ARRAY(SELECT h.reason FROM erasure_holds h WHERE h.contact_id = e.contact_id
      AND ${IN_FORCE} ORDER BY h.hold_id) ELSE '{}' END AS holds
  FROM erasures e`;

/** Requests and what became of them, newest first. */
export function listErasures({ database, clock }: EraseContext, utility?: string): Promise<Erasure[]> {
  return database.query<Erasure>(
    `${ERASURES} WHERE $2::text IS NULL OR e.utility = $2 ORDER BY asked_at DESC, receipt`,
    [new Date(clock.now()), utility ?? null],
  );
}

/**
 * Erases whoever has the mailbox or phone that the link of a message went to.
 * @returns `undefined` where the token is none of ours, or they were erased before
 */
export async function eraseByLink(
  stores: ConsentStores,
  token: string,
): Promise<({ readonly erasure: Erasure } & Pick<LinkedContact, "utility" | "language">) | undefined> {
  const link = linkOf(stores, "choices", token);
  const contact = link && (await findContact(link, link.database));
  if (link === undefined || contact === undefined || contact.address_sealed === null) return undefined;
  const { id, utility, language } = contact;
  const of = { ...stores, database: link.database };
  return { erasure: await requestErasure(of, utility.id, id, "page"), utility, language };
}

/**
 * Erases whoever has an address, as staff asks for somebody whose identity they have checked.
 * @returns the requests, one for each way in which it was written to; none where the utility knows no such address
 */
export async function eraseAddress(
  context: EraseContext,
  utility: UtilityConfig,
  address: string,
): Promise<Erasure[]> {
  const of = { ...context, database: context.database.of(utility.id) };
  const erasures: Erasure[] = [];
  for (const contact of await contactsNow(of.database, of.vault, utility, address))
    erasures.push(await requestErasure(of, utility.id, contact, "staff"));
  return erasures;
}

/**
 * Keeps the contact with an address from being erased, until a time or until it is lifted.
 * @returns `false` where the utility knows no such address
 */
export async function holdAddress(
  { database, vault, clock }: EraseContext,
  utility: UtilityConfig,
  address: string,
  hold: { readonly reason: string; readonly until: Date | undefined },
): Promise<boolean> {
  const own = database.of(utility.id);
  const contacts = await contactsNow(own, vault, utility, address);
  if (contacts.length === 0) return false;
  await own.query(
    "INSERT INTO erasure_holds (utility, contact_id, reason, at, until) SELECT $1, unnest($2::uuid[]), $3, $4, $5",
    [utility.id, contacts, hold.reason, new Date(clock.now()), hold.until ?? null],
  );
  return true;
}

/** Lifts all holds of the contact with an address; returns how many, and erases where that was asked for meanwhile. */
export async function liftHolds(
  context: EraseContext,
  utility: UtilityConfig,
  address: string,
): Promise<number> {
  const { vault, clock } = context;
  const database = context.database.of(utility.id);
  const contacts = await contactsNow(database, vault, utility, address);
  if (contacts.length === 0) return 0;
  const lifted = await database.query(
    "UPDATE erasure_holds SET lifted_at = $2 WHERE contact_id = ANY ($1) AND lifted_at IS NULL RETURNING 1",
    [contacts, new Date(clock.now())],
  );
  await finishErasures({ ...context, database });
  return lifted.length;
}

/** Asks for a contact to be erased, and erases it unless something holds it. */
export async function requestErasure(
  context: EraseContext,
  utility: string,
  contact: string,
  by: Erasure["askedBy"],
): Promise<Erasure> {
  const { database, clock } = context;
  const now = new Date(clock.now());
  const [asked] = await database.query<{ receipt: string }>(
    `INSERT INTO erasures (utility, contact_id, asked_by, asked_at, due_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (contact_id) WHERE erased_at IS NULL DO UPDATE SET utility = excluded.utility RETURNING receipt`,
    [utility, contact, by, now, new Date(now.getTime() + DUE_DAYS * DAY_MS)],
  );
  await finishErasures(context, asked!.receipt);
  const [erasure] = await database.query<Erasure>(`${ERASURES} WHERE receipt = $2`, [now, asked!.receipt]);
  return erasure!;
}

/**
 * Fulfils what was asked for and is not held up, and destroys the keys of who is erased: also what a process that was
 * killed left half-way, and what a hold that has ended let go.
 * @param receipt of the one request to look at; without it, of all
 * @returns how many were erased
 */
export async function finishErasures(
  { database, vault, clock }: EraseContext,
  receipt?: string,
): Promise<number> {
  const now = new Date(clock.now());
  const open = await database.query<{ receipt: string; contact_id: string }>(
    `SELECT receipt, contact_id FROM erasures
     WHERE key_gone_at IS NULL AND ($1::uuid IS NULL OR receipt = $1) ORDER BY asked_at`,
    [receipt ?? null],
  );
  let erased = 0;
  for (const one of open) {
    const { contact_id } = one;
    if (!(await database.transaction((transaction) => erase(transaction, one.receipt, contact_id, now))))
      continue;
    // Only now: a key that goes before its row is cut would leave an address that nobody can read and nobody erased.
    vault.people.destroy(contact_id);
    await database.query("UPDATE erasures SET key_gone_at = $2 WHERE receipt = $1", [one.receipt, now]);
    erased++;
  }
  return erased;
}

/** @returns whether the contact is erased, by this call or an earlier one */
async function erase(transaction: Queryable, receipt: string, contact: string, now: Date): Promise<boolean> {
  const alive = await lockContact(transaction, contact);
  if (alive) {
    const held = await transaction.query(
      `SELECT 1 FROM erasure_holds h WHERE h.contact_id = $2 AND ${IN_FORCE}`,
      [now, contact],
    );
    if (held.length > 0) return false;
    await revokeConsents(transaction, { contact, method: "erasure", now });
    await dropWaiting(transaction, contact, "erased", now);
    // Its consents stay as evidence, what was sent as a record without an address.
    await transaction.query(
      "UPDATE contacts SET address_sealed = NULL, line = NULL, carrier = NULL, erased_at = $2 WHERE contact_id = $1",
      [contact, now],
    );
    await transaction.query("DELETE FROM texts_received WHERE contact_id = $1", [contact]);
    await transaction.query("DELETE FROM answers WHERE contact_id = $1", [contact]);
    await forgetDeclarations(transaction, contact);
  }
  await transaction.query("UPDATE erasures SET erased_at = coalesce(erased_at, $2) WHERE receipt = $1", [
    receipt,
    now,
  ]);
  return true;
}
