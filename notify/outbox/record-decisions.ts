import type { Queryable } from "../../infra/postgres/database.js";
import { isOfMonth, kindOf, type AnomalyMessage, type RuleName } from "../../schemas/anomalies.js";
import type { UtilityConfig } from "../../schemas/config.js";
import {
  decide,
  refusalForAll,
  type AlertKind,
  type Decision,
  type OutboxState,
  type Refusal,
  type Sent,
  type Told,
  waitsForHours,
} from "../decide.js";
import { consentsFor, type AlertConsent } from "../consent/wording.js";
import { holdStorm } from "./pause.js";
import type { SendingHours } from "./sending-hours.js";

export interface Policy {
  readonly utility: UtilityConfig;
  readonly hours: SendingHours;
}

/** One decision for one contact, or for all: what is sent, or why nothing is. */
export interface Outcome {
  readonly utility: string;
  readonly decision: AlertKind | Refusal;
}

interface Note {
  readonly anomaly: AnomalyMessage;
  readonly contact: string | null;
  readonly outcome: Refusal;
}

interface Recipient {
  readonly meter_key: string;
  readonly kind: AlertConsent;
  readonly channel: string;
  readonly contact_id: string;
  readonly occupancy_id: number;
  readonly since: number;
}

interface SentRow {
  readonly anomaly: string;
  readonly contact_id: string;
  readonly channel: string;
  readonly kind: AlertKind;
  readonly stage: number;
  readonly state: OutboxState;
  readonly told: Told | null;
  readonly at: number | null;
}

interface Neighbour {
  readonly anomaly: string;
  readonly meter_key: string;
  readonly rule: RuleName;
  /** It goes on. */
  readonly open: boolean;
  starts_at: number;
  ends_at: number;
  holds: boolean;
  readonly contacts: Set<string>;
}

/**
 * Takes in anomalies as they stand now (one message each, the newest) and writes, in the caller's transaction, what is to
 * be sent and why the rest is not. Messages of a version that was seen before change nothing.
 */
export async function recordDecisions(
  transaction: Queryable,
  messages: readonly AnomalyMessage[],
  context: { readonly policies: ReadonlyMap<string, Policy>; readonly now: number },
): Promise<{ readonly outcomes: readonly Outcome[]; readonly storms: readonly Storm[] }> {
  const { policies } = context;
  const now = new Date(context.now);
  const fresh = await takeIn(
    transaction,
    messages.filter(({ utility }) => policies.has(utility)),
    now,
  );
  if (fresh.length === 0) return { outcomes: [], storms: [] };
  // Locked first: a sender that has a message in hand has by then committed what it says.
  const history = await sentAbout(transaction, fresh);
  const recipients = await recipientsOf(transaction, fresh, now);
  const neighbours = await neighboursOf(transaction, fresh);
  const answers = await answersAbout(transaction, fresh, now);
  const former = await formerRecipientsOf(transaction, fresh, now);
  const homes = await homesOf(transaction, recipients);
  const outcomes: Outcome[] = [];
  const notes: Note[] = [];
  const note = (anomaly: AnomalyMessage, contact: string | null, outcome: Refusal) => {
    outcomes.push({ utility: anomaly.utility, decision: outcome });
    notes.push({ anomaly, contact, outcome });
  };
  for (const anomaly of fresh) {
    const { utility, hours } = policies.get(anomaly.utility)!;
    const refusal = refusalForAll(anomaly, utility.alerts, Math.floor(context.now / 1000));
    if (refusal !== undefined) {
      note(anomaly, null, refusal);
      continue;
    }
    const kinds = consentsFor(anomaly.rule);
    const own = recipientsBy(kinds, anomaly, recipients);
    if (own.length === 0) note(anomaly, null, "no-consent");
    const gone = former.filter((one) => one.meter_key === anomaly.meter && kinds.includes(one.kind));
    for (const contact of new Set(gone.map(({ contact_id }) => contact_id))) {
      if (!own.some(({ contact_id }) => contact_id === contact)) note(anomaly, contact, "no-consent");
    }
    const around = neighbours.filter(
      (other) =>
        other.anomaly !== anomaly.id &&
        other.holds &&
        other.meter_key === anomaly.meter &&
        speaksFor(other, anomaly) &&
        other.starts_at < anomaly.end &&
        anomaly.start < other.ends_at,
    );
    for (const recipient of own) {
      const sent = history.filter(
        (row) =>
          row.anomaly === anomaly.id &&
          row.contact_id === recipient.contact_id &&
          row.channel === recipient.channel,
      );
      const decision = decide(anomaly, {
        from: recipient.since,
        history: sent,
        remindBefore: Math.floor(context.now / 1000) - utility.alerts.remindAfterHours * 3600,
        remindAgainBefore: Math.floor(context.now / 1000) - utility.alerts.remindAgainAfterHours * 3600,
        hasLouderChannel:
          recipient.channel !== LOUDEST &&
          own.some((one) => isLouder(one, recipient) && !history.some((row) => failed(row, anomaly, one))),
        toldOfOverlap: around.some(({ contacts }) => contacts.has(recipient.contact_id)),
        muted: answers.some((given) => given.contact_id === recipient.contact_id && covers(given, anomaly)),
        overlapHolds: around.length > 0,
      });
      if (decision.send === undefined) {
        note(anomaly, recipient.contact_id, decision.reason);
        continue;
      }
      outcomes.push({ utility: anomaly.utility, decision: decision.send });
      const inDigest = isDigest(
        anomaly,
        decision.send,
        recipient,
        homes.get(recipient.contact_id) ?? 1,
        utility,
      );
      const start = inDigest ? hours.nextDay(context.now) : hours.next(context.now);
      const notBefore = waitsForHours(decision.send, recipient.kind) ? new Date(start) : now;
      await enqueue(transaction, anomaly, recipient, decision, { now, notBefore, inDigest });
      if (decision.send === "alert") {
        neighbours.find((other) => other.anomaly === anomaly.id)?.contacts.add(recipient.contact_id);
      }
    }
  }
  await writeNotes(transaction, notes, now);
  const alerted = outcomes.filter(({ decision }) => decision === "alert").map(({ utility }) => utility);
  const storms: Storm[] = [];
  for (const utility of [...new Set(alerted)].sort()) {
    const { stormPercent } = policies.get(utility)!.utility.alerts;
    const alerts = await holdStorm(transaction, utility, stormPercent, now);
    if (alerts !== undefined) storms.push({ utility, alerts });
  }
  return { outcomes, storms };
}

