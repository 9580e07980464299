import type { Queryable } from "../infra/postgres/database.js";
import type { AnomalyMessage } from "../schemas/anomalies.js";
import type { UtilityConfig } from "../schemas/config.js";
import { inUnits, lockContact } from "./consent/contact.js";
import { declareNormal, normalFlow } from "./consent/declare.js";
import { linkOf, type ConsentStores, type Link } from "./consent/subscription.js";
import type { ConsentChannel, ConsentKind } from "./consent/wording.js";
import type { Language } from "./words/index.js";
import { Format } from "./templates/format.js";

/** What a resident says of an alert: 1 the water runs on purpose, 2 somebody looks into it, 3 remind me, 4 it is normal here. */
export type Answer = 1 | 2 | 3 | 4;
/** Those that a text can give: what holds for good is said on a page, where its number stands. */
export type TextAnswer = Exclude<Answer, 4>;

/** Which words thank for them, said or written. */
export const ANSWERED = { 1: "on-purpose", 2: "looking", 3: "remind" } as const;

const DAY_MS = 86_400_000;
/** An alert that was sent longer ago is not answered any more. */
export const ANSWERABLE_MS = 14 * DAY_MS;
/** For how long an answer keeps further words about the flow back: it runs on purpose, somebody looks, later. */
const MUTE_MS: Readonly<Record<Answer, number>> = {
  1: 14 * DAY_MS,
  2: 3 * DAY_MS,
  3: 7 * DAY_MS,
  4: 14 * DAY_MS,
};

/** The alert that is answered, as the outbox has it. */
export interface AnsweredAlert {
  readonly utility: string;
  readonly contact_id: string;
  readonly channel: ConsentChannel;
  readonly anomaly: string;
  readonly stage: number;
  readonly occupancy_id: number;
  readonly consent_kind: ConsentKind;
  /** Of the anomaly as it is known now, mL/h: at twice that it is news again. */
  readonly rate: number;
}

/** Takes an answer in, in a transaction that holds the contact's lock: further words wait, a reminder is made or dropped. */
export async function takeAnswer(
  transaction: Queryable,
  alert: AnsweredAlert,
  given: Answer,
  now: Date,
): Promise<void> {
  const { utility, contact_id, channel, anomaly, stage, occupancy_id, consent_kind, rate } = alert;
  const until = new Date(now.getTime() + MUTE_MS[given]);
  await transaction.query(
    `INSERT INTO answers (utility, anomaly, contact_id, answer, rate, at, mute_until) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [utility, anomaly, contact_id, given, Math.round(rate), now, until],
  );
  if (given === 3) {
    await transaction.query(
      `INSERT INTO outbox (utility, kind, anomaly, stage, contact_id, occupancy_id, consent_kind, channel, state,
         not_before, created_at, updated_at)
       VALUES ($1, 'reminder', $2, $3, $4, $5, $6, $9, 'held', $7, $8, $8)
       ON CONFLICT (anomaly, kind, stage, contact_id, channel) DO UPDATE SET
         state = 'held', reason = NULL, not_before = excluded.not_before, updated_at = excluded.updated_at,
         told = NULL, provider_id = NULL, handed_at = NULL, accepted_at = NULL
       WHERE outbox.state NOT IN ('sending', 'unknown')`,
      [utility, anomaly, stage, contact_id, occupancy_id, consent_kind, until, now, channel],
    );
    return;
  }
  await transaction.query(
    `UPDATE outbox SET state = 'suppressed', reason = 'answered', updated_at = $3
     WHERE anomaly = $1 AND contact_id = $2 AND kind IN ('reminder', 'last-reminder') AND state = 'held'`,
    [anomaly, contact_id, now],
  );
}

/** What the page behind a link of an alert shows. */
export interface AnswerableAlert {
  readonly utility: UtilityConfig;
  readonly language: Language;
  readonly kind: ConsentKind;
  /** Answers that fit. */
  readonly answers: readonly Answer[];
  /** What may run in an hour from then on, such as "5.2 gallons", if the flow is said to be normal. */
  readonly normal: string | undefined;
  /** `over`: the flow has stopped, or never was; `old`: it was sent too long ago. */
  readonly state: "open" | "over" | "old";
}

interface AlertRow extends AnsweredAlert {
  readonly message: AnomalyMessage;
  readonly units: UtilityConfig["units"] | null;
  readonly language: Language;
  readonly state: string;
  readonly sent: Date;
}

/** The alert that a link of a mail is about; `undefined` where the token is none of ours. Changes nothing. */
export async function describeAnswer(
  stores: ConsentStores,
  token: string,
): Promise<AnswerableAlert | undefined> {
  const link = linkOf(stores, "answer", token);
  const found = link && (await findAlert(stores, link, link.database));
  return found?.described;
}

/** Takes the answer of a link; `undefined`, with nothing changed, where there is nothing to answer (any more). */
export async function answerAlert(
  stores: ConsentStores,
  token: string,
  given: Answer,
): Promise<AnswerableAlert | undefined> {
  const link = linkOf(stores, "answer", token);
  if (link === undefined) return undefined;
  return link.database.transaction(async (transaction) => {
    const first = await findAlert(stores, link, transaction);
    if (first === undefined) return undefined;
    if (!(await lockContact(transaction, first.row.contact_id))) return undefined;
    const { row, described } = (await findAlert(stores, link, transaction))!;
    if (described.state !== "open" || !described.answers.includes(given)) return undefined;
    const now = new Date(stores.clock.now());
    await takeAnswer(transaction, row, given, now);
    const { meter } = row.message;
    if (given === 4) await declareNormal(transaction, row, { meter, rate: normalFlow(row.message)!, now });
    return described;
  });
}

async function findAlert({ clock }: ConsentStores, { id, utility }: Link, on: Queryable) {
  const [row] = await on.query<AlertRow>(
    `SELECT o.utility, o.contact_id, o.channel, o.anomaly, o.stage, o.occupancy_id, o.consent_kind, c.language, c.units,
            (s.message->>'rate')::float8 AS rate, s.message, s.state, coalesce(o.accepted_at, o.updated_at) AS sent
     FROM outbox o JOIN anomalies_seen s USING (anomaly) JOIN contacts c USING (contact_id)
     WHERE o.outbox_id = $1 AND o.kind IN ('alert', 'reminder', 'last-reminder') AND o.occupancy_id IS NOT NULL
       AND c.erased_at IS NULL`,
    [id],
  );
  if (row === undefined) return undefined;
  const goesOn = row.state === "opened" || row.state === "updated";
  const isOld = clock.now() - row.sent.getTime() > ANSWERABLE_MS;
  const normal = normalFlow(row.message);
  const described: AnswerableAlert = {
    utility,
    language: row.language,
    kind: row.consent_kind,
    answers: answersTo(row.consent_kind, normal !== undefined),
    normal:
      normal === undefined ? undefined : new Format(inUnits(utility, row.units), row.language).volume(normal),
    state: !goesOn ? "over" : isOld ? "old" : "open",
  };
  return { row, described };
}

/**
 * A frost is nothing to be answered. High use ends by itself before anybody could be reminded of it.
 * @param canBeNormal whether the detector heeds that such a flow is normal
 */
export function answersTo(kind: ConsentKind, canBeNormal: boolean): readonly Answer[] {
  if (kind === "freeze") return [];
  if (kind === "high-usage") return [1, 2];
  return canBeNormal ? [1, 2, 3, 4] : [1, 2, 3];
}
