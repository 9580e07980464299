import type { Database, Queryable } from "../../infra/postgres/database.js";
import type { AnomalyMessage } from "../../schemas/anomalies.js";
import { reaches, type ConsentChannel, type ConsentKind } from "../consent/wording.js";
import type { Language } from "../words/index.js";
import {
  concernsOccupant,
  isReminder,
  refusalForAll,
  sayable,
  waitsForHours,
  type MessageKind,
  type OutboxState,
  type Told,
} from "../decide.js";
import type { NoticeWords } from "../notices.js";
import type { ReplyText } from "../templates/text.js";
import type { UtilityConfig } from "../../schemas/config.js";
import { holds } from "./line-look-up.js";
import { NOTICES, STORM } from "./pause.js";
import type { Policy } from "./record-decisions.js";
import { TextBuckets } from "./text-buckets.js";
import type { OwnHours } from "./sending-hours.js";

/** Class of the advisory lock by which a sender shows that it lives. */
export const OWNER_LOCK = 1_129_467_907;
const LEASE_MS = 120_000;
/** Attempts whose outcome stayed unknown: then the message counts as failed. */
const MOST_UNKNOWN = 5;

/** An outbox row with what is needed to judge and to write the message. */
interface OutboxEntry extends OwnHours {
  readonly outbox_id: string;
  readonly utility: string;
  readonly kind: MessageKind;
  readonly stage: number;
  /** 0: goes before all else. */
  readonly priority: number;
  /** `null` of confirmations and replies. */
  readonly consent_kind: ConsentKind | null;
  readonly state: OutboxState;
  readonly reason: string | null;
  readonly channel: ConsentChannel;
  readonly attempts: number;
  readonly told: Told | null;
  readonly contact_id: string;
  readonly address_hash: Buffer;
  readonly address_sealed: Buffer;
  /** What the number was found to be, and its carrier; `null`: not known. */
  readonly line: string | null;
  readonly carrier: string | null;
  readonly looked_up_at: Date | null;
  readonly language: Language;
  /** Units that the resident chose; `null`: the utility's. */
  readonly units: UtilityConfig["units"] | null;
  readonly message: AnomalyMessage | null;
  /** Since when meter, premise and account of the recipient belong together (UTC seconds); `null`: no consent holds. */
  readonly since: number | null;
  readonly number_sealed: Buffer | null;
  readonly confirmation_id: string | null;
  readonly kinds: ConsentKind[] | null;
  /** Asked again of who agreed a year ago. */
  readonly is_renewal: boolean;
  readonly confirmation_language: Language | null;
  readonly expires_at: Date | null;
  readonly confirmed_at: Date | null;
  readonly reply: ReplyText | null;
  /** What the utility wrote, by language. */
  readonly notice: Readonly<Partial<Record<Language, NoticeWords>>> | null;
  readonly created_at: Date;
  /** When an attempt may first have reached the provider, and whether it was sent once more since. */
  readonly handed_at: Date | null;
  readonly resent: boolean;
  /** It waits for the contact's one mail a day. */
  readonly digest: boolean;
  /** Whether more is due by mail about the same home. */
  readonly has_company: boolean;
  /** `null` of confirmations and replies. */
  readonly occupancy_id: string | null;
  /** Whether the alert that this one follows can have reached the resident. */
  readonly alert_told: boolean;
  /** The address is on the list of those that get nothing. */
  readonly is_suppressed: boolean;
  readonly is_erased: boolean;
  /** When the home was last written to by this channel of anything but a burst, and how often in 30 days. */
  readonly last_routine: Date | null;
  readonly routine: number;
}

/** A message in hand: `sending` is committed. */
export interface Claimed extends OutboxEntry {
  readonly attempt: number;
  /** What the row said before this attempt: holds again if the attempt surely reached nobody. */
  readonly toldBefore: Told | null;
  /** Other messages that go out in this one. */
  readonly others: readonly Claimed[];
}

export interface ClaimContext {
  readonly policies: ReadonlyMap<string, Policy>;
  /** Channels that can send. */
  readonly channels: readonly string[];
  /** Those of them that ask the provider before they repeat: nothing of them is sent again on a guess. */
  readonly traced: readonly string[];
  /** UTC milliseconds. */
  readonly now: number;
}

