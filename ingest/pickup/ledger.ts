import type { Database, Queryable } from "../../infra/postgres/database.js";
import type { Reject } from "../check/rejects.js";

export type FileState = "claimed" | "publishing" | "published" | "archived" | "rejected" | "duplicate";

/**
 * A row of the ledger. Of a file that was published, `rows` + `rejected` + `left_out` is the number of its rows of reads, and
 * `reads` + `no_reads` + `values_rejected` the number of values in the first two. Of other files all of them are 0.
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
  readonly left_out: number;
  readonly reads: number;
  readonly late_reads: number;
  readonly no_reads: number;
  readonly values_rejected: number;
  readonly meters: number;
  readonly first_read: Date | null;
  readonly last_read: Date | null;
  readonly claimed_at: Date;
  readonly published_at: Date | null;
  readonly announced: boolean;
  /** Columns of the header that the source does not speak of. */
  readonly unknown_columns: readonly string[];
}

export interface Delivery {
  readonly utility: string;
  readonly source: string;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly workPath: string;
  readonly claimedAt: Date;
  /** The file's name says what it holds: the same bytes under another name are another delivery. */
  readonly nameCounts: boolean;
  /** The file that is processed again on request. */
  readonly againOf?: number;
}

const ENTER = `
WITH entered AS (
  SELECT * FROM files WHERE work_path = $6
), before AS (
  -- In two parts, each of which has an index of its own.
  SELECT file, state, again_of FROM (
    SELECT * FROM files WHERE utility = $1 AND source = $2 AND sha256 = $4 AND (NOT $9 OR name = $3)
      AND state <> 'duplicate' AND again_of IS NULL
    UNION ALL
    SELECT * FROM files WHERE utility = $1 AND source = $2 AND sha256 = $4 AND (NOT $9 OR name = $3)
      AND state <> 'duplicate' AND again_of IS NOT NULL
  ) AS same ORDER BY state = 'rejected', file LIMIT 1
), again AS (
  SELECT coalesce($8::bigint, (SELECT coalesce(again_of, file) FROM before WHERE state = 'rejected')) AS file
), duplicate AS (
  SELECT before.file FROM before, again WHERE again.file IS NULL
), fresh AS (
  INSERT INTO files (file, utility, source, name, sha256, bytes, state, duplicate_of, correction, again_of, work_path, claimed_at, name_counts)
  SELECT nextval('files_sequence'), $1, $2, $3, $4, $5,
    CASE WHEN duplicate.file IS NULL THEN 'claimed' ELSE 'duplicate' END, duplicate.file,
    duplicate.file IS NULL AND EXISTS (
      SELECT 1 FROM files WHERE utility = $1 AND source = $2 AND name = $3 AND sha256 <> $4
    ),
    again.file, $6, $7, $9
  FROM again LEFT JOIN duplicate ON true WHERE NOT EXISTS (SELECT 1 FROM entered)
  RETURNING *
)
SELECT * FROM entered UNION ALL SELECT * FROM fresh`;

/**
 * Enters a delivery and gives it its sequence number. The same bytes of the same source were taken before (under the same
 * name, where names count): it is a duplicate. They were rejected as a whole: they are processed again, perhaps by a mended profile. The same name with
 * other bytes: a correction. Entering the same work path again gives the same row.
 */
