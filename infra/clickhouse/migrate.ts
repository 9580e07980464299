import { migrationsOf, pendingMigrations } from "../migrations.js";
import type { ClickHouse } from "./client.js";

/**
 * Brings the tables up to date. Statements end with `;` at the end of a line; each may run twice (IF NOT EXISTS), since
 * a file that broke off begins again. Returns the names of the files that ran.
 */
export async function migrateClickHouse(clickhouse: ClickHouse): Promise<string[]> {
  await clickhouse.command("CREATE DATABASE IF NOT EXISTS curbstop ENGINE = Atomic");
  await clickhouse.command(
    "CREATE TABLE IF NOT EXISTS curbstop.schema_migrations (name String, checksum String, ran_at DateTime DEFAULT now()) " +
      "ENGINE = ReplacingMergeTree ORDER BY name SETTINGS fsync_after_insert = 1",
  );
  const rows = await clickhouse.query<{ name: string; checksum: string }>(
    "SELECT name, checksum FROM curbstop.schema_migrations FINAL",
  );
  const ran = new Map(rows.map(({ name, checksum }) => [name, checksum]));
  const pending = pendingMigrations(migrationsOf("clickhouse"), ran, "ClickHouse");
  for (const { name, sql, checksum } of pending) {
    for (const statement of sql.split(/;[ \t]*$/m)) {
      if (statement.trim() !== "") await clickhouse.command(statement);
    }
    await clickhouse.command(
      `INSERT INTO curbstop.schema_migrations (name, checksum) VALUES ('${name}', '${checksum}')`,
    );
  }
  return pending.map(({ name }) => name);
}