/** Whether a message waits for the one mail a day: of who has many homes, a burst apart. */
function isDigest(
  { rule }: AnomalyMessage,
  send: AlertKind,
  { channel }: Recipient,
  homes: number,
  { alerts: { digestAbove } }: UtilityConfig,
): boolean {
  const isBurst = rule === "burst" && send === "alert";
  return channel === "email" && digestAbove > 0 && homes > digestAbove && !isBurst;
}

/** For how many homes each of these contacts gets alerts. */
async function homesOf(
  transaction: Queryable,
  recipients: readonly Recipient[],
): Promise<Map<string, number>> {
  const rows = await transaction.query<{ contact_id: string; homes: number }>(
    "SELECT contact_id, count(DISTINCT occupancy_id) AS homes FROM active_consents WHERE contact_id = ANY ($1::uuid[]) GROUP BY contact_id",
    [[...new Set(recipients.map(({ contact_id }) => contact_id))]],
  );
  return new Map(rows.map(({ contact_id, homes }) => [contact_id, homes]));
}

/** Who is told of an anomaly by which channel, once each: by the first of these kinds that they agreed to. */
function recipientsBy(
  kinds: readonly AlertConsent[],
  { meter }: AnomalyMessage,
  recipients: readonly Recipient[],
): Recipient[] {
  const by = new Map<string, Recipient>();
  for (const kind of kinds)
    for (const one of recipients) {
      const name = `${one.contact_id} ${one.channel}`;
      if (one.meter_key === meter && one.kind === kind && !by.has(name)) by.set(name, one);
    }
  return [...by.values()];
}

/** The channel that is noticed most. */
const LOUDEST = "sms";

/** It could not be brought to them: another channel has to do. */
function failed({ anomaly, contact_id, state }: SentRow, { id }: AnomalyMessage, to: Recipient): boolean {
  return anomaly === id && contact_id === to.contact_id && state === "failed";
}

function isLouder(one: Recipient, than: Recipient): boolean {
  return one.channel === LOUDEST && one.occupancy_id === than.occupancy_id;
}

/** A utility whose alerts are held from now on, and how many an hour brought. */
export interface Storm {
  readonly utility: string;
  readonly alerts: number;
}

/**
 * Whether who was told of `other`, which overlaps in time, knows enough of `anomaly`: of the same rule, or of the same
 * kind as long as the other goes on. A burst is told to those who know of a leak. High usage is told once, whichever rule
 * saw it first, and not to those who know of a burst.
 */
