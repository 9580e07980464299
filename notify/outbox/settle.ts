import type { Queryable } from "../../infra/postgres/database.js";
import type { Outcome } from "../channels/channel.js";
import type { Claimed } from "./claim.js";

/** It may have been taken, the provider knows nothing of it, and it is not sent again. */
export interface Lost {
  readonly status: "lost";
  readonly code: string;
}

const MINUTE = 60_000;
/** Temporary refusals (greylisting, full mailbox) until a message counts as failed: about 6 hours with the pauses below. */
const MOST_REFUSALS = 12;

/** Pause after a temporary refusal: half a minute, doubled each time, at most an hour. */
function refusalPause(refusals: number): number {
  return Math.min(60 * MINUTE, (MINUTE / 2) * 2 ** (refusals - 1));
}

/** Pause while the mail server can't be reached or did not answer: 2 seconds, doubled each time, at most a minute. */
function contactPause(attempt: number): number {
  return Math.min(MINUTE, 1000 * 2 ** Math.min(attempt, 10));
}

/**
 * Writes down what became of an attempt; returns the state. Only the latest attempt counts: the word of an earlier one,
 * come late, changes nothing.
 */
export async function settle(
  database: Queryable,
  message: Claimed,
  outcome: Outcome | Lost,
  now: number,
): Promise<string> {
  const at = new Date(now);
  const later = (pause: number) => new Date(now + pause);
  const write = async (
    state: string,
    reason: string | null,
    told: string | null,
    notBefore: Date,
    refusals = 0,
    providerId: string | null = null,
  ) => {
    await database.query(
      `UPDATE outbox SET state = $3, reason = $4, told = $5, not_before = $6, refusals = refusals + $7, updated_at = $8,
         accepted_at = CASE WHEN $3 = 'accepted' THEN $8::timestamptz END, owner = NULL, lease_until = NULL,
         provider_id = coalesce($9, provider_id), handed_at = CASE WHEN $10 THEN handed_at END
       WHERE outbox_id = $1 AND attempts = $2 AND state IN ('sending', 'unknown')`,
      [
        message.outbox_id,
        message.attempt,
        state,
        reason,
        told,
        notBefore,
        refusals,
        at,
        providerId,
        // Surely not taken: it was never handed over.
        state === "accepted" || state === "unknown" || told !== null,
      ],
    );
    return state;
  };
  switch (outcome.status) {
    case "accepted":
      return write("accepted", null, message.told, at, 0, outcome.id ?? null);
    case "lost":
      return write("failed", "no-trace", message.told, at);
    case "unknown":
      return write("unknown", outcome.code, message.told, later(contactPause(message.attempt)));
    case "unreachable":
      return write("queued", outcome.code, message.toldBefore, later(contactPause(message.attempt)));
    case "refused": {
      if (outcome.permanent) return write("failed", outcome.code, message.toldBefore, at);
      const [row] = await database.query<{ refusals: number }>(
        "SELECT refusals FROM outbox WHERE outbox_id = $1",
        [message.outbox_id],
      );
      const refusals = row!.refusals + 1;
      return refusals >= MOST_REFUSALS
        ? write("failed", outcome.code, message.toldBefore, at, 1)
        : write("queued", outcome.code, message.toldBefore, later(refusalPause(refusals)), 1);
    }
  }
}
