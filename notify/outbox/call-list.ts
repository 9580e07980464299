import type { Vault } from "../../infra/crypto/vault.js";
import type { Database } from "../../infra/postgres/database.js";
import { kindOf, RULES, type RuleName } from "../../schemas/anomalies.js";
import type { UtilityConfig } from "../../schemas/config.js";
import type { Answer } from "../answers.js";

/** A leak that messages alone do not end: somebody of the utility should call. */
export interface Call {
  readonly anomaly: string;
  readonly rule: RuleName;
  /** Number of the account as on the bill: personal. `null` where the registry knows nobody at the meter. */
  readonly account: string | null;
  readonly since: Date;
  /** mL/h, and mL so far. */
  readonly rate: number;
  readonly volume: number;
  /** First message about it that was accepted; `null`: nobody there asked to be told. */
  readonly toldAt: Date | null;
  readonly answer: Answer | null;
}

const DAY_MS = 86_400_000;
const LEAKS = RULES.filter((rule) => kindOf(rule) === "leak");

/**
 * Leaks that still run `alerts.callAfterDays` after the resident was told, the fastest first. Who said that the water runs
 * on purpose is left alone for as long as that holds.
 * @param untold those instead that nobody was told of, so long after they began
 */
export async function callList(
  { database, vault }: { readonly database: Database; readonly vault: Vault },
  { id, alerts }: UtilityConfig,
  { untold, now }: { readonly untold: boolean; readonly now: number },
): Promise<Call[]> {
  const before = new Date(now - alerts.callAfterDays * DAY_MS);
  const rows = await database.of(id).query<Omit<Call, "account"> & { number_sealed: Buffer | null }>(
    `SELECT DISTINCT ON (rate, s.anomaly, a.account_id) s.anomaly, s.rule, a.number_sealed, to_timestamp(s.starts_at) AS since,
       (s.message->>'rate')::float8 AS rate, (s.message->>'volume')::float8 AS volume, told.at AS "toldAt", said.answer
     FROM anomalies_seen s
     LEFT JOIN premise_meters m ON m.meter_key = s.meter_key AND m.valid_from <= $2 AND coalesce(m.valid_until > $2, true)
     LEFT JOIN occupancies p ON p.premise_id = m.premise_id AND p.valid_from <= $2 AND coalesce(p.valid_until > $2, true)
     LEFT JOIN accounts a USING (account_id)
     LEFT JOIN LATERAL (
       SELECT min(o.accepted_at) AS at FROM outbox o
       WHERE o.anomaly = s.anomaly AND o.occupancy_id = p.occupancy_id AND o.kind = 'alert' AND o.told = 'open'
         AND o.stage = (SELECT max(stage) FROM outbox x WHERE x.anomaly = s.anomaly AND x.kind = 'alert')) AS told ON true
     LEFT JOIN LATERAL (
       SELECT g.answer, g.mute_until FROM answers g WHERE g.anomaly = s.anomaly ORDER BY g.answer_id DESC LIMIT 1) AS said ON true
     WHERE s.utility = $1 AND s.rule = ANY ($3) AND s.state IN ('opened', 'updated')
       AND CASE WHEN $5 THEN told.at IS NULL AND to_timestamp(s.starts_at) <= $4 ELSE told.at <= $4 END
       AND NOT (coalesce(said.answer, 0) = 1 AND said.mute_until > $2)
     ORDER BY rate DESC, s.anomaly, a.account_id`,
    [id, new Date(now), LEAKS, before, untold],
  );
  return rows.map(({ number_sealed, ...row }) => ({
    ...row,
    account:
      number_sealed === null ? null : vault.unseal(id, "accounts.number", number_sealed).toString("utf8"),
  }));
}
