import type { Queryable } from "../../infra/postgres/database.js";
import type { RuleName } from "../../schemas/anomalies.js";
import { consentsFor } from "./wording.js";

/** How many residents hear of what a rule finds at any of these meters, by the consents that hold now. */
export async function contactsWhoHear(
  on: Queryable,
  rule: RuleName,
  meters: readonly string[],
  now: Date,
): Promise<number> {
  const [row] = await on.query<{ n: number }>(
    `SELECT count(DISTINCT contact_id)::int AS n FROM recipients
     WHERE meter_key = ANY ($1) AND kind = ANY ($2) AND valid_from <= $3 AND coalesce(valid_until > $3, true)`,
    [meters, consentsFor(rule), now],
  );
  return row!.n;
}
