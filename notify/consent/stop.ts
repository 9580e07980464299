import type { Queryable } from "../../infra/postgres/database.js";
import { dropWaiting, revokeConsents } from "./subscription.js";
import { suppress } from "./suppression.js";

/**
 * What a resident's STOP does: the number is on the list of those that get nothing, every consent of it ends, and what
 * waits for it.
 * @returns since when it stood on that list already
 */
export async function stopNumber(
  transaction: Queryable,
  contact: string,
  method: "sms" | "voice",
  now: Date,
): Promise<Date | undefined> {
  const before = await suppress(transaction, contact, "stop", now);
  await dropWaiting(transaction, contact, "stopped", now);
  await revokeConsents(transaction, { contact, method, now });
  return before;
}
