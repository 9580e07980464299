import type { Vault } from "../infra/crypto/vault.js";
import type { Database } from "../infra/postgres/database.js";
import type { UtilityConfig } from "../schemas/config.js";
import { contactsNow } from "./consent/contact.js";
import type { Refusal } from "./decide.js";

/** Why a message was not sent, or not yet, in a sentence for whoever answers residents. */
export const REASONS: Readonly<Record<Refusal | Aside, string>> = {
  backfill: "the readings were of the past when they came",
  "not-live": "the utility's alerts are not switched on (alerts.live)",
  "old-news": "the readings were older than alerts.maxAgeHours",
  "no-consent": "nobody had agreed to such alerts for this service, or not any more",
  "before-occupancy": "it began before the resident moved in",
  "already-told": "the resident knew it from an earlier message",
  "waiting-to-tell": "an earlier message about it is still on its way",
  "refused-before": "the first message about it could not be delivered",
  "reads-stopped": "readings stopped to come, which does not prove that the water stopped",
  "rule-changed": "the utility changed its rules",
  declared: "the resident or the utility had said that such water is as it should be",
  corrected: "the readings were corrected",
  "nothing-told": "nothing was told of it that could be taken back or ended",
  "still-holds": "another finding about the same water still holds",
  muted: "the resident had said that they know of it",
  past: "the frost, or the month, was over",
  "utility-unknown": "the utility is not in the configuration",
  "channel-unknown": "the utility sends no texts",
  stopped: "the resident had replied STOP",
  returned: "earlier mail to the address came back, or was called spam",
  "no-answer": "the mail server did not say whether it took it, five times",
  "no-trace": "the connection broke, and the provider knew nothing of it for ten minutes",
  confirmed: "the request was confirmed already",
  "link-expired": "the request was not confirmed within a day",
  "too-late": "it could not be sent within a day",
  "flow-stopped": "the flow had stopped",
  "flow-goes-on": "the flow had begun again",
  answered: "the resident gave another answer",
  "quiet-hours": "it was outside of the hours for alerts (alerts.sendFrom, alerts.sendUntil)",
  gathering:
    "the address had an e-mail about this home a few minutes before: what comes up until then goes as one",
  "daily-limit": "the number had a text or call about this home within the last 24 hours",
  "monthly-limit":
    "the number had as many texts or calls about this home in 30 days as sign-up promised (sms.perMonth, voice.perMonth)",
  "carrier-limit": "carriers take so many texts in a time, and others went before it (sms.limits)",
  landline: "the number is a landline (twilio.lookup)",
  "sender-died": "the process that had it in hand ended",
  "not-composed": "the message could not be written",
  "moved-out": "the home is no longer theirs",
  erased: "the resident had their data deleted",
  "not-found-yet": "the connection broke; the provider is asked whether it has it",
};

/** Reasons of an outbox row beside those of a decision. */
type Aside =
  | "utility-unknown"
  | "channel-unknown"
  | "moved-out"
  | "erased"
  | "stopped"
  | "returned"
  | "no-answer"
  | "no-trace"
  | "confirmed"
  | "link-expired"
  | "too-late"
  | "flow-stopped"
  | "flow-goes-on"
  | "answered"
  | "quiet-hours"
  | "gathering"
  | "daily-limit"
  | "monthly-limit"
  | "carrier-limit"
  | "landline"
  | "sender-died"
  | "not-composed"
  | "not-found-yet";

/** One step of the story, without personal data. */
export interface WhyStep {
  readonly at: Date;
  /** Id of the contact, `null` where it concerns nobody in particular. */
  readonly contact: string | null;
  readonly channel: string | null;
  readonly anomaly: string | null;
  /** Such as "alert", "consent", "STOP". */
  readonly what: string;
  /** Such as "accepted", "suppressed", "not sent". */
  readonly outcome: string;
  readonly reason: string | null;
}

/** What was decided and sent about one anomaly, oldest first. */
export function whyOfAnomaly(database: Database, anomaly: string): Promise<WhyStep[]> {
  return database.query<WhyStep>(
    `SELECT ${STEP} FROM (${MESSAGES} WHERE o.anomaly = $1
       UNION ALL ${NOT_SENT} WHERE d.anomaly = $1
       UNION ALL ${ANSWERS} WHERE a.anomaly = $1) AS steps ORDER BY at, what, n`,
    [anomaly],
  );
}

