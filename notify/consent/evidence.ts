import type { Vault } from "../../infra/crypto/vault.js";
import type { Database, Queryable } from "../../infra/postgres/database.js";
import type { UtilityConfig } from "../../schemas/config.js";
import { contactsWith } from "./contact.js";
import { CONSENT_VERSION, consentHash, consentText, reaches, type ConsentChannel } from "./wording.js";
import type { Language } from "../words/index.js";

/** What is known of whoever confirmed or asked; kept sealed. */
export interface Evidence {
  readonly ip?: string;
  readonly userAgent?: string;
  /** The provider's id of the text that said yes. */
  readonly message?: string;
  /** Login name of the staff who entered a request, and the SHA-256 (hex) of what proves it, such as a scan of a signed form. */
  readonly staff?: string;
  readonly document?: string;
}

/** Bound to the contact: evidence of another one can't be put in its place. */
export function sealEvidence(vault: Vault, utility: string, contact: string, evidence: Evidence): Buffer {
  return vault.seal(utility, sealedAt(contact), JSON.stringify(evidence));
}

/** @throws Error where it was sealed for another contact or key */
export function openEvidence(vault: Vault, utility: string, contact: string, sealed: Buffer): Evidence {
  return JSON.parse(vault.unseal(utility, sealedAt(contact), sealed).toString("utf8")) as Evidence;
}

function sealedAt(contact: string): string {
  return `consents.evidence|${contact}`;
}

/** The chain of a utility's consents, as it was followed from its beginning. */
export interface ConsentChain {
  readonly utility: string;
  readonly steps: number;
  /** SHA-256 of the last step and, through it, of all before: to be kept elsewhere and compared. */
  readonly head: string;
  /** What is wrong with it, in words; `undefined`: nothing. */
  readonly broken: string | undefined;
}

/** Follows the chain of each utility that has consents. */
export async function verifyConsents(database: Queryable): Promise<ConsentChain[]> {
  const rows = await database.query<{
    utility: string;
    steps: number;
    head: Buffer;
    broken: number | null;
    known_steps: number;
    known_head: Buffer;
  }>(
    `SELECT u.utility, f.steps, f.head, f.broken, coalesce(k.steps, 0) AS known_steps, coalesce(k.head, '') AS known_head
     FROM (SELECT utility FROM consents UNION SELECT utility FROM consent_chains) AS u
     LEFT JOIN consent_chains k USING (utility) CROSS JOIN LATERAL follow_consents(u.utility) AS f ORDER BY u.utility`,
  );
  return rows.map(({ utility, steps, head, broken, known_steps, known_head }) => ({
    utility,
    steps,
    head: head.toString("hex"),
    broken:
      broken !== null
        ? `step ${broken} does not follow from those before it: it was changed, or some were taken out`
        : steps !== known_steps || !head.equals(known_head)
          ? `it ends at step ${steps}, and step ${known_steps} was added last: steps are missing`
          : undefined,
  }));
}

/** One step of a consent, with all that proves it. Personal. */
export interface EvidenceStep {
  readonly place: number;
  readonly at: Date;
  readonly kind: string;
  readonly channel: ConsentChannel;
  readonly action: string;
  readonly method: string;
  readonly language: Language;
  readonly textVersion: string;
  readonly textSha256: string;
  /** The wording, where it is the one in use now. */
  readonly text: string | null;
  /** Whoever confirmed: address and browser, or the provider's id of the text that said yes. */
  readonly evidence: Evidence | null;
  readonly chain: string;
}

/**
 * Everything that an address agreed to and took back, oldest first, before an erasure too.
 * @returns `undefined` where the utility knows no such address
 */
export async function consentEvidence(
  { database, vault }: { readonly database: Database; readonly vault: Vault },
  utility: UtilityConfig,
  address: string,
): Promise<EvidenceStep[] | undefined> {
  const own = database.of(utility.id);
  const contacts = await contactsWith(own, vault, utility, address);
  if (contacts.length === 0) return undefined;
  const rows = await own.query<{
    contact_id: string;
    place: number;
    at: Date;
    kind: string;
    channel: ConsentChannel;
    action: string;
    method: string;
    language: Language;
    text_version: string;
    text_hash: Buffer;
    evidence_sealed: Buffer | null;
    chain: Buffer;
  }>("SELECT * FROM consents WHERE contact_id = ANY ($1::uuid[]) ORDER BY place", [
    contacts.map(({ id }) => id),
  ]);
  return rows.map((row) => ({
    place: row.place,
    at: row.at,
    kind: row.kind,
    channel: row.channel,
    action: row.action,
    method: row.method,
    language: row.language,
    textVersion: row.text_version,
    textSha256: row.text_hash.toString("hex"),
    text: wordingOf(utility, row),
    evidence:
      row.evidence_sealed === null
        ? null
        : openEvidence(vault, utility.id, row.contact_id, row.evidence_sealed),
    chain: row.chain.toString("hex"),
  }));
}

function wordingOf(
  utility: UtilityConfig,
  row: { channel: ConsentChannel; language: Language; text_version: string; text_hash: Buffer },
): string | null {
  if (row.text_version !== CONSENT_VERSION || !reaches(utility, row.channel)) return null;
  return consentHash(utility, row.language, row.channel).equals(row.text_hash)
    ? consentText(utility, row.language, row.channel)
    : null;
}
