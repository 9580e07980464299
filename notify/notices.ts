import { z } from "zod";
import type { Vault } from "../infra/crypto/vault.js";
import type { Transactions } from "../infra/postgres/database.js";
import { MAILINGS, type Mailing, type UtilityConfig } from "../schemas/config.js";
import { postalAddresses, type PostalAddress } from "./consent/postal-address.js";
import { LOCALES, type Language } from "./words/index.js";

/** What a notice is about that is due by law or contract, whatever somebody wants to hear of. */
const DUE = ["terms", "privacy", "account"] as const;
type About = (typeof DUE)[number] | Mailing;

/** What goes to those alone who asked for it by itself; `undefined`: it is due to all. */
export function mailingOf(about: About): Mailing | undefined {
  return MAILINGS.find((one) => one === about);
}

/** A notice in one language. Its text is plain: a blank line begins a paragraph. */
const noticeWords = z.strictObject({
  subject: z.string().trim().min(1).max(90),
  text: z.string().trim().min(1).max(10_000),
  /** The whole of it, where it is long. */
  link: z.url({ protocol: /^https$/ }).optional(),
});
export type NoticeWords = z.infer<typeof noticeWords>;

export type Notice = z.infer<ReturnType<typeof noticeSchema>>;

/** A notice as a utility writes it: in each of its languages, about what is due or what it offers. */
export function noticeSchema({ languages, mailings }: Pick<UtilityConfig, "languages" | "mailings">) {
  const spoken = Object.keys(LOCALES).filter((each) => languages.includes(each as Language));
  return z.strictObject({
    /** Its name: sent again under the same, it goes to those alone whom it was not sent to. */
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "expected small letters, digits and hyphens"),
    about: z.enum([...DUE, ...mailings]),
    words: z.strictObject(
      Object.fromEntries(spoken.map((language) => [language, noticeWords])) as Record<
        Language,
        typeof noticeWords
      >,
    ),
  });
}

interface Stores {
  readonly database: Transactions;
  readonly vault: Vault;
}

/** Whom a notice goes to, and whom it can't reach. */
export interface Reach {
  /** Addresses that it is sent to, or would be. */
  readonly mails: number;
  /** Addresses that it was sent to before. */
  readonly before: number;
  /** Homes of people who signed up, none of whom can be reached by mail. */
  readonly homesWithoutMail: number;
}

/** Where a letter goes instead, and in which language. Personal. */
export interface HomeWithoutMail extends PostalAddress {
  readonly language: Language;
}

/** Another notice has this name. */
export class NoticeDiffers extends Error {
  override readonly name = "NoticeDiffers";
}

/**
 * Addresses whose home is still theirs and that agreed to what is sent, or where it is due (NULL) to anything at all, once;
 * `is_mailed`: it can get mails. An erased address, one that never confirmed and one whose home went to others gets none.
 */
const REACHED = `
  SELECT c.contact_id, c.language, p.occupancy_id,
    c.channel = 'email' AND NOT EXISTS (SELECT 1 FROM suppressions x WHERE x.utility = c.utility AND x.channel = c.channel
      AND x.address_hash = c.address_hash AND x.ended_at IS NULL) AS is_mailed
  FROM contacts c JOIN (
    SELECT DISTINCT contact_id, occupancy_id FROM consents WHERE action = 'confirm' AND $3::text IS NULL
    UNION SELECT contact_id, occupancy_id FROM active_consents WHERE kind = $3) k USING (contact_id)
  JOIN occupancies p USING (occupancy_id)
  WHERE c.utility = $1 AND c.erased_at IS NULL AND (p.valid_until IS NULL OR p.valid_until > $2)`;

/**
 * Sends a notice by mail, or with `dry` says what would be sent. It waits for the hours in which residents are written to,
 * for go-live, and behind every alert.
 * @param by who sends it
 * @param letters gets the homes that mail can't reach; where it throws, nothing is sent
 * @throws NoticeDiffers where another notice was sent under this name
 */
