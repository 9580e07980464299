import type { Queryable } from "../../infra/postgres/database.js";

/** Every row of every table of PostgreSQL as text, by table; bytes also as what they spell. */
export async function everythingStored(database: Queryable): Promise<Map<string, string>> {
  const tables = await database.query<{ table_name: string }>(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
  );
  const stored = new Map<string, string>();
  for (const { table_name } of tables) {
    const parts: string[] = [];
    for (const row of await database.query(`SELECT t.*, t::text AS "whole row" FROM ${table_name} t`)) {
      parts.push(String(row["whole row"]));
      for (const value of Object.values(row))
        if (Buffer.isBuffer(value)) parts.push(value.toString("latin1"));
    }
    stored.set(table_name, parts.join("\n"));
  }
  return stored;
}