function speaksFor(other: Neighbour, anomaly: AnomalyMessage): boolean {
  if (other.rule === anomaly.rule) return true;
  // A month is no day of it, and is told once.
  if (isOfMonth(other.rule) || isOfMonth(anomaly.rule))
    return isOfMonth(other.rule) && isOfMonth(anomaly.rule);
  if (kindOf(anomaly.rule) === "high-usage")
    return kindOf(other.rule) === "high-usage" || other.rule === "burst";
  if (anomaly.rule === "burst" || kindOf(other.rule) !== kindOf(anomaly.rule)) return false;
  return other.open || anomaly.state === "closed";
}

interface Given {
  readonly meter_key: string;
  readonly rule: RuleName;
  readonly contact_id: string;
  /** mL/h, when it was answered. */
  readonly rate: number;
}

/** A flow that has grown to so many times what was answered is news. */
const NEWS_AGAIN = 2;

/** Whether who gave the answer knows of the anomaly: the same kind at the same meter, not grown. A burst is always news. */
function covers(given: Given, anomaly: AnomalyMessage): boolean {
  return (
    given.meter_key === anomaly.meter &&
    anomaly.rule !== "burst" &&
    isOfMonth(anomaly.rule) === isOfMonth(given.rule) &&
    kindOf(given.rule) === kindOf(anomaly.rule) &&
    anomaly.rate < NEWS_AGAIN * given.rate
  );
}

/** Answers of residents that hold now, about the meters of the anomalies. */
function answersAbout(
  transaction: Queryable,
  anomalies: readonly AnomalyMessage[],
  now: Date,
): Promise<Given[]> {
  return transaction.query<Given>(
    `SELECT s.meter_key, s.rule, a.contact_id, a.rate::float8 AS rate FROM answers a JOIN anomalies_seen s USING (anomaly)
     WHERE s.meter_key = ANY ($1) AND a.mute_until > $2`,
    [[...new Set(anomalies.map(({ meter }) => meter))], now],
  );
}

/** Adds the reasons for which nothing is sent; one that was noted before gets its latest time. */
async function writeNotes(transaction: Queryable, notes: readonly Note[], now: Date): Promise<void> {
  if (notes.length === 0) return;
  await transaction.query(
    `INSERT INTO decisions (utility, anomaly, contact_id, outcome, version, first_at, last_at)
     SELECT *, $6, $6 FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::integer[])
     ON CONFLICT (anomaly, contact_id, outcome) DO UPDATE SET version = excluded.version, last_at = excluded.last_at`,
    [
      notes.map(({ anomaly }) => anomaly.utility),
      notes.map(({ anomaly }) => anomaly.id),
      notes.map(({ contact }) => contact),
      notes.map(({ outcome }) => outcome),
      notes.map(({ anomaly }) => anomaly.version),
      now,
    ],
  );
}

/** Keeps the messages whose version is news. */
async function takeIn(
  transaction: Queryable,
  messages: readonly AnomalyMessage[],
  now: Date,
): Promise<AnomalyMessage[]> {
  if (messages.length === 0) return [];
  // In one order for all writers, so that none waits for another in a circle.
  const ordered = [...messages].sort((a, b) => (a.id < b.id ? -1 : 1));
  const taken = await transaction.query<{ anomaly: string }>(
    `INSERT INTO anomalies_seen (anomaly, utility, meter_key, rule, version, state, starts_at, ends_at, message, seen_at)
     SELECT m->>'id', m->>'utility', m->>'meter', m->>'rule', (m->>'version')::integer, m->>'state',
            (m->>'start')::bigint, (m->>'end')::bigint, m, $2
     FROM unnest($1::jsonb[]) AS m
     ON CONFLICT (anomaly) DO UPDATE SET version = excluded.version, state = excluded.state,
       starts_at = excluded.starts_at, ends_at = excluded.ends_at, message = excluded.message, seen_at = excluded.seen_at
     WHERE anomalies_seen.version < excluded.version
     RETURNING anomaly`,
    [ordered.map((message) => JSON.stringify(message)), now],
  );
  const news = new Set(taken.map(({ anomaly }) => anomaly));
  return messages.filter(({ id }) => news.has(id));
}

function sentAbout(transaction: Queryable, anomalies: readonly AnomalyMessage[]): Promise<SentRow[]> {
  return transaction.query<SentRow & Sent>(
    `SELECT anomaly, contact_id, channel, kind, stage, state, told, extract(epoch FROM accepted_at)::float8 AS at
     FROM outbox WHERE anomaly = ANY ($1)
     ORDER BY outbox_id FOR UPDATE`,
    [anomalies.map(({ id }) => id)],
  );
}

