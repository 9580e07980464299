import { z } from "zod";
import type { Clock } from "../../infra/clock.js";
import type { Vault } from "../../infra/crypto/vault.js";
import type { Queryable, Transactions } from "../../infra/postgres/database.js";
import { canonicalAccount, canonicalEmail, canonicalZip } from "../../schemas/canonical.js";
import type { OwnHours } from "../outbox/sending-hours.js";
import type { Config, Mailing, UtilityConfig } from "../../schemas/config.js";
import { isLandline, phoneNumber } from "../sms/phone.js";
import { contactOf, lockContact } from "./contact.js";
import { sealEvidence, type Evidence } from "./evidence.js";
import { codeHash, useCode } from "./mailed-codes.js";
import { linkId, linkMatches, type LinkPurpose } from "./link-token.js";
import { endSuppression } from "./suppression.js";
import {
  CONSENT_CHANNELS,
  CONSENT_KINDS,
  CONSENT_VERSION,
  consentHash,
  offered,
  type ConsentChannel,
  type ConsentKind,
} from "./wording.js";
import type { Language } from "../words/index.js";

export interface ConsentStores {
  readonly config: Config;
  readonly database: Transactions;
  readonly vault: Vault;
  readonly clock: Clock;
}

export interface SubscriptionRequest {
  /** Id of a configured utility. */
  readonly utility: string;
  readonly account: string;
  /** ZIP code of the home, or the code of a letter to it. */
  readonly zip: string;
  /** Where alerts go: one or both, each with a confirmation of its own. Blank is as good as none. */
  readonly email?: string;
  readonly phone?: string;
  /** Number that is to be called; a landline will do. */
  readonly call?: string;
  /** What is asked for: by every address alike, or by each of them. */
  readonly kinds: readonly ConsentKind[] | KindsByChannel;
  /** Default: the utility's first. */
  readonly language?: Language;
  readonly method: "web" | "command" | "keyword" | "staff";
  /** What staff has that proves the request, such as a signed form. */
  readonly evidence?: Evidence;
}

export type KindsByChannel = Readonly<Record<ConsentChannel, readonly ConsentKind[]>>;

/** Names the fields that can't be right in form; their values are personal and stay out of the message. */
export class SubscriptionInvalid extends Error {
  override readonly name = "SubscriptionInvalid";
  readonly fields: readonly string[];
  constructor(fields: readonly string[]) {
    super(
      `Sign-up: ${fields.join(", ")} missing or not in the expected form ` +
        `(utility: a configured id, email: name@domain, phone: a mobile number, kinds: ${CONSENT_KINDS.join(" or ")}).`,
    );
    this.fields = fields;
  }
}

/** How long a request can be confirmed. */
const CONFIRM_HOURS = 24;
/** Confirmations asked of one address in that time: whoever fills in the form of others can't flood them. */
const MOST_REQUESTS = 3;

const form = z.object({
  account: z.string().trim().min(1).max(40),
  zip: z.string().trim().min(1).max(12),
});
/** As the form shows them. */
const FIELDS = ["utility", "account", "zip", "email", "phone", "call", "kinds"];
const emailAddress = z.string().trim().max(254).pipe(z.email());

/**
 * Asks for alerts. A confirmation is put into the outbox only where account and ZIP match an occupancy that holds now;
 * the caller can't tell from the result whether they did.
 * @throws SubscriptionInvalid
 */
export async function requestSubscription(
  stores: ConsentStores,
  request: SubscriptionRequest,
): Promise<void> {
  const database = stores.database.of(request.utility);
  await database.transaction((transaction) => requestIn(transaction, stores, request));
}