/**
 * Everything about one address of a utility, oldest first: consents, messages, what was not sent and why, what was
 * written back, what was said of its homes.
 * @returns `undefined` where the utility knows no such address
 */
export async function whyOfContact(
  { database, vault }: { readonly database: Database; readonly vault: Vault },
  utility: UtilityConfig,
  address: string,
): Promise<WhyStep[] | undefined> {
  const own = database.of(utility.id);
  const contacts = await contactsNow(own, vault, utility, address);
  if (contacts.length === 0) return undefined;
  return own.query<WhyStep>(
    `SELECT ${STEP} FROM (${MESSAGES} WHERE o.contact_id = ANY ($1)
       UNION ALL ${NOT_SENT} WHERE d.contact_id = ANY ($1) OR (d.contact_id IS NULL AND d.anomaly IN (
         SELECT s.anomaly FROM anomalies_seen s JOIN premise_meters m USING (meter_key)
         JOIN occupancies p ON p.premise_id = m.premise_id JOIN consents c USING (occupancy_id) WHERE c.contact_id = ANY ($1)))
       UNION ALL ${ANSWERS} WHERE a.contact_id = ANY ($1)
       UNION ALL ${DECLARED} WHERE d.occupancy_id IN (SELECT occupancy_id FROM consents WHERE contact_id = ANY ($1))
       UNION ALL SELECT at, contact_id, channel, NULL, 'consent ' || kind, action, 'by ' || method, consent_id FROM consents WHERE contact_id = ANY ($1)
       UNION ALL SELECT received_at, contact_id, 'sms', NULL, 'text received', asks,
         CASE WHEN for_people AND handled_at IS NULL THEN 'waits for people' END, 0 FROM texts_received WHERE contact_id = ANY ($1)
       UNION ALL SELECT x.at, contact_id, x.channel, NULL, 'address', 'suppressed', x.reason, 0
         FROM suppressions x JOIN contacts USING (utility, channel, address_hash) WHERE contact_id = ANY ($1)
       UNION ALL SELECT x.ended_at, contact_id, x.channel, NULL, 'address', 'no longer suppressed', NULL, 1
         FROM suppressions x JOIN contacts USING (utility, channel, address_hash)
         WHERE contact_id = ANY ($1) AND x.ended_at IS NOT NULL) AS steps
     ORDER BY at, what, n`,
    [contacts, utility.timeZone],
  );
}

const STEP = "at, contact, channel, anomaly, what, outcome, reason";
/** `n` keeps steps of one time in their order. */
const MESSAGES = `SELECT o.updated_at AS at, o.contact_id AS contact, o.channel, o.anomaly,
  CASE WHEN o.kind = 'reply' THEN 'reply ' || o.reply
    WHEN o.notice_id IS NOT NULL THEN 'notice ' || (SELECT name FROM notices n WHERE n.notice_id = o.notice_id) ELSE o.kind END AS what, o.state AS outcome, o.reason, 0 AS n FROM outbox o`;
const NOT_SENT = `SELECT d.last_at, d.contact_id, NULL, d.anomaly, 'decision', 'not sent', d.outcome, 0 FROM decisions d`;
const ANSWERS = `SELECT a.at, a.contact_id, NULL, a.anomaly, 'answer ' || a.answer, 'taken', NULL, a.answer_id FROM answers a`;

/** What was said of the home, by whoever lives there, and for when; $2: time zone. */
const DECLARED = `SELECT d.at, d.contact_id, NULL, NULL, 'home', d.kind,
  CASE WHEN d.until_at <= d.from_at THEN 'taken back before it began'
    ELSE CASE d.kind WHEN 'normal' THEN round(d.rate / 1000.0, 1) || ' L an hour, '
                     WHEN 'budget' THEN round(d.rate / 1000.0) || ' L a month, ' ELSE '' END
      || 'from ' || to_char(d.from_at AT TIME ZONE $2, 'YYYY-MM-DD HH24:MI')
      || coalesce(' to ' || to_char(d.until_at AT TIME ZONE $2, 'YYYY-MM-DD HH24:MI'), ' on') END,
  d.declaration_id FROM declarations d`;

/** A reason in words, as it stands where there are none: a provider's code. */
export function reasonInWords(reason: string): string {
  return (REASONS as Readonly<Record<string, string>>)[reason] ?? reason;
}