/** Who takes messages in hand. */
interface Sender {
  /** Number of its advisory lock. */
  readonly owner: number;
  /** What it has in hand already: whatever the clock says, that is not lost. */
  readonly inHand: readonly string[];
}

/** In this order; which messages have which, migration 0033 says. */
const PRIORITIES = [0, 1, 2, 3] as const;

/** Condition for rows that may be sent now; $1 now, $2 channels, $3 utilities that are live. */
const DUE = `o.state IN ('queued', 'held', 'unknown') AND o.not_before <= $1 AND o.channel = ANY ($2)
  AND (o.kind NOT IN ('confirmation', 'service', 'mailing') OR o.utility = ANY ($3))
  AND (coalesce(o.reply, '') = 'stopped' OR NOT EXISTS (
    SELECT 1 FROM channel_pauses p WHERE p.utility = o.utility AND p.ended_at IS NULL
      AND (p.channel = o.channel OR (p.channel = '${NOTICES}' AND o.notice_id IS NOT NULL))
      AND (p.reason <> '${STORM}' OR o.anomaly IS NOT NULL)))
  AND (o.kind IN ('confirmation', 'alert', 'reply') OR NOT EXISTS (
    SELECT 1 FROM outbox a WHERE a.anomaly = o.anomaly AND a.kind = 'alert' AND a.stage = o.stage
      AND a.contact_id = o.contact_id AND a.channel = o.channel
      AND a.state IN ('queued', 'held', 'sending', 'unknown')))`;

/** Condition for rows that do not wait for the one with which they go. */
const GOES_FIRST = `(o.digest_of IS NULL OR o.digest_of = o.outbox_id OR NOT EXISTS (
    SELECT 1 FROM outbox first WHERE first.outbox_id = o.digest_of AND first.state IN ('queued', 'held', 'sending', 'unknown')))`;

function dueValues({ policies, channels, now }: ClaimContext): readonly unknown[] {
  const live = [...policies.values()].filter(({ utility }) => utility.alerts.live);
  return [new Date(now), channels, live.map(({ utility }) => utility.id)];
}