/** The same in the caller's transaction; what it throws it throws before it changes anything. */
export async function requestIn(
  transaction: Queryable,
  { config, vault, clock }: ConsentStores,
  request: SubscriptionRequest,
): Promise<void> {
  const utility = config.utilities.find(({ id }) => id === request.utility);
  const parsed = form.safeParse(request);
  const wrong = new Set<string>(parsed.error?.issues.map(({ path }) => String(path[0])));
  if (utility === undefined) wrong.add("utility");
  const addresses = addressesOf(request, utility, wrong);
  const kindsBy = (channel: ConsentChannel) => askedFor(request.kinds, channel, utility);
  const given = addresses.filter(({ channel }) => kindsBy(channel).length > 0);
  if (isByChannel(request.kinds)) {
    // Boxes without an address, and an address without a box, are mistakes.
    for (const channel of CONSENT_CHANNELS)
      if (kindsBy(channel).length > 0 && !addresses.some((one) => one.channel === channel))
        wrong.add(FIELD_OF[channel]);
    if (given.length < addresses.length || CONSENT_CHANNELS.every((channel) => kindsBy(channel).length === 0))
      wrong.add("kinds");
  } else if (wrong.size === 0 && given.length === 0) wrong.add("kinds");
  if (!parsed.success || utility === undefined || wrong.size > 0)
    throw new SubscriptionInvalid(FIELDS.filter((name) => wrong.has(name)));
  const language =
    request.language !== undefined && utility.languages.includes(request.language)
      ? request.language
      : utility.languages[0]!;
  const { account, zip } = parsed.data;
  const now = new Date(clock.now());
  const code = codeHash(vault, utility.id, zip);
  const occupancies = await transaction.query<{ occupancy_id: number }>(
    `SELECT o.occupancy_id FROM occupancies o JOIN accounts a USING (account_id) JOIN premises p USING (premise_id)
       WHERE a.utility = $1 AND a.number_hash = $2 AND (p.zip_hash = $3 OR EXISTS (
           SELECT 1 FROM mailed_codes m WHERE m.occupancy_id = o.occupancy_id AND m.code_hash = $5
             AND m.used_at IS NULL AND m.expires_at > $4))
         AND o.valid_from <= $4 AND (o.valid_until IS NULL OR o.valid_until > $4)`,
    [
      utility.id,
      vault.hash(utility.id, "account", canonicalAccount(account)),
      vault.hash(utility.id, "zip", canonicalZip(zip)),
      now,
      code,
    ],
  );
  if (occupancies.length === 0) return;
  await useCode(
    transaction,
    occupancies.map(({ occupancy_id }) => occupancy_id),
    code,
    now,
  );
  const contacts: { readonly channel: ConsentChannel; readonly contact: string }[] = [];
  for (const { channel, address } of given) {
    const whose = { utility: utility.id, channel, address, language };
    contacts.push({ channel, contact: await contactOf(transaction, vault, whose, now) });
  }
  // Only now: whoever has a contact's lock may wait for the chain of consents, but not the other way round.
  for (const { channel, contact } of contacts) {
    const [recent] = await transaction.query<{ requests: number }>(
      "SELECT count(*) AS requests FROM confirmations WHERE contact_id = $1 AND requested_at > $2",
      [contact, hoursAfter(now, -CONFIRM_HOURS)],
    );
    if (recent!.requests >= MOST_REQUESTS) continue;
    // Who asks again may have a mailbox or a number that can be reached again. Who called our mail spam comes back through
    // the utility's staff alone, who said STOP by a text alone.
    const mayEnd = byStaff(request) && channel !== "sms" ? undefined : "unreachable";
    await endSuppression(transaction, contact, now, mayEnd);
    const { evidence, method } = request;
    await askToConfirm(
      transaction,
      {
        ...{ utility, contact, channel, kinds: kindsBy(channel), language, method },
        occupancies: occupancies.map(({ occupancy_id }) => occupancy_id),
        hours: CONFIRM_HOURS,
        notBefore: now,
        evidence: evidence === undefined ? null : sealEvidence(vault, utility.id, contact, evidence),
      },
      now,
    );
  }
}

/** Puts a question to confirm into the outbox, in the words of today, and its step into the consents. */
export async function askToConfirm(
  transaction: Queryable,
  ask: {
    readonly utility: UtilityConfig;
    readonly contact: string;
    readonly channel: ConsentChannel;
    readonly occupancies: readonly number[];
    readonly kinds: readonly ConsentKind[];
    readonly language: Language;
    readonly method: SubscriptionRequest["method"] | "renewal";
    /** How long it can be answered. */
    readonly hours: number;
    readonly notBefore: Date;
    readonly evidence: Buffer | null;
  },
  now: Date,
): Promise<void> {
  const { utility, contact, channel, language, method } = ask;
  const [confirmation] = await transaction.query<{ id: string }>(
    `INSERT INTO confirmations (utility, contact_id, channel, occupancies, kinds, language, method, text_version,
       text_hash, requested_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     RETURNING confirmation_id AS id`,
    [
      utility.id,
      contact,
      channel,
      ask.occupancies,
      ask.kinds,
      language,
      method,
      CONSENT_VERSION,
      consentHash(utility, language, channel),
      now,
      hoursAfter(now, ask.hours),
    ],
  );
  await addConsents(transaction, confirmation!.id, "request", method, now, ask.evidence);
  await transaction.query(
    `INSERT INTO outbox (utility, kind, confirmation_id, contact_id, channel, state, not_before, created_at, updated_at)
     VALUES ($1, 'confirmation', $2, $3, $4, 'queued', $5, $6, $6)`,
    [utility.id, confirmation!.id, contact, channel, ask.notBefore, now],
  );
}