export async function sendNotice(
  { database, vault }: Stores,
  { id }: Pick<UtilityConfig, "id">,
  notice: Notice,
  {
    by,
    now,
    dry,
    letters,
  }: {
    readonly by: string;
    readonly now: Date;
    readonly dry: boolean;
    readonly letters?: ((homes: readonly HomeWithoutMail[]) => void) | undefined;
  },
): Promise<Reach> {
  const { name, about, words } = notice;
  const mailing = mailingOf(about);
  return database.of(id).transaction(async (transaction) => {
    const [sent] = await transaction.query<{ notice_id: number; is_same: boolean }>(
      `SELECT notice_id, about = $3 AND words = $4 AS is_same FROM notices WHERE utility = $1 AND name = $2 FOR UPDATE`,
      [id, name, about, JSON.stringify(words)],
    );
    if (sent?.is_same === false)
      throw new NoticeDiffers(
        `Another notice was sent as "${name}". Give this one a name of its own; what was sent stays as it is.`,
      );
    const contacts = await transaction.query<{ contact_id: string; had: boolean }>(
      `SELECT contact_id, EXISTS (SELECT 1 FROM outbox o WHERE o.notice_id = $4 AND o.contact_id = r.contact_id) AS had
       FROM (SELECT DISTINCT contact_id FROM (${REACHED}) AS all_of_them WHERE is_mailed) AS r`,
      [id, now, mailing ?? null, sent?.notice_id ?? null],
    );
    const homes = await transaction.query<{ occupancy_id: number; language: Language }>(
      `SELECT occupancy_id, min(language) AS language FROM (${REACHED}) AS all_of_them
       GROUP BY occupancy_id HAVING NOT bool_or(is_mailed) ORDER BY occupancy_id`,
      [id, now, mailing ?? null],
    );
    const due = contacts.filter(({ had }) => !had);
    if (!dry && due.length > 0) {
      const notices =
        sent === undefined
          ? await transaction.query<{ notice_id: number }>(
              `INSERT INTO notices (utility, name, about, words, written_by, written_at)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING notice_id`,
              [id, name, about, JSON.stringify(words), by, now],
            )
          : [sent];
      await transaction.query(
        `INSERT INTO outbox (utility, kind, notice_id, consent_kind, contact_id, channel, state, not_before, created_at, updated_at)
         SELECT $1, $5, $2, $6, contact, 'email', 'queued', $4, $4, $4 FROM unnest($3::uuid[]) AS t (contact)
         ON CONFLICT DO NOTHING`,
        [
          ...[id, notices[0]!.notice_id, due.map(({ contact_id }) => contact_id), now],
          ...(mailing === undefined ? ["service", null] : ["mailing", mailing]),
        ],
      );
    }
    if (letters !== undefined) {
      const occupancies = homes.map(({ occupancy_id }) => occupancy_id);
      const addresses = await postalAddresses(transaction, vault, id, occupancies);
      letters(homes.map(({ occupancy_id, language }) => ({ ...addresses.get(occupancy_id)!, language })));
    }
    const before = contacts.length - due.length;
    return { mails: due.length, before, homesWithoutMail: homes.length };
  });
}

/** A notice that was sent, and what became of its mails: how many by state of the outbox. */
export interface SentNotice {
  readonly name: string;
  readonly about: About;
  readonly by: string;
  readonly at: Date;
  readonly mails: Readonly<Record<string, number>>;
}

/** Notices of a utility, the newest first. */
export async function sentNotices(
  { database }: Pick<Stores, "database">,
  { id }: Pick<UtilityConfig, "id">,
): Promise<SentNotice[]> {
  return database.of(id).query<SentNotice>(
    `SELECT name, about, written_by AS by, written_at AS at,
       coalesce((SELECT jsonb_object_agg(state, n) FROM (
         SELECT state, count(*)::int AS n FROM outbox o WHERE o.notice_id = s.notice_id GROUP BY state) AS t), '{}') AS mails
     FROM notices s WHERE utility = $1 ORDER BY written_at DESC, notice_id DESC`,
    [id],
  );
}