/** Whether anything may be sent now or is being sent. */
export async function isBusy(database: Database, context: ClaimContext): Promise<boolean> {
  const [row] = await database.query<{ busy: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM outbox o WHERE ${GOES_FIRST} AND ${DUE}) OR EXISTS (SELECT 1 FROM outbox WHERE state = 'sending') AS busy`,
    dueValues(context),
  );
  return row!.busy;
}

/**
 * Takes up to `limit` messages in hand. What no longer holds (consent, occupancy, the anomaly itself, its age, the
 * hours) is put aside with its reason. Messages of a sender that died become `unknown`, never `queued`.
 */
export async function claim(
  database: Database,
  context: ClaimContext,
  sender: Sender,
  limit: number,
): Promise<{ readonly claimed: readonly Claimed[]; readonly looked: number }> {
  const now = new Date(context.now);
  return database.transaction(async (transaction) => {
    await transaction.query(
      `UPDATE outbox SET state = 'unknown', reason = 'sender-died', owner = NULL, lease_until = NULL, not_before = $1, updated_at = $1
       WHERE outbox_id IN (
         SELECT outbox_id FROM outbox o WHERE state = 'sending' AND outbox_id <> ALL ($4)
           AND (owner = $3 OR lease_until < $1 OR NOT EXISTS (
             SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = $2::integer AND l.objid = o.owner
               AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))
         FOR UPDATE SKIP LOCKED)`,
      [now, OWNER_LOCK, sender.owner, sender.inHand],
    );
    const locked: { readonly outbox_id: string }[] = [];
    // One look for each: the index gives them in order of time, and what waits for the morning is not gone through.
    for (const priority of PRIORITIES) {
      if (locked.length >= limit) break;
      const more = await transaction.query<{ outbox_id: string }>(
        `SELECT o.outbox_id FROM outbox o WHERE o.priority = $5 AND ${GOES_FIRST} AND ${DUE} ORDER BY o.not_before LIMIT $4
         FOR UPDATE OF o SKIP LOCKED`,
        [...dueValues(context), limit - locked.length, priority],
      );
      locked.push(...more);
    }
    if (locked.length === 0) return { claimed: [], looked: 0 };
    // A statement of its own: it sees what was committed before the rows were locked.
    const entries = await loadEntries(
      transaction,
      locked.map(({ outbox_id }) => outbox_id),
      now,
    );
    const claimed: Claimed[] = [];
    const buckets = await openBuckets(transaction, entries, context);
    /** Takes one in hand, or puts it aside. */
    const claimOne = async (entry: OutboxEntry): Promise<Claimed | undefined> => {
      const verdict = withinLimits(judge(entry, context), entry, buckets.get(entry.utility), context);
      const attempt =
        "send" in verdict ? await take(transaction, entry, verdict.send, sender.owner, now) : undefined;
      if (attempt !== undefined && "send" in verdict)
        return { ...entry, attempt, told: verdict.send, toldBefore: entry.told, others: [] };
      const aside: Aside =
        "send" in verdict
          ? {
              state: "suppressed",
              reason: entry.kind === "service" ? "moved-out" : "no-consent",
              notBefore: undefined,
            }
          : verdict;
      await transaction.query(
        `UPDATE outbox SET state = $2, reason = $3, not_before = coalesce($4, not_before), updated_at = $5 WHERE outbox_id = $1`,
        [entry.outbox_id, aside.state, aside.reason, aside.notBefore ?? null, now],
      );
      return undefined;
    };
    const done = new Set<string>();
    for (const entry of entries) {
      if (done.has(entry.outbox_id)) continue;
      const together =
        entry.digest || entry.has_company ? await goesWith(transaction, entry, context) : [entry];
      const taken: Claimed[] = [];
      for (const one of together) {
        done.add(one.outbox_id);
        const message = await claimOne(one);
        if (message !== undefined) taken.push(message);
      }
      const [first, ...others] = taken;
      if (first === undefined) continue;
      if (others.length > 0) await join(transaction, first, others);
      claimed.push({ ...first, others });
    }
    for (const bucket of buckets.values()) await bucket.save(transaction, now);
    return { claimed, looked: locked.length };
  });
}

const TURN = "carrier-limit";

/** The buckets of utilities whose texts are looked at, locked in one order for all senders. */
async function openBuckets(
  transaction: Queryable,
  entries: readonly OutboxEntry[],
  { policies, now }: ClaimContext,
): Promise<Map<string, TextBuckets>> {
  const texts = entries.filter(({ channel }) => channel === "sms");
  const buckets = new Map<string, TextBuckets>();
  for (const id of [...new Set(texts.map(({ utility }) => utility))].sort()) {
    const utility = policies.get(id)?.utility;
    if (utility?.sms !== undefined && utility.sms.limits.length > 0)
      buckets.set(id, await TextBuckets.open(transaction, utility, new Date(now)));
  }
  return buckets;
}

/**
 * What may go now, goes if the carriers' limits let it, else gets a turn. Whose turn has come goes; what was handed over
 * before is asked after, not sent.
 */
function withinLimits(
  verdict: ReturnType<typeof judge>,
  entry: OutboxEntry,
  bucket: TextBuckets | undefined,
  { policies, traced, now }: ClaimContext,
): ReturnType<typeof judge> {
  const isAsked = entry.state === "unknown" && traced.includes(entry.channel);
  if (!("send" in verdict) || bucket === undefined || entry.channel !== "sms") return verdict;
  if (isAsked || entry.reason === TURN) return verdict;
  // Nobody waits for the question whether alerts are still wanted.
  const isUrgent = entry.priority === 0 && !entry.is_renewal;
  const turn = now + Math.ceil(bucket.wait(isUrgent, entry.carrier)) * 1000;
  const { hours } = policies.get(entry.utility)!;
  const start = waitsForHours(entry.kind, entry.consent_kind) ? hours.within(entry).next(turn) : turn;
  // Of a night's turns none is kept for the morning: they would all be one.
  if (start > turn) return { state: "held", reason: "quiet-hours", notBefore: new Date(start) };
  bucket.take(entry.carrier);
  return turn === now ? verdict : { state: "held", reason: TURN, notBefore: new Date(turn) };
}

/** Most messages in one mail: more wait for the next. */
const MOST_IN_ONE = 200;

/**
 * What goes out in one mail with this message: what went with it before; else all that is due of the home, or of the
 * digest. What may have arrived by itself comes again as it was.
 */
async function goesWith(
  transaction: Queryable,
  entry: OutboxEntry,
  context: ClaimContext,
): Promise<OutboxEntry[]> {
  const gathers = (context.policies.get(entry.utility)?.utility.alerts.gatherMinutes ?? 0) > 0;
  const rows = await transaction.query<{ outbox_id: string }>(
    `SELECT o.outbox_id FROM outbox o, (SELECT digest_of, digest, state, contact_id, occupancy_id FROM outbox WHERE outbox_id = $4) AS mine
     WHERE o.contact_id = mine.contact_id AND o.anomaly IS NOT NULL AND o.digest_of IS NOT DISTINCT FROM mine.digest_of
       AND (mine.digest_of IS NOT NULL OR ((($5 AND o.occupancy_id = mine.occupancy_id) OR (o.digest AND mine.digest))
         AND o.state <> 'unknown' AND mine.state <> 'unknown'))
       AND ${DUE}
     ORDER BY o.outbox_id <> $4, o.priority, o.created_at, o.outbox_id LIMIT ${MOST_IN_ONE} FOR UPDATE OF o SKIP LOCKED`,
    [...dueValues(context), entry.outbox_id, gathers],
  );
  if (rows.length === 0) return [entry];
  const ids = rows.map(({ outbox_id }) => outbox_id);
  const loaded = await loadEntries(transaction, ids, new Date(context.now));
  return loaded.sort((a, b) => ids.indexOf(a.outbox_id) - ids.indexOf(b.outbox_id));
}

/** From now on they go out as one, also when it is tried again. */
async function join(
  transaction: Queryable,
  first: OutboxEntry,
  others: readonly OutboxEntry[],
): Promise<void> {
  await transaction.query("UPDATE outbox SET digest_of = $1 WHERE outbox_id = $1 OR outbox_id = ANY ($2)", [
    first.outbox_id,
    others.map(({ outbox_id }) => outbox_id),
  ]);
}

interface Aside {
  readonly state: OutboxState;
  readonly reason: string;
  readonly notBefore: Date | undefined;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** An answer that could not be given in that time is not given any more. */
const REPLY_MS = DAY_MS;
/** Nor is a notice; what the utility wrote waits longer. */
const NOTICE_MS = 7 * DAY_MS;
const WRITTEN_MS = 30 * DAY_MS;

/** Whether a message may go now, and what it says. */
function judge(
  entry: OutboxEntry,
  { policies, traced, now }: ClaimContext,
): { readonly send: Told | null } | Aside {
  const aside = (state: OutboxState, reason: string, notBefore?: Date): Aside => ({
    state,
    reason,
    notBefore,
  });
  const policy = policies.get(entry.utility);
  if (policy === undefined) return aside("suppressed", "utility-unknown");
  if (!reaches(policy.utility, entry.channel)) return aside("suppressed", "channel-unknown");
  if (entry.is_erased) return aside("suppressed", "erased");
  // A reply answers a text: whatever a look-up says, it gets some.
  const isLandline = entry.line === "landline" && holds(entry.looked_up_at, now);
  if (isLandline && entry.channel === "sms" && entry.kind !== "reply") return aside("suppressed", "landline");
  if (entry.is_suppressed && !answersAlways(entry))
    return aside("suppressed", entry.channel === "email" ? "returned" : "stopped");
  // It may have arrived: whether it did is asked, whatever has changed since.
  const asks = entry.state === "unknown" && traced.includes(entry.channel);
  if (entry.state === "unknown" && !asks && entry.attempts >= MOST_UNKNOWN)
    return aside("failed", "no-answer");
  if (entry.kind === "reply")
    return now - entry.created_at.getTime() > REPLY_MS ? aside("expired", "too-late") : { send: null };
  if (entry.kind === "confirmation") {
    // Who asked for another's number does not have it ring at night.
    const day = entry.channel === "voice" ? policy.hours.next(now) : now;
    if (day > now) return aside("held", "quiet-hours", new Date(day));
    if (entry.confirmed_at !== null) return aside("suppressed", "confirmed");
    return entry.expires_at!.getTime() <= now ? aside("expired", "link-expired") : { send: null };
  }
  if (entry.kind === "notice" || entry.kind === "service" || entry.kind === "mailing") {
    const most = entry.kind === "notice" ? NOTICE_MS : WRITTEN_MS;
    if (now - entry.created_at.getTime() > most) return aside("expired", "too-late");
    const day = policy.hours.within(entry).next(now);
    return day > now ? aside("held", "quiet-hours", new Date(day)) : { send: null };
  }
  const anomaly = entry.message!;
  const refusal = refusalForAll(anomaly, policy.utility.alerts, Math.floor(now / 1000));
  // A correction is due however old the readings are.
  if (refusal === "old-news" && entry.kind !== "correction") return aside("expired", refusal);
  if (refusal !== undefined && refusal !== "old-news") return aside("suppressed", refusal);
  if (entry.since === null) return aside("suppressed", "no-consent");
  if (!concernsOccupant(anomaly, entry.since)) return aside("suppressed", "before-occupancy");
  const says = sayable(anomaly);
  if (entry.kind === "alert" && says !== "open" && says !== "over") return aside("suppressed", says);
  if (isReminder(entry.kind) && says !== "open") return aside("suppressed", "flow-stopped");
  if (entry.kind === "stopped" && says !== "over") return aside("suppressed", "flow-goes-on");
  if (entry.kind === "correction" && says !== "withdrawn") return aside("suppressed", "still-holds");
  if (entry.kind !== "alert" && !entry.alert_told) return aside("suppressed", "nothing-told");
  if (!asks) {
    const hours = policy.hours.within(entry);
    const next = (time: number) => (waitsForHours(entry.kind, entry.consent_kind) ? hours.next(time) : time);
    const start = next(now);
    if (start > now)
      return aside(entry.state === "unknown" ? "unknown" : "held", "quiet-hours", new Date(start));
    const { gatherMinutes } = policy.utility.alerts;
    // What may have arrived comes again as it was, when its time is.
    if (entry.channel === "email" && entry.state !== "unknown" && anomaly.rule !== "burst") {
      const free = (entry.last_routine?.getTime() ?? 0) + gatherMinutes * MINUTE_MS;
      if (free > now) return aside("held", "gathering", new Date(next(free)));
    }
    const most = perMonth(policy.utility, entry.channel);
    if (most !== undefined && anomaly.rule !== "burst") {
      if (entry.routine >= most) return aside("suppressed", "monthly-limit");
      const free = (entry.last_routine?.getTime() ?? 0) + DAY_MS;
      if (free > now) return aside("held", "daily-limit", new Date(hours.next(free)));
    }
  }
  // A repeat of what may have arrived says the same.
  return { send: entry.told ?? (says as Told) };
}

/** Routine texts or calls in 30 days that sign-up promised not to pass; of mails there is no such promise. */
function perMonth({ sms, voice }: UtilityConfig, channel: ConsentChannel): number | undefined {
  return channel === "email" ? undefined : (channel === "sms" ? sms : voice)!.perMonth;
}

/** What may be said to a number that wants nothing more: that this was understood, and where to get help. */
function answersAlways({ reply }: OutboxEntry): boolean {
  return reply === "stopped" || reply === "help";
}

function loadEntries(transaction: Queryable, ids: readonly string[], now: Date): Promise<OutboxEntry[]> {
  return transaction.query<OutboxEntry>(
    `SELECT o.outbox_id, o.utility, o.kind, o.stage, o.priority, o.consent_kind, o.state, o.reason, o.channel, o.attempts, o.told, o.contact_id,
            c.address_hash, c.address_sealed, c.line, c.carrier, c.looked_up_at, c.erased_at IS NOT NULL AS is_erased, c.language, c.units, c.send_from, c.send_until, c.time_zone, s.message, a.number_sealed,
            f.confirmation_id, coalesce(f.method = 'renewal', false) AS is_renewal, f.kinds, f.language AS confirmation_language, f.expires_at, f.confirmed_at,
            (SELECT extract(epoch FROM min(r.valid_from))::float8 FROM recipients r
             WHERE r.meter_key = s.meter_key AND r.contact_id = o.contact_id AND r.kind = o.consent_kind
               AND r.channel = o.channel AND r.valid_from <= $2 AND (r.valid_until IS NULL OR r.valid_until > $2)) AS since,
            EXISTS (SELECT 1 FROM outbox alert WHERE alert.anomaly = o.anomaly AND alert.kind = 'alert'
               AND alert.stage = o.stage AND alert.contact_id = o.contact_id AND alert.channel = o.channel
               AND alert.told IS NOT NULL) AS alert_told,
            o.reply, n.words AS notice, o.created_at, o.handed_at, o.resent, o.digest, o.occupancy_id,
            o.channel = 'email' AND o.anomaly IS NOT NULL AND EXISTS (SELECT 1 FROM outbox x WHERE x.contact_id = o.contact_id
               AND x.occupancy_id = o.occupancy_id AND x.outbox_id <> o.outbox_id AND x.anomaly IS NOT NULL
               AND x.state IN ('queued', 'held', 'unknown') AND x.not_before <= $2) AS has_company,
            EXISTS (SELECT 1 FROM suppressions x WHERE x.utility = c.utility AND x.channel = c.channel
               AND x.address_hash = c.address_hash AND x.ended_at IS NULL) AS is_suppressed,
            lately.last_routine, lately.routine
     FROM outbox o
     JOIN contacts c ON c.contact_id = o.contact_id
     LEFT JOIN anomalies_seen s ON s.anomaly = o.anomaly
     LEFT JOIN notices n ON n.notice_id = o.notice_id
     LEFT JOIN confirmations f ON f.confirmation_id = o.confirmation_id
     LEFT JOIN occupancies p ON p.occupancy_id = o.occupancy_id
     LEFT JOIN accounts a ON a.account_id = p.account_id
     CROSS JOIN LATERAL (
       SELECT max(b.accepted_at) AS last_routine, count(*) AS routine FROM outbox b JOIN anomalies_seen t USING (anomaly)
       WHERE b.contact_id = o.contact_id AND b.occupancy_id = o.occupancy_id AND b.channel = o.channel
         AND b.accepted_at > $2::timestamptz - interval '30 days' AND b.told IS NOT NULL AND t.rule <> 'burst') AS lately
     WHERE o.outbox_id = ANY ($1) ORDER BY o.priority, o.not_before`,
    [ids, now],
  );
}

/** Marks a message as being sent, if its consent holds in this very statement; returns the number of the attempt. */
async function take(
  transaction: Queryable,
  entry: OutboxEntry,
  told: Told | null,
  owner: number,
  now: Date,
): Promise<number | undefined> {
  const [row] = await transaction.query<{ attempts: number }>(
    `UPDATE outbox o SET state = 'sending', told = $2, attempts = attempts + 1, owner = $3, lease_until = $4, reason = NULL,
       updated_at = $5, handed_at = coalesce(handed_at, $5)
     WHERE outbox_id = $1
       AND EXISTS (SELECT 1 FROM contacts c WHERE c.contact_id = o.contact_id AND c.erased_at IS NULL)
       AND (coalesce(reply, '') IN ('stopped', 'help') OR NOT EXISTS (
         SELECT 1 FROM suppressions x JOIN contacts c USING (utility, channel, address_hash)
         WHERE c.contact_id = o.contact_id AND x.ended_at IS NULL))
       AND (kind IN ('confirmation', 'reply') OR (kind = 'notice' AND EXISTS (
         SELECT 1 FROM active_consents a WHERE a.contact_id = o.contact_id AND a.occupancy_id = o.occupancy_id AND a.channel = o.channel))
       OR (kind = 'mailing' AND EXISTS (
         SELECT 1 FROM active_consents a JOIN occupancies p USING (occupancy_id)
         WHERE a.contact_id = o.contact_id AND a.kind = o.consent_kind AND a.channel = o.channel
           AND (p.valid_until IS NULL OR p.valid_until > $5)))
       OR (kind = 'service' AND EXISTS (
         SELECT 1 FROM consents k JOIN occupancies p USING (occupancy_id)
         WHERE k.contact_id = o.contact_id AND k.action = 'confirm' AND (p.valid_until IS NULL OR p.valid_until > $5)))
       OR EXISTS (
       SELECT 1 FROM recipients r JOIN anomalies_seen s ON s.meter_key = r.meter_key
       WHERE s.anomaly = o.anomaly AND r.contact_id = o.contact_id AND r.kind = o.consent_kind AND r.channel = o.channel
         AND r.valid_from <= $5 AND (r.valid_until IS NULL OR r.valid_until > $5)))
     RETURNING attempts`,
    [entry.outbox_id, told, owner, new Date(now.getTime() + LEASE_MS), now],
  );
  return row?.attempts;
}