function byStaff({ method }: SubscriptionRequest): boolean {
  return method === "command" || method === "staff";
}

const FIELD_OF = { email: "email", sms: "phone", voice: "call" } as const;

function isByChannel(kinds: SubscriptionRequest["kinds"]): kinds is KindsByChannel {
  return !Array.isArray(kinds);
}

/** What was asked for and is offered by a channel, in the order of CONSENT_KINDS. */
function askedFor(
  kinds: SubscriptionRequest["kinds"],
  channel: ConsentChannel,
  utility: UtilityConfig | undefined,
): ConsentKind[] {
  const asked = isByChannel(kinds) ? kinds[channel] : kinds;
  return utility === undefined ? [] : offered(utility, channel).filter((kind) => asked.includes(kind));
}

/** The addresses of a request in canonical form; fields that are none are added to `wrong`. */
function addressesOf(
  { email = "", phone = "", call = "" }: SubscriptionRequest,
  utility: UtilityConfig | undefined,
  wrong: Set<string>,
): { readonly channel: ConsentChannel; readonly address: string }[] {
  const addresses: { channel: ConsentChannel; address: string }[] = [];
  if (email.trim() !== "") {
    const { success, data } = emailAddress.safeParse(email);
    if (success) addresses.push({ channel: "email", address: canonicalEmail(data) });
    else wrong.add("email");
  }
  if (phone.trim() !== "") {
    const sms = utility?.sms;
    const number = sms === undefined ? undefined : phoneNumber(phone, sms.country);
    if (number === undefined || isLandline(number)) wrong.add("phone");
    else addresses.push({ channel: "sms", address: number });
  }
  if (call.trim() !== "") {
    const voice = utility?.voice;
    const number = voice === undefined ? undefined : phoneNumber(call, voice.country);
    if (number === undefined) wrong.add("call");
    else addresses.push({ channel: "voice", address: number });
  }
  if (addresses.length === 0 && wrong.size === 0) wrong.add("email");
  return addresses;
}

type ConfirmationState = "open" | "confirmed" | "expired";

export interface Confirmation {
  readonly utility: UtilityConfig;
  readonly kinds: readonly ConsentKind[];
  readonly language: Language;
  readonly state: ConfirmationState;
}

/** What a confirmation link is for; `undefined` where the token is none of ours. Changes nothing. */
export async function describeConfirmation(
  stores: ConsentStores,
  token: string,
): Promise<Confirmation | undefined> {
  const link = linkOf(stores, "confirm", token);
  const row = link && (await findConfirmation(link, link.database));
  if (link === undefined || row === undefined) return undefined;
  const { utility } = link;
  return { utility, kinds: row.kinds, language: row.language, state: stateOf(row, stores.clock.now()) };
}

/**
 * Confirms a request; the consents hold from then on. Once only: a link that was used, has expired or is none of ours
 * gives `false`, and so does one whose resident has moved out since.
 */
export async function confirmSubscription(
  stores: ConsentStores,
  token: string,
  evidence: Evidence,
): Promise<boolean> {
  const link = linkOf(stores, "confirm", token);
  if (link === undefined) return false;
  return link.database.transaction(async (transaction) => {
    const found = await findConfirmation(link, transaction);
    if (found === undefined) return false;
    await lockContact(transaction, found.contact_id);
    return confirmRequest(
      stores,
      transaction,
      { id: link.id, contact: found.contact_id, utility: link.utility.id, method: "link" },
      evidence,
    );
  });
}

/** In a transaction that holds the contact's lock; `false` as of `confirmSubscription`. */
export async function confirmRequest(
  { vault, clock }: ConsentStores,
  transaction: Queryable,
  request: {
    readonly id: string;
    readonly contact: string;
    readonly utility: string;
    readonly method: "link" | "sms" | "voice";
  },
  evidence: Evidence,
): Promise<boolean> {
  const { id, contact, utility, method } = request;
  const now = new Date(clock.now());
  const used = await transaction.query<{ language: Language }>(
    `UPDATE confirmations SET confirmed_at = $2 WHERE confirmation_id = $1 AND confirmed_at IS NULL AND expires_at > $2
     RETURNING language`,
    [id, now],
  );
  if (used.length === 0) return false;
  const sealed = sealEvidence(vault, utility, contact, evidence);
  const added = await addConsents(transaction, id, "confirm", method, now, sealed);
  if (added === 0) return false;
  await transaction.query(
    "UPDATE contacts SET verified_at = coalesce(verified_at, $2), language = $3 WHERE contact_id = $1",
    [contact, now, used[0]!.language],
  );
  return true;
}

