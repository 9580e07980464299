import type { Database, Queryable } from "../../infra/postgres/database.js";
import type { Reject } from "../check/rejects.js";

export type FileState = "claimed" | "publishing" | "published" | "archived" | "rejected" | "duplicate";

/**
 * A row of the ledger. Of a file that was published, `rows` + `rejected` is the number of its rows of reads, and `reads` +
 * `no_reads` + `values_rejected` the number of values in them. Of other files all of them are 0.
 */
export interface LedgerFile {
  readonly file: number;
  readonly utility: string;
  readonly source: string;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly state: FileState;
  readonly duplicate_of: number | null;
  readonly correction: boolean;
  readonly again_of: number | null;
  readonly work_path: string | null;
  readonly archive_path: string | null;
  readonly archive_key: Buffer | null;
  readonly reason: string | null;
  readonly rows: number;
  readonly rejected: number;
  readonly reads: number;
  readonly no_reads: number;
  readonly values_rejected: number;
  readonly meters: number;
  readonly first_read: Date | null;
  readonly last_read: Date | null;
  readonly claimed_at: Date;
  readonly published_at: Date | null;
  readonly announced: boolean;
}

export interface Delivery {
  readonly utility: string;
  readonly source: string;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly workPath: string;
  readonly claimedAt: Date;
  /** The file that is processed again on request. */
  readonly againOf?: number;
}

/**
 * Enters a delivery and gives it its sequence number. The same bytes of the same source were taken before: it is a
 * duplicate. They were rejected as a whole: they are processed again, perhaps by a mended profile. The same name with
 * other bytes: a correction. Entering the same work path again gives the same row.
 */
export async function enterDelivery(database: Database, delivery: Delivery): Promise<LedgerFile> {
  const { utility, source, name, sha256, bytes, workPath, claimedAt, againOf } = delivery;
  return database.transaction(async (transaction) => {
    // One delivery of a source at a time: numbers follow the order of claims.
    await transaction.query("SELECT pg_advisory_xact_lock(hashtext($1))", [`file/${utility}/${source}`]);
    const [entered] = await transaction.query<LedgerFile>("SELECT * FROM files WHERE work_path = $1", [
      workPath,
    ]);
    if (entered !== undefined) return entered;
    const [before] = await transaction.query<{ file: number; state: FileState; again_of: number | null }>(
      `SELECT file, state, again_of FROM files WHERE utility = $1 AND source = $2 AND sha256 = $3 AND state <> 'duplicate'
       ORDER BY state = 'rejected', file LIMIT 1`,
      [utility, source, sha256],
    );
    const afterRejection = before?.state === "rejected" ? (before.again_of ?? before.file) : undefined;
    const again = againOf ?? afterRejection;
    const duplicateOf = again === undefined ? before?.file : undefined;
    const [sameName] = await transaction.query(
      "SELECT 1 FROM files WHERE utility = $1 AND source = $2 AND name = $3 AND sha256 <> $4 LIMIT 1",
      [utility, source, name, sha256],
    );
    const [row] = await transaction.query<LedgerFile>(
      `INSERT INTO files (file, utility, source, name, sha256, bytes, state, duplicate_of, correction, again_of, work_path, claimed_at)
       VALUES (nextval('files_sequence'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *`,
      [
        utility,
        source,
        name,
        sha256,
        bytes,
        duplicateOf === undefined ? "claimed" : "duplicate",
        duplicateOf ?? null,
        sameName !== undefined && duplicateOf === undefined,
        again ?? null,
        workPath,
        claimedAt,
      ],
    );
    return row!;
  });
}

/** The delivery whose claimed bytes lie at a path. */
export async function fileAt(database: Queryable, workPath: string): Promise<LedgerFile | undefined> {
  const [file] = await database.query<LedgerFile>("SELECT * FROM files WHERE work_path = $1", [workPath]);
  return file;
}

/** Files that were left before their end. */
export function unfinishedFiles(database: Queryable): Promise<LedgerFile[]> {
  return database.query<LedgerFile>(
    "SELECT * FROM files WHERE state IN ('claimed', 'publishing', 'published') OR NOT announced ORDER BY file",
  );
}

/** Begins a file's publication, from its first row: what a broken-off attempt left is set back. */
export async function beginPublishing(database: Database, file: number): Promise<void> {
  await database.transaction(async (transaction) => {
    await transaction.query("DELETE FROM rejects WHERE file = $1", [file]);
    await transaction.query("UPDATE files SET state = 'publishing' WHERE file = $1", [file]);
  });
}

