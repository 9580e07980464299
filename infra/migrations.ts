import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "./package-root.js";

export interface Migration {
  /** File name, NNNN_what.sql: they run in its order. */
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** The numbered SQL files of a store. */
export function migrationsOf(store: "postgres" | "clickhouse"): Migration[] {
  const folder = join(packageRoot(), "infra", store, "migrations");
  return readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    });
}

/**
 * Those that have not run yet.
 * @param ran checksum by name of those that have
 * @throws Error where one that ran has changed since, or is unknown: the store belongs to a newer version
 */
export function pendingMigrations(
  all: readonly Migration[],
  ran: ReadonlyMap<string, string>,
  store: string,
): Migration[] {
  const names = new Set(all.map(({ name }) => name));
  for (const name of ran.keys()) {
    if (!names.has(name)) {
      throw new Error(
        `${store} was migrated by a newer version of Curbstop (${name}). Start that version, or restore a backup.`,
      );
    }
  }
  for (const { name, checksum } of all) {
    const before = ran.get(name);
    if (before !== undefined && before !== checksum) {
      throw new Error(
        `${store}: ${name} changed after it ran. Migrations go forward only: restore the file and add a new one.`,
      );
    }
  }
  return all.filter(({ name }) => !ran.has(name));
}
