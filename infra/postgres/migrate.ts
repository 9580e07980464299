import { migrationsOf, pendingMigrations } from "../migrations.js";
import type { Database } from "./database.js";

/** Any number, the same in every version: one process migrates at a time. */
const LOCK = 4_279_101;

/** Brings the schema up to date; each file runs in one transaction. Returns the names of those that ran. */
export async function migrateDatabase(database: Database): Promise<string[]> {
  return database.transaction(async (transaction) => {
    await transaction.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    await transaction.query(
      "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, checksum text NOT NULL, ran_at timestamptz NOT NULL DEFAULT now())",
    );
    const rows = await transaction.query<{ name: string; checksum: string }>(
      "SELECT name, checksum FROM schema_migrations",
    );
    const ran = new Map(rows.map(({ name, checksum }) => [name, checksum]));
    const pending = pendingMigrations(migrationsOf("postgres"), ran, "PostgreSQL");
    for (const { name, sql, checksum } of pending) {
      await transaction.query(sql);
      await transaction.query("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", [
        name,
        checksum,
      ]);
    }
    return pending.map(({ name }) => name);
  });
}
