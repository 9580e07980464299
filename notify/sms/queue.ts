import { PersonErased } from "../../infra/crypto/person-keys.js";
import type { Vault } from "../../infra/crypto/vault.js";
import type { Database } from "../../infra/postgres/database.js";

/** A text that somebody should look at. */
export interface WaitingText {
  readonly utility: string;
  readonly id: string;
  readonly receivedAt: Date;
  readonly asks: string;
  /** What the resident wrote: personal, for the eyes of staff alone. `null` in a restored backup, of who was erased since. */
  readonly body: string | null;
}

/** Texts that were not understood, or only by a guess, oldest first. */
export async function waitingTexts(
  { database, vault }: { readonly database: Database; readonly vault: Vault },
  utility?: string,
): Promise<WaitingText[]> {
  const rows = await database.query<Omit<WaitingText, "body"> & { contact_id: string; body_sealed: Buffer }>(
    `SELECT utility, provider_id AS id, received_at AS "receivedAt", asks, contact_id, body_sealed FROM texts_received
     WHERE for_people AND handled_at IS NULL AND ($1::text IS NULL OR utility = $1) ORDER BY received_at, provider_id`,
    [utility ?? null],
  );
  return rows.map(({ contact_id, body_sealed, ...row }) => {
    const words = () => vault.people.unseal(row.utility, contact_id, textContext(row.id), body_sealed);
    return { ...row, body: unlessErased(words) };
  });
}

function unlessErased(words: () => string): string | null {
  try {
    return words();
  } catch (error) {
    if (error instanceof PersonErased) return null;
    throw error;
  }
}

/** Somebody has seen to it; `false` where no such text waits. */
export async function markHandled(database: Database, id: string, now: Date): Promise<boolean> {
  const done = await database.query(
    "UPDATE texts_received SET handled_at = $2 WHERE provider_id = $1 AND for_people AND handled_at IS NULL RETURNING 1",
    [id, now],
  );
  return done.length > 0;
}

/** Where the words of a text are sealed. */
export function textContext(providerId: string): string {
  return `texts_received.body|${providerId}`;
}
