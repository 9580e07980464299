import type { Database } from "../infra/postgres/database.js";
import type { RuleName } from "../schemas/anomalies.js";

/**
 * Since when each rule of a utility is judged (UTC seconds); those that always were are left out. A rule that was not among
 * the utility's before is judged from now on; one that no longer is is forgotten. A utility's first rules are judged from
 * its first read on.
 */
export async function judgedSince(
  database: Database,
  utility: string,
  rules: readonly RuleName[],
  now: Date,
): Promise<ReadonlyMap<RuleName, number>> {
  const rows = await database.transaction(async (transaction) => {
    await transaction.query("LOCK TABLE rules_judged IN SHARE ROW EXCLUSIVE MODE");
    await transaction.query(
      `INSERT INTO rules_judged (utility, rule, since)
       SELECT $1, rule, CASE WHEN EXISTS (SELECT 1 FROM rules_judged WHERE utility = $1) THEN $3::timestamptz END
       FROM unnest($2::text[]) AS rule ON CONFLICT DO NOTHING`,
      [utility, rules, now],
    );
    await transaction.query("DELETE FROM rules_judged WHERE utility = $1 AND rule <> ALL ($2)", [
      utility,
      rules,
    ]);
    return transaction.query<{ rule: RuleName; since: number }>(
      `SELECT rule, extract(epoch FROM since)::float8 AS since FROM rules_judged
       WHERE utility = $1 AND since IS NOT NULL`,
      [utility],
    );
  });
  return new Map(rows.map(({ rule, since }) => [rule, since]));
}