export interface Unsubscription {
  readonly utility: UtilityConfig;
  readonly language: Language;
  /** `done`: nothing of it is agreed to any more. */
  readonly state: "open" | "done";
  /** The one mailing that it ends; `null`: every alert and mailing. */
  readonly mailing: Mailing | null;
}

/** What an unsubscribe link would end; `undefined` where the token is none of ours. Changes nothing. */
export async function describeUnsubscribe(
  stores: ConsentStores,
  token: string,
): Promise<Unsubscription | undefined> {
  const left = await leaving(stores, token);
  if (left === undefined) return undefined;
  const { link, mailing } = left;
  const contact = await findContact(link, link.database);
  if (contact === undefined) return undefined;
  const active = await link.database.query(
    "SELECT 1 FROM active_consents WHERE contact_id = $1 AND kind = coalesce($2, kind) LIMIT 1",
    [contact.id, mailing],
  );
  const { utility, language } = contact;
  return { utility, language, mailing, state: active.length > 0 ? "open" : "done" };
}

/** The contact that an unsubscribe link is of, and the one mailing that it ends: that of the message in which it stood. */
async function leaving(
  stores: ConsentStores,
  token: string,
): Promise<{ readonly link: Link; readonly mailing: Mailing | null } | undefined> {
  const all = linkOf(stores, "unsubscribe", token);
  if (all !== undefined) return { link: all, mailing: null };
  const one = linkOf(stores, "leave", token);
  const [message] =
    one === undefined
      ? []
      : await one.database.query<{ contact_id: string; consent_kind: Mailing }>(
          "SELECT contact_id, consent_kind FROM outbox WHERE outbox_id = $1 AND kind = 'mailing'",
          [one.id],
        );
  return message && { link: { ...one!, id: message.contact_id }, mailing: message.consent_kind };
}

/**
 * Ends every alert of the utility to the contact, or the mailing that the link stood in, at once: what waits in the outbox
 * is suppressed in the same transaction. The link works as long as its message is kept; `false` where it is none of ours.
 */
export async function unsubscribe(stores: ConsentStores, token: string): Promise<boolean> {
  const now = new Date(stores.clock.now());
  const left = await leaving(stores, token);
  if (left === undefined) return false;
  const { link, mailing } = left;
  return link.database.transaction(async (transaction) => {
    const contact = await findContact(link, transaction);
    if (contact === undefined) return false;
    await lockContact(transaction, contact.id);
    const kinds = mailing === null ? CONSENT_KINDS : [mailing];
    await revokeConsents(transaction, { contact: contact.id, method: "link", now, kinds });
    return true;
  });
}

/**
 * Ends what a contact agreed to, all of it or what is named, in a transaction that holds the contact's lock.
 * What waits in the outbox for that reason is suppressed with it.
 */
export async function revokeConsents(
  transaction: Queryable,
  what: {
    readonly contact: string;
    readonly method: "link" | "page" | "sms" | "voice" | "provider" | "erasure" | "import";
    readonly now: Date;
    readonly kinds?: readonly ConsentKind[];
    /** Of these services alone. */
    readonly occupancies?: readonly number[];
  },
): Promise<void> {
  const { contact, method, now, kinds = CONSENT_KINDS, occupancies = null } = what;
  await transaction.query(
    `INSERT INTO consents (utility, contact_id, occupancy_id, kind, channel, action, method, language, text_version, text_hash, at)
     SELECT utility, contact_id, occupancy_id, kind, channel, 'revoke', $2, language, text_version, text_hash, $3
     FROM active_consents WHERE contact_id = $1 AND kind = ANY ($4)
       AND ($5::bigint[] IS NULL OR occupancy_id = ANY ($5))`,
    [contact, method, now, kinds, occupancies],
  );
  await transaction.query(
    `UPDATE outbox SET state = 'suppressed', reason = 'no-consent', updated_at = $2
     WHERE contact_id = $1 AND consent_kind = ANY ($3) AND state IN ('queued', 'held', 'unknown')
       AND ($4::bigint[] IS NULL OR occupancy_id = ANY ($4))`,
    [contact, now, kinds, occupancies],
  );
}

/** What waits to be sent to a contact goes nowhere, and what it was asked can't be confirmed any more. */
export async function dropWaiting(
  transaction: Queryable,
  contact: string,
  reason: "stopped" | "erased",
  now: Date,
): Promise<void> {
  await transaction.query(
    `UPDATE outbox SET state = 'suppressed', reason = $3, updated_at = $2
     WHERE contact_id = $1 AND state IN ('queued', 'held', 'unknown')`,
    [contact, now, reason],
  );
  await transaction.query(
    "UPDATE confirmations SET expires_at = $2 WHERE contact_id = $1 AND confirmed_at IS NULL AND expires_at > $2",
    [contact, now],
  );
}