/** Who has agreed and lives there now; a contact with two accounts on one premise counts once, by the longer. */
function recipientsOf(
  transaction: Queryable,
  anomalies: readonly AnomalyMessage[],
  now: Date,
): Promise<Recipient[]> {
  return transaction.query<Recipient>(
    `SELECT DISTINCT ON (meter_key, kind, channel, contact_id)
            meter_key, kind, channel, contact_id, occupancy_id, extract(epoch FROM valid_from)::float8 AS since
     FROM recipients WHERE meter_key = ANY ($1) AND valid_from <= $2 AND (valid_until IS NULL OR valid_until > $2)
     ORDER BY meter_key, kind, channel, contact_id, valid_from, occupancy_id`,
    [[...new Set(anomalies.map(({ meter }) => meter))], now],
  );
}

/** Who lives there and had agreed once: where that does not hold any more, it is why they are not told. */
function formerRecipientsOf(
  transaction: Queryable,
  anomalies: readonly AnomalyMessage[],
  now: Date,
): Promise<Pick<Recipient, "meter_key" | "kind" | "contact_id">[]> {
  return transaction.query(
    `SELECT DISTINCT m.meter_key, c.kind, c.contact_id FROM consents c
     JOIN occupancies o ON o.occupancy_id = c.occupancy_id AND (o.valid_until IS NULL OR o.valid_until > $2)
     JOIN premise_meters m ON m.premise_id = o.premise_id AND (m.valid_until IS NULL OR m.valid_until > $2)
     WHERE m.meter_key = ANY ($1) AND c.action = 'confirm'`,
    [[...new Set(anomalies.map(({ meter }) => meter))], now],
  );
}

/** Anomalies of the same meters near in time, with the contacts that were or will be told of them. */
async function neighboursOf(
  transaction: Queryable,
  anomalies: readonly AnomalyMessage[],
): Promise<Neighbour[]> {
  const rows = await transaction.query<Omit<Neighbour, "contacts"> & { contact_id: string | null }>(
    `SELECT s.anomaly, s.meter_key, s.rule, s.starts_at, s.ends_at, s.state <> 'withdrawn' AS holds,
       s.state NOT IN ('closed', 'withdrawn') AS open, o.contact_id
     FROM anomalies_seen s
     LEFT JOIN outbox o ON o.anomaly = s.anomaly AND o.kind = 'alert'
       AND (o.told IS NOT NULL OR o.state NOT IN ('failed', 'suppressed', 'expired'))
     WHERE s.meter_key = ANY ($1) AND s.ends_at > $2`,
    [[...new Set(anomalies.map(({ meter }) => meter))], Math.min(...anomalies.map(({ start }) => start))],
  );
  const neighbours = new Map<string, Neighbour>();
  for (const { contact_id, ...row } of rows) {
    const known = neighbours.get(row.anomaly) ?? { ...row, contacts: new Set<string>() };
    if (contact_id !== null) known.contacts.add(contact_id);
    neighbours.set(row.anomaly, known);
  }
  return [...neighbours.values()];
}

async function enqueue(
  transaction: Queryable,
  anomaly: AnomalyMessage,
  recipient: Recipient,
  { send, stage }: Extract<Decision, { send: AlertKind }>,
  { now, notBefore, inDigest }: { readonly now: Date; readonly notBefore: Date; readonly inDigest: boolean },
): Promise<void> {
  // A row that was taken back before any attempt is taken up again, under the same Message-ID.
  await transaction.query(
    `INSERT INTO outbox (utility, kind, anomaly, stage, contact_id, occupancy_id, consent_kind, channel, state,
       not_before, urgent, digest, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12, $13, $11, $11)
     ON CONFLICT (anomaly, kind, stage, contact_id, channel) DO UPDATE SET
       state = excluded.state, reason = NULL, occupancy_id = excluded.occupancy_id, not_before = excluded.not_before,
       digest = excluded.digest, digest_of = NULL, updated_at = excluded.updated_at
     WHERE outbox.state IN ('suppressed', 'expired') AND outbox.told IS NULL`,
    [
      anomaly.utility,
      send,
      anomaly.id,
      stage,
      recipient.contact_id,
      recipient.occupancy_id,
      recipient.kind,
      recipient.channel,
      notBefore > now ? "held" : "queued",
      notBefore,
      now,
      anomaly.rule === "burst" && send === "alert",
      inDigest,
    ],
  );
}
