import { z } from "zod";
import type { Vault } from "../infra/crypto/vault.js";
import type { Transactions } from "../infra/postgres/database.js";
import type { UtilityConfig } from "../schemas/config.js";
import { LOCALES, type Language } from "./words/index.js";

/** What a notice is about that goes out whatever somebody wants to hear of. */
const ABOUT = ["terms", "privacy", "account"] as const;

/** A notice in one language. Its text is plain: a blank line begins a paragraph. */
const noticeWords = z.strictObject({
  subject: z.string().trim().min(1).max(90),
  text: z.string().trim().min(1).max(10_000),
  /** The whole of it, where it is long. */
  link: z.url({ protocol: /^https$/ }).optional(),
});
export type NoticeWords = z.infer<typeof noticeWords>;

export type ServiceNotice = z.infer<ReturnType<typeof serviceNotice>>;

/** A notice as a utility writes it: in each of its languages. */
export function serviceNotice({ languages }: Pick<UtilityConfig, "languages">) {
  const spoken = Object.keys(LOCALES).filter((each) => languages.includes(each as Language));
  return z.strictObject({
    /** Its name: sent again under the same, it goes to those alone whom it was not sent to. */
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "expected small letters, digits and hyphens"),
    about: z.enum(ABOUT),
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

/** Personal. */
export interface HomeWithoutMail {
  readonly account: string;
  readonly name: string;
  readonly address: string;
  readonly language: Language;
}

/** Another notice has this name. */
export class NoticeDiffers extends Error {
  override readonly name = "NoticeDiffers";
}

/**
 * Addresses that confirmed and whose home is still theirs, whatever they want to hear of; `is_mailed`: it can get mails.
 * An erased address, one that never confirmed and one whose home went to others gets none.
 */
const REACHED = `
  SELECT c.contact_id, c.language, p.occupancy_id,
    c.channel = 'email' AND NOT EXISTS (SELECT 1 FROM suppressions x WHERE x.utility = c.utility AND x.channel = c.channel
      AND x.address_hash = c.address_hash AND x.ended_at IS NULL) AS is_mailed
  FROM contacts c JOIN (SELECT DISTINCT contact_id, occupancy_id FROM consents WHERE action = 'confirm') k USING (contact_id)
  JOIN occupancies p USING (occupancy_id)
  WHERE c.utility = $1 AND c.erased_at IS NULL AND (p.valid_until IS NULL OR p.valid_until > $2)`;

/**
 * Sends a notice by mail, or with `dry` says what would be sent. It waits for the hours in which residents are written to,
 * for go-live, and behind every alert.
 * @param by who sends it
 * @param letters gets the homes that mail can't reach; where it throws, nothing is sent
 * @throws NoticeDiffers where another notice was sent under this name
 */
export async function sendServiceNotice(
  { database, vault }: Stores,
  { id }: Pick<UtilityConfig, "id">,
  notice: ServiceNotice,
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
  return database.of(id).transaction(async (transaction) => {
    const [sent] = await transaction.query<{ notice_id: number; is_same: boolean }>(
      `SELECT notice_id, about = $3 AND words = $4 AS is_same FROM service_notices WHERE utility = $1 AND name = $2 FOR UPDATE`,
      [id, name, about, JSON.stringify(words)],
    );
    if (sent?.is_same === false)
      throw new NoticeDiffers(
        `Another notice was sent as "${name}". Give this one a name of its own; what was sent stays as it is.`,
      );
    const contacts = await transaction.query<{ contact_id: string; had: boolean }>(
      `SELECT contact_id, EXISTS (SELECT 1 FROM outbox o WHERE o.notice_id = $3 AND o.contact_id = r.contact_id) AS had
       FROM (SELECT DISTINCT contact_id FROM (${REACHED}) AS all_of_them WHERE is_mailed) AS r`,
      [id, now, sent?.notice_id ?? null],
    );
    const homes = await transaction.query<{
      number_sealed: Buffer;
      name_sealed: Buffer | null;
      address_sealed: Buffer | null;
      language: Language;
    }>(
      `SELECT a.number_sealed, c.name_sealed, p.address_sealed, h.language
       FROM (SELECT occupancy_id, min(language) AS language FROM (${REACHED}) AS all_of_them
             GROUP BY occupancy_id HAVING NOT bool_or(is_mailed)) AS h
       JOIN occupancies o USING (occupancy_id) JOIN accounts a USING (account_id) JOIN premises p USING (premise_id)
       LEFT JOIN customers c USING (account_id) ORDER BY o.occupancy_id`,
      [id, now],
    );
    const open = (context: string, sealed: Buffer | null) =>
      sealed === null ? "" : vault.unseal(id, context, sealed).toString("utf8");
    const due = contacts.filter(({ had }) => !had);
    if (!dry && due.length > 0) {
      const notices =
        sent === undefined
          ? await transaction.query<{ notice_id: number }>(
              `INSERT INTO service_notices (utility, name, about, words, written_by, written_at)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING notice_id`,
              [id, name, about, JSON.stringify(words), by, now],
            )
          : [sent];
      await transaction.query(
        `INSERT INTO outbox (utility, kind, notice_id, contact_id, channel, state, not_before, created_at, updated_at)
         SELECT $1, 'service', $2, contact, 'email', 'queued', $4, $4, $4 FROM unnest($3::uuid[]) AS t (contact)
         ON CONFLICT DO NOTHING`,
        [id, notices[0]!.notice_id, due.map(({ contact_id }) => contact_id), now],
      );
    }
    letters?.(
      homes.map(({ number_sealed, name_sealed, address_sealed, language }) => ({
        account: open("accounts.number", number_sealed),
        name: open("customers.name", name_sealed),
        address: open("premises.address", address_sealed),
        language,
      })),
    );
    const before = contacts.length - due.length;
    return { mails: due.length, before, homesWithoutMail: homes.length };
  });
}

/** A notice that was sent, and what became of its mails: how many by state of the outbox. */
export interface SentNotice {
  readonly name: string;
  readonly about: (typeof ABOUT)[number];
  readonly by: string;
  readonly at: Date;
  readonly mails: Readonly<Record<string, number>>;
}

/** Notices of a utility, the newest first. */
export async function serviceNotices(
  { database }: Pick<Stores, "database">,
  { id }: Pick<UtilityConfig, "id">,
): Promise<SentNotice[]> {
  return database.of(id).query<SentNotice>(
    `SELECT name, about, written_by AS by, written_at AS at,
       coalesce((SELECT jsonb_object_agg(state, n) FROM (
         SELECT state, count(*)::int AS n FROM outbox o WHERE o.notice_id = s.notice_id GROUP BY state) AS t), '{}') AS mails
     FROM service_notices s WHERE utility = $1 ORDER BY written_at DESC, notice_id DESC`,
    [id],
  );
}