/** Ends the consents of occupancies that are over: who moved out hears no more. */
export async function endFormerConsents(database: Queryable, now: Date): Promise<void> {
  await database.query(
    `INSERT INTO consents (utility, contact_id, occupancy_id, kind, channel, action, method, language, text_version, text_hash, at)
     SELECT c.utility, contact_id, occupancy_id, kind, channel, 'end', 'move-out', language, text_version, text_hash, $1
     FROM active_consents c JOIN occupancies o USING (occupancy_id) WHERE o.valid_until <= $1`,
    [now],
  );
}

/** What a link of ours names: the row with an id, of a utility. */
export interface Link {
  readonly id: string;
  readonly utility: UtilityConfig;
  /** The utility's rows alone. */
  readonly database: Transactions;
}

/** A link for a purpose; `undefined` where no utility of ours has signed the token. The row may be gone. */
export function linkOf(
  { config, vault, database }: Pick<ConsentStores, "config" | "vault" | "database">,
  purpose: LinkPurpose,
  token: string,
): Link | undefined {
  const id = linkId(token);
  if (id === undefined) return undefined;
  const utility = config.utilities.find((one) => linkMatches(vault, one.id, purpose, id, token));
  return utility && { id, utility, database: database.of(utility.id) };
}

interface ConfirmationRow {
  readonly contact_id: string;
  readonly kinds: ConsentKind[];
  readonly language: Language;
  readonly expires_at: Date;
  readonly confirmed_at: Date | null;
}

async function findConfirmation({ id }: Link, on: Queryable): Promise<ConfirmationRow | undefined> {
  const [row] = await on.query<ConfirmationRow>(
    `SELECT contact_id, kinds, language, expires_at, confirmed_at FROM confirmations WHERE confirmation_id = $1`,
    [id],
  );
  return row;
}

/** The contact that a link names, erased or not. */
export async function findContact({ id, utility }: Link, on: Queryable): Promise<LinkedContact | undefined> {
  const [row] = await on.query<Omit<LinkedContact, "id" | "utility">>(
    "SELECT language, channel, address_hash, address_sealed, units, send_from, send_until, time_zone FROM contacts WHERE contact_id = $1",
    [id],
  );
  return row && { ...row, id, utility };
}

export interface LinkedContact extends OwnHours {
  readonly id: string;
  readonly utility: UtilityConfig;
  /** Units that they chose; `null`: the utility's. */
  readonly units: UtilityConfig["units"] | null;
  readonly language: Language;
  readonly channel: ConsentChannel;
  readonly address_hash: Buffer;
  /** `null` of who was erased. */
  readonly address_sealed: Buffer | null;
}

function stateOf({ confirmed_at, expires_at }: ConfirmationRow, now: number): ConfirmationState {
  if (confirmed_at !== null) return "confirmed";
  return expires_at.getTime() > now ? "open" : "expired";
}

/** One step for each occupancy that still holds and each kind of a confirmation; returns how many. */
async function addConsents(
  transaction: Queryable,
  confirmationId: string,
  action: "request" | "confirm",
  method: string,
  now: Date,
  evidence: Buffer | null,
): Promise<number> {
  const added = await transaction.query(
    `INSERT INTO consents (utility, contact_id, occupancy_id, kind, channel, action, method, language, text_version,
       text_hash, evidence_sealed, at)
     SELECT c.utility, c.contact_id, o.occupancy_id, k.kind, c.channel, $2, $3, c.language, c.text_version, c.text_hash, $4, $5
     FROM confirmations c CROSS JOIN unnest(c.kinds) AS k (kind)
     JOIN occupancies o ON o.occupancy_id = ANY (c.occupancies) AND (o.valid_until IS NULL OR o.valid_until > $5)
     WHERE c.confirmation_id = $1
       -- What is asked again is what holds, and no more.
       AND (c.method <> 'renewal' OR EXISTS (SELECT 1 FROM active_consents a WHERE a.contact_id = c.contact_id
         AND a.occupancy_id = o.occupancy_id AND a.kind = k.kind AND a.channel = c.channel))
     RETURNING 1`,
    [confirmationId, action, method, evidence, now],
  );
  return added.length;
}

function hoursAfter(time: Date, hours: number): Date {
  return new Date(time.getTime() + hours * 3_600_000);
}
