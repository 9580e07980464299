import type { Queryable } from "../../infra/postgres/database.js";
import type { RemoteFile } from "./pull-connection.js";

/** Names one source of one utility. */
export interface FeedName {
  readonly utility: string;
  readonly source: string;
}

/** What was last fetched of a source, by name. */
export async function pulledFiles(
  database: Queryable,
  { utility, source }: FeedName,
): Promise<ReadonlyMap<string, RemoteFile>> {
  const rows = await database.query<{ name: string; bytes: number; modified_at: Date }>(
    "SELECT name, bytes, modified_at FROM pulled_files WHERE utility = $1 AND source = $2",
    [utility, source],
  );
  return new Map(
    rows.map(({ name, bytes, modified_at }) => [
      name,
      { name, size: bytes, modified: modified_at.getTime() },
    ]),
  );
}

/** The file lies in the drop folder. */
export async function recordPulled(
  database: Queryable,
  { utility, source }: FeedName,
  { name, size, modified }: RemoteFile,
  at: Date,
): Promise<void> {
  await database.query(
    `INSERT INTO pulled_files (utility, source, name, bytes, modified_at, pulled_at) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (utility, source, name)
     DO UPDATE SET bytes = excluded.bytes, modified_at = excluded.modified_at, pulled_at = excluded.pulled_at`,
    [utility, source, name, size, new Date(modified), at],
  );
}

/** When the last pull began that brought everything, milliseconds since 1970. */
export async function pullMark(
  database: Queryable,
  { utility, source }: FeedName,
): Promise<number | undefined> {
  const [row] = await database.query<{ done_at: Date }>(
    "SELECT done_at FROM pull_marks WHERE utility = $1 AND source = $2",
    [utility, source],
  );
  return row?.done_at.getTime();
}

export async function savePullMark(
  database: Queryable,
  { utility, source }: FeedName,
  at: Date,
): Promise<void> {
  await database.query(
    `INSERT INTO pull_marks (utility, source, done_at) VALUES ($1, $2, $3)
     ON CONFLICT (utility, source) DO UPDATE SET done_at = greatest(pull_marks.done_at, excluded.done_at)`,
    [utility, source, at],
  );
}