export async function enterDelivery(database: Database, delivery: Delivery): Promise<LedgerFile> {
  const { utility, source, name, sha256, bytes, workPath, claimedAt, nameCounts, againOf } = delivery;
  return database.transaction(async (transaction) => {
    // One delivery of a source at a time: numbers follow the order of claims.
    await transaction.query("SELECT pg_advisory_xact_lock(hashtext($1))", [`file/${utility}/${source}`]);
    const [row] = await transaction.query<LedgerFile>(ENTER, [
      utility,
      source,
      name,
      sha256,
      bytes,
      workPath,
      claimedAt,
      againOf ?? null,
      nameCounts,
    ]);
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
export async function beginPublishing(database: Queryable, file: number): Promise<void> {
  await database.query(
    `WITH gone AS (DELETE FROM rejects WHERE file = $1)
     UPDATE files SET state = 'publishing' WHERE file = $1`,
    [file],
  );
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
  readonly leftOut: number;
  readonly unknownColumns: readonly string[];
  readonly reads: number;
  readonly lateReads: number;
  readonly noReads: number;
  readonly valuesRejected: number;
  readonly meters: number;
  readonly firstRead: Date | null;
  readonly lastRead: Date | null;
  readonly at: Date;
}

/** Every block of the file is durable in the log. */
export async function markPublished(database: Queryable, file: number, result: Published): Promise<void> {
  const { rows, rejected, leftOut, unknownColumns } = result;
  const { reads, lateReads, noReads, valuesRejected, meters, firstRead, lastRead, at } = result;
  await database.query(
    `UPDATE files SET state = 'published', rows = $2, rejected = $3, reads = $4, no_reads = $5, meters = $6,
       first_read = $7, last_read = $8, published_at = $9, values_rejected = $10, left_out = $11, unknown_columns = $12, late_reads = $13
     WHERE file = $1`,
    [
      file,
      rows,
      rejected,
      reads,
      noReads,
      meters,
      firstRead,
      lastRead,
      at,
      valuesRejected,
      leftOut,
      // PostgreSQL's text holds no NUL.
      unknownColumns.map((name) => name.replaceAll("\0", "\\0")),
      lateReads,
    ],
  );
}

export async function markRejected(
  database: Queryable,
  file: number,
  reason: string,
  at: Date,
): Promise<LedgerFile> {
  const [row] = await database.query<LedgerFile>(
    "UPDATE files SET state = 'rejected', reason = $2, published_at = $3 WHERE file = $1 RETURNING *",
    [file, reason, at],
  );
  return row!;
}

/** The original is in the archive; a rejected file keeps that state. */
export async function markArchived(
  database: Queryable,
  file: number,
  path: string,
  key: Buffer,
): Promise<LedgerFile> {
  const [row] = await database.query<LedgerFile>(
    `UPDATE files SET archive_path = $2, archive_key = $3,
       state = CASE WHEN state = 'published' THEN 'archived' ELSE state END WHERE file = $1 RETURNING *`,
    [file, path, key],
  );
  return row!;
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

export interface RejectFilter {
  readonly utility?: string;
  readonly source?: string;
  readonly file?: number;
  readonly line?: number;
  readonly code?: string;
  /** Files claimed from `since` on, and before `until`. */
  readonly since?: Date;
  readonly until?: Date;
  readonly limit: number;
}

/** Rejected rows, newest file first, in order of lines. */
export function listRejects(database: Queryable, filter: RejectFilter): Promise<RejectRow[]> {
  const { utility, source, file, line, code, since, until, limit } = filter;
  return database.query<RejectRow>(
    `SELECT r.file, f.utility, f.source, r.line, r.at_byte, r.length, r.code, r.field, r.value
     FROM rejects r JOIN files f USING (file)
     WHERE ($1::text IS NULL OR f.utility = $1) AND ($2::text IS NULL OR f.source = $2)
       AND ($3::bigint IS NULL OR r.file = $3) AND ($4::bigint IS NULL OR r.line = $4)
       AND ($5::text IS NULL OR r.code = $5)
       AND ($6::timestamptz IS NULL OR f.claimed_at >= $6) AND ($7::timestamptz IS NULL OR f.claimed_at < $7)
     ORDER BY r.file DESC, r.line, r.place LIMIT $8`,
    [...[utility, source, file, line, code, since, until].map((one) => one ?? null), limit],
  );
}

/** A file by its number, or the newest of its name. */
export async function findFile(
  database: Queryable,
  wanted: number | string,
  filter: { readonly utility?: string; readonly source?: string },
): Promise<LedgerFile | undefined> {
  const [file] = await database.query<LedgerFile>(
    `SELECT * FROM files WHERE (file = $1 OR name = $2) AND ($3::text IS NULL OR utility = $3)
       AND ($4::text IS NULL OR source = $4) ORDER BY state = 'duplicate', file DESC LIMIT 1`,
    [
      typeof wanted === "number" ? wanted : null,
      typeof wanted === "string" ? wanted : null,
      filter.utility ?? null,
      filter.source ?? null,
    ],
  );
  return file;
}

/** A file and those that have to do with it. */
export interface FileStory {
  readonly file: LedgerFile;
  /** When `pull` fetched a file of its name, if it did. */
  readonly pulledAt: Date | null;
  readonly rejects: readonly { readonly code: string; readonly rows: number; readonly values: number }[];
  /** Deliveries of the same bytes that were passed over. */
  readonly duplicates: readonly LedgerFile[];
  /** Every time its bytes were processed, itself among them. */
  readonly runs: readonly LedgerFile[];
  /** Files of the same source and name with other bytes, before it and after it. */
  readonly sameName: readonly LedgerFile[];
}

/** What the ledger knows of a file; `undefined` where there is none of that number. */
export async function fileStory(database: Queryable, number: number): Promise<FileStory | undefined> {
  const [file] = await database.query<LedgerFile>("SELECT * FROM files WHERE file = $1", [number]);
  if (file === undefined) return undefined;
  const { utility, source, name, sha256, again_of, duplicate_of } = file;
  const first = again_of ?? duplicate_of ?? number;
  const [pulled] = await database.query<{ pulled_at: Date }>(
    `SELECT pulled_at FROM pulled_files WHERE utility = $1 AND source = $2 AND name = $3 AND pulled_at <= $4`,
    [utility, source, name, file.claimed_at],
  );
  return {
    file,
    pulledAt: pulled?.pulled_at ?? null,
    rejects: await database.query(
      `SELECT code, count(DISTINCT line)::int AS rows, count(*)::int AS values FROM rejects WHERE file = $1
       GROUP BY code ORDER BY rows DESC, code`,
      [number],
    ),
    duplicates: await database.query<LedgerFile>(
      "SELECT * FROM files WHERE duplicate_of = $1 ORDER BY file",
      [first],
    ),
    runs: await database.query<LedgerFile>(
      "SELECT * FROM files WHERE (file = $1 OR again_of = $1) AND state <> 'duplicate' ORDER BY file",
      [first],
    ),
    sameName: await database.query<LedgerFile>(
      `SELECT * FROM files WHERE utility = $1 AND source = $2 AND name = $3 AND sha256 <> $4 AND state <> 'duplicate'
       ORDER BY file`,
      [utility, source, name, sha256],
    ),
  };
}

/** How the rejected rows of a file changed with another run of the same bytes; rows are told by their lines. */
export interface RejectChange {
  readonly before: number;
  readonly takenNow: number;
  readonly stillRejected: number;
  readonly rejectedAnew: number;
}

export async function compareRejects(
  database: Queryable,
  before: number,
  after: number,
): Promise<RejectChange> {
  const [change] = await database.query<RejectChange>(
    `SELECT count(b.line)::int AS before, count(*) FILTER (WHERE a.line IS NULL)::int AS "takenNow",
       count(*) FILTER (WHERE a.line IS NOT NULL AND b.line IS NOT NULL)::int AS "stillRejected",
       count(*) FILTER (WHERE b.line IS NULL)::int AS "rejectedAnew"
     FROM (SELECT DISTINCT line FROM rejects WHERE file = $1) b
     FULL JOIN (SELECT DISTINCT line FROM rejects WHERE file = $2) a ON a.line = b.line`,
    [before, after],
  );
  return change!;
}
