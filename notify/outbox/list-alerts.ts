import type { Queryable } from "../../infra/postgres/database.js";
import type { OutboxState } from "../decide.js";

export interface AlertFilter {
  readonly utility?: string;
  readonly state?: OutboxState;
  readonly anomaly?: string;
  /** Most rows, newest first. Default 100. */
  readonly limit?: number;
}

/** A message of the outbox without personal data. */
export interface AlertRow {
  readonly id: string;
  readonly utility: string;
  readonly anomaly: string | null;
  readonly kind: "confirmation" | "alert" | "stopped" | "correction";
  readonly stage: number;
  readonly state: OutboxState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly notBefore: Date;
  readonly acceptedAt: Date | null;
}

/** What the outbox holds, newest first. */
export function listAlerts(database: Queryable, filter: AlertFilter = {}): Promise<AlertRow[]> {
  return database.query<AlertRow>(
    `SELECT outbox_id AS id, utility, anomaly, kind, stage, state, reason, attempts, created_at AS "createdAt",
            not_before AS "notBefore", accepted_at AS "acceptedAt"
     FROM outbox
     WHERE ($1::text IS NULL OR utility = $1) AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR anomaly = $3)
     ORDER BY created_at DESC, outbox_id LIMIT $4`,
    [filter.utility ?? null, filter.state ?? null, filter.anomaly ?? null, filter.limit ?? 100],
  );
}
