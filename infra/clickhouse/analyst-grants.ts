import { analystUser, SHARED_TABLES, VIEWS } from "./embedded-server.js";

/**
 * Statements that give a utility its read-only analyst on a ClickHouse server of one's own: run them as a user who may
 * manage access. The embedded server knows the same users from its `users.xml`, since it can't run these.
 *
 * The user sees rows of that utility alone, in the tables (a row policy each) and so in the views on them, and nothing
 * outside database `curbstop`.
 * @param passwordSha256 SHA-256 of the password, hex
 * @throws RangeError for anything else than such a checksum
 */
export function analystGrants(utility: string, passwordSha256: string): string[] {
  if (!/^[0-9a-f]{64}$/.test(passwordSha256)) {
    throw new RangeError("expected the SHA-256 checksum of the password, 64 hex digits");
  }
  const user = analystUser(utility);
  return [
    "CREATE ROLE IF NOT EXISTS curbstop_analyst SETTINGS readonly = 2, max_execution_time = 300",
    ...[...SHARED_TABLES, ...VIEWS].map((name) => `GRANT SELECT ON curbstop.${name} TO curbstop_analyst`),
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED WITH sha256_hash BY '${passwordSha256}' DEFAULT ROLE curbstop_analyst`,
    `GRANT curbstop_analyst TO ${user}`,
    ...SHARED_TABLES.map(
      (table) =>
        `CREATE ROW POLICY IF NOT EXISTS ${user} ON curbstop.${table} FOR SELECT USING utility = '${utility}' TO ${user}`,
    ),
  ];
}