const MOST_INT4 = 2 ** 31 - 1;

/** @param rejects of whole rows: those of one line come together */
export async function saveRejects(
  database: Database,
  file: number,
  rejects: readonly Reject[],
): Promise<void> {
  let place = 0;
  let line = -1;
  const places = rejects.map((reject) => {
    place = reject.line === line ? place + 1 : 0;
    line = reject.line;
    return place;
  });
  await database.query(
    // A second try after an answer that was lost finds the rows there.
    `INSERT INTO rejects (file, line, place, at_byte, length, code, field, value)
     SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::bigint[], $5::int[], $6::text[], $7::text[], $8::text[])
     ON CONFLICT DO NOTHING`,
    [
      file,
      rejects.map((reject) => reject.line),
      places,
      rejects.map(({ offset }) => offset),
      rejects.map(({ length }) => Math.min(length, MOST_INT4)),
      rejects.map(({ code }) => code),
      rejects.map(({ field }) => field),
      // PostgreSQL's text holds no NUL.
      rejects.map(({ value }) => value?.replaceAll("\0", "\\0") ?? null),
    ],
  );
}

export interface Published {
  readonly rows: number;
  readonly rejected: number;
  readonly reads: number;
  readonly noReads: number;
  readonly valuesRejected: number;
  readonly meters: number;
  readonly firstRead: Date | null;
  readonly lastRead: Date | null;
  readonly at: Date;
}

/** Every block of the file is durable in the log. */
export async function markPublished(database: Queryable, file: number, result: Published): Promise<void> {
  const { rows, rejected, reads, noReads, valuesRejected, meters, firstRead, lastRead, at } = result;
  await database.query(
    `UPDATE files SET state = 'published', rows = $2, rejected = $3, reads = $4, no_reads = $5, meters = $6,
       first_read = $7, last_read = $8, published_at = $9, values_rejected = $10 WHERE file = $1`,
    [file, rows, rejected, reads, noReads, meters, firstRead, lastRead, at, valuesRejected],
  );
}

export async function markRejected(
  database: Queryable,
  file: number,
  reason: string,
  at: Date,
): Promise<void> {
  await database.query(
    "UPDATE files SET state = 'rejected', reason = $2, published_at = $3 WHERE file = $1",
    [file, reason, at],
  );
}

/** The original is in the archive; a rejected file keeps that state. */
export async function markArchived(
  database: Queryable,
  file: number,
  path: string,
  key: Buffer,
): Promise<void> {
  await database.query(
    `UPDATE files SET archive_path = $2, archive_key = $3,
       state = CASE WHEN state = 'published' THEN 'archived' ELSE state END WHERE file = $1`,
    [file, path, key],
  );
}

/** The file's message is in the log and its claimed bytes are gone: it is at its end. */
export async function markAnnounced(database: Queryable, file: number): Promise<void> {
  await database.query("UPDATE files SET announced = true, work_path = NULL WHERE file = $1", [file]);
}

/** The latest files, newest first. */
export function listFiles(
  database: Queryable,
  filter: { readonly utility?: string; readonly source?: string; readonly limit: number },
): Promise<LedgerFile[]> {
  return database.query<LedgerFile>(
    `SELECT * FROM files WHERE ($1::text IS NULL OR utility = $1) AND ($2::text IS NULL OR source = $2)
     ORDER BY file DESC LIMIT $3`,
    [filter.utility ?? null, filter.source ?? null, filter.limit],
  );
}

export interface RejectRow {
  readonly file: number;
  readonly utility: string;
  readonly source: string;
  readonly line: number;
  readonly at_byte: number;
  readonly length: number;
  readonly code: string;
  readonly field: string;
  readonly value: string | null;
}

/** Rejected rows, newest file first, in order of lines. */
export function listRejects(
  database: Queryable,
  filter: {
    readonly utility?: string;
    readonly file?: number;
    readonly code?: string;
    readonly limit: number;
  },
): Promise<RejectRow[]> {
  return database.query<RejectRow>(
    `SELECT r.file, f.utility, f.source, r.line, r.at_byte, r.length, r.code, r.field, r.value
     FROM rejects r JOIN files f USING (file)
     WHERE ($1::text IS NULL OR f.utility = $1) AND ($2::bigint IS NULL OR r.file = $2) AND ($3::text IS NULL OR r.code = $3)
     ORDER BY r.file DESC, r.line, r.place LIMIT $4`,
    [filter.utility ?? null, filter.file ?? null, filter.code ?? null, filter.limit],
  );
}
